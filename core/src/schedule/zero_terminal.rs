use super::{NoiseLevel, NoiseSchedule, VpLinear};
use crate::math;

/// A variance-preserving schedule rescaled to end in pure noise: `alpha = (alpha_vp - alpha_vp(1)) / (1 - alpha_vp(1))`.
///
/// The rates of [`VpLinear`] leave a little signal at time 1, which training sees and a sampler, started from noise, does not. Here alpha is 0 there, which
/// needs a prediction that knows the data of pure noise: x0, v or flow. `sigma^2 = (1 - alpha)(1 + alpha)`, with 1 - alpha taken from
/// `1 - alpha_vp` so that nothing cancels near the data. Source: Lin et al. 2024, "Common diffusion noise schedules and sample steps are flawed", algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZeroTerminal {
    /// The schedule that is rescaled.
    pub base: VpLinear,
}

impl ZeroTerminal {
    /// Over the rates 0.1 to 20.
    pub const DEFAULT: Self = Self { base: VpLinear::DEFAULT };
}

impl NoiseSchedule for ZeroTerminal {
    fn level(&self, t: f32) -> NoiseLevel {
        let end = math::exp(self.base.ln_alpha(1.0));
        let ln_alpha = self.base.ln_alpha(t);
        let alpha = (math::exp(ln_alpha) - end) / (1.0 - end);
        let lost = -math::expm1(ln_alpha) / (1.0 - end);
        NoiseLevel { alpha: alpha.max(0.0), sigma: math::sqrt((lost * (1.0 + alpha)).min(1.0)) }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        NoiseLevel::variance_preserving(lambda)
    }

    fn time(&self, lambda: f32) -> f32 {
        let end = math::exp(self.base.ln_alpha(1.0));
        let NoiseLevel { alpha, sigma } = NoiseLevel::variance_preserving(lambda);
        // 1 - alpha = sigma^2 / (1 + alpha), and -ln alpha_vp from 1 - alpha_vp.
        let lost = sigma * sigma / (1.0 + alpha) * (1.0 - end);
        self.base.time_of(-math::ln_1p(-lost))
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-4.6, 4.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_the_published_rescaling_and_ends_at_zero() {
        // Lin et al. 2024, algorithm 1, by numpy in double precision over 1,000,000 steps of the rate 0.1 to 20 (beta_i = linspace(.1, 20, n) / n;
        // a = sqrt(cumprod(1 - beta)); (a - a[-1]) * a[0] / (a[0] - a[-1])) at i = n/4, n/2, 3n/4.
        for (t, expected) in [(0.25f32, ALGORITHM_1[0]), (0.5, ALGORITHM_1[1]), (0.75, ALGORITHM_1[2])] {
            let level = ZeroTerminal::DEFAULT.level(t);
            // The chain's rates differ from the integral by O(1 / n) of ln alpha.
            assert!((f64::from(level.alpha) - expected).abs() < 3e-5, "{t}: {level:?} {expected}");
        }
        assert_eq!(ZeroTerminal::DEFAULT.level(1.0), NoiseLevel { alpha: 0.0, sigma: 1.0 });
        assert_eq!(ZeroTerminal::DEFAULT.level(0.0), NoiseLevel { alpha: 1.0, sigma: 0.0 });
        assert!((ZeroTerminal::DEFAULT.time(f32::NEG_INFINITY) - 1.0).abs() < 1e-6);
    }

    const ALGORITHM_1: [f64; 3] = [0.721829504, 0.276427173, 0.052435934];
}
