//! Tweedie's formula, the one place for it: what the score says about the data behind a state `x = alpha x0 + sigma eps`.
//!
//! Source: Efron 2011, "Tweedie's formula and selection bias".

use super::Linear;
use crate::schedule::NoiseLevel;

/// The posterior mean as coefficients: `E[x0 | x] = (1 / alpha) x + (sigma^2 / alpha) score`.
#[must_use]
pub fn coefficients(level: NoiseLevel) -> Linear {
    let NoiseLevel { alpha, sigma } = level;
    Linear { x: 1.0 / alpha, f: sigma * sigma / alpha }
}

/// The posterior mean `E[x0 | x] = (x + sigma^2 score) / alpha`.
#[must_use]
pub fn mean(level: NoiseLevel, x: f32, score: f32) -> f32 {
    coefficients(level).at(x, score)
}

/// The score of a posterior mean, `(alpha E[x0 | x] - x) / sigma^2`: [`mean`] solved for the score, for sigma > 0.
#[must_use]
pub fn score(level: NoiseLevel, x: f32, mean: f32) -> f32 {
    (level.alpha * mean - x) / (level.sigma * level.sigma)
}

/// The posterior covariance, `Cov[x0 | x] = (sigma^2 / alpha) d E[x0 | x] / dx`: one entry of it for one entry of the slope.
#[must_use]
pub fn covariance(level: NoiseLevel, slope_of_mean: f32) -> f32 {
    level.sigma * level.sigma / level.alpha * slope_of_mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_law_has_the_posterior_of_two_normals() {
        // x0 ~ N(2, .25), x = .6 x0 + .8 eps: score = -(x - 1.2) / (.36 .25 + .64), and Bayes for two normals.
        let level = NoiseLevel { alpha: 0.6, sigma: 0.8 };
        let (prior, seen) = (1.0 / 0.25f32, 0.36 / 0.64f32);
        for x in [-1.0f32, 0.3, 2.5] {
            let slope = -(x - 1.2) / (0.36 * 0.25 + 0.64);
            let expected = (prior * 2.0 + seen * x / 0.6) / (prior + seen);
            assert!((mean(level, x, slope) - expected).abs() < 1e-6);
            assert!((score(level, x, expected) - slope).abs() < 2e-6);
        }
        let slope_of_mean = seen / 0.6 / (prior + seen);
        assert!((covariance(level, slope_of_mean) - 1.0 / (prior + seen)).abs() < 1e-7);
    }
}
