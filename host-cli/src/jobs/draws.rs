//! What a number of draws say of a value: mean, interval, and how they compare with the truth.

use serde::Serialize;

/// The mean of draws.
#[must_use]
pub fn mean(draws: &[f32]) -> f32 {
    (draws.iter().map(|x| f64::from(*x)).sum::<f64>() / draws.len() as f64) as f32
}

/// The quantile `p` of draws by the expected place of order statistics, `(n + 1) p` (Weibull 1939): an interval from these holds a value of the same law
/// as often as it says, whatever the law, while the smallest and the largest draw reach far enough.
#[must_use]
pub fn quantile(sorted: &[f32], p: f64) -> f32 {
    let place = (p * (sorted.len() + 1) as f64 - 1.0).clamp(0.0, (sorted.len() - 1) as f64);
    let (low, share) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    (f64::from(sorted[low]) * (1.0 - share) + f64::from(sorted[high]) * share) as f32
}

/// The continuous ranked probability score of draws for what came true: `E|X - y| - E|X - X'| / 2`, with the expectations over draws and over
/// pairs of different draws (Gneiting and Raftery 2007; Ferro 2014). Cost: n ln n.
#[must_use]
pub fn crps(sorted: &[f32], truth: f32) -> f64 {
    let n = sorted.len() as f64;
    let miss = sorted.iter().map(|x| (f64::from(*x) - f64::from(truth)).abs()).sum::<f64>() / n;
    if sorted.len() < 2 {
        return miss;
    }
    // Sum over pairs of |x_i - x_j| of sorted numbers: each counts as often as it is the larger less as often as it is the smaller.
    let pairs: f64 = sorted.iter().enumerate().map(|(i, x)| (2.0 * i as f64 + 1.0 - n) * f64::from(*x)).sum();
    miss - pairs / (n * (n - 1.0))
}

/// [`crps`] for draws of which the second of each pair is the mirror of the first: such two lie further apart than draws of the law do, so that they are left out of the pairs of
/// different draws. NaN for fewer than three draws.
#[must_use]
pub fn crps_of_mirrored(draws: &[f32], truth: f32) -> f64 {
    let n = draws.len() as f64;
    let mut sorted = draws.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let miss = draws.iter().map(|x| (f64::from(*x) - f64::from(truth)).abs()).sum::<f64>() / n;
    let all: f64 = sorted.iter().enumerate().map(|(i, x)| (2.0 * i as f64 + 1.0 - n) * f64::from(*x)).sum();
    let (mirrored, _) = draws.as_chunks::<2>();
    let apart: f64 = mirrored.iter().map(|[a, b]| (f64::from(*a) - f64::from(*b)).abs()).sum();
    let pairs = n * (n - 1.0) / 2.0 - mirrored.len() as f64;
    if pairs > 0.0 { miss - (all - apart) / (2.0 * pairs) } else { f64::NAN }
}

/// How draws came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Each on its own.
    Independent,
    /// The second of each pair is the mirror of the first.
    Mirrored,
}

/// How well missing values were found, where the truth is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImputationQuality {
    /// `all`, or a channel's name.
    pub channel: String,
    /// Values that were missing and are known.
    pub values: usize,
    /// Root mean square error of the mean of the draws, in training standard deviations.
    pub rmse: f64,
    /// Mean continuous ranked probability score.
    pub crps: f64,
    /// Share of values inside the interval.
    pub coverage: f64,
    /// Mean width of the interval.
    pub width: f64,
}

/// Compares draws with the truth, all in the scale of training: at the values that are missing in `given`, over all and channel by channel.
#[must_use]
pub fn imputation_quality(
    channels: &[String],
    given: &[Vec<f32>],
    draws: &[Vec<Vec<f32>>],
    truth: &[Vec<f32>],
    interval: f64,
    pairing: Pairing,
) -> Vec<ImputationQuality> {
    let mut tally = Tally::new(channels);
    for ((given, draws), truth) in given.iter().zip(draws).zip(truth) {
        for (index, (known, truth)) in given.iter().zip(truth).enumerate() {
            if !known.is_nan() || truth.is_nan() {
                continue;
            }
            let mut values: Vec<f32> = draws.iter().map(|draw| draw[index]).collect();
            let error = f64::from(mean(&values)) - f64::from(*truth);
            let mirrored = (pairing == Pairing::Mirrored).then(|| crps_of_mirrored(&values, *truth));
            values.sort_unstable_by(f32::total_cmp);
            let [low, high] = [0.5 - interval / 2.0, 0.5 + interval / 2.0].map(|p| quantile(&values, p));
            let inside = f64::from(u8::from((low..=high).contains(truth)));
            tally.add(
                index,
                [
                    error * error,
                    mirrored.unwrap_or_else(|| crps(&values, *truth)),
                    inside,
                    f64::from(high) - f64::from(low),
                ],
            );
        }
    }
    tally.rows()
}

