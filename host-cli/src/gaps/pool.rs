//! Signals with gaps that were filled, as rows to learn from.

use mote_core::job::Autoregression;
use rayon::prelude::*;

use super::take_out;
use crate::network::{hash, spread};

/// A value counts by its deviation, up to this: one that is almost known teaches little, and one that is wide open no more than others.
const WEIGHT_MAX: f32 = 0.5;

/// Signals with gaps. Each row to learn from is a sample of one of them that has a missing value.
#[derive(Clone, Debug)]
pub struct GapPool {
    channels: usize,
    length: usize,
    window: usize,
    around: usize,
    signals: Vec<Filled>,
    mean_weight: f64,
}

#[derive(Clone, Debug)]
struct Filled {
    values: Vec<f32>,
    deviations: Vec<f32>,
    /// (x - mean) / deviation where a value was missing, NaN elsewhere.
    residuals: Vec<f32>,
    /// Samples with a missing value.
    open: Vec<u16>,
}

/// What a network that imputes sees of a pool.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Samples of means and of deviations, odd.
    pub window: usize,
    /// Samples of the state, odd.
    pub around: usize,
}

impl GapPool {
    /// Takes values out of whole signals in the scale of training, `count` times, the signals in turn, and fills them by the autoregression.
    ///
    /// # Panics
    /// If there is no signal, or they differ in length.
    #[must_use]
    pub fn new(
        signals: &[Vec<f32>],
        autoregression: Autoregression<'_>,
        sight: Sight,
        count: usize,
        seed: u64,
    ) -> Self {
        let channels = autoregression.channels();
        let length = signals[0].len() / channels;
        assert!(signals.iter().all(|signal| signal.len() == length * channels), "signals of one length");
        let fill = |number: usize| {
            // The golden ratio spreads a number of draws over any number of signals.
            let spread = spread(0.0, number);
            let number = number as u64;
            let whole = if count < signals.len() {
                &signals[(spread * signals.len() as f64) as usize]
            } else {
                &signals[number as usize % signals.len()]
            };
            let mut values = whole.clone();
            take_out(&mut values, channels, hash(&[seed, number]));
            let missing: Vec<bool> = values.iter().map(|x| x.is_nan()).collect();
            let mut deviations = vec![0.0; values.len()];
            let mut memory = vec![0.0; autoregression.floats(length)];
            autoregression
                .fill(&mut values, &mut deviations, &mut memory)
                .expect("memory for a gap as long as the signal");
            let residual =
                |i: usize| if missing[i] { (whole[i] - values[i]) / deviations[i].max(1e-6) } else { f32::NAN };
            let residuals = (0..values.len()).map(residual).collect();
            let rows = missing.chunks_exact(channels).zip(0u16..);
            let open = rows.filter(|(row, _)| row.contains(&true)).map(|(_, time)| time).collect();
            Filled { values, deviations, residuals, open }
        };
        let signals: Vec<Filled> = (0..count).into_par_iter().map(fill).collect();
        let weight = |filled: &Filled| {
            let sum: f32 = filled.deviations.iter().map(|d| d.min(WEIGHT_MAX)).sum();
            f64::from(sum) / (filled.open.len() * channels) as f64
        };
        let mean_weight = signals.iter().map(weight).sum::<f64>() / count as f64;
        Self { channels, length, window: sight.window, around: sight.around, signals, mean_weight }
    }

    /// Number of signals.
    #[must_use]
    pub fn count(&self) -> usize {
        self.signals.len()
    }

    /// Values of a row that are told to the network as they are: means and deviations. The state follows.
    #[must_use]
    pub fn told(&self) -> usize {
        2 * self.window * self.channels
    }

