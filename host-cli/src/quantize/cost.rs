//! What a format costs in quality and in bytes, and which one to take.

use std::fmt::Write as _;

use mote_core::model::{Model, NamedPlan};
use mote_core::sampler::{Plan, SampleOptions};
use serde::Serialize;

use super::{Format, Quantized};
use crate::data::Scaling;
use crate::denoiser::FloatDenoiser;
use crate::evaluation::{ClassMix, Draw};
use crate::metrics::{DIRECTION_SEED, DIRECTIONS, MetricError, Points, digit_units, sliced_w2};
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;
use crate::pool::Batch;
use crate::run::Prepared;

/// Blocks of samples that are measured.
const BLOCKS: usize = 10;
/// Most rows of a block.
const BLOCK_ROWS: usize = 1000;

/// Held-out rows to measure samples by, in the units of `mote evaluate`.
#[derive(Debug)]
pub struct Yardstick {
    held_out: Points,
    rows: usize,
    digits: bool,
    scaling: Scaling,
    /// Seed and guidance of the samples.
    draw: Draw,
    /// Classes in the shares of the training rows.
    mix: Option<ClassMix>,
}

/// A format with the blob that it makes.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The format.
    pub format: Format,
    /// Steps of fine-tuning.
    pub fine_tuned: u64,
    /// The blob.
    pub quantized: Quantized,
}

/// What a format costs with one plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormatCost {
    /// The format.
    #[serde(flatten)]
    pub format: Format,
    /// Steps of fine-tuning.
    pub fine_tuned: u64,
    /// The plan.
    pub plan: String,
    /// Bytes of the blob.
    pub blob_bytes: usize,
    /// Sliced W2 of float samples to the held-out rows.
    pub float_sliced_w2: f64,
    /// The same of quantised samples from the same noise.
    pub sliced_w2: f64,
    /// The share by which the second exceeds the first.
    pub change: f64,
    /// Its standard error over blocks.
    pub change_error: f64,
    /// Root mean square distance between paired samples, a component, in the scale of training.
    pub paired_rms: f64,
    /// Whether the change is within the limit.
    pub keeps: bool,
}

impl Yardstick {
    /// Prepares the test rows of a run, the first thousand if there are more.
    ///
    /// # Errors
    /// [`MetricError`] when there are too few.
    pub fn new(data: &Prepared, draw: Draw) -> Result<Self, MetricError> {
        let digits = data.summary.name == "digits" && data.summary.image == Some((8, 8));
        let (dim, scaling) = (data.dim(), data.summary.scaling.clone());
        let mut raw = data.raw_test.clone();
        raw.truncate(BLOCK_ROWS * dim);
        if !digits {
            scaling.apply(&mut raw);
        }
        let values = if digits { digit_units(&raw) } else { raw };
        let held_out = Points::new(&values, dim)?;
        let labels = data.train_labels.as_deref().unwrap_or_default();
        let mix = ClassMix::of(labels, data.summary.classes.len());
        Ok(Self { rows: held_out.rows(), held_out, digits, scaling, draw, mix })
    }

    /// Samples that fill the blocks.
    fn batch(&self) -> Batch {
        Batch { seed: self.draw.seed, first: 0, count: BLOCKS * self.rows, options: SampleOptions::default() }
    }

    /// Sliced W2 of every block.
    fn distances(&self, pool: &[f32]) -> Result<Vec<f64>, MetricError> {
        let dim = self.held_out.dim();
        pool.chunks_exact(self.rows * dim)
            .map(|block| {
                let mut values = block.to_vec();
                if self.digits {
                    self.scaling.invert(&mut values);
                    values = digit_units(&values);
                }
                sliced_w2(&Points::new(&values, dim)?, &self.held_out, DIRECTIONS, DIRECTION_SEED)
            })
            .collect()
    }

    /// Float samples of every plan, to be compared with every candidate.
    #[must_use]
    pub fn float_pools(&self, network: &FloatNetwork, noising: &Noising, set: &LevelSet) -> Vec<Vec<f32>> {
        let denoiser = FloatDenoiser::new(network, noising, &set.levels);
        let of_sample = self.draw.of_sample(network, self.mix.as_ref());
        let plans = set.plans.iter().map(|built| Plan::new(&built.rows, built.start_scale));
        plans.map(|plan| self.batch().draw_each(&denoiser, network.shape().dim_out, plan, &of_sample)).collect()
    }

