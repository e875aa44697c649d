use crate::schedule::NoiseLevel;
use crate::score::{Denoiser, Prediction};

/// A level of a model's table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Its number in the table.
    pub index: usize,
    /// Its signal and noise.
    pub noise: NoiseLevel,
}

/// A network as an estimate of the data behind a state `x = alpha x0 + sigma eps`: the mean `E[x0 | x]`, which is Tweedie's formula for what the
/// network predicts (Efron 2011).
///
/// A network with as many outputs as inputs takes a whole window at once. One with fewer slides: it sees a window of samples and gives the
/// middle one, and where the window reaches over an end of the signal it sees 0.
#[derive(Debug)]
pub struct Estimator<'w, D> {
    pub(super) denoiser: D,
    pub(super) prediction: Prediction,
    pub(super) window: &'w mut [f32],
    pub(super) output: &'w mut [f32],
}

impl<'w, D: Denoiser> Estimator<'w, D> {
    /// An estimator over a denoiser of `dim_in` inputs and `dim_out` outputs, in memory of at least `dim_in + dim_out` floats; with less it
    /// estimates nothing.
    pub fn new(denoiser: D, prediction: Prediction, (dim_in, dim_out): (usize, usize), floats: &'w mut [f32]) -> Self {
        let (window, rest) = floats.split_at_mut_checked(dim_in).unwrap_or_default();
        let output = rest.get_mut(..dim_out).unwrap_or_default();
        Self { denoiser, prediction, window, output }
    }

