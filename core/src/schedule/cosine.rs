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

    /// `beta_i` of the discrete chain, `1 - alpha_bar(i / steps) / alpha_bar((i - 1) / steps)`, at most .999, for i from 1 to `steps`.
    ///
    /// Written as `sin(b - a) sin(b + a) / cos(a)^2` for the angles a and b of the step, so that small rates do not cancel. The quotient `i / steps` is taken in
    /// floats: in integers it is 0 but at the end, and with it every rate but the last. Source: Nichol and Dhariwal 2021, section 3.2.
    #[must_use]
    pub fn beta(&self, i: u32, steps: u32) -> f32 {
        let (n, quarter) = (steps.max(1) as f32, core::f32::consts::FRAC_PI_2 / (1.0 + self.offset));
        let from = (i.saturating_sub(1) as f32 / n + self.offset) * quarter;
        let length = quarter / n;
        let kept = math::cos(from);
        (math::sin(length) * math::sin(2.0 * from + length) / (kept * kept)).min(0.999)
    }

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
    fn rates_are_the_published_ones_and_none_but_the_last_is_capped() {
        // betas_for_alpha_bar of Nichol and Dhariwal's code in double precision, 1,000 steps.
        let alpha_bar = |t: f64| ((t + 0.008) / 1.008 * core::f64::consts::FRAC_PI_2).cos().powi(2);
        for i in 1..=1000u32 {
            let (before, after) = (alpha_bar(f64::from(i - 1) / 1000.0), alpha_bar(f64::from(i) / 1000.0));
            let expected = (1.0 - after / before).min(0.999);
            let got = Cosine::DEFAULT.beta(i, 1000);
            // The angle near pi / 2 is rounded to 6e-8, and its cosine is down to 1.5e-3 there.
            assert!(got > 0.0 && (f64::from(got) / expected - 1.0).abs() < 2e-4, "{i}: {got} {expected}");
            assert_eq!(got >= 0.999, i == 1000, "{i}");
        }
    }

    #[test]
    fn alpha_stays_positive_at_time_one() {
        let level = Cosine::DEFAULT.level(1.0);
        assert!(level.alpha > 0.0 && level.lambda().is_finite());
    }
}