/// Sums over missing values, channel by channel.
pub(super) struct Tally<'c> {
    channels: &'c [String],
    sums: Vec<[f64; 5]>,
}

impl<'c> Tally<'c> {
    pub fn new(channels: &'c [String]) -> Self {
        Self { channels, sums: vec![[0.0; 5]; channels.len()] }
    }

    /// Adds the value of this number in its signal: squared error, score, whether the interval holds it, the interval's width.
    pub fn add(&mut self, index: usize, found: [f64; 4]) {
        let of = &mut self.sums[index % self.channels.len()];
        of[0] += 1.0;
        of[1..].iter_mut().zip(found).for_each(|(sum, x)| *sum += x);
    }

    /// The means, over all and, of several, channel by channel.
    pub fn rows(&self) -> Vec<ImputationQuality> {
        let row = |channel: &str, of: &[f64; 5]| {
            let n = of[0].max(1.0);
            ImputationQuality {
                channel: channel.into(),
                values: of[0] as usize,
                rmse: (of[1] / n).sqrt(),
                crps: of[2] / n,
                coverage: of[3] / n,
                width: of[4] / n,
            }
        };
        let mut all = [0.0; 5];
        self.sums.iter().for_each(|of| all.iter_mut().zip(of).for_each(|(sum, x)| *sum += x));
        let several = self.channels.iter().zip(&self.sums).filter(|_| self.channels.len() > 1);
        std::iter::once(row("all", &all)).chain(several.map(|(name, of)| row(name, of))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};

    #[test]
    fn the_score_of_many_normal_draws_is_the_closed_form() {
        // CRPS of N(0, 1) at y: y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi) (Gneiting and Raftery 2007). At 0 and 1: .233695, .602441.
        // 40,000 draws: standard errors below .005.
        let mut draws = vec![0.0; 40_000];
        Ziggurat::new(Stream::new(3)).fill(&mut draws);
        draws.sort_unstable_by(f32::total_cmp);
        assert!((crps(&draws, 0.0) - 0.233_695).abs() < 0.02);
        assert!((crps(&draws, 1.0) - 0.602_441).abs() < 0.02);
        assert_eq!(crps(&[2.0], 5.0), 3.0);
        // By hand: |1 - 2| and |4 - 2| on average 1.5, less half of |1 - 4|.
        assert_eq!(crps(&[1.0, 4.0], 2.0), 0.0);
    }

    #[test]
    fn mirrored_draws_have_the_score_of_independent_ones() {
        // By hand: draws 1, 4 and 2, 3 for a truth of 2: mean miss 1; the four pairs of different pairs are 1, 2, 2 and 1 apart, half of 1.5.
        assert!((crps_of_mirrored(&[1.0, 4.0, 2.0, 3.0], 2.0) - (1.0 - 0.75)).abs() < 1e-9);
        assert!(crps_of_mirrored(&[1.0, 4.0], 2.0).is_nan());
        // 4,000 scores of 8 draws of N(0, 1), mirrored by their sign, at 1: .602441 (above), with a standard error below .005.
        let mut noise = Ziggurat::new(Stream::new(9));
        let mut score = || {
            let mut draws = [0.0f32; 8];
            for pair in draws.chunks_exact_mut(2) {
                let z = noise.normal();
                pair.copy_from_slice(&[z, -z]);
            }
            crps_of_mirrored(&draws, 1.0)
        };
        let mean = (0..4000).map(|_| score()).sum::<f64>() / 4000.0;
        assert!((mean - 0.602_441).abs() < 0.02, "{mean}");
    }

    #[test]
    fn intervals_of_few_draws_hold_what_they_say() {
        // 20 draws and a truth of the same law, 20,000 times: 90% within 4.5 standard errors of .0021.
        let mut noise = Ziggurat::new(Stream::new(4));
        let inside = (0..20_000)
            .filter(|_| {
                let mut draws = [0.0f32; 20];
                noise.fill(&mut draws);
                draws.sort_unstable_by(f32::total_cmp);
                (quantile(&draws, 0.05)..=quantile(&draws, 0.95)).contains(&noise.normal())
            })
            .count();
        assert!((inside as f64 / 20_000.0 - 0.9).abs() < 0.0095, "{inside}");
    }

    #[test]
    fn only_missing_values_count() {
        let names = ["a".to_string(), "b".to_string()];
        let given = [vec![1.0, f32::NAN, f32::NAN, 4.0]];
        let draws = [vec![vec![1.0, 2.0, 5.0, 4.0], vec![1.0, 4.0, 5.0, 4.0]]];
        let rows = imputation_quality(&names, &given, &draws, &[vec![1.0, 4.0, 5.0, 9.0]], 0.9, Pairing::Independent);
        assert_eq!(rows.iter().map(|row| row.values).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!((rows[1].rmse, rows[2].rmse), (0.0, 1.0));
        assert_eq!(rows[0].coverage, 1.0);
    }
}
