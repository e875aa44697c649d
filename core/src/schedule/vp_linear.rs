use super::{NoiseLevel, NoiseSchedule};
use crate::math;

/// The variance-preserving schedule whose rate `beta(t)` grows linearly from `beta_min` to `beta_max`.
///
/// `ln alpha = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2` and `sigma^2 = 1 - alpha^2`.
/// Source: Song et al. 2021, appendix C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VpLinear {
    /// Rate at time 0, at least 0.
    pub beta_min: f32,
    /// Rate at time 1, above `beta_min`.
    pub beta_max: f32,
}

impl VpLinear {
    /// Rates 0.1 and 20, as published.
    pub const DEFAULT: Self = Self { beta_min: 0.1, beta_max: 20.0 };

    /// `ln alpha` at a time: minus half the integral of the rate.
    pub(super) fn ln_alpha(&self, t: f32) -> f32 {
        -0.25 * t * t * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min
    }

    /// The time, from 0 to 1, at which `-ln alpha` has a value.
    pub(super) fn time_of(&self, minus_ln_alpha: f32) -> f32 {
        // It is a quadratic in t; this form of its root does not cancel.
        let half = 0.5 * self.beta_min;
        let root = math::sqrt(half * half + (self.beta_max - self.beta_min) * minus_ln_alpha);
        (2.0 * minus_ln_alpha / (half + root)).clamp(0.0, 1.0)
    }
}

impl NoiseSchedule for VpLinear {
    fn level(&self, t: f32) -> NoiseLevel {
        let ln_alpha = self.ln_alpha(t);
        NoiseLevel { alpha: math::exp(ln_alpha), sigma: math::sqrt(-math::expm1(2.0 * ln_alpha)) }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        NoiseLevel::variance_preserving(lambda)
    }

    fn time(&self, lambda: f32) -> f32 {
        // -ln alpha = ln(1 + e^(-2 lambda)) / 2.
        self.time_of(0.5 * math::ln_1p(math::exp(-2.0 * lambda)))
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-4.6, 4.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_bar_at_time_one_is_the_published_end_value() {
        // exp(-(0.1 + 20) / 2) = 4.32e-5, the integral of beta over [0, 1].
        let alpha = VpLinear::DEFAULT.level(1.0).alpha;
        assert!((alpha * alpha / 4.3186e-5 - 1.0).abs() < 1e-3);
    }
}