    /// Values at each time of a signal, for a network that slides; all values of a window for another.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.output.len()
    }

    /// Whether the network slides.
    #[must_use]
    pub fn slides(&self) -> bool {
        self.output.len() < self.window.len()
    }

    /// Samples in a signal of so many values: evaluations that an estimate of it takes.
    #[must_use]
    pub fn samples(&self, values: usize) -> usize {
        if self.slides() { values / self.channels().max(1) } else { 1 }
    }

    /// Writes `E[x0 | x]` of every value of a signal of any length (or of one window, if the network does not slide) to `out`; what is
    /// missing in `x` stays missing.
    ///
    /// Cost: one evaluation, or one for each sample.
    pub fn estimate(&mut self, level: Level, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        for number in 0..self.samples(out.len()) {
            self.estimate_sample(level, class, x, number, |place, x0| {
                if let Some(out) = out.get_mut(place) {
                    *out = x0;
                }
            });
        }
    }

    /// Calls `each` with place and `E[x0 | x]` of every value of sample `number` of a signal (or of the whole window, if the network does not slide): what
    /// [`estimate`](Self::estimate) does, an evaluation at a time and without a place for the result.
    ///
    /// Cost: one evaluation.
    pub fn estimate_sample(
        &mut self,
        level: Level,
        class: Option<u16>,
        x: &[f32],
        number: usize,
        mut each: impl FnMut(usize, f32),
    ) {
        let linear = self.prediction.x0(level.noise);
        if !self.slides() {
            self.denoiser.predict(level.index, class, x, self.output);
            for (place, (x, f)) in x.iter().zip(self.output.iter()).enumerate() {
                each(place, linear.at(*x, *f));
            }
            return;
        }
        let channels = self.channels().max(1);
        let half = self.window.len() / 2 - channels / 2;
        // The window's first value is `half` before this sample's.
        let (start, outside) = (number * channels, half.saturating_sub(number * channels));
        let from = start.saturating_sub(half);
        let (before, within) = self.window.split_at_mut(outside.min(self.window.len()));
        before.fill(f32::NAN);
        let there = x.get(from..).unwrap_or_default();
        let mut there = there.iter();
        within.fill_with(|| there.next().copied().unwrap_or(f32::NAN));
        self.denoiser.predict(level.index, class, self.window, self.output);
        let middle = self.window.get(half..).unwrap_or_default();
        for (place, (x, f)) in middle.iter().zip(self.output.iter()).enumerate() {
            each(start + place, linear.at(*x, *f));
        }
    }

    /// The estimate of the middle sample of what is in the window.
    pub(super) fn middle(&mut self, level: Level, class: Option<u16>, out: &mut [f32]) {
        let linear = self.prediction.x0(level.noise);
        self.denoiser.predict(level.index, class, self.window, self.output);
        let half = self.window.len().saturating_sub(self.output.len()) / 2;
        let middle = self.window.get(half..).unwrap_or_default();
        for ((out, x), f) in out.iter_mut().zip(middle).zip(self.output.iter()) {
            *out = linear.at(*x, *f);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// F = the weighted sum of the window for each channel, so that what is seen can be told from what is given.
    struct Seer {
        channels: usize,
    }

    impl Denoiser for Seer {
        fn predict(&mut self, level: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
            for (channel, out) in out.iter_mut().enumerate() {
                let seen = x.iter().skip(channel).step_by(self.channels);
                *out = seen.enumerate().map(|(k, x)| if x.is_nan() { 0.0 } else { (k + level) as f32 * x }).sum();
            }
        }
    }

    const LEVEL: Level = Level { index: 1, noise: NoiseLevel { alpha: 0.8, sigma: 0.6 } };

    #[test]
    fn a_sliding_network_sees_its_window_and_nothing_beyond_the_ends() {
        let (channels, window) = (2, 5);
        let signal: Vec<f32> = (0..14).map(|i| (i * i % 11) as f32).collect();
        let mut floats = [0.0; 12];
        let mut estimator =
            Estimator::new(Seer { channels }, Prediction::X0, (window * channels, channels), &mut floats);
        assert!(estimator.slides());
        let mut out = [0.0; 14];
        estimator.estimate(LEVEL, None, &signal, &mut out);
        for time in 0..7i32 {
            for channel in 0..2 {
                // The definition: weights 1 to 5 on the samples from two before to two behind.
                let expected: f32 = (-2..=2)
                    .filter(|k| (0..7).contains(&(time + k)))
                    .map(|k| (k + 3) as f32 * signal[(time + k) as usize * 2 + channel])
                    .sum();
                assert_eq!(out[time as usize * 2 + channel], expected, "{time} {channel}");
            }
        }
    }

    #[test]
    fn what_is_missing_stays_missing_and_counts_as_nothing_for_its_neighbours() {
        let mut floats = [0.0; 4];
        let mut estimator = Estimator::new(Seer { channels: 1 }, Prediction::V, (3, 1), &mut floats);
        let mut out = [0.0; 4];
        estimator.estimate(LEVEL, None, &[1.0, f32::NAN, 2.0, 3.0], &mut out);
        assert!(out[1].is_nan());
        // x0 = alpha x - sigma F, with F of (., 1, missing), (missing, 2, 3) and (2, 3, .).
        let expected = [0.8 * 1.0 - 0.6 * 2.0, 0.8 * 2.0 - 0.6 * (4.0 + 9.0), 0.8 * 3.0 - 0.6 * (2.0 + 6.0)];
        for (out, expected) in [out[0], out[2], out[3]].iter().zip(expected) {
            assert!((out - expected).abs() < 1e-5, "{out} {expected}");
        }
    }

    #[test]
    fn a_whole_window_is_one_evaluation() {
        let mut floats = [0.0; 6];
        let mut estimator = Estimator::new(Seer { channels: 3 }, Prediction::Epsilon, (3, 3), &mut floats);
        assert!(!estimator.slides());
        let mut out = [0.0; 3];
        estimator.estimate(LEVEL, None, &[1.0, 2.0, 3.0], &mut out);
        // F = 1 x, so x0 = (x - sigma x) / alpha.
        for (out, x) in out.iter().zip([1.0, 2.0, 3.0]) {
            assert!((out - x * 0.4 / 0.8).abs() < 1e-6);
        }
    }
}
