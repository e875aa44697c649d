use super::{Estimator, Level};
use crate::math;
use crate::random::NormalSource;
use crate::score::{Denoiser, Posterior};

/// What a draw is conditioned on besides the model.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'e> {
    /// Some values are known, in the scale of training, and those that are NaN are sought: imputation.
    Known(&'e [f32]),
    /// All values are known up to the noise of the first level: a draw of what may be behind a noisy signal. NaN is missing and stays so.
    Noisy(&'e [f32]),
}

/// A draw from what may have been, given what is known: one [`step`](Self::step) an evaluation of the whole signal, so that a control loop never waits
/// for more than that.
///
/// From the noisiest of the given levels to the cleanest: the data behind the state are estimated, and the next state is drawn from the law of a
/// cleaner state given the noisier one and the data ([`Posterior`]; Ho et al. 2020). Where values are known, the state at them is drawn afresh from
/// these at every level, `alpha x + sigma z`, and each level is repeated, noised up and cleaned again, so that known and sought values
/// come to agree (Lugmayr et al. 2022, "RePaint"). A noisy signal is itself the state at its level, and the draw begins there.
#[derive(Debug)]
pub struct ConditionalDraw<'c> {
    levels: &'c [Level],
    repeats: usize,
    evidence: Evidence<'c>,
    class: Option<u16>,
    level: usize,
    repeat: usize,
}

impl<'c> ConditionalDraw<'c> {
    /// A draw over levels from the noisiest to the cleanest, with `repeats` of each if values are sought; writes the first state to `state`, which is as long
    /// as the evidence.
    pub fn start<N: NormalSource + ?Sized>(
        levels: &'c [Level],
        repeats: usize,
        evidence: Evidence<'c>,
        class: Option<u16>,
        noise: &mut N,
        state: &mut [f32],
    ) -> Self {
        let first = levels.first().map(|level| level.noise);
        match (evidence, first) {
            (Evidence::Known(_), Some(first)) => {
                let deviation = first.state_deviation(1.0);
                noise.fill_scaled(deviation, state);
            }
            (Evidence::Noisy(signal), Some(first)) => {
                for (x, y) in state.iter_mut().zip(signal) {
                    *x = first.alpha * y;
                }
            }
            (_, None) => {}
        }
        let repeats = if matches!(evidence, Evidence::Known(_)) { repeats.max(1) } else { 1 };
        Self { levels, repeats, evidence, class, level: 0, repeat: 0 }
    }

    /// Evaluations of the whole signal that are still to come.
    #[must_use]
    pub fn evaluations_left(&self) -> usize {
        // The cleanest level is not left again, so it is not repeated.
        let Some(rest) = self.levels.len().checked_sub(self.level + 1) else { return 0 };
        rest * self.repeats + 1 - self.repeat.min(rest * self.repeats)
    }

    /// Takes the next evaluation; false once the draw is done, when `state` is the draw. `estimate` is as long as the state.
    pub fn step<D: Denoiser, N: NormalSource + ?Sized>(
        &mut self,
        estimator: &mut Estimator<'_, D>,
        noise: &mut N,
        state: &mut [f32],
        estimate: &mut [f32],
    ) -> bool {
        let Some(level) = self.levels.get(self.level).copied() else { return false };
        if let Evidence::Known(known) = self.evidence {
            for (x, known) in state.iter_mut().zip(known) {
                if !known.is_nan() {
                    *x = level.noise.alpha * known + level.noise.sigma * noise.normal();
                }
            }
        }
        estimator.estimate(level, self.class, state, estimate);
        let Some(next) = self.levels.get(self.level + 1).copied() else {
            self.finish(state, estimate);
            self.level += 1;
            return true;
        };
        let posterior = Posterior::between(level.noise, next.noise);
        let deviation = math::sqrt(posterior.variance);
        for (x, x0) in state.iter_mut().zip(estimate.iter()) {
            *x = posterior.mean(*x, *x0) + deviation * noise.normal();
        }
        self.repeat += 1;
        if self.repeat < self.repeats {
            // Up again by the forward law between the two levels.
            let a = level.noise.alpha / next.noise.alpha;
            let up = a * next.noise.sigma;
            let deviation = math::sqrt((level.noise.sigma - up) * (level.noise.sigma + up));
            for x in state.iter_mut() {
                *x = a * *x + deviation * noise.normal();
            }
        } else {
            (self.level, self.repeat) = (self.level + 1, 0);
        }
        true
    }

