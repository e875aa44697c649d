use super::{NoiseLevel, NoiseSchedule};
use crate::math;

/// The cosine schedule: `alpha = cos(theta) / cos(theta_0)` with `theta = (t + s) / (1 + s) * pi / 2`.
///
/// `sigma^2 = sin(theta - theta_0) sin(theta + theta_0) / cos(theta_0)^2`, which equals `1 - alpha^2` without its
/// cancellation near the data. The published cap of 0.999 on beta keeps alpha from reaching 0; here alpha stops at
/// `5e-5`, where a thousand such steps end. Source: Nichol and Dhariwal 2021, equation 17.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// Offset `s`, positive: it keeps the first noise levels from being too small to matter.
    pub offset: f32,
}

/// The smallest alpha: the last of 1,000 steps has alpha_bar 2.4e-9 once its beta is capped at 0.999.
const ALPHA_MIN: f32 = 4.9e-5;

impl Cosine {
    /// Offset 0.008, as published.
    pub const DEFAULT: Self = Self { offset: 0.008 };

    fn theta_0(&self) -> f32 {
        self.offset / (1.0 + self.offset) * core::f32::consts::FRAC_PI_2
    }
}

impl NoiseSchedule for Cosine {
    fn level(&self, t: f32) -> NoiseLevel {
        let theta_0 = self.theta_0();
        let theta = (t + self.offset) / (1.0 + self.offset) * core::f32::consts::FRAC_PI_2;
        let cos_0 = math::cos(theta_0);
        let alpha = math::cos(theta) / cos_0;
        if alpha < ALPHA_MIN {
            return NoiseLevel { alpha: ALPHA_MIN, sigma: 1.0 };
        }
        let sine_product = math::sin(theta - theta_0) * math::sin(theta + theta_0);
        NoiseLevel { alpha, sigma: math::sqrt(sine_product.max(0.0)) / cos_0 }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        NoiseLevel::variance_preserving(lambda)
    }

    fn time(&self, lambda: f32) -> f32 {
        // sin(theta)^2 = sin(theta_0)^2 + sigma^2 cos(theta_0)^2: accurate near the data, where acos(alpha) is not.
        let level = NoiseLevel::variance_preserving(lambda);
        let (sin_0, cos_0) = (math::sin(self.theta_0()), math::cos(self.theta_0()));
        let noise = level.sigma * cos_0;
        let theta = math::atan2(math::sqrt(sin_0 * sin_0 + noise * noise), level.alpha * cos_0);
        (theta * core::f32::consts::FRAC_2_PI * (1.0 + self.offset) - self.offset).clamp(0.0, 1.0)
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-4.6, 4.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_without_noise_and_crosses_half_way_near_time_one_half() {
        assert_eq!(Cosine::DEFAULT.level(0.0).sigma, 0.0);
        // cos^2((0.5 + s) / (1 + s) pi / 2) / cos^2(s / (1 + s) pi / 2) = 0.49385 for s = 0.008.
        let alpha = Cosine::DEFAULT.level(0.5).alpha;
        assert!((alpha * alpha - 0.493_85).abs() < 2e-5, "{}", alpha * alpha);
    }

    #[test]
    fn alpha_stays_positive_at_time_one() {
        let level = Cosine::DEFAULT.level(1.0);
        assert!(level.alpha > 0.0 && level.lambda().is_finite());
    }
}
