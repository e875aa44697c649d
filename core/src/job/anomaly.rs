use super::{Estimator, Level};
use crate::math;
use crate::random::{NormalSource as _, Stream, Ziggurat};
use crate::score::Denoiser;

/// Numbers that the errors of one level and channel are summed up in.
pub const ERROR_FEATURES: usize = 6;
/// Numbers of a calibration for each level and channel: the mean square of the error on normal data, and mean and reciprocal deviation of the logarithm of
/// each feature.
pub const CALIBRATION_NUMBERS: usize = 1 + 2 * ERROR_FEATURES;

/// Added before a logarithm is taken.
const LEAST: f32 = 1e-3;
/// Added to an error that is too small, so that its reciprocal is bounded.
const QUIET: f32 = 0.03;

/// What a window is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The whole pattern: the mean square error of all channels and levels, each in units of its own on normal data.
    Pattern,
    /// Single sensors: the largest of peaks, lasting errors of one sign, and silences, `ln(mean exp(2 z)) / 2` over all features, levels and channels, with z
    /// a feature's standard score on normal data.
    Sensors,
}

/// How windows are judged; the same on the host, which calibrates, and on a board.
#[derive(Clone, Copy, Debug)]
pub struct Detector<'c> {
    /// By what.
    pub judgement: Judgement,
    /// The levels whose errors count.
    pub levels: &'c [Level],
    /// How many times noise is added to a window before it is taken out again, with the streams of the seeds 0, 1, and so on; with 0 the window itself
    /// is taken for a noisy one.
    pub seeds: u32,
    /// [`CALIBRATION_NUMBERS`] for each channel of each level in turn.
    pub calibration: &'c [f32],
}

/// The errors of one channel of a window at one level, `(D(x) - x) / sigma` time after time, in units of their root mean square on normal data.
struct Errors<'e> {
    errors: &'e [f32],
    channel: usize,
    channels: usize,
    unit: f32,
}

impl Errors<'_> {
    /// How many times there are.
    fn len(&self) -> usize {
        self.errors.len() / self.channels.max(1)
    }

    /// The error at a time; one that is missing is neither large nor small.
    fn at(&self, time: usize) -> Option<f32> {
        self.errors.get(time * self.channels + self.channel).filter(|e| !e.is_nan()).map(|e| e * self.unit)
    }

    /// The largest and the smallest of the means of `of` over all runs of a length.
    fn runs(&self, length: usize, missing: f32, of: impl Fn(f32) -> f32) -> (f32, f32) {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        let value = |time: usize| self.at(time).map_or(missing, &of);
        let mut sum = 0.0;
        for time in 0..self.len() {
            sum += value(time);
            let Some(before) = (time + 1).checked_sub(length) else { continue };
            let mean = sum / length as f32;
            (low, high) = (low.min(mean), high.max(mean));
            sum -= value(before);
        }
        (low, high)
    }

    /// Mean square; largest absolute value; the largest absolute mean over an eighth, three eighths and three quarters of the window; and how silent its most silent
    /// half is, as `1 / (rms + 0.03)`.
    fn features(&self) -> [f32; ERROR_FEATURES] {
        let all = self.len();
        let part = |eighths: usize| (all * eighths / 8).max(1);
        let lasting = |eighths: usize| {
            let (low, high) = self.runs(part(eighths), 0.0, |e| e);
            high.max(-low)
        };
        let square = self.runs(all.max(1), 1.0, |e| e * e).1;
        let peak = self.runs(1, 0.0, |e| if e < 0.0 { -e } else { e }).1;
        let silent = self.runs(part(4), 1.0, |e| e * e).0;
        [square, peak, lasting(1), lasting(3), lasting(6), 1.0 / (math::sqrt(silent.max(0.0)) + QUIET)]
    }
}

