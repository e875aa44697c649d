use super::{DiagonalNoise, DiffusionSlope, Ito, Sde};
use crate::math;

/// Geometric Brownian motion, `dX = growth X dt + volatility X dW` (Itô).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeometricBrownian {
    /// Rate of growth of the mean.
    pub growth: f32,
    /// Strength of the noise relative to the state.
    pub volatility: f32,
}

impl GeometricBrownian {
    /// The path given its noise, `X(t) = x0 exp((growth - volatility^2 / 2) t + volatility W(t))`, by Itô's lemma.
    #[must_use]
    pub fn path(&self, x0: f32, t: f32, w: f32) -> f32 {
        x0 * math::exp((self.growth - 0.5 * self.volatility * self.volatility) * t + self.volatility * w)
    }

    /// The mean of `X(t)`: `x0 e^(growth t)`.
    #[must_use]
    pub fn mean_at(&self, x0: f32, t: f32) -> f32 {
        x0 * math::exp(self.growth * t)
    }

    /// The variance of `X(t)`: `x0^2 e^(2 growth t) (e^(volatility^2 t) - 1)`.
    #[must_use]
    pub fn variance(&self, x0: f32, t: f32) -> f32 {
        let mean = self.mean_at(x0, t);
        mean * mean * math::expm1(self.volatility * self.volatility * t)
    }
}

impl Sde for GeometricBrownian {
    #[inline(always)]
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = self.growth * x;
        }
    }

    #[inline(always)]
    fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = self.volatility * x;
        }
    }
}

impl Ito for GeometricBrownian {}
impl DiagonalNoise for GeometricBrownian {}

impl DiffusionSlope for GeometricBrownian {
    #[inline(always)]
    fn diffusion_slope(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.volatility);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_are_those_of_the_path_under_normal_noise() {
        // Gaussian quadrature by the trapezoid rule over +-9 deviations, exact to rounding for smooth integrands.
        let gbm = GeometricBrownian { growth: 0.3, volatility: 0.5 };
        let (t, step) = (1.5f64, 0.01f64);
        let (mut mean, mut square) = (0.0, 0.0);
        for i in -900..=900 {
            let z = f64::from(i) * step;
            let density = (-0.5 * z * z).exp() * step / (2.0 * std::f64::consts::PI).sqrt();
            let x = f64::from(gbm.path(2.0, 1.5, (z * t.sqrt()) as f32));
            mean += density * x;
            square += density * x * x;
        }
        assert!((f64::from(gbm.mean_at(2.0, 1.5)) / mean - 1.0).abs() < 1e-6);
        assert!((f64::from(gbm.variance(2.0, 1.5)) / (square - mean * mean) - 1.0).abs() < 1e-5);
    }
}
