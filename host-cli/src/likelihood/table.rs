//! Likelihoods of test rows as a table.

use mote_core::random::{StreamSequence, Ziggurat};
use rayon::prelude::*;
use serde::Serialize;

use super::{Decoder, NetworkMean, Probes, bound, ladder, log_density};
use crate::data::permutation;
use crate::evaluation::Asked;
use crate::metrics::{Figure, MetricError};
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::run::Prepared;

/// The largest dimension whose trace is taken exactly.
pub const EXACT_DIM: usize = 16;

/// Grey levels of the digits.
const GREY_LEVELS: u16 = 17;

/// What to measure, and how finely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LikelihoodOptions {
    /// Test rows, chosen by the seed.
    pub rows: usize,
    /// Seed of rows, directions and noise.
    pub seed: u64,
    /// Whether to integrate the probability flow.
    pub flow: bool,
    /// Whether to take the variational bound.
    pub bound: bool,
    /// Which class a row is taken to have: its own, one for all, or none.
    pub asked: Asked,
    /// Steps of the flow, even.
    pub steps: usize,
    /// Random directions beyond 16 dimensions.
    pub probes: usize,
    /// Intervals between the levels of the bound.
    pub intervals: usize,
}

impl Default for LikelihoodOptions {
    fn default() -> Self {
        let asked = Asked::Shares;
        Self { rows: 256, seed: 7, flow: true, bound: true, asked, steps: 48, probes: 4, intervals: 200 }
    }
}

