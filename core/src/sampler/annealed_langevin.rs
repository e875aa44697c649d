use super::builder::last_row;
use super::{Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "langevin",
    about: "annealed Langevin dynamics, five evaluations a level",
    order: None,
    sampler: Sampler::AnnealedLangevin(AnnealedLangevin { steps_per_level: 5, step: 0.4 }),
}];

/// Annealed Langevin dynamics: at each level, from the noisiest to the cleanest, some steps of Langevin's equation whose
/// stationary law is the level's own, and at last the predicted clean data.
///
/// ```text
/// x <- x + eta score(x, level) + sqrt(2 eta) z,      eta = step sigma^2,      score = -eps / sigma
/// ```
///
/// Over a level's last row the state is scaled to the signal of the next, `alpha_next / alpha`, so that on any schedule
/// this is the same walk of `x / alpha`. On Gaussian data, where a noisy state has variance v, a step shrinks the state by
/// `k = step sigma^2 / v` and is stationary at variance `v / (1 - k / 2)` instead of v: the price of a finite step, which
/// must stay below 2. The last row is the mean of the data given the state (Tweedie's formula).
///
/// Cost: `steps_per_level` evaluations a level, and one. Source: Song and Ermon 2019, algorithm 1, whose `alpha_i` is
/// `2 eta` (their step is `epsilon / (2 sigma_L^2)`, 0.1 as published); the last row: Jolicoeur-Martineau et al. 2021,
/// "Adversarial score matching and improved sampling for image generation", section 3.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnnealedLangevin {
    /// Langevin steps at each level, at least 1; 0 counts as 1.
    pub steps_per_level: u16,
    /// Length of a step as a share of the level's noise variance, above 0 and below 2.
    pub step: f32,
}

impl AnnealedLangevin {
    fn per_level(&self) -> usize {
        usize::from(self.steps_per_level.max(1))
    }
}

impl PlanBuilder for AnnealedLangevin {
    fn history(&self) -> usize {
        1
    }

