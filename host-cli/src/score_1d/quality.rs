//! How far samples are from the exact law.

use rayon::prelude::*;
use serde::Serialize;

use super::law::TwoModes;

/// The exact law's quantiles at `(i - 1/2) / n`, which samples are held against.
#[derive(Clone, Debug)]
pub struct Yardstick {
    quantiles: Vec<f64>,
}

/// What samples are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Wasserstein-1 distance to the exact law, in the data's units.
    pub wasserstein: f64,
    /// Share of the samples right of 0; exactly 1/2.
    pub right: f64,
    /// Share of the samples within [`BETWEEN`] of 0.
    pub between: f64,
}

/// Samples nearer to 0 than this lie between the modes: three standard deviations from either centre.
pub const BETWEEN: f64 = 1.5;

impl Yardstick {
    /// For `n` samples of a law.
    #[must_use]
    pub fn new(law: TwoModes, n: usize) -> Self {
        let quantile = |i: usize| law.quantile((i as f64 + 0.5) / n as f64);
        Self { quantiles: (0..n).into_par_iter().map(quantile).collect() }
    }

    /// Measures as many samples as the yardstick is for.
    ///
    /// The distance is `mean |x_(i) - Q((i - 1/2) / n)|`, x_(i) in ascending order and Q the quantile function: the
    /// integral of `|F_n^-1 - Q|` by the midpoint of each of its n steps (Vallender 1974). Cost: a sort.
    ///
    /// # Panics
    /// If the number of samples is another.
    #[must_use]
    pub fn measure(&self, samples: &[f32]) -> Quality {
        assert_eq!(samples.len(), self.quantiles.len(), "number of samples");
        let mut sorted = samples.to_vec();
        sorted.sort_by(f32::total_cmp);
        let n = samples.len() as f64;
        let gaps = sorted.iter().zip(&self.quantiles).map(|(x, q)| (f64::from(*x) - q).abs());
        let share = |test: &dyn Fn(f64) -> bool| samples.iter().filter(|x| test(f64::from(**x))).count() as f64 / n;
        Quality {
            wasserstein: gaps.sum::<f64>() / n,
            right: share(&|x| x > 0.0),
            between: share(&|x| x.abs() < BETWEEN),
        }
    }
}

impl Quality {
    /// The exact law's own figures.
    #[must_use]
    pub fn exact(law: TwoModes) -> Self {
        let between = law.cumulative(BETWEEN) - law.cumulative(-BETWEEN);
        Self { wasserstein: 0.0, right: 0.5, between }
    }
}

#[cfg(test)]
mod tests {
    use super::super::law::LAW;
    use super::*;

    fn quantiles(n: usize) -> Vec<f64> {
        Yardstick::new(LAW, n).quantiles
    }

    #[test]
    fn known_shifts_and_stretches_have_their_distance() {
        let n = 20_000;
        let yardstick = Yardstick::new(LAW, n);
        let distance = |change: &dyn Fn(f64) -> f64| {
            let moved: Vec<f32> = quantiles(n).into_iter().rev().map(|q| change(q) as f32).collect();
            yardstick.measure(&moved).wasserstein
        };
        assert!(distance(&|q| q) < 1e-6);
        assert!((distance(&|q| q + 0.25) - 0.25).abs() < 1e-6);
        // Stretching by 1 + c moves mass by c E|x|, and E|x| = 3 to 1e-9 for modes six deviations from 0.
        assert!((distance(&|q| 1.1 * q) - 0.3).abs() < 1e-4);
        // Stretching each mode about its centre: c E|z| deviation = c 0.5 sqrt(2 / pi).
        let widened = |q: f64| q + 0.2 * (q - 3.0f64.copysign(q));
        assert!((distance(&widened) - 0.2 * 0.5 * (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-4);
    }

    #[test]
    fn a_missing_mode_costs_the_way_of_its_mass() {
        // All in the right mode: half of the mass is 6 from where it belongs, W1 = 3.
        let n = 10_000;
        let right: Vec<f32> = quantiles(n).iter().map(|q| q.abs() as f32).collect();
        let quality = Yardstick::new(LAW, n).measure(&right);
        assert!((quality.wasserstein - 3.0).abs() < 0.01, "{quality:?}");
        assert_eq!(quality.right, 1.0);
    }

    #[test]
    fn shares_are_counted_and_the_exact_one_is_three_deviations_of_a_normal() {
        let yardstick = Yardstick::new(LAW, 4);
        let quality = yardstick.measure(&[-3.0, -1.4, 0.2, 1.6]);
        assert_eq!((quality.right, quality.between), (0.5, 0.5));
        // Phi(-3) = 0.001350 (any table of the normal law), from both modes' inner flanks alike.
        assert!((Quality::exact(LAW).between - 0.001_349_9).abs() < 1e-6);
    }
}
