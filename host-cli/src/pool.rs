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

    /// The number of each sample, which decides all that is drawn for it.
    fn numbers(&self) -> Vec<u32> {
        (0..self.count).map(|k| self.first.wrapping_add(k as u32)).collect()
    }

    /// Draws from a denoiser, cloned for each task; samples lie one after another, in the scale of training.
    pub fn draw<D: Denoiser + Clone + Sync>(&self, denoiser: &D, dim: usize, plan: Plan<'_>) -> Vec<f32> {
        self.draw_each(denoiser, dim, plan, &|_| self.options)
    }

    /// [`Self::draw`], with options that sample k has of its own.
    pub fn draw_each<D: Denoiser + Clone + Sync>(
        &self,
        denoiser: &D,
        dim: usize,
        plan: Plan<'_>,
        options: &(dyn Fn(u32) -> SampleOptions + Sync),
    ) -> Vec<f32> {
        let mut out = vec![0.0; self.count * dim];
        let (streams, numbers) = (self.streams(), self.numbers());
        let tasks = streams.par_chunks(TASK).zip(numbers.par_chunks(TASK));
        out.par_chunks_mut(TASK * dim).zip(tasks).for_each(|(out, (streams, numbers))| {
            let mut denoiser = denoiser.clone();
            let mut floats = vec![0.0; Workspace::len(dim, HISTORY_MAX, true)];
            for ((sample, stream), number) in out.chunks_exact_mut(dim).zip(streams).zip(numbers) {
                let mut noise = Ziggurat::new(stream.clone());
                let options = options(*number);
                let guided = options.guidance.is_some();
                let workspace = Workspace::new(dim, HISTORY_MAX, guided, &mut floats).expect("measured above");
                let run = Run::start(plan, options, workspace, &mut noise);
                sample.copy_from_slice(run.finish(&mut denoiser, &mut noise));
            }
        });
        out
    }

    /// Draws from a blob through the code that a device runs; samples lie one after another, in the scale of training.
    #[must_use]
    pub fn draw_quantised(&self, model: &Model<'_>, plan: &NamedPlan<'_>) -> Vec<f32> {
        self.draw_quantised_each(model, plan, &|_| self.options)
    }

    /// [`Self::draw_quantised`], with options that sample k has of its own.
    #[must_use]
    pub fn draw_quantised_each(
        &self,
        model: &Model<'_>,
        plan: &NamedPlan<'_>,
        options: &(dyn Fn(u32) -> SampleOptions + Sync),
    ) -> Vec<f32> {
        let dim = model.dim_out();
        let mut out = vec![0.0; self.count * dim];
        let (streams, numbers) = (self.streams(), self.numbers());
        let tasks = streams.par_chunks(TASK).zip(numbers.par_chunks(TASK));
        out.par_chunks_mut(TASK * dim).zip(tasks).for_each(|(out, (streams, numbers))| {
            let mut arena = Box::new(Arena::<ARENA_BYTES_MAX>::new());
            let mut bound = bind(model, &mut arena);
            for ((sample, stream), number) in out.chunks_exact_mut(dim).zip(streams).zip(numbers) {
                bound.sample_with(plan, options(*number), &mut Ziggurat::new(stream.clone()), sample);
            }
        });
        out
    }
}

/// Binds a model to an arena that every model fits.
pub fn bind<'m, 'a>(model: &'m Model<'a>, arena: &'m mut Arena<ARENA_BYTES_MAX>) -> Bound<'m, 'a> {
    model.bind(arena).expect("no model needs more than the largest arena")
}

#[cfg(test)]
mod tests {
    use mote_core::sampler::Named;
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::{Component, GaussianMixture, MixtureDenoiser, Prediction};
    use rayon::ThreadPoolBuilder;

    use super::*;
    use crate::noise::Noising;
    use crate::plan::{LevelSet, PlanSpec};

    #[test]
    fn no_sampler_sees_the_batch_or_the_threads() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let components = [([-1.0f32, 0.5], 0.3), ([0.8, -0.4], 0.5)];
        let components =
            components.each_ref().map(|(mean, deviation)| Component { weight: 1.0, mean, deviation: *deviation });
        for named in Named::all() {
            let spec: PlanSpec = format!("{}:4", named.name).parse().unwrap();
            let set = LevelSet::build(&[spec], &noising).unwrap();
            let denoiser = MixtureDenoiser {
                mixture: GaussianMixture { components: &components },
                levels: &set.levels,
                prediction: noising.prediction,
            };
            let plan = Plan::new(&set.plans[0].rows, set.plans[0].start_scale);
            let draw = |first: u32, count: usize, threads: usize| {
                let batch = Batch { seed: 3, first, count, options: SampleOptions::default() };
                let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let samples = pool.install(|| batch.draw(&denoiser, 2, plan));
                samples.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let all = draw(0, 37, 1);
            assert_eq!(draw(0, 37, 3), all, "{}: three threads", named.name);
            let parts: Vec<_> =
                [(0, 1), (1, 20), (21, 16)].iter().flat_map(|(first, count)| draw(*first, *count, 2)).collect();
            assert_eq!(parts, all, "{}: three batches", named.name);
        }
    }
}
