use super::anomaly::Errors;
use super::{Detector, Estimator, Judgement, Level, feature_log};
use crate::math;
use crate::random::{NormalSource as _, Stream, Ziggurat};
use crate::score::Denoiser;

/// Where the evaluations of a window stand: level after level, in each seed after seed, in each sample after sample.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    pub level: usize,
    seed: u32,
    sample: usize,
}

impl Walk {
    /// Takes the next evaluation; gives the number of the level whose errors are complete with it.
    pub fn step<D: Denoiser>(
        &mut self,
        detector: &Detector<'_>,
        estimator: &mut Estimator<'_, D>,
        window: &[f32],
        [state, errors]: [&mut [f32]; 2],
    ) -> Option<usize> {
        let level = *detector.levels.get(self.level)?;
        if self.sample == 0 {
            self.begin(detector, level, window, state);
            if self.seed == 0 {
                errors.fill(0.0);
            }
        }
        let several = detector.seeds > 1;
        let share = 1.0 / detector.seeds.max(1) as f32;
        let sigma = level.noise.relative_sigma();
        estimator.estimate_sample(level, None, state, self.sample, |place, x0| {
            if let (Some(x), Some(error)) = (window.get(place), errors.get_mut(place)) {
                let e = (x0 - x) / sigma;
                // One seed keeps the sign; of several the root of the mean square is left.
                *error += if several { e * e * share } else { e };
            }
        });
        self.sample += 1;
        if self.sample < estimator.samples(window.len()) {
            return None;
        }
        (self.sample, self.seed) = (0, self.seed + 1);
        if self.seed < detector.seeds {
            return None;
        }
        if several {
            errors.iter_mut().for_each(|e| *e = if *e > 0.0 { math::sqrt(*e) } else { *e });
        }
        (self.seed, self.level) = (0, self.level + 1);
        Some(self.level - 1)
    }

    /// Makes the state of a seed.
    // Not inlined, so that the generator's part of the stack is given back.
    #[inline(never)]
    fn begin(&self, detector: &Detector<'_>, level: Level, window: &[f32], state: &mut [f32]) {
        let mut noise = Ziggurat::new(Stream::new(u64::from(self.seed)));
        for (state, x) in state.iter_mut().zip(window) {
            let z = if detector.seeds == 0 { 0.0 } else { noise.normal() };
            *state = level.noise.alpha * x + level.noise.sigma * z;
        }
    }
}

/// A window that is being scored: one [`step`](Self::step) an evaluation, so that a control loop or a serial line never waits for more than that.
#[derive(Clone, Debug, Default)]
pub struct Scoring {
    walk: Walk,
    sum: f32,
    count: f32,
}

impl Scoring {
    /// A window that nothing is known of yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next evaluation; gives the score once it was the last. Detector, window and buffers, each as long as the window, are the same in every call;
    /// the window is in the scale of training, NaN where a value is missing.
    ///
    /// Cost: one evaluation.
    pub fn step<D: Denoiser>(
        &mut self,
        detector: &Detector<'_>,
        estimator: &mut Estimator<'_, D>,
        channels: usize,
        window: &[f32],
        [state, errors]: [&mut [f32]; 2],
    ) -> Option<f32> {
        if let Some(level) = self.walk.step(detector, estimator, window, [state, errors]) {
            for channel in 0..channels {
                self.add(detector, channels, level, channel, errors);
            }
        }
        if self.walk.level < detector.levels.len() {
            return None;
        }
        let mean = self.sum / f32::max(self.count, 1.0);
        Some(match detector.judgement {
            Judgement::Pattern => mean,
            Judgement::Sensors => 0.5 * math::ln(mean + f32::MIN_POSITIVE),
        })
    }

