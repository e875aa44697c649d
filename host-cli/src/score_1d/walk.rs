//! Sampling: annealed Langevin dynamics through core's sampler, a block of samples at a time.

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::BoxMuller;
use mote_core::sampler::{AnnealedLangevin, Plan, PlanBuilder, Row, Run, SampleOptions, Workspace, start_scale};
use mote_core::schedule::{NoiseLevel, NoiseSchedule, uniform_lambda};
use mote_core::score::{Denoiser, Prediction};
use mote_laboratory::ensemble::{InstructionSet, Work};
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::law::LAW;
use super::learn::{NOISE, inputs};
use crate::network::{Dense, FloatNetwork};
use crate::train::silu;

/// The network on a block of scalar samples: one matrix product for all of them.
///
/// A matrix holds a column for each unit and a row for each sample, so that columns fill whole vectors.
#[derive(Clone, Debug)]
pub struct Batched<'n> {
    layers: &'n [Dense; 3],
    levels: &'n [NoiseLevel],
    weights: DMatrix<f32>,
    first: DMatrix<f32>,
    second: DMatrix<f32>,
    instructions: InstructionSet,
}

impl<'n> Batched<'n> {
    /// The network over a table of noise levels.
    #[must_use]
    pub fn new(network: &'n FloatNetwork, levels: &'n [NoiseLevel]) -> Self {
        let layers: &[Dense; 3] = network.layers().try_into().expect("two hidden layers");
        let [_, middle, _] = layers;
        // Read as columns, the rows of a matrix are its transpose.
        let weights = DMatrix::from_column_slice(middle.cols, middle.rows, &middle.weight);
        let (first, second) = (DMatrix::zeros(BLOCK, middle.cols), DMatrix::zeros(BLOCK, middle.rows));
        Self { layers, levels, weights, first, second, instructions: InstructionSet::widest() }
    }

    #[inline(always)]
    fn enter(&mut self, level: usize, x: &[f32]) {
        let layer = &self.layers[0];
        let level = self.levels[level];
        for ((column, w), bias) in
            self.first.as_mut_slice().chunks_exact_mut(BLOCK).zip(layer.weight.chunks_exact(2)).zip(&layer.bias)
        {
            let [scale, told] = inputs(level, 1.0);
            let (slope, at_zero) = (w[0] * scale, bias + w[1] * told);
            column.iter_mut().zip(x).for_each(|(sum, x)| *sum = slope * x + at_zero);
        }
        silu(self.first.as_mut_slice());
        for (column, bias) in self.second.as_mut_slice().chunks_exact_mut(BLOCK).zip(&self.layers[1].bias) {
            column.fill(*bias);
        }
    }

    #[inline(always)]
    fn leave(&mut self, out: &mut [f32]) {
        silu(self.second.as_mut_slice());
        let layer = &self.layers[2];
        out.fill(layer.bias[0]);
        for (column, w) in self.second.as_slice().chunks_exact(BLOCK).zip(&layer.weight) {
            out.iter_mut().zip(column).for_each(|(out, a)| *out += w * a);
        }
    }
}

/// Every component of `x` is a sample of its own; there are [`BLOCK`] of them.
impl Denoiser for Batched<'_> {
    fn predict(&mut self, level: usize, _class: Option<u16>, x: &[f32], out: &mut [f32]) {
        let instructions = self.instructions;
        instructions.run(Enter { batched: self, level, x });
        self.second.gemm(1.0, &self.first, &self.weights, 1.0);
        instructions.run(Leave { batched: self, out });
    }
}

/// The first layer.
struct Enter<'a, 'n> {
    batched: &'a mut Batched<'n>,
    level: usize,
    x: &'a [f32],
}

impl Work for Enter<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.batched.enter(self.level, self.x);
    }
}

/// What follows the product.
struct Leave<'a, 'n> {
    batched: &'a mut Batched<'n>,
    out: &'a mut [f32],
}

impl Work for Leave<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.batched.leave(self.out);
    }
}

/// How to walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walk {
    /// Noise levels, geometric from the noisiest to the cleanest, at least 2.
    pub levels: usize,
    /// Langevin steps at each level and their length.
    pub sampler: AnnealedLangevin,
}

/// A step of 0.4: short enough for the walk's own law to stay near that of the level, long enough for 20 levels of 5.
impl Default for Walk {
    fn default() -> Self {
        Self { levels: 20, sampler: AnnealedLangevin { steps_per_level: 5, step: 0.4 } }
    }
}

