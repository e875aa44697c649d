//! Samples on their way from noise: what the sampler sees, and what the network makes of it.

use mote_core::random::{StreamSequence, Ziggurat};
use mote_core::sampler::{HISTORY_MAX, Plan, Run, SampleOptions, Workspace};
use mote_core::schedule::NoiseLevel;
use mote_core::score::{Denoiser, Prediction};

use crate::denoiser::FloatDenoiser;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::{BuiltPlan, LevelSet};

/// All samples at one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Evaluations before it, from 0; the plan's number of evaluations for the finished samples.
    pub evaluation: usize,
    /// Noise scale of the level over its signal scale, 0 for the finished samples.
    pub relative_sigma: f32,
    /// States x, one sample after another, in the scale of training.
    pub states: Vec<f32>,
    /// Estimates E[x0 | x] of the clean data by the network's output, likewise; for the finished samples the samples.
    pub estimates: Vec<f32>,
}

/// A denoiser that keeps what passes through it.
struct Watched<'n, 'l> {
    inner: FloatDenoiser<'n>,
    levels: &'l [NoiseLevel],
    prediction: Prediction,
    /// Level, state and estimate of each evaluation.
    seen: Vec<(usize, Vec<f32>, Vec<f32>)>,
}

impl Denoiser for Watched<'_, '_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.inner.predict(level, class, x, out);
        let x0 = self.prediction.x0(self.levels[level]);
        let estimate = x.iter().zip(&*out).map(|(x, f)| x0.at(*x, *f)).collect();
        self.seen.push((level, x.to_vec(), estimate));
    }
}

/// Which samples are followed.
pub struct Followed<'f> {
    /// Seed of the noise.
    pub seed: u64,
    /// How many samples.
    pub count: usize,
    /// How many moments are kept of each, the first evaluation and the finished sample among them.
    pub frames: usize,
    /// Class and guidance of each sample, by its number.
    pub of_sample: &'f dyn Fn(u32) -> SampleOptions,
}

/// Runs samples of the float network and keeps moments evenly spread from the first evaluation to the finished samples.
///
/// Sample k is the one that `mote sample --float` gives for the same seed and class.
#[must_use]
pub fn frames(
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    built: &BuiltPlan,
    followed: &Followed<'_>,
) -> Vec<Frame> {
    let &Followed { seed, count, frames, of_sample } = followed;
    let dim = network.shape().dim_out;
    let rows = built.rows.len();
    let last = frames.clamp(2, rows + 1) - 1;
    let kept: Vec<usize> = (0..=last).map(|frame| (frame * rows + last / 2) / last).collect();
    let mut out: Vec<Frame> = kept
        .iter()
        .map(|evaluation| Frame {
            evaluation: *evaluation,
            relative_sigma: built
                .rows
                .get(*evaluation)
                .map_or(0.0, |row| set.levels[usize::from(row.level)].relative_sigma()),
            states: Vec::with_capacity(count * dim),
            estimates: Vec::with_capacity(count * dim),
        })
        .collect();
    let mut streams = StreamSequence::starting_at(seed, 0);
    let mut floats = vec![0.0; Workspace::len(dim, HISTORY_MAX, true)];
    for number in 0..count {
        let options = of_sample(number as u32);
        let mut noise = Ziggurat::new(streams.next_stream());
        let inner = FloatDenoiser::new(network, noising, &set.levels);
        let mut watched = Watched { inner, levels: &set.levels, prediction: noising.prediction, seen: Vec::new() };
        let workspace =
            Workspace::new(dim, HISTORY_MAX, options.guidance.is_some(), &mut floats).expect("measured above");
        let plan = Plan::new(&built.rows, built.start_scale);
        let run = Run::start(plan, options, workspace, &mut noise);
        let sample = run.finish(&mut watched, &mut noise).to_vec();
        for frame in &mut out {
            let (state, estimate) = match watched.seen.get(frame.evaluation) {
                Some((_, state, estimate)) => (state, estimate),
                None => (&sample, &sample),
            };
            frame.states.extend(state);
            frame.estimates.extend(estimate);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use mote_core::schedule::{Cosine, Schedule};

    use super::*;
    use crate::pool::Batch;
    use crate::recipe::NetworkRecipe;

    fn followed(count: usize, frames: usize) -> Followed<'static> {
        Followed { seed: 11, count, frames, of_sample: &|_| SampleOptions::default() }
    }

    #[test]
    fn frames_run_from_the_starting_noise_to_the_samples_that_the_sampler_gives() {
        let recipe = NetworkRecipe { hidden: vec![8], ..NetworkRecipe::default() };
        let network = FloatNetwork::initial(recipe.shape(3, 0), 5).unwrap();
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let set = LevelSet::build(&["ddim:7".parse().unwrap()], &noising).unwrap();
        let built = &set.plans[0];
        let found = frames(&network, &noising, &set, built, &followed(2, 4));
        assert_eq!(found.iter().map(|frame| frame.evaluation).collect::<Vec<_>>(), [0, 2, 5, 7]);

        let batch = Batch { seed: 11, first: 0, count: 2, options: SampleOptions::default() };
        let denoiser = FloatDenoiser::new(&network, &noising, &set.levels);
        let samples = batch.draw(&denoiser, 3, Plan::new(&built.rows, built.start_scale));
        assert_eq!(found[3].states, samples);
        // DDIM's state is alpha x0 + sigma eps of the estimate before; its last estimate is the sample.
        let whole = frames(&network, &noising, &set, built, &followed(2, 8));
        assert_eq!(whole[6].estimates, samples);
        for pair in whole[..7].windows(2) {
            let [from, to] = [0, 1].map(|i| set.levels[usize::from(built.rows[pair[i].evaluation].level)]);
            for i in 0..6 {
                let (x, x0) = (pair[0].states[i], pair[0].estimates[i]);
                let next = to.alpha * x0 + to.sigma * (x - from.alpha * x0) / from.sigma;
                assert!((pair[1].states[i] - next).abs() < 1e-4 * (1.0 + next.abs()), "{next}");
            }
        }
        // More frames than there are moments: each moment once.
        assert_eq!(frames(&network, &noising, &set, built, &followed(1, 50)).len(), 8);
    }
}
