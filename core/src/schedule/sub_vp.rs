use super::{NoiseLevel, NoiseSchedule, VpLinear};
use crate::math;

/// The sub-VP schedule: the signal of [`VpLinear`] with less noise, `sigma = 1 - alpha^2`.
///
/// The state's variance stays below the variance-preserving one at every time. `lambda = ln(alpha / (1 - alpha^2))` is solved for alpha by
/// `alpha = 2 R / (1 + sqrt(1 + 4 R^2))` with `R = e^lambda`, whose terms do not cancel. Source: Song et al. 2021, section 3.4 and appendix C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubVp {
    /// The rate, which is that of the signal.
    pub rate: VpLinear,
}

impl SubVp {
    /// Rates 0.1 and 20, as published.
    pub const DEFAULT: Self = Self { rate: VpLinear::DEFAULT };
}

impl NoiseSchedule for SubVp {
    fn level(&self, t: f32) -> NoiseLevel {
        let ln_alpha = self.rate.ln_alpha(t);
        NoiseLevel { alpha: math::exp(ln_alpha), sigma: -math::expm1(2.0 * ln_alpha) }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        // Divided by R, so that a large lambda does not overflow.
        let inverse = math::exp(-lambda);
        let alpha = 2.0 / (inverse + math::sqrt(inverse * inverse + 4.0));
        NoiseLevel { alpha, sigma: alpha * inverse }
    }

    fn time(&self, lambda: f32) -> f32 {
        // -ln alpha from sigma = 1 - alpha^2, which is accurate near the data.
        let NoiseLevel { alpha, sigma } = self.level_at_lambda(lambda);
        let minus_ln_alpha = if sigma < 0.5 { -0.5 * math::ln_1p(-sigma) } else { -math::ln(alpha) };
        self.rate.time_of(minus_ln_alpha)
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-4.6, 4.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_is_the_square_of_the_variance_preserving_one() {
        // Song et al. 2021, equation 29: variance (1 - alpha^2)^2 beside 1 - alpha^2.
        for t in [0.01f32, 0.2, 0.5, 1.0] {
            let (sub, vp) = (SubVp::DEFAULT.level(t), VpLinear::DEFAULT.level(t));
            assert_eq!(sub.alpha, vp.alpha);
            assert!((sub.sigma / (vp.sigma * vp.sigma) - 1.0).abs() < 1e-6);
        }
    }
}