    /// Measures a candidate with every plan, against the float samples.
    ///
    /// # Errors
    /// A blob that its reader refuses, or samples that are not finite.
    pub fn measure(&self, candidate: &Candidate, floats: &[Vec<f32>], limit: f64) -> anyhow::Result<Vec<FormatCost>> {
        let blob = &candidate.quantized.blob;
        let model = Model::parse(blob)?;
        let of_sample = self.draw.of_sample(candidate.quantized.integers.network(), self.mix.as_ref());
        let mut costs = Vec::new();
        for (number, float) in floats.iter().enumerate() {
            let Some(plan): Option<NamedPlan<'_>> = model.plan(number) else { continue };
            let made = self.batch().draw_quantised_each(&model, &plan, &of_sample);
            let (before, after) = (self.distances(float)?, self.distances(&made)?);
            let n = before.len() as f64;
            let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
            let change = mean(&after) / mean(&before) - 1.0;
            // The deviation of paired differences from the common share, over the mean.
            let left: Vec<f64> = before.iter().zip(&after).map(|(b, a)| (a - b * (1.0 + change)).powi(2)).collect();
            let change_error = (mean(&left) / (n - 1.0).max(1.0)).sqrt() / mean(&before);
            let square = |(f, q): (&f32, &f32)| f64::from(f - q).powi(2);
            let paired_rms = (float.iter().zip(&made).map(square).sum::<f64>() / float.len() as f64).sqrt();
            costs.push(FormatCost {
                format: candidate.format,
                fine_tuned: candidate.fine_tuned,
                plan: plan.name.to_string(),
                blob_bytes: blob.len(),
                float_sliced_w2: mean(&before),
                sliced_w2: mean(&after),
                change,
                change_error,
                paired_rms,
                keeps: change <= limit,
            });
        }
        Ok(costs)
    }
}

/// The number of the candidate to take, of those that keep quality with every plan: the fewest bytes, then the least worst change. None if
/// none keeps it.
#[must_use]
pub fn choose(costs: &[Vec<FormatCost>]) -> Option<usize> {
    let worst = |rows: &[FormatCost]| rows.iter().map(|row| row.change).fold(f64::NEG_INFINITY, f64::max);
    let keeping = costs.iter().enumerate().filter(|(_, rows)| !rows.is_empty() && rows.iter().all(|row| row.keeps));
    let order =
        |a: &[FormatCost], b: &[FormatCost]| a[0].blob_bytes.cmp(&b[0].blob_bytes).then(worst(a).total_cmp(&worst(b)));
    keeping.min_by(|(_, a), (_, b)| order(a, b)).map(|(number, _)| number)
}

/// The costs as text.
#[must_use]
pub fn to_text(costs: &[Vec<FormatCost>]) -> String {
    let mut out = format!(
        "{:<56} {:<20} {:>7} {:>8} {:>8} {:>16} {:>7}  keeps\n",
        "format", "plan", "bytes", "float", "sliced", "change", "paired"
    );
    for row in costs.iter().flatten() {
        let tuned = if row.fine_tuned > 0 { format!(", tuned {}", row.fine_tuned) } else { String::new() };
        let change = format!("{:+.1}% +- {:.1}", 100.0 * row.change, 100.0 * row.change_error);
        let _ = writeln!(
            out,
            "{:<56} {:<20} {:>7} {:>8.4} {:>8.4} {change:>16} {:>7.4}  {}",
            format!("{}{tuned}", row.format),
            row.plan,
            row.blob_bytes,
            row.float_sliced_w2,
            row.sliced_w2,
            row.paired_rms,
            if row.keeps { "yes" } else { "no" }
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(blob_bytes: usize, change: f64) -> FormatCost {
        FormatCost {
            format: Format::default(),
            fine_tuned: 0,
            plan: "p".into(),
            blob_bytes,
            float_sliced_w2: 1.0,
            sliced_w2: 1.0 + change,
            change,
            change_error: 0.0,
            paired_rms: 0.0,
            keeps: change <= 0.03,
        }
    }

    #[test]
    fn the_smallest_format_that_keeps_quality_with_every_plan_is_chosen() {
        let spoilt = vec![cost(10, 0.01), cost(10, 0.05)];
        let large = vec![cost(30, 0.0), cost(30, 0.0)];
        let small = vec![cost(20, 0.02), cost(20, 0.01)];
        let better = vec![cost(20, 0.01), cost(20, 0.01)];
        assert_eq!(choose(&[spoilt.clone(), large.clone(), small.clone(), better]), Some(3));
        assert_eq!(choose(&[spoilt.clone(), large, small]), Some(2));
        assert_eq!(choose(&[spoilt]), None);
    }
}
