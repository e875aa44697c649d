use super::{Estimator, Level};
use crate::random::NormalSource;
use crate::sampler::{Ddim, PlanBuilder as _};
use crate::score::{Denoiser, Prediction};

/// A variation of data that are there: noised to a level of the model and brought down again, one [`step`](Self::step) an evaluation, so that a control
/// loop never waits for more than that.
///
/// The state starts as `alpha x + sigma z` at the noisiest of the given levels (Meng et al. 2022, "SDEdit"); each step estimates the data and goes to the
/// next level as DDIM does with a share `eta` of fresh noise ([`Ddim`]; Song, Meng and Ermon 2021); the last estimate is the variation. The more noise
/// the first level has, the less is left of where it came from. A value that is missing (NaN) stays so. Cost: one evaluation of the whole signal a level.
#[derive(Debug)]
pub struct Variation<'l> {
    levels: &'l [Level],
    sampler: Ddim,
    class: Option<u16>,
    next: usize,
}

impl<'l> Variation<'l> {
    /// A variation of `data`, in the scale of training, over levels from the noisiest to the cleanest; `eta` from 0 (after the first noise nothing is
    /// drawn) to 1 (each step draws from the posterior). Writes the first state to `state`, which is as long as the data.
    pub fn start<N: NormalSource + ?Sized>(
        levels: &'l [Level],
        eta: f32,
        class: Option<u16>,
        data: &[f32],
        noise: &mut N,
        state: &mut [f32],
    ) -> Self {
        if let Some(Level { noise: level, .. }) = levels.first() {
            for (x, data) in state.iter_mut().zip(data) {
                *x = level.alpha * data + level.sigma * noise.normal();
            }
        }
        Self { levels, sampler: Ddim { eta: eta.clamp(0.0, 1.0) }, class, next: 0 }
    }

    /// Evaluations of the whole signal that are still to come.
    #[must_use]
    pub fn evaluations_left(&self) -> usize {
        self.levels.len().saturating_sub(self.next)
    }

    /// Takes the next evaluation; false once none is left, when `state` is the variation. `estimate` is as long as the state.
    pub fn step<D: Denoiser, N: NormalSource + ?Sized>(
        &mut self,
        estimator: &mut Estimator<'_, D>,
        noise: &mut N,
        state: &mut [f32],
        estimate: &mut [f32],
    ) -> bool {
        let Some(level) = self.levels.get(self.next).copied() else { return false };
        self.next += 1;
        estimator.estimate(level, self.class, state, estimate);
        let to = self.levels.get(self.next).map(|next| [level.noise, next.noise]);
        // The estimate is the prediction of the data already, so the row over two levels is asked for as of a network that predicts them.
        let row = to.and_then(|pair| self.sampler.row(0, &pair, Prediction::X0));
        let Some(row) = row else {
            for (x, x0) in state.iter_mut().zip(estimate.iter()) {
                *x = *x0;
            }
            return true;
        };
        let [b, ..] = row.b;
        for (x, x0) in state.iter_mut().zip(estimate.iter()) {
            *x = row.a * *x + b * *x0;
        }
        if row.e != 0.0 {
            for x in state.iter_mut() {
                *x += row.e * noise.normal();
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::random::{Stream, Ziggurat};
    use crate::schedule::NoiseLevel;
    use std::vec::Vec;

    /// `E[x0 | x]` of N(mean, 1), with the class as the mean.
    struct Normal<'l>(&'l [Level]);

    impl Denoiser for Normal<'_> {
        fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
            let NoiseLevel { alpha, sigma } = self.0[level].noise;
            let mean = class.map_or(0.0, f32::from);
            for (out, x) in out.iter_mut().zip(x) {
                *out = mean + alpha / (alpha * alpha + sigma * sigma) * (x - alpha * mean);
            }
        }
    }

    fn levels(count: usize, high: f32, low: f32) -> Vec<Level> {
        let sigma = |k: usize| high * (low / high).powf(k as f32 / (count - 1) as f32);
        (0..count).map(|index| Level { index, noise: NoiseLevel::variance_preserving(-sigma(index).ln()) }).collect()
    }