    /// The draw: the last estimate, and the known values as they are.
    fn finish(&self, state: &mut [f32], estimate: &[f32]) {
        for (x, x0) in state.iter_mut().zip(estimate) {
            *x = *x0;
        }
        if let Evidence::Known(known) = self.evidence {
            for (x, known) in state.iter_mut().zip(known) {
                if !known.is_nan() {
                    *x = *known;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::random::{Stream, Ziggurat};
    use crate::schedule::NoiseLevel;
    use crate::score::Prediction;
    use std::vec::Vec;

    /// The exact x0 prediction of a pair of normals with unit variances and a correlation: `E[x0 | x] = alpha S (alpha^2 S + sigma^2)^-1 x`.
    struct Pair<'l> {
        correlation: f32,
        levels: &'l [Level],
    }

    impl Denoiser for Pair<'_> {
        fn predict(&mut self, level: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
            let NoiseLevel { alpha, sigma } = self.levels[level].noise;
            // Along (1, 1) and (1, -1) the variances are 1 + r and 1 - r.
            let gain = |variance: f32| alpha * variance / (alpha * alpha * variance + sigma * sigma);
            let (plus, minus) = (
                gain(1.0 + self.correlation) * (x[0] + x[1]) / 2.0,
                gain(1.0 - self.correlation) * (x[0] - x[1]) / 2.0,
            );
            (out[0], out[1]) = (plus + minus, plus - minus);
        }
    }

    fn levels(count: usize, high: f32, low: f32) -> Vec<Level> {
        let sigma = |k: usize| high * (low / high).powf(k as f32 / (count - 1) as f32);
        (0..count).map(|index| Level { index, noise: NoiseLevel::variance_preserving(-sigma(index).ln()) }).collect()
    }

    /// Mean and variance of component `of` over draws.
    fn moments(levels: &[Level], repeats: usize, evidence: Evidence<'_>, of: usize, draws: u64) -> (f64, f64) {
        let mut floats = [0.0; 4];
        let mut found = Vec::new();
        for seed in 0..draws {
            let pair = Pair { correlation: 0.8, levels };
            let mut estimator = Estimator::new(pair, Prediction::X0, (2, 2), &mut floats);
            let mut noise = Ziggurat::new(Stream::new(seed));
            let (mut state, mut estimate) = ([0.0; 2], [0.0; 2]);
            let mut draw = ConditionalDraw::start(levels, repeats, evidence, None, &mut noise, &mut state);
            let mut left = draw.evaluations_left();
            assert_eq!(left, (levels.len() - 1) * if matches!(evidence, Evidence::Known(_)) { repeats } else { 1 } + 1);
            while draw.step(&mut estimator, &mut noise, &mut state, &mut estimate) {
                left -= 1;
                assert_eq!(draw.evaluations_left(), left);
            }
            assert_eq!(left, 0);
            found.push(f64::from(state[of]));
        }
        let n = found.len() as f64;
        let mean = found.iter().sum::<f64>() / n;
        (mean, found.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn imputation_has_the_conditional_law_of_two_normals() {
        // b given a = 1.5 is N(0.8 * 1.5, 1 - 0.8^2). 2,000 draws: the mean within 4.5 standard errors of .6 / sqrt(2000) (false alarm 7e-6), and
        // 0.02 for the finite number of levels; the variance within 15%, which is 4.7 standard errors.
        let levels = levels(24, 8.0, 0.02);
        let (mean, variance) = moments(&levels, 8, Evidence::Known(&[1.5, f32::NAN]), 1, 2000);
        assert!((mean - 1.2).abs() < 4.5 * 0.6 / 2000f64.sqrt() + 0.02, "{mean}");
        assert!((variance / 0.36 - 1.0).abs() < 0.15, "{variance}");
    }

    #[test]
    fn the_network_sees_known_values_with_the_noise_of_each_level() {
        /// Keeps the first component that it sees at each level.
        struct Witness(Vec<(usize, f32)>);

        impl Denoiser for Witness {
            fn predict(&mut self, level: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
                self.0.push((level, x[0]));
                out.fill(0.0);
            }
        }

        let levels = levels(2, 2.0, 0.5);
        let mut floats = [0.0; 4];
        let mut estimator = Estimator::new(Witness(Vec::new()), Prediction::X0, (2, 2), &mut floats);
        for seed in 0..2000 {
            let mut noise = Ziggurat::new(Stream::new(seed));
            let (mut state, mut estimate) = ([0.0; 2], [0.0; 2]);
            let known = [3.0, f32::NAN];
            let mut draw = ConditionalDraw::start(&levels, 1, Evidence::Known(&known), None, &mut noise, &mut state);
            while draw.step(&mut estimator, &mut noise, &mut state, &mut estimate) {}
            assert_eq!(state[0], 3.0);
        }
        for Level { index, noise: NoiseLevel { alpha, sigma } } in levels {
            let met = || estimator.denoiser.0.iter().filter(|(level, _)| *level == index).map(|(_, x)| f64::from(*x));
            let mean = met().sum::<f64>() / 2000.0;
            let variance = met().map(|x| (x - mean).powi(2)).sum::<f64>() / 2000.0;
            // 4.5 standard errors, sigma / sqrt(n) and sigma^2 sqrt(2 / n): false alarm 7e-6 each.
            let (alpha, sigma) = (f64::from(alpha), f64::from(sigma));
            assert!((mean - 3.0 * alpha).abs() < 4.5 * sigma / 2000f64.sqrt(), "{mean}");
            assert!((variance / (sigma * sigma) - 1.0).abs() < 4.5 * (2.0f64 / 2000.0).sqrt(), "{variance}");
        }
    }

    #[test]
    fn a_noisy_signal_is_drawn_from_its_posterior() {
        // y = x + .5 z: along (1, 1) and (1, -1) the posterior mean is s / (s + .25) y and the variance .25 s / (s + .25), for s = 1.8 and .2.
        let levels = levels(60, 0.5, 0.005);
        let (mean, variance) = moments(&levels, 1, Evidence::Noisy(&[1.0, -0.4]), 0, 2000);
        let (plus, minus) = (1.8 / 2.05, 0.2 / 0.45);
        let expected = (plus * 0.6 + minus * 1.4) / 2.0;
        let spread = 0.25 * (plus + minus) / 2.0;
        assert!((mean - expected).abs() < 4.5 * (spread / 2000f64).sqrt() + 0.01, "{mean} {expected}");
        assert!((variance / spread - 1.0).abs() < 0.15, "{variance} {spread}");
    }
}