impl Detector<'_> {
    /// Calls `each` with level, channel and features of a window in the scale of training, `unit` telling the errors' unit of a level and channel. `state`,
    /// `estimate` and `errors` are as long as the window; `x` may hold missing values.
    ///
    /// Cost: an evaluation of the window for each level and seed.
    pub fn features<D: Denoiser>(
        &self,
        estimator: &mut Estimator<'_, D>,
        channels: usize,
        window: &[f32],
        [state, estimate, errors]: [&mut [f32]; 3],
        unit: impl Fn(usize, usize) -> f32,
        mut each: impl FnMut(usize, usize, [f32; ERROR_FEATURES]),
    ) {
        for (number, level) in self.levels.iter().enumerate() {
            errors.fill(0.0);
            let share = 1.0 / self.seeds.max(1) as f32;
            let sigma = level.noise.relative_sigma();
            for seed in 0..self.seeds.max(1) {
                let mut noise = Ziggurat::new(Stream::new(u64::from(seed)));
                for (state, x) in state.iter_mut().zip(window) {
                    let z = if self.seeds == 0 { 0.0 } else { noise.normal() };
                    *state = level.noise.alpha * x + level.noise.sigma * z;
                }
                estimator.estimate(*level, None, state, estimate);
                for ((error, x), x0) in errors.iter_mut().zip(window).zip(estimate.iter()) {
                    let e = (x0 - x) / sigma;
                    // One seed keeps the sign; of several the root of the mean square is left.
                    *error += if self.seeds > 1 { e * e * share } else { e };
                }
            }
            if self.seeds > 1 {
                errors.iter_mut().for_each(|e| *e = if *e > 0.0 { math::sqrt(*e) } else { *e });
            }
            for channel in 0..channels {
                let unit = unit(number, channel);
                each(number, channel, Errors { errors, channel, channels, unit }.features());
            }
        }
    }

    /// How little a window looks like normal data; higher is stranger. See [`features`](Self::features) for the buffers.
    pub fn score<D: Denoiser>(
        &self,
        estimator: &mut Estimator<'_, D>,
        channels: usize,
        window: &[f32],
        buffers: [&mut [f32]; 3],
    ) -> f32 {
        let of = |level: usize, channel: usize| {
            let start = (level * channels + channel) * CALIBRATION_NUMBERS;
            self.calibration.get(start..).and_then(|rest| rest.first_chunk::<CALIBRATION_NUMBERS>())
        };
        let unit = |level: usize, channel: usize| {
            of(level, channel).map_or(1.0, |[square, ..]| 1.0 / math::sqrt(square.max(1e-12)))
        };
        let (mut sum, mut count) = (0.0, 0.0);
        self.features(estimator, channels, window, buffers, unit, |level, channel, features| {
            let Some([_, scores @ ..]) = of(level, channel) else { return };
            match self.judgement {
                Judgement::Pattern => {
                    let [square, ..] = features;
                    (sum, count) = (sum + square, count + 1.0);
                }
                Judgement::Sensors => {
                    let (pairs, _) = scores.as_chunks::<2>();
                    // The mean square says nothing that the others do not say better here.
                    for (feature, [mean, reciprocal]) in features.iter().zip(pairs).skip(1) {
                        let z = (math::ln(feature + LEAST) - mean) * reciprocal;
                        // Far beyond what is normal the order is clear, and the sum stays finite.
                        (sum, count) = (sum + math::exp(2.0 * z.clamp(-20.0, 20.0)), count + 1.0);
                    }
                }
            }
        });
        let mean = sum / f32::max(count, 1.0);
        match self.judgement {
            Judgement::Pattern => mean,
            Judgement::Sensors => 0.5 * math::ln(mean + f32::MIN_POSITIVE),
        }
    }
}

