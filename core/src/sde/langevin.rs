use super::{AdditiveNoise, DiagonalNoise, Ito, Sde};

/// A potential energy, known by its gradient.
pub trait Potential {
    /// Writes the gradient of the energy at the positions `x` to `out`.
    fn gradient(&mut self, x: &[f32], out: &mut [f32]);
}

/// No potential: a free particle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flat;

impl Potential for Flat {
    #[inline(always)]
    fn gradient(&mut self, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}

/// A spring in each component, `U = stiffness x^2 / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quadratic {
    /// Second derivative of the energy.
    pub stiffness: f32,
}

impl Potential for Quadratic {
    #[inline(always)]
    fn gradient(&mut self, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = self.stiffness * x;
        }
    }
}

/// Overdamped Langevin motion, `dX = -grad U(X) dt + noise dW`.
///
/// Its stationary density is `exp(-2 U / noise^2)` up to a constant: Boltzmann's law at temperature `noise^2 / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverdampedLangevin<P> {
    /// The potential.
    pub potential: P,
    /// Strength of the noise, `sqrt(2 temperature)` at unit mobility.
    pub noise: f32,
}

impl<P: Potential> Sde for OverdampedLangevin<P> {
    #[inline(always)]
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        self.potential.gradient(x, out);
        for out in out {
            *out = -*out;
        }
    }

    #[inline(always)]
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.noise);
    }
}

impl<P: Potential> Ito for OverdampedLangevin<P> {}
impl<P: Potential> DiagonalNoise for OverdampedLangevin<P> {}
impl<P: Potential> AdditiveNoise for OverdampedLangevin<P> {}
