use core::cell::Cell;

use super::{Estimator, Level};
use crate::score::Denoiser;

/// Denoises a signal sample by sample, for a network that slides: what [`Estimator::estimate`] gives of the whole signal, with the same bits,
/// half a window later.
#[derive(Debug)]
pub struct SignalDenoiser<'w, D> {
    estimator: Estimator<'w, D>,
    level: Level,
    class: Option<u16>,
    pushed: usize,
    ended: usize,
}

impl<'w, D: Denoiser> SignalDenoiser<'w, D> {
    /// A denoiser that has seen nothing yet, for noise as strong as the level's, `sigma / alpha` in the scale of the training data.
    pub fn new(estimator: Estimator<'w, D>, level: Level, class: Option<u16>) -> Self {
        estimator.window.fill(f32::NAN);
        Self { estimator, level, class, pushed: 0, ended: 0 }
    }

    /// How many samples an estimate comes behind its sample.
    #[must_use]
    pub fn delay(&self) -> usize {
        let channels = self.estimator.channels().max(1);
        (self.estimator.window.len() / channels).saturating_sub(1) / 2
    }

    /// Another strength of noise from here on.
    pub fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// Takes the next sample, one value a channel, in the scale of the training data and NaN where one is missing. From the
    /// [`delay`](Self::delay)th call on, it writes the estimate of the sample so many before to `out` and gives true.
    ///
    /// Cost: one evaluation and a move of the window.
    pub fn push(&mut self, sample: &[f32], out: &mut [f32]) -> bool {
        let channels = self.estimator.channels();
        let cells = Cell::from_mut(&mut *self.estimator.window).as_slice_of_cells();
        for (to, from) in cells.iter().zip(cells.iter().skip(channels)) {
            to.set(from.get());
        }
        let newest = cells.len().saturating_sub(channels);
        let mut values = sample.iter();
        for cell in cells.iter().skip(newest) {
            cell.set(values.next().map_or(f32::NAN, |x| self.level.noise.alpha * x));
        }
        self.pushed = self.pushed.saturating_add(1);
        let whole = self.pushed > self.delay();
        if whole {
            self.estimator.middle(self.level, self.class, out);
        }
        whole
    }

    /// The estimates that are still out when a signal has ended: call it as long as it gives true.
    pub fn finish(&mut self, out: &mut [f32]) -> bool {
        while self.ended < self.delay() {
            self.ended += 1;
            if self.push(&[], out) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::schedule::NoiseLevel;
    use crate::score::Prediction;
    use std::vec::Vec;

    /// Some function of all that is in the window.
    struct Mixer;

    impl Denoiser for Mixer {
        fn predict(&mut self, _: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
            let seen = x.iter().map(|x| if x.is_nan() { 0.0 } else { *x });
            let mixed = seen.fold(0.3, |state: f32, x| (state * 1.7 + x) % 3.0);
            out.iter_mut().zip(0u8..).for_each(|(out, channel)| *out = mixed + f32::from(channel));
        }
    }

    #[test]
    fn sample_by_sample_is_the_whole_signal_bit_for_bit() {
        let level = Level { index: 0, noise: NoiseLevel { alpha: 0.9, sigma: 0.3 } };
        for (channels, window, samples) in [(1, 5, 12), (2, 7, 9), (3, 3, 4), (2, 9, 3), (1, 5, 0)] {
            let mut signal: Vec<f32> = (0..channels * samples).map(|i| (i * i % 7) as f32 - 2.5).collect();
            if let Some(value) = signal.get_mut(2) {
                *value = f32::NAN;
            }
            let state: Vec<f32> = signal.iter().map(|x| 0.9 * x).collect();
            let dims = (channels * window, channels);
            let mut floats = std::vec![0.0; channels * (window + 1)];
            let mut whole = std::vec![0.0; signal.len()];
            Estimator::new(Mixer, Prediction::V, dims, &mut floats).estimate(level, None, &state, &mut whole);

            let estimator = Estimator::new(Mixer, Prediction::V, dims, &mut floats);
            let mut denoiser = SignalDenoiser::new(estimator, level, None);
            assert_eq!(denoiser.delay(), window / 2);
            let (mut found, mut out) = (Vec::new(), std::vec![0.0; channels]);
            for sample in signal.chunks_exact(channels) {
                if denoiser.push(sample, &mut out) {
                    found.extend_from_slice(&out);
                }
            }
            while denoiser.finish(&mut out) {
                found.extend_from_slice(&out);
            }
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits() | u32::from(x.is_nan())).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&whole), "{channels} channels, {samples} samples");
        }
    }
}
