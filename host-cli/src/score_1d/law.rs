//! The law of the data, exactly.

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// An equal mixture of N(centre, deviation^2) and N(-centre, deviation^2), in double precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoModes {
    /// Place of the right mode, positive.
    pub centre: f64,
    /// Standard deviation of either mode, positive.
    pub deviation: f64,
}

/// The law that is learned: modes at 3 and -3, with standard deviation one half.
pub const LAW: TwoModes = TwoModes { centre: 3.0, deviation: 0.5 };

impl TwoModes {
    /// The law of `x + sigma eps`: the same with wider modes.
    #[must_use]
    pub fn noised(self, sigma: f64) -> Self {
        Self { deviation: self.deviation.hypot(sigma), ..self }
    }

    /// The right mode as it is before it is halved.
    fn mode(self) -> Normal {
        Normal::new(self.centre, self.deviation).expect("a positive deviation")
    }

    /// The standard deviation of the whole, `sqrt(centre^2 + deviation^2)`.
    #[must_use]
    pub fn standard_deviation(self) -> f64 {
        self.centre.hypot(self.deviation)
    }

    /// The density at `x`.
    #[must_use]
    pub fn density(self, x: f64) -> f64 {
        0.5 * (self.mode().pdf(x) + self.mode().pdf(-x))
    }

    /// The share of the law below `x`.
    #[must_use]
    pub fn cumulative(self, x: f64) -> f64 {
        0.5 * (self.mode().cdf(x) + self.mode().sf(-x))
    }

    /// The score, `d/dx ln density = (centre tanh(centre x / v) - x) / v` with `v = deviation^2`.
    #[must_use]
    pub fn score(self, x: f64) -> f64 {
        let v = self.deviation * self.deviation;
        (self.centre * (self.centre * x / v).tanh() - x) / v
    }

    /// The expected square of the score (Fisher's information about a shift), by the trapezoid rule.
    #[must_use]
    pub fn information(self) -> f64 {
        let (end, cells) = (self.centre + 12.0 * self.deviation, 4000);
        let step = 2.0 * end / f64::from(cells);
        let term = |x: f64| self.density(x) * self.score(x).powi(2);
        (0..=cells).map(|i| step * term(f64::from(i) * step - end)).sum()
    }

    /// The point below which lies the share `u` of the law, 0 < u < 1, by bisection to the last bits of `u`.
    #[must_use]
    pub fn quantile(self, u: f64) -> f64 {
        if u > 0.5 {
            return -self.quantile(1.0 - u);
        }
        let (mut low, mut high) = (-self.centre - 40.0 * self.deviation, 0.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.cumulative(middle) < u { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::schedule::NoiseLevel;
    use mote_core::score::{Component, GaussianMixture};

    #[test]
    fn quantiles_are_those_of_the_normal_table() {
        // The lower half of the law is the left mode but for 1e-9 of it: its quantile at u is that of N(-3, 0.5^2) at 2 u.
        // Phi(-1.959964) = 0.025 and Phi(-0.674490) = 0.25 (any table of the normal law).
        for (u, z) in [(0.0125, -1.959_964), (0.125, -0.674_490), (0.25, 0.0)] {
            assert!((LAW.quantile(u) - (-3.0 + 0.5 * z)).abs() < 1e-6, "{u}");
            assert!((LAW.quantile(1.0 - u) + LAW.quantile(u)).abs() < 1e-9);
        }
        assert!(LAW.quantile(0.5).abs() < 1e-9);
    }

    #[test]
    fn density_and_score_are_the_slopes_of_what_they_should_be() {
        let h = 1e-5;
        for law in [LAW, LAW.noised(1.5), LAW.noised(12.0)] {
            for x in [-4.2, -2.9, -0.3, 0.0, 1.1, 3.6] {
                let slope = (law.cumulative(x + h) - law.cumulative(x - h)) / (2.0 * h);
                assert!((law.density(x) - slope).abs() < 1e-9, "{law:?} at {x}");
                let slope = (law.density(x + h).ln() - law.density(x - h).ln()) / (2.0 * h);
                assert!((law.score(x) - slope).abs() < 1e-5 * (1.0 + slope.abs()), "{law:?} at {x}");
            }
        }
    }

    #[test]
    fn modes_on_top_of_each_other_or_far_apart_have_a_normal_s_information() {
        // One over the variance, for a normal law and for two that do not overlap.
        for law in [TwoModes { centre: 0.0, deviation: 0.8 }, TwoModes { centre: 40.0, deviation: 0.8 }] {
            assert!((law.information() - 1.0 / 0.64).abs() < 1e-6, "{law:?}: {}", law.information());
        }
    }

    #[test]
    fn the_score_agrees_with_the_general_mixture_of_core() {
        let (left, right) = ([-3.0], [3.0]);
        let components = [&left, &right].map(|mean| Component { weight: 1.0, mean: &mean[..], deviation: 0.5 });
        let mixture = GaussianMixture { components: &components };
        for sigma in [0.3f32, 1.0, 8.0] {
            for x in [-5.0f32, -1.2, 0.4, 3.3] {
                let mut mean = [0.0];
                mixture.posterior_mean(NoiseLevel { alpha: 1.0, sigma }, &[x], &mut mean);
                // Tweedie: E[x0 | x] = x + sigma^2 score.
                let expected = f64::from(x) + f64::from(sigma).powi(2) * LAW.noised(sigma.into()).score(x.into());
                assert!((f64::from(mean[0]) - expected).abs() < 1e-5, "{sigma} {x}");
            }
        }
    }
}
