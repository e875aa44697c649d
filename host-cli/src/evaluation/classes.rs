//! Which class each sample is asked for, and how the classes that came out are shared.

use mote_core::sampler::SampleOptions;
use serde::Serialize;

/// What samples are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Each sample its own class, in the shares of the training rows, where the network has classes.
    #[default]
    Shares,
    /// One class.
    One(u16),
    /// No class.
    Nothing,
}

/// Hands classes out to numbered samples, in given shares.
///
/// Sample k has the class whose share holds frac((k + 1/2) / phi), phi the golden ratio: a function of k alone, so that neither batches
/// nor threads matter, and among any n samples in a row a class is never off by more than a few. Source:
/// Kuipers and Niederreiter, "Uniform distribution of sequences" (1974), chapter 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassMix {
    /// For each class the end of its share, in 2^-32.
    ends: Vec<u64>,
}

/// 2^32 / phi.
const GOLDEN: u32 = 0x9e37_79b9;

impl ClassMix {
    /// The shares of `classes` classes among labels; nothing if there are no labels.
    #[must_use]
    pub fn of(labels: &[u16], classes: usize) -> Option<Self> {
        let shares = shares(labels, classes);
        let mut end = 0.0;
        let ends: Vec<u64> = shares
            .iter()
            .map(|share| {
                end += share * 2f64.powi(32);
                end.round() as u64
            })
            .collect();
        (!labels.is_empty() && classes > 0).then_some(Self { ends })
    }

    /// The class of sample `k`.
    #[must_use]
    pub fn class(&self, k: u32) -> u16 {
        let place = u64::from(k.wrapping_mul(GOLDEN).wrapping_add(GOLDEN / 2));
        // The last end may fall short of 1 by rounding; its class is the last that has a share.
        let last = self.ends.partition_point(|end| Some(end) < self.ends.last());
        self.ends.partition_point(|end| *end <= place).min(last) as u16
    }
}

/// The share of each class among labels; zeros without labels.
#[must_use]
pub fn shares(labels: &[u16], classes: usize) -> Vec<f64> {
    let mut count = vec![0usize; classes];
    labels.iter().filter_map(|&label| count.get_mut(usize::from(label)).map(|count| *count += 1)).for_each(drop);
    let all = labels.len().max(1) as f64;
    count.into_iter().map(|count| count as f64 / all).collect()
}

/// How samples are shared between classes, beside the training rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Balance {
    /// Share of each class in the samples, as the judge sees them.
    pub shares: Vec<f64>,
    /// Share of each class in the training rows.
    pub training: Vec<f64>,
    /// Total variation distance, half the sum of the absolute differences: 0 is balance, 1 is none.
    pub total_variation: f64,
}

impl Balance {
    /// The balance of judged samples.
    #[must_use]
    pub fn of(judged: &[u16], training: &[u16], classes: usize) -> Self {
        let (shares, training) = (shares(judged, classes), shares(training, classes));
        let total_variation = shares.iter().zip(&training).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
        Self { shares, training, total_variation }
    }
}

/// The options of sample `k`.
#[must_use]
pub fn options(asked: Asked, mix: Option<&ClassMix>, guidance: Option<f32>, k: u32) -> SampleOptions {
    let mut options = SampleOptions::default();
    options.class = match asked {
        Asked::Shares => mix.map(|mix| mix.class(k)),
        Asked::One(class) => Some(class),
        Asked::Nothing => None,
    };
    options.guidance = guidance.filter(|_| options.class.is_some());
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_in_the_shares_of_the_labels() {
        // 5, 0, 3 and 2 of 10 labels.
        let mix = ClassMix::of(&[0, 0, 0, 0, 0, 2, 2, 2, 3, 3], 4).unwrap();
        for (first, count) in [(0, 10), (0, 898), (1234, 1000), (u32::MAX - 50, 100)] {
            let drawn: Vec<u16> = (0..count).map(|k| mix.class(u32::wrapping_add(first, k))).collect();
            for (got, share) in shares(&drawn, 4).iter().zip([0.5, 0.0, 0.3, 0.2]) {
                // The golden sequence's discrepancy is below (3 + ln n) / n, and an interval has two ends.
                let off = 2.0 * (3.0 + f64::from(count).ln()) / f64::from(count);
                assert!((got - share).abs() <= off, "{first} {count}: {drawn:?}");
            }
            assert!(!drawn.contains(&1));
        }
        assert_eq!(ClassMix::of(&[], 4), None);
        assert!((0..1000).all(|k| ClassMix::of(&[1], 3).unwrap().class(k) == 1));
    }

    #[test]
    fn total_variation_is_half_the_difference_of_shares() {
        let balance = Balance::of(&[0, 0, 0, 1], &[0, 1, 1, 2], 3);
        assert_eq!(balance.shares, [0.75, 0.25, 0.0]);
        assert_eq!(balance.training, [0.25, 0.5, 0.25]);
        assert_eq!(balance.total_variation, 0.5);
    }

    #[test]
    fn guidance_goes_with_a_class() {
        let mix = ClassMix::of(&[3], 4);
        assert_eq!(options(Asked::Shares, mix.as_ref(), Some(2.0), 9).class, Some(3));
        assert_eq!(options(Asked::Shares, None, Some(2.0), 9), SampleOptions::default());
        assert_eq!(options(Asked::One(1), mix.as_ref(), None, 9).class, Some(1));
        assert_eq!(options(Asked::Nothing, mix.as_ref(), None, 9).class, None);
    }
}
