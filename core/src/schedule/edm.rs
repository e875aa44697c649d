use super::{NoiseLevel, NoiseSchedule};
use crate::math;

/// The schedule of EDM: alpha is 1 and sigma runs from `sigma_min` to `sigma_max`, geometrically in time.
///
/// The network is told `c_noise = ln(sigma) / 4`. Source: Karras et al. 2022, table 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edm {
    /// Smallest noise level, positive.
    pub sigma_min: f32,
    /// Largest noise level, above `sigma_min`.
    pub sigma_max: f32,
}

impl Edm {
    /// 0.002 to 80, as published.
    pub const DEFAULT: Self = Self { sigma_min: 0.002, sigma_max: 80.0 };
}

impl NoiseSchedule for Edm {
    fn level(&self, t: f32) -> NoiseLevel {
        let (low, high) = (math::ln(self.sigma_min), math::ln(self.sigma_max));
        NoiseLevel { alpha: 1.0, sigma: math::exp(low + t * (high - low)) }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        NoiseLevel { alpha: 1.0, sigma: math::exp(-lambda) }
    }

    fn time(&self, lambda: f32) -> f32 {
        let (low, high) = (math::ln(self.sigma_min), math::ln(self.sigma_max));
        ((-lambda - low) / (high - low)).clamp(0.0, 1.0)
    }

    fn conditioning(&self, lambda: f32) -> f32 {
        -0.25 * lambda
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-math::ln(self.sigma_max), -math::ln(self.sigma_min))
    }
}
