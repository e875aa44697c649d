//! Samples to measure, float and quantised, each of its own class.

use mote_core::model::Model;
use mote_core::sampler::{Plan, SampleOptions};

use super::{Arithmetic, Asked, Assessment, ClassMix, Pool, QualityRow, options};
use crate::denoiser::FloatDenoiser;
use crate::inspection::BlobText;
use crate::metrics::MetricError;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::{BuiltPlan, LevelSet};
use crate::pool::Batch;

/// What to draw for a table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draw {
    /// Seed of the samples.
    pub seed: u64,
    /// Their classes; of no effect on a network without classes.
    pub asked: Asked,
    /// Guidance weight, for samples that have a class.
    pub guidance: Option<f32>,
}

impl Draw {
    /// The options of each sample by its number; none has a class where the network has none.
    pub fn of_sample(self, network: &FloatNetwork, mix: Option<&ClassMix>) -> impl Fn(u32) -> SampleOptions + Sync {
        let asked = if network.shape().classes > 0 { self.asked } else { Asked::Nothing };
        move |k| options(asked, mix, self.guidance, k)
    }
}

/// Draws float and quantised samples of every plan from the same noise and measures them; of a network with classes, each class in the
/// share of the training rows.
///
/// # Errors
/// [`MetricError`] when there are too few samples.
pub fn float_and_quantised(
    assessment: &Assessment,
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    model: &Model<'_>,
    seed: u64,
) -> Result<Vec<QualityRow>, MetricError> {
    assessment.table(draw(assessment, network, noising, set, Some(model), Draw { seed, ..Draw::default() }))
}

/// Draws `count` samples of the float network by one plan of a set, each of the class that `draw` and the shares say.
#[must_use]
pub fn float_samples(
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    built: &BuiltPlan,
    (mix, draw): (Option<&ClassMix>, Draw),
    count: usize,
) -> Vec<f32> {
    let batch = Batch { seed: draw.seed, first: 0, count, options: Default::default() };
    let denoiser = FloatDenoiser::new(network, noising, &set.levels);
    let of_sample = draw.of_sample(network, mix);
    batch.draw_each(&denoiser, network.shape().dim_out, Plan::new(&built.rows, built.start_scale), &of_sample)
}

/// Draws float samples of every plan, and where a blob is given its own from the same noise, enough to fill all blocks.
#[must_use]
pub fn draw(
    assessment: &Assessment,
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    model: Option<&Model<'_>>,
    draw: Draw,
) -> Vec<Pool> {
    let count = assessment.pool_size();
    let mix = assessment.class_mix();
    let of_sample = draw.of_sample(network, mix.as_ref());
    let asked: Option<Vec<u16>> = (0..count as u32).map(|k| of_sample(k).class).collect();
    let mut pools = Vec::new();
    for built in &set.plans {
        let mut push = |arithmetic, label: &str, values| {
            pools.push(Pool {
                name: format!("{}, {label}", built.name),
                plan: Some(built.name.clone()),
                arithmetic: Some(arithmetic),
                evaluations: Some(built.rows.len()),
                values,
                asked: asked.clone(),
            });
        };
        let float = float_samples(network, noising, set, built, (mix.as_ref(), draw), count);
        push(Arithmetic::Float, "float", float);
        if let Some((model, named)) = model.and_then(|model| Some((model, model.plan_named(&built.name)?))) {
            let batch = Batch { seed: draw.seed, first: 0, count, options: Default::default() };
            push(
                Arithmetic::Int8,
                &BlobText::of(model).arithmetic(),
                batch.draw_quantised_each(model, &named, &of_sample),
            );
        }
    }
    pools
}
