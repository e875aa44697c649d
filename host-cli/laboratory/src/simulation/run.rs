use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::IndependentNoise;
use mote_core::sde::Sde;
use mote_core::stepper::{Stepper, integrate_part, integrate_scratch};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::{Law, Moments, PairSums, Plan, Visitor};
use crate::ensemble::Ensemble;

/// What becomes of the states, and who may stop the run.
pub trait Sink {
    /// Takes a path's states at the saved times, in order of paths; a run that saves nothing never calls it.
    ///
    /// # Errors
    /// What writing reports; it stops the run.
    fn path(&mut self, number: u64, values: &[f32]) -> io::Result<()>;

    /// Is told how many paths of the run are done, and answers whether to go on.
    fn go_on(&mut self, done: u64) -> bool;
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stop {
    /// A path left the finite numbers.
    #[error(
        "path {path} left the finite numbers in step {step} of {steps}, at t = {t}: the process explodes, or the steps are too long \
         for it; take more --steps, a shorter --horizon or weaker noise"
    )]
    Exploded {
        /// The path.
        path: u64,
        /// The step, from 1.
        step: u32,
        /// Of how many.
        steps: u32,
        /// The time at its end.
        t: f32,
    },
    /// The sink asked for it.
    #[error("interrupted after {done} of {paths} paths; nothing was written")]
    Interrupted {
        /// Paths done.
        done: u64,
        /// Of how many.
        paths: u64,
    },
    /// The sink could not write.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Which two numbers of a path go into a pair: each a step's index among the reported ones, and a component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pairing {
    pub first: (usize, usize),
    pub second: (usize, usize),
}

/// The pairs of a plan: of each reported time each component with itself, the two components of a state that has two, and the first
/// component now and at the end.
pub(super) fn pairings(plan: &Plan) -> Vec<Pairing> {
    let (dim, end) = (plan.dim(), plan.reported.len() - 1);
    let mut all = Vec::new();
    for k in 0..=end {
        all.extend((0..dim).map(|c| Pairing { first: (k, c), second: (k, c) }));
        if dim == 2 {
            all.push(Pairing { first: (k, 0), second: (k, 1) });
        }
        if k < end {
            all.push(Pairing { first: (k, 0), second: (end, 0) });
        }
    }
    all
}

/// Runs a plan with a stepper and an equation that fit.
pub(super) struct Drive<'a, 's> {
    pub plan: &'a Plan,
    pub start: &'a [Law],
    pub predicted: &'a [Moments],
    pub pool: &'a ThreadPool,
    pub sink: &'s mut dyn Sink,
}

impl Visitor for Drive<'_, '_> {
    type Output = Result<Vec<PairSums>, Stop>;

    fn visit<P, S>(self, stepper: P, sde: S) -> Self::Output
    where
        P: Stepper<S> + Sync,
        S: Sde + Clone + Sync,
    {
        let plan = self.plan;
        let ensemble =
            Ensemble { stepper, sde, dim: plan.dim(), span: plan.span(), steps: plan.steps, seed: plan.seed };
        let walk = Stepping { ensemble, start: self.start, stops: plan.stops() };
        self.drive(&walk)
    }
}

/// Blocks of paths of some process by some stepper.
trait Walk: Sync {
    /// The states of each block at every stop, one stop after the other.
    fn states(&self, blocks: Range<u32>) -> Vec<Vec<f32>>;
    /// The first step in which one of a block's first paths leaves the numbers, and the path.
    fn explosion(&self, block: u32, wanted: usize) -> Option<(u32, usize)>;
}

struct Stepping<'a, P, S> {
    ensemble: Ensemble<P, S>,
    start: &'a [Law],
    stops: Vec<u32>,
}

/// Writes the start of a block: component by component.
fn draw_start(laws: &[Law], normals: &mut mote_core::random::BoxMuller, x: &mut [f32]) {
    for (law, x) in laws.iter().zip(x.chunks_exact_mut(BLOCK)) {
        law.draw(normals, x);
    }
}

impl<P: Stepper<S> + Sync, S: Sde + Clone + Sync> Walk for Stepping<'_, P, S> {
    fn states(&self, blocks: Range<u32>) -> Vec<Vec<f32>> {
        let size = self.stops.len() * self.ensemble.dim * BLOCK;
        let start = |normals: &mut _, x: &mut [f32]| draw_start(self.start, normals, x);
        let keep = |kept: &mut Vec<f32>, _: usize, x: &[f32]| kept.extend_from_slice(x);
        self.ensemble.map(blocks, start, &self.stops, || Vec::with_capacity(size), keep)
    }

    fn explosion(&self, block: u32, wanted: usize) -> Option<(u32, usize)> {
        let Ensemble { stepper, sde, dim, span, steps, seed } = &self.ensemble;
        let mut normals = BlockSequence::starting_at(*seed, block).next_normals();
        let (mut x, mut sde) = (vec![0.0; BLOCK * dim], sde.clone());
        draw_start(self.start, &mut normals, &mut x);
        let mut noise = IndependentNoise::new(normals);
        let mut scratch = vec![0.0; integrate_scratch::<P, S>(BLOCK * dim)];
        (0..*steps).find_map(|step| {
            integrate_part(stepper, &mut sde, (*span, *steps), step..step + 1, &mut noise, &mut x, &mut scratch);
            let lost = |path: &usize| x.iter().skip(*path).step_by(BLOCK).any(|x| !x.is_finite());
            (0..wanted).find(lost).map(|path| (step, path))
        })
    }
}

