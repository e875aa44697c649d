//! Many paths at once: blocks of [`mote_core::ensemble`] over the cores, with AVX2 where the processor has it.

use std::ops::Range;

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
        // Reaching a block costs a jump for each before it, so that neighbours share a sequence.
        const RUN: u32 = 16;
        let runs = blocks.len().div_ceil(RUN as usize);
        let per_run = (0..runs as u32).into_par_iter().map(|run| {
            let first = blocks.start + run * RUN;
            let mut sequence = BlockSequence::starting_at(self.seed, first);
            let mut work = vec![0.0; BLOCK * self.dim + integrate_scratch::<P, S>(BLOCK * self.dim)];
            (first..(first + RUN).min(blocks.end))
                .map(|_| {
                    let mut result = make();
                    let normals = sequence.next_normals();
                    pulp::Arch::new()
                        .dispatch(|| self.block(normals, &start, stops, &mut work, |k, x| seen(&mut result, k, x)));
                    result
                })
                .collect::<Vec<_>>()
        });
        per_run.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// One block, in `work`.
    #[inline(always)]
    fn block(
        &self,
        mut normals: BoxMuller,
        start: impl Fn(&mut BoxMuller, &mut [f32]),
        stops: &[u32],
        work: &mut [f32],
        mut seen: impl FnMut(usize, &[f32]),
    ) {
        let (x, scratch) = work.split_at_mut(BLOCK * self.dim);
        start(&mut normals, x);
        let mut sde = self.sde.clone();
        let mut noise = IndependentNoise::new(normals);
        let mut done = 0;
        for (k, &stop) in stops.iter().enumerate() {
            integrate_part(&self.stepper, &mut sde, (self.span, self.steps), done..stop, &mut noise, x, scratch);
            done = stop.max(done);
            seen(k, x);
        }
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
