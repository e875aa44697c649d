use core::fmt;

use super::scoring::Walk;
use super::{Estimator, Level, Scoring};
use crate::math;
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
pub(super) struct Errors<'e> {
    pub errors: &'e [f32],
    pub channel: usize,
    pub channels: usize,
    pub unit: f32,
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
    pub fn features(&self) -> [f32; ERROR_FEATURES] {
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

/// Why a calibration is none for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetectorError {
    /// There are no levels.
    NoLevels,
    /// A level is pure noise or pure data, which say nothing of a window.
    Level {
        /// Which one, from 0.
        place: usize,
    },
    /// Another number of numbers than levels and channels ask for.
    Length {
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A number is not finite, or a mean square is below 0.
    Number {
        /// Which one, from 0.
        place: usize,
    },
}

impl fmt::Display for DetectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLevels => f.write_str("the calibration names no noise levels"),
            Self::Level { place } => write!(f, "level {place} of the calibration has no signal or no noise"),
            Self::Length { expected, found } => {
                write!(f, "the calibration has {found} numbers, and its levels and the channels take {expected}")
            }
            Self::Number { place } => write!(f, "number {place} of the calibration is not finite, or below 0"),
        }
    }
}

impl core::error::Error for DetectorError {}

/// Whether a number of a calibration may stand at its place: all are finite, and the first of each level and channel, a mean square, is not below 0.
#[must_use]
pub fn calibration_number_fits(place: usize, number: f32) -> bool {
    number.is_finite() && (number >= 0.0 || !place.is_multiple_of(CALIBRATION_NUMBERS))
}

impl Detector<'_> {
    /// Numbers that a calibration of so many channels has.
    #[must_use]
    pub fn numbers(&self, channels: usize) -> usize {
        self.levels.len().saturating_mul(channels).saturating_mul(CALIBRATION_NUMBERS)
    }

    /// Holds levels and numbers to what scoring expects of them. Without it, scores of a calibration that does not fit are finite or not, and mean nothing.
    ///
    /// # Errors
    /// [`DetectorError`]: which level or number, or how many there are to be.
    pub fn check(&self, channels: usize) -> Result<(), DetectorError> {
        if self.levels.is_empty() {
            return Err(DetectorError::NoLevels);
        }
        let usable = |level: &Level| level.noise.alpha > 0.0 && level.noise.sigma > 0.0;
        if let Some(place) = self.levels.iter().position(|level| !usable(level)) {
            return Err(DetectorError::Level { place });
        }
        let (expected, found) = (self.numbers(channels), self.calibration.len());
        if expected != found {
            return Err(DetectorError::Length { expected, found });
        }
        match self.calibration.iter().enumerate().position(|(place, x)| !calibration_number_fits(place, *x)) {
            Some(place) => Err(DetectorError::Number { place }),
            None => Ok(()),
        }
    }

    /// Evaluations that a window of so many samples takes.
    #[must_use]
    pub fn evaluations(&self, samples: usize) -> usize {
        self.levels.len() * self.seeds.max(1) as usize * samples
    }

    /// Calls `each` with level, channel and features of a window in the scale of training, `unit` telling the errors' unit of a level and channel. `state`
    /// and `errors` are as long as the window; `x` may hold missing values.
    ///
    /// Cost: an evaluation of the window for each level and seed.
    pub fn features<D: Denoiser>(
        &self,
        estimator: &mut Estimator<'_, D>,
        channels: usize,
        window: &[f32],
        [state, errors]: [&mut [f32]; 2],
        unit: impl Fn(usize, usize) -> f32,
        mut each: impl FnMut(usize, usize, [f32; ERROR_FEATURES]),
    ) {
        let mut walk = Walk::default();
        while walk.level < self.levels.len() {
            let Some(level) = walk.step(self, estimator, window, [state, errors]) else { continue };
            for channel in 0..channels {
                let unit = unit(level, channel);
                each(level, channel, Errors { errors, channel, channels, unit }.features());
            }
        }
    }

    /// How little a window looks like normal data; higher is stranger. See [`features`](Self::features) for the buffers, and [`Scoring`] for the same an
    /// evaluation at a time.
    pub fn score<D: Denoiser>(
        &self,
        estimator: &mut Estimator<'_, D>,
        channels: usize,
        window: &[f32],
        [state, errors]: [&mut [f32]; 2],
    ) -> f32 {
        let mut scoring = Scoring::new();
        loop {
            if let Some(score) = scoring.step(self, estimator, channels, window, [state, errors]) {
                return score;
            }
        }
    }

    /// The numbers of a level and channel.
    pub(super) fn of(&self, channels: usize, level: usize, channel: usize) -> Option<&[f32; CALIBRATION_NUMBERS]> {
        let start = (level * channels + channel) * CALIBRATION_NUMBERS;
        self.calibration.get(start..).and_then(|rest| rest.first_chunk::<CALIBRATION_NUMBERS>())
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
        let mut buffers = [std::vec![0.0; window.len()], std::vec![0.0; window.len()]];
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
            let [mut a, mut b] = [[0.0; 4]; 2];
            detector.score(&mut estimator, 1, &window, [&mut a, &mut b])
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
    #[test]
    fn a_calibration_is_held_to_levels_and_channels() {
        let numbers = [1.0; 2 * CALIBRATION_NUMBERS];
        let check = |levels: &[Level], calibration: &[f32]| {
            Detector { judgement: Judgement::Sensors, levels, seeds: 0, calibration }.check(2)
        };
        assert_eq!(check(&[LEVEL], &numbers), Ok(()));
        assert_eq!(check(&[], &[]), Err(DetectorError::NoLevels));
        let pure = Level { index: 1, noise: NoiseLevel { alpha: 0.0, sigma: 1.0 } };
        assert_eq!(check(&[LEVEL, pure], &numbers), Err(DetectorError::Level { place: 1 }));
        assert_eq!(check(&[LEVEL], &numbers[1..]), Err(DetectorError::Length { expected: 26, found: 25 }));
        for (place, number, fits) in
            [(13, -1.0, false), (12, -1.0, true), (14, f32::NAN, false), (25, f32::INFINITY, false)]
        {
            let mut wrong = numbers;
            wrong[place] = number;
            let expected = if fits { Ok(()) } else { Err(DetectorError::Number { place }) };
            assert_eq!(check(&[LEVEL], &wrong), expected);
        }
    }
}