    fn rows(&self, levels: &[NoiseLevel]) -> usize {
        levels.len().saturating_mul(self.per_level()).saturating_add(usize::from(!levels.is_empty()))
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let number = i / self.per_level();
        let Some(&level) = levels.get(number) else {
            let past = i.checked_sub(levels.len().saturating_mul(self.per_level()))?;
            let last = levels.len().checked_sub(1).filter(|_| past == 0)?;
            return Some(last_row(u16::try_from(last).ok()?, *levels.get(last)?, prediction));
        };
        let ends = (i + 1).is_multiple_of(self.per_level());
        let rescaled = match levels.get(number + 1) {
            Some(next) if ends => next.alpha / level.alpha,
            _ => 1.0,
        };
        let epsilon = prediction.epsilon(level);
        Some(Row {
            level: u16::try_from(number).ok()?,
            p: epsilon.x,
            q: epsilon.f,
            a: rescaled,
            b: [-self.step * level.sigma * rescaled, 0.0, 0.0, 0.0],
            e: math::sqrt(2.0 * self.step) * level.sigma * rescaled,
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::super::moments;
    use super::*;
    use std::vec::Vec;

    const VE: NoiseLevel = NoiseLevel { alpha: 1.0, sigma: 2.0 };

    #[test]
    fn a_row_is_the_published_step() {
        // Song and Ermon 2019, algorithm 1 with epsilon = 2e-5 and sigma_L = 0.01 (section 5), in double precision:
        // alpha_i = epsilon sigma_i^2 / sigma_L^2, x + alpha_i / 2 score + sqrt(alpha_i) z.
        let sampler = AnnealedLangevin { steps_per_level: 100, step: 0.1 };
        let (x, score) = (0.7f64, -0.3f64);
        for prediction in [Prediction::Score, Prediction::Epsilon] {
            for sigma in [1.0f32, 0.6, 0.01] {
                let level = NoiseLevel { alpha: 1.0, sigma };
                let row = sampler.row(0, &[level], prediction).unwrap();
                let f = if prediction == Prediction::Score { score } else { -f64::from(sigma) * score };
                let alpha = 2e-5 * f64::from(sigma).powi(2) / 0.01f64.powi(2);
                let m = f64::from(row.p) * x + f64::from(row.q) * f;
                let got = f64::from(row.a) * x + f64::from(row.b[0]) * m;
                assert!((got - (x + alpha / 2.0 * score)).abs() < 1e-7, "{prediction:?} {sigma}");
                assert!((f64::from(row.e) / alpha.sqrt() - 1.0).abs() < 1e-6, "{prediction:?} {sigma}");
            }
        }
    }

    /// The variance before the last row, which multiplies a state on Gaussian data by alpha s^2 / v.
    fn variance_before_the_end(sampler: &AnnealedLangevin, levels: &[NoiseLevel], s: f64) -> f64 {
        let (_, gain) = variance_and_gain(*levels.last().unwrap(), s);
        moments::final_variance(sampler, levels, s) / (gain * gain)
    }

    /// The variance of a noisy state of N(0, s^2) data, and the factor of its posterior mean.
    fn variance_and_gain(level: NoiseLevel, s: f64) -> (f64, f64) {
        let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
        let variance = alpha * alpha * s * s + sigma * sigma;
        (variance, alpha * s * s / variance)
    }

    #[test]
    fn one_level_is_stationary_at_the_variance_of_the_linear_recursion() {
        // x <- (1 - k) x + sqrt(2 k v) z has the stationary variance 2 k v / (1 - (1 - k)^2) = v / (1 - k / 2).
        for level in [VE, NoiseLevel::variance_preserving(0.4)] {
            for step in [0.05f32, 0.5, 1.2] {
                let sampler = AnnealedLangevin { steps_per_level: 600, step };
                let (v, _) = variance_and_gain(level, 0.5);
                let k = f64::from(step) * f64::from(level.sigma).powi(2) / v;
                let got = variance_before_the_end(&sampler, &[level], 0.5);
                assert!((got / (v / (1.0 - k / 2.0)) - 1.0).abs() < 2e-6, "{level:?} {step}: {got}");
            }
        }
    }

    #[test]
    fn every_level_relaxes_by_its_own_rate_on_any_schedule() {
        // The variance of x / alpha over n steps of a level: V <- V* + (V - V*) (1 - k)^(2 n), V* the stationary one.
        let sampler = AnnealedLangevin { steps_per_level: 3, step: 0.4 };
        let geometric: Vec<_> = [4.0, 1.5, 0.6, 0.2].map(|sigma| NoiseLevel { alpha: 1.0, sigma }).into();
        for levels in [geometric, moments::uniform_levels(9)] {
            let (start, _) = variance_and_gain(levels[0], 0.5);
            let mut variance = start / f64::from(levels[0].alpha).powi(2);
            for level in &levels {
                let (v, _) = variance_and_gain(*level, 0.5);
                let k = 0.4 * f64::from(level.sigma).powi(2) / v;
                let stationary = v / (1.0 - k / 2.0) / f64::from(level.alpha).powi(2);
                variance = stationary + (variance - stationary) * (1.0 - k).powi(6);
            }
            let expected = variance * f64::from(levels.last().unwrap().alpha).powi(2);
            let got = variance_before_the_end(&sampler, &levels, 0.5);
            assert!((got / expected - 1.0).abs() < 1e-5, "{got} {expected}");
        }
    }

    #[test]
    fn the_variance_tends_to_the_data_s_as_the_walk_grows_longer() {
        // From 4 to 0.02, where the last row's s^4 / v is within 0.2% of s^2. A walk of length `step x rows` a level stops
        // following the level once sigma^2 / s^2 falls below about 1 / length, and keeps that much noise.
        let levels: Vec<_> = (0..30).map(|i| 4.0 * (0.02f32 / 4.0).powf(i as f32 / 29.0)).collect();
        let levels: Vec<_> = levels.into_iter().map(|sigma| NoiseLevel { alpha: 1.0, sigma }).collect();
        let error = |steps_per_level| {
            let sampler = AnnealedLangevin { steps_per_level, step: 0.1 };
            (moments::final_variance(&sampler, &levels, 0.5) / 0.25 - 1.0).abs()
        };
        let (short, long) = (error(20), error(200));
        assert!(long < 0.02 && long < 0.25 * short, "{short} {long}");
    }

    #[test]
    fn there_is_a_row_for_each_step_of_each_level_and_one_to_the_data() {
        let sampler = AnnealedLangevin { steps_per_level: 2, step: 0.1 };
        let levels = [VE, NoiseLevel { sigma: 1.0, ..VE }, NoiseLevel { sigma: 0.5, ..VE }];
        assert_eq!(sampler.rows(&levels), 7);
        let numbers: Vec<_> =
            (0..10).map_while(|i| sampler.row(i, &levels, Prediction::V)).map(|row| row.level).collect();
        assert_eq!(numbers, [0, 0, 1, 1, 2, 2, 2]);
        assert_eq!(sampler.row(6, &levels, Prediction::V).unwrap().e, 0.0);
        assert_eq!((sampler.rows(&[]), sampler.row(0, &[], Prediction::V)), (0, None));
    }
}