    /// Values of a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        (2 * self.window + self.around) * self.channels
    }

    /// Writes a row: of signal `number`, the sample with a missing value that `u` from 0 to 1 picks: means, deviations and residuals around it, these NaN
    /// where a value is known, and what a missing value of the sample itself counts (0: it is known), on average 1.
    pub fn row(&self, number: usize, u: f64, row: &mut [f32], weights: &mut [f32]) {
        let filled = &self.signals[number];
        let place = ((u * filled.open.len() as f64) as usize).min(filled.open.len() - 1);
        let time = usize::from(filled.open[place]);
        let (told, state) = row.split_at_mut(self.told());
        let (values, deviations) = told.split_at_mut(self.window * self.channels);
        self.cut(&filled.values, time, values, 0.0);
        self.cut(&filled.deviations, time, deviations, 0.0);
        self.cut(&filled.residuals, time, state, f32::NAN);
        let own = &filled.deviations[time * self.channels..][..self.channels];
        for (weight, deviation) in weights.iter_mut().zip(own) {
            *weight = deviation.min(WEIGHT_MAX) / self.mean_weight as f32;
        }
    }

    /// A window of a signal around a time, with `outside` beyond its ends.
    fn cut(&self, signal: &[f32], time: usize, to: &mut [f32], outside: f32) {
        let half = to.len() / self.channels / 2;
        for (k, sample) in to.chunks_exact_mut(self.channels).enumerate() {
            match (time + k).checked_sub(half).filter(|at| *at < self.length) {
                Some(at) => sample.copy_from_slice(&signal[at * self.channels..][..self.channels]),
                None => sample.fill(outside),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaps::FittedAutoregression;
    use mote_core::job::{Filled as CoreFilled, ImputationDraw, Imputer};
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};
    use mote_core::sampler::{Plan, Row};
    use mote_core::score::Denoiser;

    fn signals(count: u64) -> Vec<Vec<f32>> {
        let one = |seed| {
            let mut noise = Ziggurat::new(Stream::new(seed));
            let mut x = [0.0f32; 2];
            let step = |x: &mut [f32; 2], noise: &mut Ziggurat<Stream>| {
                *x = [0.9 * x[0] + 0.4 * noise.normal(), 0.5 * x[0] + 0.6 * noise.normal()];
                *x
            };
            (0..16).flat_map(|_| step(&mut x, &mut noise)).collect()
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn residuals_of_a_gaussian_process_are_standard_normals() {
        // The autoregression is the process's own, so that residuals have mean 0 and deviation 1 whatever is missing: 2,000 signals of their own, some 14,000
        // residuals that are correlated within a signal; half a tenth is 4.5 standard errors of 500 independent ones' mean.
        let signals = signals(2000);
        let fitted = FittedAutoregression::fit(&signals, 2, 1).unwrap();
        let pool = GapPool::new(&signals, fitted.core(), Sight { window: 5, around: 3 }, 2000, 3);
        let residuals: Vec<f64> =
            pool.signals.iter().flat_map(|s| &s.residuals).filter(|r| !r.is_nan()).map(|r| f64::from(*r)).collect();
        let n = residuals.len() as f64;
        let mean = residuals.iter().sum::<f64>() / n;
        let square = residuals.iter().map(|r| r * r).sum::<f64>() / n;
        assert!(mean.abs() < 0.05 && (square - 1.0).abs() < 0.06, "{mean} {square}");
    }

    #[test]
    fn a_row_is_what_core_shows_the_network() {
        struct Witness(Vec<Vec<f32>>);
        impl Denoiser for Witness {
            fn predict(&mut self, _: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
                self.0.push(x.to_vec());
                out.fill(0.0);
            }
        }
        let signals = signals(40);
        let fitted = FittedAutoregression::fit(&signals, 2, 1).unwrap();
        let pool = GapPool::new(&signals, fitted.core(), Sight { window: 5, around: 3 }, 40, 3);
        let mut mean_weight = 0.0;
        for number in 0..40 {
            let filled = &pool.signals[number];
            let mut floats = vec![0.0; pool.dim() + 2];
            let mut imputer = Imputer::new(Witness(Vec::new()), 10, (pool.dim(), 2), &mut floats);
            let rows = [Row { level: 0, p: 0.0, q: 1.0, a: 1.0, b: [0.0; 4], e: 0.0 }];
            let core = CoreFilled { values: &filled.values, deviations: &filled.deviations };
            let (mut state, mut next) = (vec![0.0; 32], vec![0.0; 32]);
            let mut noise = Ziggurat::new(Stream::new(1));
            let mut draw = ImputationDraw::start(Plan::new(&rows, 1.0), core, false, &mut noise, &mut state);
            // The state of a draw that has come to the truth.
            for (x, r) in state.iter_mut().zip(&filled.residuals) {
                *x = if r.is_nan() { 0.0 } else { *r };
            }
            draw.step(&mut imputer, &mut noise, &mut state, &mut next);
            let (mut row, mut weights) = (vec![0.0; pool.dim()], [0.0; 2]);
            let seen = imputer.into_denoiser().0;
            assert_eq!(seen.len(), filled.open.len());
            for (place, seen) in seen.iter().enumerate() {
                pool.row(number, (place as f64 + 0.5) / filled.open.len() as f64, &mut row, &mut weights);
                let shown: Vec<f32> = row.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
                assert_eq!(&shown, seen);
                let time = usize::from(filled.open[place]);
                for (weight, residual) in weights.iter().zip(&filled.residuals[2 * time..]) {
                    assert_eq!(*weight > 0.0, !residual.is_nan());
                    mean_weight += f64::from(*weight) / (filled.open.len() * 80) as f64;
                }
            }
        }
        assert!((mean_weight - 1.0).abs() < 1e-5, "{mean_weight}");
    }
}
