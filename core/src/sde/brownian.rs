use super::{AdditiveNoise, DiagonalNoise, Ito, Sde};

/// Brownian motion, `dX = scale dW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brownian {
    /// Standard deviation after a unit of time.
    pub scale: f32,
}

impl Brownian {
    /// The variance of `X(t) - X(0)`: `scale^2 t`.
    #[must_use]
    pub fn variance(&self, t: f32) -> f32 {
        self.scale * self.scale * t
    }

    /// The covariance of the path at two times, started at 0: `scale^2 min(s, t)`.
    #[must_use]
    pub fn covariance(&self, s: f32, t: f32) -> f32 {
        self.variance(s.min(t))
    }
}

impl Sde for Brownian {
    #[inline(always)]
    fn drift(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }

    #[inline(always)]
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.scale);
    }
}

impl Ito for Brownian {}
impl DiagonalNoise for Brownian {}
impl AdditiveNoise for Brownian {}