/// The logarithm that a feature's score is taken of.
#[must_use]
pub fn feature_log(feature: f32) -> f32 {
    math::ln(feature + LEAST)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::schedule::NoiseLevel;
    use crate::score::Prediction;
    use std::vec::Vec;

    /// A denoiser that takes everything for 0: the error is the window itself.
    struct Zero;

    impl Denoiser for Zero {
        fn predict(&mut self, _: usize, _: Option<u16>, _: &[f32], out: &mut [f32]) {
            out.fill(0.0);
        }
    }

    const LEVEL: Level = Level { index: 0, noise: NoiseLevel { alpha: 1.0, sigma: 0.5 } };

    fn features(window: &[f32], channels: usize) -> Vec<[f32; ERROR_FEATURES]> {
        let detector = Detector { judgement: Judgement::Sensors, levels: &[LEVEL], seeds: 0, calibration: &[] };
        let mut floats = std::vec![0.0; 2 * window.len()];
        let mut buffers = [std::vec![0.0; window.len()], std::vec![0.0; window.len()], std::vec![0.0; window.len()]];
        let mut estimator = Estimator::new(Zero, Prediction::X0, (window.len(), window.len()), &mut floats);
        let mut found = Vec::new();
        let buffers = buffers.each_mut().map(|buffer| buffer.as_mut_slice());
        detector.features(&mut estimator, channels, window, buffers, |_, _| 1.0, |_, _, features| found.push(features));
        found
    }

    #[test]
    fn features_are_what_they_say() {
        // Errors are -x / .5. One channel is silent but for a peak of 3, the other an offset of 1 from time 4 on.
        let mut window = [0.0; 16];
        window[2 * 2] = 3.0;
        (4..8).for_each(|time| window[2 * time + 1] = 1.0);
        let [peak, offset] = features(&window, 2)[..] else { panic!("two channels") };
        assert_eq!(peak, [36.0 / 8.0, 6.0, 6.0, 2.0, 1.0, 1.0 / 0.03]);
        assert_eq!(offset, [2.0, 2.0, 2.0, 2.0, 8.0 / 6.0, 1.0 / 0.03]);
    }

    #[test]
    fn a_missing_value_is_neither_a_peak_nor_a_silence() {
        let [only] = features(&[f32::NAN; 8], 1)[..] else { panic!("one channel") };
        assert_eq!(only, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0 / 1.03]);
    }

    #[test]
    fn scores_are_in_units_of_normal_data() {
        let window = [0.5, -0.5, 0.5, -0.5];
        let score = |judgement, calibration: &[f32]| {
            let detector = Detector { judgement, levels: &[LEVEL], seeds: 0, calibration };
            let mut floats = [0.0; 8];
            let mut estimator = Estimator::new(Zero, Prediction::X0, (4, 4), &mut floats);
            let [mut a, mut b, mut c] = [[0.0; 4]; 3];
            detector.score(&mut estimator, 1, &window, [&mut a, &mut b, &mut c])
        };
        // Errors of 1 where normal data have a mean square of 4: a quarter.
        let mut calibration = [0.0; CALIBRATION_NUMBERS];
        calibration[0] = 4.0;
        assert_eq!(score(Judgement::Pattern, &calibration), 0.25);
        // Every feature's logarithm is 1 deviation above its mean on normal data: the score is 1.
        let normal: Vec<f32> = features(&window, 1)[0].iter().flat_map(|f| [feature_log(*f) - 0.5, 2.0]).collect();
        calibration[0] = 1.0;
        calibration[1..].copy_from_slice(&normal);
        assert!((score(Judgement::Sensors, &calibration) - 1.0).abs() < 1e-5);
        // Five features count and the mean square does not: one at 3 deviations and four at 1 give ln((e^6 + 4 e^2) / 5) / 2.
        for feature in 0..ERROR_FEATURES {
            let mut strange = calibration;
            strange[1 + 2 * feature] -= 1.0;
            let expected = if feature == 0 { 1.0 } else { 0.5 * ((6f32.exp() + 4.0 * 2f32.exp()) / 5.0).ln() };
            assert!((score(Judgement::Sensors, &strange) - expected).abs() < 1e-4, "{feature}");
        }
    }
}
