//! Fine-tuning: the codes are moved until the quantised network answers as the float one does.

use mote_core::model::Model;
use mote_core::network::WeightLayout;
use thiserror::Error;

use super::calibration::CalibrationOptions;
use super::export::{BlobDetails, ExportError, export};
use super::integers::Integers;
use super::trail::Trail;
use crate::data::Scaling;
use crate::network::{FloatNetwork, hash};
use crate::noise::Noising;
use crate::plan::LevelSet;
use crate::train::{Examples, StraightThrough, TrainError, TrainingOptions};

/// How to fine-tune.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuning {
    /// Number of steps; 0 leaves the codes as they were rounded.
    pub steps: u64,
    /// Largest learning rate.
    pub learning_rate: f32,
    /// Seed of trajectories and batches.
    pub seed: u64,
}

impl FineTuning {
    /// The default rate and seed.
    #[must_use]
    pub fn of_steps(steps: u64) -> Self {
        Self { steps, learning_rate: 3e-3, seed: 0x7475_6e65 }
    }
}

/// Why fine-tuning stops.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FineTuneError {
    /// A step failed.
    #[error("fine-tuning: {0}; fewer --fine-tune steps may do")]
    Train(#[from] TrainError),
    /// The network cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Rows of a batch.
const BATCH: usize = 256;
/// Steps on the same trajectories. The first are the float network's, the others the student's as it is then, so that it learns where its own
/// errors lead it (Ross, Gordon and Bagnell 2011).
const PHASE: u64 = 250;
/// Trajectories of each plan in a phase.
const SAMPLES: u16 = 256;

/// Moves the codes and the scales of the rows of `integers` so that the outputs come near those of `network` along the samplers' trajectories, by
/// least squares through the rounded weights. An error counts by what it moves the next state. The scale of the input stays; the exported codes
/// are those that the last step left.
///
/// Calls `progress(step, mean squared error)` after each step.
///
/// # Errors
/// [`FineTuneError`].
pub fn fine_tune(
    network: &FloatNetwork,
    integers: &Integers,
    noising: &Noising,
    set: &LevelSet,
    calibration: &CalibrationOptions,
    tuning: &FineTuning,
    mut progress: impl FnMut(u64, f64),
) -> Result<Integers, FineTuneError> {
    let mut options = TrainingOptions::default();
    (options.steps, options.batch, options.learning_rate) = (tuning.steps, BATCH, tuning.learning_rate);
    (options.weight_decay, options.warmup) = (0.0, (tuning.steps / 20).clamp(1, 100));
    let nearest = |layer: usize, _: usize, step: f64| integers.nearest_step(layer, step);
    let mut student = StraightThrough::new(integers.rounded(), options, integers.grids(), &nearest)?;
    let now = |student: &StraightThrough<'_>| {
        integers.on_grids(&student.network(), student.grids(), noising, set, calibration)
    };
    let importance = importance(set);
    let mut examples = Vec::new();
    for step in 0..tuning.steps {
        if step.is_multiple_of(PHASE) {
            let seed = hash(&[tuning.seed, step / PHASE]);
            let trail = if step == 0 {
                Trail::follow(network, noising, set, None, SAMPLES, seed)
            } else {
                let blob = plain_blob(network, now(&student)?, noising, set, calibration)?;
                let model = Model::parse(&blob).map_err(ExportError::from)?;
                Trail::follow(network, noising, set, Some(&model), SAMPLES, seed)
            };
            examples = all_examples(network, noising, set, &trail, &importance);
        }
        let mut batch = Examples::default();
        for row in 0..BATCH as u64 {
            let pick = hash(&[tuning.seed, step, row]) % examples.len() as u64;
            let example = &examples[pick as usize];
            batch.input.extend(&example.input);
            batch.target.extend(&example.target);
            batch.weight.push(example.weight);
        }
        let loss = student.step(&batch)?;
        progress(step + 1, loss);
    }
    Ok(now(&student)?)
}

/// A blob of the student without correction, names or scaling: enough to lead a trajectory.
fn plain_blob(
    network: &FloatNetwork,
    mut integers: Integers,
    noising: &Noising,
    set: &LevelSet,
    calibration: &CalibrationOptions,
) -> Result<Vec<u8>, ExportError> {
    integers.format.correction = false;
    let dim = network.shape().dim_in;
    let scaling = Scaling { mean: vec![0.0; dim], std: vec![1.0; dim] };
    let details =
        BlobDetails { scaling: &scaling, image: None, layout: WeightLayout::default(), text: "", self_test_seed: 0 };
    Ok(export(network, integers, noising, set, calibration, &details)?.blob)
}

/// How much an error of the output counts at each level: the mean of `(b_0 q)^2`, its power in the next state, over the rows that ask there, 1 on
/// average over rows.
fn importance(set: &LevelSet) -> Vec<f32> {
    let (mut power, mut count) = (vec![0.0f64; set.levels.len()], vec![0.0f64; set.levels.len()]);
    for row in set.plans.iter().flat_map(|plan| &plan.rows) {
        let level = usize::from(row.level);
        power[level] += f64::from(row.b[0] * row.q).powi(2);
        count[level] += 1.0;
    }
    let mean = power.iter().sum::<f64>() / count.iter().sum::<f64>();
    power.iter().zip(&count).map(|(power, count)| (power / (count * mean)) as f32).collect()
}

/// What the network is asked, what it is to give, and the factor of its squared error.
struct Example {
    input: Vec<f32>,
    target: Vec<f32>,
    weight: f32,
}

/// The network's inputs and outputs along a trail.
fn all_examples(
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    trail: &Trail,
    importance: &[f32],
) -> Vec<Example> {
    let classes = network.shape().classes;
    let levels: Vec<_> = set
        .levels
        .iter()
        .map(|level| (noising.input_scale(*level), network.time_features(noising.conditioning(*level))))
        .collect();
    let example = |met: &super::Evaluation| {
        let (scale, features) = &levels[met.level];
        let mut input: Vec<f32> = met.x.iter().map(|x| x * scale).chain(features.iter().copied()).collect();
        input.extend((0..classes).map(|class| if met.class.map(usize::from) == Some(class) { 1.0 } else { 0.0 }));
        input.push(1.0);
        Example { input, target: met.out.clone(), weight: importance[met.level] }
    };
    trail.evaluations.iter().map(example).collect()
}
