use super::{AdditiveNoise, DiagonalNoise, Ito, Potential, Sde};

/// Underdamped Langevin motion at unit mass: `dq = v dt`, `dv = -friction v dt - grad U(q) dt + noise dW`.
///
/// The state holds all positions and then all velocities, so its length is even. Only the velocities have noise; the
/// positions' share of an increment is not used. Stationary density: `exp(-(U + v^2 / 2) / temperature)` up to a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnderdampedLangevin<P> {
    /// The potential of the positions.
    pub potential: P,
    /// Rate at which velocity is lost.
    pub friction: f32,
    /// Strength of the noise.
    pub noise: f32,
}

impl<P> UnderdampedLangevin<P> {
    /// The temperature at which noise and friction are in balance, `noise^2 / (2 friction)`: the variance of a velocity.
    #[must_use]
    pub fn temperature(&self) -> f32 {
        self.noise * self.noise / (2.0 * self.friction)
    }
}

impl<P: Potential> Sde for UnderdampedLangevin<P> {
    #[inline(always)]
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        let half = x.len() / 2;
        let (Some((positions, velocities)), Some((rates, forces))) =
            (x.split_at_checked(half), out.split_at_mut_checked(half))
        else {
            return out.fill(f32::NAN);
        };
        for (rate, v) in rates.iter_mut().zip(velocities) {
            *rate = *v;
        }
        self.potential.gradient(positions, forces);
        for (force, v) in forces.iter_mut().zip(velocities) {
            *force = -self.friction * v - *force;
        }
    }

    #[inline(always)]
    fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        let Some((rates, forces)) = out.split_at_mut_checked(x.len() / 2) else { return out.fill(f32::NAN) };
        rates.fill(0.0);
        forces.fill(self.noise);
    }
}

impl<P: Potential> Ito for UnderdampedLangevin<P> {}
impl<P: Potential> DiagonalNoise for UnderdampedLangevin<P> {}
impl<P: Potential> AdditiveNoise for UnderdampedLangevin<P> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sde::Quadratic;

    #[test]
    fn drift_and_noise_follow_the_layout() {
        let mut sde = UnderdampedLangevin { potential: Quadratic { stiffness: 3.0 }, friction: 0.5, noise: 2.0 };
        let mut out = [0.0; 4];
        sde.drift(0.0, &[1.0, -2.0, 10.0, 20.0], &mut out);
        assert_eq!(out, [10.0, 20.0, -8.0, -4.0]);
        sde.diffusion(0.0, &[0.0; 4], &mut out);
        assert_eq!(out, [0.0, 0.0, 2.0, 2.0]);
        assert_eq!(sde.temperature(), 4.0);
    }
}
