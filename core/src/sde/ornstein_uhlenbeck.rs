use super::{AdditiveNoise, DiagonalNoise, Ito, Sde};
use crate::math;

/// The Ornstein-Uhlenbeck process, `dX = rate (mean - X) dt + diffusion dW`.
///
/// Source: Uhlenbeck and Ornstein 1930, "On the theory of the Brownian motion".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrnsteinUhlenbeck {
    /// Rate of the pull towards the mean, for each unit of time; positive for a stationary law.
    pub rate: f32,
    /// Where the drift is zero.
    pub mean: f32,
    /// Strength of the noise.
    pub diffusion: f32,
}

impl OrnsteinUhlenbeck {
    /// The mean of `X(t)` given `X(0) = x0`: `mean + (x0 - mean) e^(-rate t)`.
    #[must_use]
    pub fn mean_at(&self, x0: f32, t: f32) -> f32 {
        self.mean + (x0 - self.mean) * math::exp(-self.rate * t)
    }

    /// The variance of `X(t)` given `X(0)`: `diffusion^2 |1 - e^(-2 rate t)| / (2 rate)`.
    ///
    /// For a negative t it is the variance of the drift run backwards under fresh noise.
    #[must_use]
    pub fn variance(&self, t: f32) -> f32 {
        let growth = -2.0 * self.rate * t;
        // The limit of expm1(y) / y at 0 is 1.
        let ratio = if growth == 0.0 { 1.0 } else { math::expm1(growth) / growth };
        self.diffusion * self.diffusion * t.abs() * ratio
    }

    /// The variance of the stationary law: `diffusion^2 / (2 rate)`.
    #[must_use]
    pub fn stationary_variance(&self) -> f32 {
        self.diffusion * self.diffusion / (2.0 * self.rate)
    }

    /// The covariance of `X(s)` and `X(t)` given `X(0)`: `variance(min) e^(-rate |t - s|)`, for times that are not negative.
    #[must_use]
    pub fn covariance(&self, s: f32, t: f32) -> f32 {
        self.variance(s.min(t)) * math::exp(-self.rate * (t - s).abs())
    }
}

impl Sde for OrnsteinUhlenbeck {
    #[inline(always)]
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = self.rate * (self.mean - x);
        }
    }

    #[inline(always)]
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.diffusion);
    }
}

impl Ito for OrnsteinUhlenbeck {}
impl DiagonalNoise for OrnsteinUhlenbeck {}
impl AdditiveNoise for OrnsteinUhlenbeck {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_tends_to_the_stationary_one_and_starts_as_brownian_motion() {
        let ou = OrnsteinUhlenbeck { rate: 2.0, mean: 1.0, diffusion: 3.0 };
        assert!((ou.variance(20.0) - 2.25).abs() < 1e-6 && ou.stationary_variance() == 2.25);
        assert!((ou.variance(1e-4) / 9e-4 - 1.0).abs() < 3e-4);
        assert_eq!(OrnsteinUhlenbeck { rate: 0.0, ..ou }.variance(0.5), 4.5);
        // By quadrature of g^2 e^(-2 rate s) over [0, .7], midpoint rule.
        let n = 10_000;
        let step = 0.7 / f64::from(n);
        let sum: f64 = (0..n).map(|i| 9.0 * (-4.0 * (f64::from(i) + 0.5) * step).exp() * step).sum();
        assert!((f64::from(ou.variance(0.7)) - sum).abs() < 1e-6);
    }
}