impl Drive<'_, '_> {
    /// Runs chunk after chunk of blocks, and adds up and writes each chunk in order.
    fn drive(self, walk: &dyn Walk) -> Result<Vec<PairSums>, Stop> {
        const MEMORY: u64 = 1 << 28;
        const PATIENCE: Duration = Duration::from_millis(400);
        let (plan, pool) = (self.plan, self.pool);
        let stops = plan.stops();
        let place = |steps: u32| stops.binary_search(&steps).unwrap_or(0);
        let reported: Vec<usize> = plan.reported.iter().map(|steps| place(*steps)).collect();
        let saved: Vec<usize> = plan.saved_steps().iter().map(|steps| place(*steps)).collect();
        let pairings = pairings(plan);
        let empty: Vec<PairSums> = pairings.iter().map(|pair| PairSums::about(self.shift(*pair))).collect();
        let mut total = empty.clone();

        let blocks = plan.blocks();
        let most = (MEMORY / plan.block_bytes()).clamp(1, 1 << 20) as u32;
        let paths = plan.end_path() - plan.first_path();
        // A multiple of what the ensemble gives a thread at a time.
        let mut chunk = (16 * pool.current_num_threads() as u32).min(most);
        let mut next = blocks.start;
        let mut row = Vec::new();
        while next < blocks.end {
            let began = Instant::now();
            let part = next..blocks.end.min(next.saturating_add(chunk));
            let states = pool.install(|| walk.states(part.clone()));
            // The paths of a block that are asked for: fewer than it has at the very end.
            let wanted = |block: u32| (plan.end_path() - u64::from(block) * BLOCK as u64).min(BLOCK as u64) as usize;
            let of_block = |(block, states): (u32, &Vec<f32>)| {
                let state = |stop: usize, c: usize| {
                    let from = (stop * plan.dim() + c) * BLOCK;
                    &states[from..from + wanted(block)]
                };
                let finite = (0..stops.len() * plan.dim()).all(|i| state(0, i).iter().all(|x| x.is_finite()));
                let mut sums = empty.clone();
                for (sums, pair) in sums.iter_mut().zip(&pairings) {
                    sums.add(
                        state(reported[pair.first.0], pair.first.1),
                        state(reported[pair.second.0], pair.second.1),
                    );
                }
                (finite, sums)
            };
            let sums: Vec<_> = pool.install(|| part.clone().into_par_iter().zip(&states).map(of_block).collect());
            for ((block, (finite, sums)), states) in part.clone().zip(sums).zip(states) {
                let first = u64::from(block) * BLOCK as u64;
                if !finite && let Some((step, path)) = walk.explosion(block, wanted(block)) {
                    let (steps, t) = (plan.steps, plan.time(step + 1));
                    return Err(Stop::Exploded { path: first + path as u64, step: step + 1, steps, t });
                }
                total.iter_mut().zip(&sums).for_each(|(total, sums)| total.merge(sums));
                for path in 0..if saved.is_empty() { 0 } else { wanted(block) } {
                    row.clear();
                    let columns = saved.iter().flat_map(|stop| (0..plan.dim()).map(move |c| stop * plan.dim() + c));
                    row.extend(columns.map(|column| states[column * BLOCK + path]));
                    self.sink.path(first + path as u64, &row)?;
                }
            }
            next = part.end;
            let done = (u64::from(next) * BLOCK as u64).min(plan.end_path()) - plan.first_path();
            if !self.sink.go_on(done) && next < blocks.end {
                return Err(Stop::Interrupted { done, paths });
            }
            if began.elapsed() < PATIENCE {
                chunk = chunk.saturating_mul(2).min(most);
            }
        }
        Ok(total)
    }

    /// What is taken off a pair before it is added up: the predicted means, or 0 where they are no numbers.
    fn shift(&self, pair: Pairing) -> [f64; 2] {
        [pair.first, pair.second]
            .map(|(time, c)| Some(self.predicted[time].mean[c]).filter(|m| m.is_finite()).unwrap_or(0.0))
    }
}
