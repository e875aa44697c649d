//! Many samples at once, float or quantised, from the same noise and on every core.

use mote_core::model::{Arena, Bound, Model, NamedPlan};
use mote_core::random::{Stream, StreamSequence, Ziggurat};
use mote_core::sampler::{HISTORY_MAX, Plan, Run, SampleOptions, Workspace};
use mote_core::score::Denoiser;
use rayon::prelude::*;

use mote_core::model::ARENA_BYTES_MAX;

/// Which samples to draw: `count` of them from number `first` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch {
    /// The seed.
    pub seed: u64,
    /// Number of the first sample.
    pub first: u32,
    /// How many samples.
    pub count: usize,
    /// The class and the guidance weight.
    pub options: SampleOptions,
}

/// Samples that one task draws, so that a thread seldom asks for work.
const TASK: usize = 16;

impl Batch {
    /// One stream a sample; each is the one before, jumped once.
    fn streams(&self) -> Vec<Stream> {
        let mut sequence = StreamSequence::starting_at(self.seed, self.first);
        (0..self.count).map(|_| sequence.next_stream()).collect()
    }

    /// Draws from a denoiser, cloned for each task; samples lie one after another, in the scale of training.
    pub fn draw<D: Denoiser + Clone + Sync>(&self, denoiser: &D, dim: usize, plan: Plan<'_>) -> Vec<f32> {
        let mut out = vec![0.0; self.count * dim];
        let streams = self.streams();
        out.par_chunks_mut(TASK * dim).zip(streams.par_chunks(TASK)).for_each(|(out, streams)| {
            let mut denoiser = denoiser.clone();
            let guided = self.options.guidance.is_some();
            let mut floats = vec![0.0; Workspace::len(dim, HISTORY_MAX, guided)];
            for (sample, stream) in out.chunks_exact_mut(dim).zip(streams) {
                let mut noise = Ziggurat::new(stream.clone());
                let workspace = Workspace::new(dim, HISTORY_MAX, guided, &mut floats).expect("measured above");
                let run = Run::start(plan, self.options, workspace, &mut noise);
                sample.copy_from_slice(run.finish(&mut denoiser, &mut noise));
            }
        });
        out
    }

    /// Draws from a blob through the code that a device runs; samples lie one after another, in the scale of training.
    #[must_use]
    pub fn draw_quantised(&self, model: &Model<'_>, plan: &NamedPlan<'_>) -> Vec<f32> {
        let dim = model.dim_out();
        let mut out = vec![0.0; self.count * dim];
        let streams = self.streams();
        out.par_chunks_mut(TASK * dim).zip(streams.par_chunks(TASK)).for_each(|(out, streams)| {
            let mut arena = Box::new(Arena::<ARENA_BYTES_MAX>::new());
            let mut bound = bind(model, &mut arena);
            for (sample, stream) in out.chunks_exact_mut(dim).zip(streams) {
                bound.sample_with(plan, self.options, &mut Ziggurat::new(stream.clone()), sample);
            }
        });
        out
    }
}

/// Binds a model to an arena that every model fits.
pub fn bind<'m, 'a>(model: &'m Model<'a>, arena: &'m mut Arena<ARENA_BYTES_MAX>) -> Bound<'m, 'a> {
    model.bind(arena).expect("no model needs more than the largest arena")
}