    /// Takes the errors of a level and channel into the score.
    fn add(&mut self, detector: &Detector<'_>, channels: usize, level: usize, channel: usize, errors: &[f32]) {
        let Some([square, scores @ ..]) = detector.of(channels, level, channel) else { return };
        let unit = 1.0 / math::sqrt(square.max(1e-12));
        let features = Errors { errors, channel, channels, unit }.features();
        match detector.judgement {
            Judgement::Pattern => {
                let [square, ..] = features;
                (self.sum, self.count) = (self.sum + square, self.count + 1.0);
            }
            Judgement::Sensors => {
                let (pairs, _) = scores.as_chunks::<2>();
                // The mean square says nothing that the others do not say better here.
                for (feature, [mean, reciprocal]) in features.iter().zip(pairs).skip(1) {
                    let z = (feature_log(*feature) - mean) * reciprocal;
                    // Far beyond what is normal the order is clear, and the sum stays finite.
                    self.sum += math::exp(2.0 * z.clamp(-20.0, 20.0));
                    self.count += 1.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::job::{CALIBRATION_NUMBERS, ERROR_FEATURES};
    use crate::schedule::NoiseLevel;
    use crate::score::Prediction;
    use std::vec::Vec;

    /// A denoiser that takes the middle sample of what it sees for clean: the error is the noise that was added.
    struct Believer;

    impl Denoiser for Believer {
        fn predict(&mut self, _: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
            let half = (x.len() - out.len()) / 2;
            out.copy_from_slice(&x[half..half + out.len()]);
        }
    }

    const LEVELS: [Level; 2] = [
        Level { index: 0, noise: NoiseLevel { alpha: 1.0, sigma: 0.5 } },
        Level { index: 1, noise: NoiseLevel { alpha: 1.0, sigma: 0.25 } },
    ];

    /// Score and evaluations of a window of one channel, by a network that sees `seen` samples.
    fn score(detector: &Detector<'_>, window: &[f32], seen: usize) -> (f32, usize) {
        let out = if seen < window.len() { 1 } else { window.len() };
        let mut floats = std::vec![0.0; seen + out];
        let mut estimator = Estimator::new(Believer, Prediction::X0, (seen, out), &mut floats);
        let (mut state, mut errors) = (std::vec![0.0; window.len()], std::vec![0.0; window.len()]);
        let (mut scoring, mut evaluations) = (Scoring::new(), 0);
        loop {
            evaluations += 1;
            if let Some(score) = scoring.step(detector, &mut estimator, 1, window, [&mut state, &mut errors]) {
                return (score, evaluations);
            }
        }
    }

    fn normals(seed: u64, count: usize) -> Vec<f32> {
        let mut noise = Ziggurat::new(Stream::new(seed));
        (0..count).map(|_| noise.normal()).collect()
    }

    #[test]
    fn the_error_is_the_noise_that_was_added_an_evaluation_a_sample_and_seed() {
        let (window, mut calibration) = ([0.0; 8], [0.0; 2 * CALIBRATION_NUMBERS]);
        // Mean squares of 1 on normal data at one level and of 4 at the other.
        (calibration[0], calibration[CALIBRATION_NUMBERS]) = (1.0, 4.0);
        for (seeds, seen) in [(1, 3), (2, 3), (1, 8), (3, 8)] {
            let detector =
                Detector { judgement: Judgement::Pattern, levels: &LEVELS, seeds, calibration: &calibration };
            let (found, evaluations) = score(&detector, &window, seen);
            // Errors are sigma z / sigma, at any level.
            let squares = (0..u64::from(seeds)).flat_map(|seed| normals(seed, 8)).map(|z| z * z);
            let mean = squares.sum::<f32>() / (8 * seeds) as f32;
            let expected = (mean + mean / 4.0) / 2.0;
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
            let samples = if seen < 8 { 8 } else { 1 };
            assert_eq!(evaluations, 2 * seeds as usize * samples);
            assert_eq!(evaluations, detector.evaluations(samples));
        }
    }

    #[test]
    fn a_window_is_scored_step_by_step_with_the_bits_of_the_whole() {
        let window = normals(9, 12);
        let calibration: Vec<f32> = normals(4, 2 * CALIBRATION_NUMBERS).iter().map(|x| x * x).collect();
        for judgement in [Judgement::Pattern, Judgement::Sensors] {
            let detector = Detector { judgement, levels: &LEVELS, seeds: 2, calibration: &calibration };
            let mut floats = [0.0; 4];
            let mut estimator = Estimator::new(Believer, Prediction::V, (3, 1), &mut floats);
            let [mut state, mut errors] = [[0.0; 12]; 2];
            let whole = detector.score(&mut estimator, 1, &window, [&mut state, &mut errors]);
            let mut scoring = Scoring::new();
            let stepped =
                (0..48).filter_map(|_| scoring.step(&detector, &mut estimator, 1, &window, [&mut state, &mut errors]));
            assert_eq!(stepped.map(f32::to_bits).collect::<Vec<_>>(), [whole.to_bits()]);
            // From the features, as a calibration is made, and by the definition of both scores.
            let unit = |level: usize, _| 1.0 / calibration[level * CALIBRATION_NUMBERS].max(1e-12).sqrt();
            let (mut squares, mut terms) = (Vec::new(), Vec::new());
            let buffers = [&mut state[..], &mut errors[..]];
            detector.features(&mut estimator, 1, &window, buffers, unit, |level, _, features| {
                let numbers = &calibration[level * CALIBRATION_NUMBERS..];
                squares.push(f64::from(features[0]));
                terms.extend((1..ERROR_FEATURES).map(|k| {
                    let z = (f64::from(features[k] + 1e-3).ln() - f64::from(numbers[1 + 2 * k]))
                        * f64::from(numbers[2 + 2 * k]);
                    (2.0 * z.clamp(-20.0, 20.0)).exp()
                }));
            });
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let expected = match judgement {
                Judgement::Pattern => mean(&squares),
                Judgement::Sensors => 0.5 * mean(&terms).ln(),
            };
            assert!((f64::from(whole) / expected - 1.0).abs() < 1e-4, "{whole} {expected}");
        }
    }
}
