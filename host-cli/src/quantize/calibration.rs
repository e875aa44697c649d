//! What the float network's activations look like along the samplers' own trajectories.

use mote_core::random::StreamSequence;
use mote_core::sampler::Plan;
use mote_core::score::Denoiser;

use super::trail::along;
use crate::denoiser::FloatDenoiser;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;

/// How to calibrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationOptions {
    /// Trajectories for each plan.
    pub samples: u16,
    /// Seed of their noise; apart from the seeds that evaluation uses.
    pub seed: u64,
}

impl Default for CalibrationOptions {
    fn default() -> Self {
        Self { samples: 192, seed: 0x0063_616c_6962_7261 }
    }
}

/// Values kept of one vector, spread evenly over it.
const KEPT_PER_VECTOR: usize = 64;

/// Samples of the network's input and of every hidden layer's activations, at every level.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// For each level, values of the scaled input.
    pub input: Vec<Vec<f32>>,
    /// For each level and hidden layer, values of its output.
    pub activations: Vec<Vec<Vec<f32>>>,
    /// For each hidden layer, the largest pre-activation in absolute value.
    pub largest_pre: Vec<f32>,
}

/// A denoiser that keeps what passes through it.
struct Recorder<'n> {
    inner: FloatDenoiser<'n>,
    seen: Calibration,
}

fn keep(values: &[f32], to: &mut Vec<f32>) {
    let stride = values.len().div_ceil(KEPT_PER_VECTOR);
    // Another offset each time, so that every component has its turn.
    let offset = (to.len() / KEPT_PER_VECTOR) % stride;
    to.extend(values.iter().skip(offset).step_by(stride));
}

impl Denoiser for Recorder<'_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        let Calibration { input, activations, largest_pre } = &mut self.seen;
        self.inner.predict_traced(level, class, x, out, |layer, pre, output| {
            if let Some(kept) = activations[level].get_mut(layer) {
                keep(output, kept);
                largest_pre[layer] = pre.iter().fold(largest_pre[layer], |most, p| most.max(p.abs()));
            }
        });
        keep(self.inner.scaled(), &mut input[level]);
    }
}

impl Calibration {
    fn empty(levels: usize, hidden: usize) -> Self {
        Self {
            input: vec![Vec::new(); levels],
            activations: vec![vec![Vec::new(); hidden]; levels],
            largest_pre: vec![0.0; hidden],
        }
    }

    fn join(mut self, other: Self) -> Self {
        for (mine, theirs) in self.input.iter_mut().zip(other.input) {
            mine.extend(theirs);
        }
        for (mine, theirs) in self.activations.iter_mut().zip(other.activations) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.extend(theirs);
            }
        }
        for (mine, theirs) in self.largest_pre.iter_mut().zip(other.largest_pre) {
            *mine = mine.max(theirs);
        }
        self
    }

    /// Runs every plan, or asks what a network without plans will be asked, and keeps what the network sees, uniformly over the plan's steps. Models with classes are run
    /// through their classes in turn, the last turn being that of no class, every second round guided.
    #[must_use]
    pub fn collect(network: &FloatNetwork, noising: &Noising, set: &LevelSet, options: &CalibrationOptions) -> Self {
        let shape = network.shape();
        let (dim, hidden, classes) = (shape.dim_in, shape.hidden.len(), shape.classes);
        let empty = || Self::empty(set.levels.len(), hidden);
        let mut sequence = StreamSequence::new(options.seed);
        let streams: Vec<_> = (0..options.samples).map(|_| sequence.next_stream()).collect();
        let numbered: Vec<_> = streams.into_iter().enumerate().collect();
        set.plans
            .iter()
            .map(|built| {
                let plan = Plan::new(&built.rows, built.start_scale);
                let recorder = |_| {
                    let inner = FloatDenoiser::new(network, noising, &set.levels);
                    Recorder { inner, seen: empty() }
                };
                let parts = along(plan, (dim, classes), &numbered, recorder);
                parts.into_iter().map(|recorder| recorder.seen).fold(empty(), Self::join)
            })
            .chain(std::iter::once_with(|| {
                let inner = FloatDenoiser::new(network, noising, &set.levels);
                let mut recorder = Recorder { inner, seen: empty() };
                let mut out = vec![0.0; shape.dim_out];
                for probe in &set.probes {
                    recorder.predict(probe.level, probe.class, &probe.x, &mut out);
                }
                recorder.seen
            }))
            .fold(empty(), Self::join)
    }
}
