use super::Potential;

/// Two wells in each component, `U = barrier ((x / half_distance)^2 - 1)^2`, with their floors at `+-half_distance`.
///
/// The double-well process is [`OverdampedLangevin`](super::OverdampedLangevin) in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleWell {
    /// Energy at 0 above the floors.
    pub barrier: f32,
    /// Distance of each floor from 0, positive.
    pub half_distance: f32,
}

impl DoubleWell {
    /// The energy of one component at `x`.
    #[must_use]
    pub fn energy(&self, x: f32) -> f32 {
        let q = x / self.half_distance;
        let gap = q * q - 1.0;
        self.barrier * gap * gap
    }
}

impl Potential for DoubleWell {
    #[inline(always)]
    fn gradient(&mut self, x: &[f32], out: &mut [f32]) {
        let scale = 4.0 * self.barrier / self.half_distance;
        for (out, x) in out.iter_mut().zip(x) {
            let q = x / self.half_distance;
            *out = scale * q * (q * q - 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_the_slope_of_the_energy() {
        let mut well = DoubleWell { barrier: 1.5, half_distance: 2.0 };
        for i in -30..=30 {
            let (x, step) = (i as f32 * 0.1, 1e-2);
            let mut slope = [0.0];
            well.gradient(&[x], &mut slope);
            // The central difference of a quartic is off by step^2 / 6 of its third derivative, at most 2e-4 here.
            let difference = (well.energy(x + step) - well.energy(x - step)) / (2.0 * step);
            assert!((slope[0] - difference).abs() < 5e-4, "{x}: {} {difference}", slope[0]);
        }
        assert_eq!((well.energy(0.0), well.energy(2.0), well.energy(-2.0)), (1.5, 0.0, 0.0));
    }
}
