//! Many paths at once: blocks of [`mote_core::ensemble`] over the cores, with AVX2 or AVX-512 where the processor has it.
//!
//! The numbers depend on neither, nor on the number of threads.

mod instruction_set;

use std::ops::Range;

pub use instruction_set::{InstructionSet, Work};

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{BoxMuller, IndependentNoise, Span};
use mote_core::sde::Sde;
use mote_core::stepper::{Stepper, integrate_part, integrate_scratch};
use rayon::prelude::*;

/// How a process is to be stepped.
#[derive(Clone, Copy, Debug)]
pub struct Ensemble<P, S> {
    /// The stepper.
    pub stepper: P,
    /// The process; a block works on a copy.
    pub sde: S,
    /// Components of one path.
    pub dim: usize,
    /// From where to where, forwards or backwards.
    pub span: Span,
    /// Equal steps.
    pub steps: u32,
    /// Seed of all streams.
    pub seed: u64,
}

/// The blocks that hold the paths 0 to `paths`.
#[must_use]
pub fn blocks_of(paths: usize) -> Range<u32> {
    0..u32::try_from(paths.div_ceil(BLOCK)).unwrap_or(u32::MAX)
}

impl<P, S> Ensemble<P, S>
where
    P: Stepper<S> + Sync,
    S: Sde + Clone + Sync,
{
    /// Runs blocks and gives what was made of each, in order, whatever the number of threads of the current rayon pool.
    ///
    /// `start` writes a block's first state (all paths of component 0, then of component 1) and may draw from the block's
    /// normals. `seen` is shown the state after each of the `stops`, which are numbers of steps in ascending order, 0 being
    /// the start; `k` is the stop's index.
    pub fn map<R: Send>(
        &self,
        blocks: Range<u32>,
        start: impl Fn(&mut BoxMuller, &mut [f32]) + Sync,
        stops: &[u32],
        make: impl Fn() -> R + Sync,
        seen: impl Fn(&mut R, usize, &[f32]) + Sync,
    ) -> Vec<R> {
        self.map_with(InstructionSet::widest(), blocks, start, stops, make, seen)
    }

    /// As [`map`](Self::map), by an instruction set of the caller's choice.
    pub fn map_with<R: Send>(
        &self,
        instructions: InstructionSet,
        blocks: Range<u32>,
        start: impl Fn(&mut BoxMuller, &mut [f32]) + Sync,
        stops: &[u32],
        make: impl Fn() -> R + Sync,
        seen: impl Fn(&mut R, usize, &[f32]) + Sync,
    ) -> Vec<R> {
        let mut sequence = BlockSequence::starting_at(self.seed, blocks.start);
        let mut results: Vec<(u32, R)> = blocks
            .map(|block| (block, sequence.next_normals()))
            // The bridge hands out blocks as threads come for them: reaching a block costs a jump from the one before it.
            .par_bridge()
            .map_init(
                || vec![0.0; CACHE_LINE + BLOCK * self.dim + integrate_scratch::<P, S>(BLOCK * self.dim)],
                |work, (block, normals)| {
                    let aligned = work.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
                    let work = &mut work[aligned..];
                    let mut result = make();
                    let seen = |k: usize, x: &[f32]| seen(&mut result, k, x);
                    instructions.run(Block { ensemble: self, normals, start: &start, stops, work, seen });
                    (block, result)
                },
            )
            .collect();
        results.sort_unstable_by_key(|(block, _)| *block);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The final states of paths 0 to `paths` of a scalar process (of component 0 of any other).
    pub fn finals(&self, paths: usize, start: impl Fn(&mut BoxMuller, &mut [f32]) + Sync) -> Vec<f32> {
        let keep = |out: &mut Vec<f32>, _: usize, x: &[f32]| out.extend_from_slice(&x[..BLOCK]);
        let mut all = self.map(blocks_of(paths), start, &[self.steps], Vec::new, keep).concat();
        all.truncate(paths);
        all
    }
}

/// A start for [`Ensemble::map`]: every component of every path at one value.
pub fn at(value: f32) -> impl Fn(&mut BoxMuller, &mut [f32]) + Sync {
    move |_, x| x.fill(value)
}

/// Bytes of a cache line, and of the widest vector: one that begins elsewhere costs two accesses.
const CACHE_LINE: usize = 64;

/// One block from start to last stop.
struct Block<'a, P, S, F, G> {
    ensemble: &'a Ensemble<P, S>,
    normals: BoxMuller,
    start: F,
    stops: &'a [u32],
    /// Room for the state and what [`integrate_part`] needs.
    work: &'a mut [f32],
    seen: G,
}

impl<P, S, F, G> Work for Block<'_, P, S, F, G>
where
    P: Stepper<S>,
    S: Sde + Clone,
    F: Fn(&mut BoxMuller, &mut [f32]),
    G: FnMut(usize, &[f32]),
{
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let Ensemble { stepper, sde, dim, span, steps, .. } = self.ensemble;
        let (x, scratch) = self.work.split_at_mut(BLOCK * dim);
        (self.start)(&mut self.normals, x);
        let mut sde = sde.clone();
        let mut noise = IndependentNoise::new(self.normals);
        let mut done = 0;
        for (k, &stop) in self.stops.iter().enumerate() {
            integrate_part(stepper, &mut sde, (*span, *steps), done..stop, &mut noise, x, scratch);
            done = stop.max(done);
            (self.seen)(k, x);
        }
    }
}