/// A mean over rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Estimate {
    fn of(values: &[f64]) -> Self {
        let figure = Figure::over(values);
        Self { mean: figure.mean, standard_error: figure.standard_error.unwrap_or(0.0) }
    }

    fn map(self, scale: f64, shift: f64) -> Self {
        Self { mean: scale * self.mean + shift, standard_error: scale.abs() * self.standard_error }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LikelihoodRow {
    /// What was measured.
    pub name: String,
    /// `density` of continuous rows, or `probability` of rows of whole grey levels; the two do not compare.
    pub kind: &'static str,
    /// Test rows.
    pub rows: usize,
    /// ln p(x) in nats, in the scale of training; as in the data's own units for probabilities, which have no unit.
    pub nats: Estimate,
    /// ln p(x) in nats, in the data's own units: less the logarithms of the deviations that scaled them.
    pub nats_own_units: Estimate,
    /// -log2 p(x) a feature, in the data's own units: lower is better.
    pub bits_per_dimension: Estimate,
    /// Steps of the flow, or intervals of the bound.
    pub steps: usize,
    /// Random directions for the trace; none if it is exact, or where there is no trace.
    pub probes: Option<usize>,
    /// The part of the standard error that comes from them, in nats.
    pub probe_error: Option<f64>,
    /// Mean difference to half as many steps, in nats: what the steps' own error is at most, once they are small.
    pub halving: Option<f64>,
}

/// Measures a float network on test rows.
///
/// # Errors
/// [`MetricError::TooFew`] when there are fewer than two rows, [`MetricError::NotFinite`] when the network gives no number.
pub fn likelihood_rows(
    network: &FloatNetwork,
    noising: &Noising,
    data: &Prepared,
    options: LikelihoodOptions,
) -> Result<Vec<LikelihoodRow>, MetricError> {
    let dim = data.dim();
    let mut scaled = data.raw_test.clone();
    data.summary.scaling.apply(&mut scaled);
    let all: Vec<&[f32]> = scaled.chunks_exact(dim).collect();
    let chosen: Vec<usize> = permutation(all.len(), options.seed).into_iter().take(options.rows).collect();
    if chosen.len() < 2 {
        return Err(MetricError::TooFew { rows: chosen.len() });
    }
    let class = |row: usize| match options.asked {
        _ if network.shape().classes == 0 => None,
        Asked::Shares => data.test_labels.as_ref().and_then(|labels| labels.get(row)).copied(),
        Asked::One(class) => Some(class),
        Asked::Nothing => None,
    };
    let mut streams = StreamSequence::starting_at(options.seed, 0);
    let work: Vec<_> = chosen.iter().map(|&row| (all[row], class(row), streams.next_stream())).collect();
    let scale: f64 = data.summary.scaling.std.iter().map(|std| f64::from(*std).ln()).sum();
    let nats_a_bit = dim as f64 * std::f64::consts::LN_2;
    let mut table = Vec::new();
    if options.flow {
        let levels = ladder(noising, 2 * options.steps);
        let probes = if dim <= EXACT_DIM { Probes::Exact } else { Probes::Signs(options.probes) };
        let model = NetworkMean::new(network, noising, &levels);
        let found: Vec<_> = work
            .par_iter()
            .map(|(row, class, stream)| {
                let mut model = model.clone();
                model.class = *class;
                let mut with = |stride| {
                    log_density(&mut model, &levels, noising.sigma_data, row, probes, stride, &mut stream.clone())
                };
                (with(1), with(2))
            })
            .collect();
        let values: Vec<f64> = found.iter().map(|(fine, _)| fine.log_density).collect();
        finite(&values)?;
        let n = found.len() as f64;
        let halving = found.iter().map(|(fine, coarse)| fine.log_density - coarse.log_density).sum::<f64>() / n;
        let probe_error = found.iter().map(|(fine, _)| fine.probe_variance).sum::<f64>().sqrt() / n;
        let exact = probes == Probes::Exact;
        let nats = Estimate::of(&values);
        table.push(LikelihoodRow {
            name: "log-likelihood, probability flow".into(),
            kind: "density",
            rows: found.len(),
            nats,
            nats_own_units: nats.map(1.0, -scale),
            bits_per_dimension: nats.map(-1.0 / nats_a_bit, scale / nats_a_bit),
            steps: options.steps,
            probes: (!exact).then_some(options.probes),
            probe_error: (!exact).then_some(probe_error),
            halving: Some(halving),
        });
    }
    if options.bound {
        let levels = ladder(noising, options.intervals);
        let model = NetworkMean::new(network, noising, &levels);
        let grey = data.summary.name == "digits" && data.summary.image == Some((8, 8));
        for decoder in [Some(Decoder::Gaussian), grey.then(|| grey_decoder(data))].into_iter().flatten() {
            let values: Vec<f64> = work
                .par_iter()
                .map(|(row, class, stream)| {
                    let mut model = model.clone();
                    model.class = *class;
                    let mut noise = Ziggurat::new(stream.clone());
                    bound(&mut model, &levels, noising.sigma_data, row, &decoder, &mut noise)
                })
                .collect();
            finite(&values)?;
            let (kind, name, scale) = match decoder {
                Decoder::Gaussian => ("density", "bound, Gaussian decoder", scale),
                Decoder::Grey { .. } => ("probability", "bound, 17 grey levels", 0.0),
            };
            let nats = Estimate::of(&values);
            table.push(LikelihoodRow {
                name: name.into(),
                kind,
                rows: values.len(),
                nats,
                nats_own_units: nats.map(1.0, -scale),
                bits_per_dimension: nats.map(-1.0 / nats_a_bit, scale / nats_a_bit),
                steps: options.intervals,
                probes: None,
                probe_error: None,
                halving: None,
            });
        }
    }
    Ok(table)
}

/// Whole grey levels 0 to 16 in the scale of training.
fn grey_decoder(data: &Prepared) -> Decoder {
    let scaling = &data.summary.scaling;
    let zero = scaling.mean.iter().zip(&scaling.std).map(|(mean, std)| -mean / std).collect();
    Decoder::Grey { zero, step: scaling.std.iter().map(|std| 1.0 / std).collect(), levels: GREY_LEVELS }
}

fn finite(values: &[f64]) -> Result<(), MetricError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(MetricError::NotFinite { row: row + 1, feature: 1, value: values[row] as f32 }),
        None => Ok(()),
    }
}

/// The table as text.
#[must_use]
pub fn to_text(rows: &[LikelihoodRow]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut text = format!(
        "{:width$} {:>18} {:>18} {:>18} {:>6} {:>9}\n",
        "", "nats, scaled", "nats, own units", "bits/dim", "steps", "halving"
    );
    for row in rows {
        let cell = |of: Estimate, decimals: usize| format!("{:.decimals$} ± {:.decimals$}", of.mean, of.standard_error);
        let halving = row.halving.map_or(String::new(), |nats| format!("{nats:.4}"));
        let line = format!(
            "{:width$} {:>18} {:>18} {:>18} {:>6} {halving:>9}",
            row.name,
            cell(row.nats, 3),
            cell(row.nats_own_units, 3),
            cell(row.bits_per_dimension, 4),
            row.steps
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}