    fn variation(levels: &[Level], eta: f32, class: Option<u16>, data: f32, seed: u64) -> f32 {
        let mut floats = [0.0; 2];
        let mut estimator = Estimator::new(Normal(levels), Prediction::X0, (1, 1), &mut floats);
        let mut noise = Ziggurat::new(Stream::new(seed));
        let (mut state, mut estimate) = ([0.0], [0.0]);
        let mut run = Variation::start(levels, eta, class, &[data], &mut noise, &mut state);
        for left in (0..levels.len()).rev() {
            assert!(run.step(&mut estimator, &mut noise, &mut state, &mut estimate));
            assert_eq!(run.evaluations_left(), left);
        }
        assert!(!run.step(&mut estimator, &mut noise, &mut state, &mut estimate));
        state[0]
    }

    fn moments(values: impl Iterator<Item = f32>) -> (f64, f64) {
        let values: Vec<f64> = values.map(f64::from).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn a_variation_of_a_normal_law_has_the_closed_form() {
        // Data N(m, 1), x0 = 3, s = sigma / alpha at the start, y = x0 + s z. eta = 1 draws from the posterior given y, and over z
        //   mean m + (x0 - m) / (1 + s^2),  variance s^2 / (1 + s^2)^2 + s^2 / (1 + s^2).
        // eta = 0 follows the probability flow, which takes y - m by 1 / sqrt(1 + s^2): mean m + (x0 - m) / sqrt(1 + s^2), variance s^2 / (1 + s^2).
        // 4,000 draws: means within 4.5 standard errors (false alarm 7e-6) and .02 for the finite number of levels; variances within
        // 4.5 sqrt(2 / 4000) = 10%, and 3% more.
        let s = 1.5f32;
        let levels = levels(80, s, 0.01);
        let s = f64::from(s);
        let keep = 1.0 / (1.0 + s * s);
        for (eta, mean, variance) in
            [(1.0, 2.0 + keep, s * s * keep * keep + s * s * keep), (0.0, 2.0 + keep.sqrt(), s * s * keep)]
        {
            let (found, spread) = moments((0..4000).map(|seed| variation(&levels, eta, Some(2), 3.0, seed)));
            assert!((found - mean).abs() < 4.5 * (variance / 4000.0).sqrt() + 0.02, "{eta}: {found} {mean}");
            assert!((spread / variance - 1.0).abs() < 0.13, "{eta}: {spread} {variance}");
        }
    }

    #[test]
    fn data_vary_into_data() {
        // Where the data have the model's law, so have their variations, whatever the start: N(0, 1) stays N(0, 1).
        let levels = levels(40, 0.7, 0.01);
        for eta in [0.0, 0.5, 1.0] {
            let mut data = Ziggurat::new(Stream::new(99));
            let (mean, variance) = moments((0..4000).map(|seed| variation(&levels, eta, None, data.normal(), seed)));
            assert!(mean.abs() < 4.5 / 4000f64.sqrt() + 0.005, "{eta}: {mean}");
            assert!((variance - 1.0).abs() < 0.13, "{eta}: {variance}");
        }
    }

    #[test]
    fn little_noise_changes_little_and_no_levels_nothing() {
        let near = levels(3, 0.02, 0.01);
        for seed in 0..50 {
            assert!((variation(&near, 0.0, Some(2), 3.0, seed) - 3.0).abs() < 0.1);
        }
        let (mut noise, mut state) = (Ziggurat::new(Stream::new(1)), [7.0]);
        let run = Variation::start(&[], 0.0, None, &[3.0], &mut noise, &mut state);
        assert_eq!((run.evaluations_left(), state), (0, [7.0]));
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let levels = levels(4, 0.7, 0.1);
        let mut floats = [0.0; 4];
        let mut estimator = Estimator::new(Normal(&levels), Prediction::X0, (2, 2), &mut floats);
        let mut noise = Ziggurat::new(Stream::new(5));
        let (mut state, mut estimate) = ([0.0; 2], [0.0; 2]);
        let mut run = Variation::start(&levels, 1.0, None, &[f32::NAN, 1.0], &mut noise, &mut state);
        while run.step(&mut estimator, &mut noise, &mut state, &mut estimate) {}
        assert!(state[0].is_nan() && state[1].is_finite());
    }
}