#[cfg(test)]
mod tests {
    use mote_core::sde::{DoubleWell, GeometricBrownian, OrnsteinUhlenbeck, OverdampedLangevin};
    use mote_core::stepper::{EulerMaruyama, Milstein, Shark, integrate};
    use rayon::ThreadPoolBuilder;

    use super::*;

    const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: 2.0, mean: 0.5, diffusion: 1.0 };
    const GBM: GeometricBrownian = GeometricBrownian { growth: 0.1, volatility: 0.4 };
    const WELL: OverdampedLangevin<DoubleWell> =
        OverdampedLangevin { potential: DoubleWell { barrier: 1.5, half_distance: 0.9 }, noise: 0.8 };
    /// Paths that do not fill their last block, and more blocks than threads.
    const PATHS: usize = 6 * BLOCK - 100;
    const SPAN: Span = Span { t0: 0.0, t1: 1.7 };
    const STEPS: u32 = 77;

    fn ensemble<P, S>(stepper: P, sde: S) -> Ensemble<P, S> {
        Ensemble { stepper, sde, dim: 1, span: SPAN, steps: STEPS, seed: 11 }
    }

    /// What core gives, block for block, without an ensemble.
    fn by_core<P: Stepper<S>, S: Sde + Copy>(stepper: P, sde: S) -> Vec<u32> {
        let mut sequence = BlockSequence::new(11);
        let mut all = Vec::new();
        for _ in blocks_of(PATHS) {
            let (mut x, mut scratch) = ([1.25; BLOCK], vec![0.0; integrate_scratch::<P, S>(BLOCK)]);
            let mut noise = IndependentNoise::new(sequence.next_normals());
            integrate(&stepper, &mut sde.clone(), SPAN, STEPS, &mut noise, &mut x, &mut scratch);
            all.extend(x.map(f32::to_bits));
        }
        all
    }

    fn assert_one_result<P: Stepper<S> + Copy + Sync, S: Sde + Copy + Sync>(stepper: P, sde: S) {
        let expected = by_core(stepper, sde);
        assert!(expected.iter().all(|x| f32::from_bits(*x).is_finite()));
        assert!(expected.iter().collect::<std::collections::HashSet<_>>().len() > PATHS / 2);
        for set in InstructionSet::available() {
            for threads in 1..=3 {
                let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let keep = |out: &mut Vec<u32>, _: usize, x: &[f32]| out.extend(x.iter().map(|x| x.to_bits()));
                let run = || {
                    ensemble(stepper, sde).map_with(set, blocks_of(PATHS), at(1.25), &[STEPS], Vec::new, keep).concat()
                };
                assert!(pool.install(run) == expected, "{} {threads}", set.name());
            }
        }
        let finals = ensemble(stepper, sde).finals(PATHS, at(1.25));
        assert!(finals.iter().map(|x| x.to_bits()).eq(expected[..PATHS].iter().copied()));
    }

    #[test]
    fn bits_depend_neither_on_vectors_nor_on_threads_ornstein_uhlenbeck() {
        assert_one_result(EulerMaruyama, OU);
    }

    #[test]
    fn bits_depend_neither_on_vectors_nor_on_threads_double_well() {
        assert_one_result(EulerMaruyama, WELL);
    }

    #[test]
    fn bits_depend_neither_on_vectors_nor_on_threads_geometric_brownian() {
        assert_one_result(Milstein, GBM);
    }

    #[test]
    fn bits_depend_neither_on_vectors_nor_on_threads_shark() {
        assert_one_result(Shark, OU);
    }

    #[test]
    fn a_machine_with_wide_vectors_is_there_to_compare() {
        let sets: Vec<_> = InstructionSet::available().into_iter().map(InstructionSet::name).collect();
        eprintln!("instruction sets compared: {sets:?}");
        // Elsewhere the four tests above compare less than they say; where that is not noticed, it fails.
        let plain = cfg!(target_arch = "x86_64") && !sets.contains(&"avx2");
        assert!(!plain || std::env::var_os("CI").is_none(), "this machine has no AVX2, so that nothing was compared");
    }

    #[test]
    fn a_range_of_blocks_is_that_part_of_all_at_every_stop() {
        let watch = |blocks| {
            let keep = |out: &mut Vec<f32>, k: usize, x: &[f32]| {
                assert_eq!(out.len(), k * BLOCK);
                out.extend_from_slice(x);
            };
            ensemble(EulerMaruyama, OU).map(blocks, at(1.25), &[0, 7, STEPS], Vec::new, keep)
        };
        let (all, part) = (watch(0..5), watch(2..4));
        assert_eq!(all.len(), 5);
        assert!(all[2..4] == part && all[0] != all[1]);
        assert!(all.iter().all(|block| block[..BLOCK] == [1.25; BLOCK]));
    }
}