impl Walk {
    /// Evaluations of the network for one sample.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.sampler.rows(&self.levels())
    }

    /// The levels, from the noisiest to the cleanest.
    #[must_use]
    pub fn levels(&self) -> Vec<NoiseLevel> {
        let (noisiest, cleanest) = NOISE.lambda_range();
        let mut lambdas = vec![0.0; self.levels];
        uniform_lambda(noisiest, cleanest, &mut lambdas);
        lambdas.into_iter().map(|lambda| NOISE.level_at_lambda(lambda)).collect()
    }

    /// Draws `count` samples from a denoiser of blocks, made for each task from the levels.
    ///
    /// Sample k is path `k % 256` of block `k / 256` of the seed's ensemble (see [`mote_core::ensemble`]), whatever the count
    /// and the number of threads of the current rayon pool.
    pub fn draw<'l, D: Denoiser>(
        &self,
        levels: &'l [NoiseLevel],
        denoiser: impl Fn(&'l [NoiseLevel]) -> D + Sync,
        seed: u64,
        count: usize,
    ) -> Vec<f32> {
        let rows: Vec<Row> =
            (0..self.sampler.rows(levels)).filter_map(|i| self.sampler.row(i, levels, Prediction::Epsilon)).collect();
        let plan = Plan::new(&rows, start_scale(levels, LAW.standard_deviation() as f32));
        let mut sequence = BlockSequence::new(seed);
        let normals: Vec<BoxMuller> = (0..count.div_ceil(BLOCK)).map(|_| sequence.next_normals()).collect();
        let mut samples = vec![0.0; normals.len() * BLOCK];
        samples.par_chunks_exact_mut(BLOCK).zip(normals).for_each_init(
            || (denoiser(levels), [0.0; Workspace::len(BLOCK, 1, false)]),
            |(denoiser, floats), (samples, mut normals)| {
                let workspace = Workspace::new(BLOCK, 1, false, floats).expect("as long as it is measured");
                let run = Run::start(plan, SampleOptions::default(), workspace, &mut normals);
                samples.copy_from_slice(run.finish(denoiser, &mut normals));
            },
        );
        samples.truncate(count);
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::quality::Yardstick;
    use super::*;

    /// The exact score in the place of a network.
    struct Exact<'l>(&'l [NoiseLevel]);

    impl Denoiser for Exact<'_> {
        fn predict(&mut self, level: usize, _class: Option<u16>, x: &[f32], out: &mut [f32]) {
            let sigma = f64::from(self.0[level].sigma);
            for (out, x) in out.iter_mut().zip(x) {
                *out = (-sigma * LAW.noised(sigma).score((*x).into())) as f32;
            }
        }
    }

    #[test]
    fn the_walk_with_the_exact_score_ends_in_the_law() {
        let (walk, n) = (Walk::default(), 20_000);
        let levels = walk.levels();
        let quality = Yardstick::new(LAW, n).measure(&walk.draw(&levels, Exact, 1, n));
        // Balance: five standard errors, 5 / (2 sqrt(n)) = 0.018 (false alarm 6e-7). That much imbalance is 0.106 of W1;
        // what the walk's finite length adds is below 0.05.
        assert!((quality.right - 0.5).abs() < 0.018, "{quality:?}");
        assert!(quality.wasserstein < 0.05 + 6.0 * (quality.right - 0.5).abs(), "{quality:?}");
        assert!(quality.between < 0.004, "{quality:?}");
    }

    #[test]
    fn a_sample_depends_on_seed_and_number_alone() {
        let walk = Walk { levels: 3, ..Walk::default() };
        let levels = walk.levels();
        let many = walk.draw(&levels, Exact, 7, 1000);
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| walk.draw(&levels, Exact, 7, 1000)), many);
        assert_eq!(walk.draw(&levels, Exact, 7, 300), many[..300]);
        assert_ne!(walk.draw(&levels, Exact, 8, 300), many[..300]);
    }

    #[test]
    fn a_block_gets_what_the_plain_network_gives() {
        let learned = learn(2, 1).unwrap();
        let levels = Walk::default().levels();
        let mut batched = Batched::new(&learned.network, &levels);
        let x: [f32; BLOCK] = std::array::from_fn(|i| 0.1 * i as f32 - 12.8);
        let mut out = [0.0; BLOCK];
        for (number, level) in levels.iter().enumerate().step_by(3) {
            batched.predict(number, None, &x, &mut out);
            for (x, out) in x.iter().zip(&out) {
                let expected = -level.sigma * learned.score(*x, level.sigma);
                assert!((out - expected).abs() < 1e-5, "{number} {x}: {out} {expected}");
            }
        }
    }
}
