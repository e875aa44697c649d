//! What a blob holds and what it needs, for people and as JSON.

use std::fmt::Write as _;

use mote_core::model::{HEADER_BYTES, Model};
use mote_core::network::LayerKind;
use serde::{Deserialize, Serialize};

use crate::run::WindowSummary;

/// The text of a blob, as far as it has names.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BlobText {
    /// The model's name.
    #[serde(default)]
    pub name: String,
    /// How its network was quantised.
    #[serde(default)]
    pub quantisation: String,
    /// Names of classes.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Names of columns.
    #[serde(default)]
    pub columns: Vec<String>,
    /// What a row is, where rows are windows of a log.
    #[serde(default)]
    pub window: Option<WindowSummary>,
}

impl BlobText {
    /// Reads a blob's text; one that is no TOML document has no names.
    #[must_use]
    pub fn of(model: &Model<'_>) -> Self {
        toml::from_str(model.text()).unwrap_or_default()
    }

    /// What to call samples that the blob draws: int8, or what it says of its weights where these have fewer bits.
    #[must_use]
    pub fn arithmetic(&self) -> String {
        match self.quantisation.split(',').next() {
            Some(weights) if !weights.is_empty() && !weights.starts_with("8-bit") => weights.to_string(),
            _ => "int8".into(),
        }
    }

    /// The names of a sample's columns.
    #[must_use]
    pub fn column_names(&self, model: &Model<'_>) -> Vec<String> {
        let dim = model.dim_out();
        if self.columns.len() == dim {
            return self.columns.clone();
        }
        (1..=dim).map(|column| format!("x{column}")).collect()
    }
}

/// A number of bytes for people: exact, with the same in KiB.
#[must_use]
pub fn bytes(count: usize) -> String {
    if count < 1024 { format!("{count} B") } else { format!("{count} B ({:.1} KiB)", count as f64 / 1024.0) }
}

/// What a blob holds and needs.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The name.
    pub name: String,
    /// What it is for.
    pub role: String,
    /// What the output stands for.
    pub prediction: String,
    /// How the network was quantised, if the blob says so.
    pub quantisation: String,
    /// Components of a sample.
    pub dim: usize,
    /// Height and width, if a sample is an image.
    pub image: Option<(u16, u16)>,
    /// Number of classes.
    pub classes: usize,
    /// The layers in order.
    pub layers: Vec<LayerLine>,
    /// Number of noise levels.
    pub noise_levels: usize,
    /// Least and largest lambda of the levels.
    pub log_snr: (f32, f32),
    /// The plans (in `Flash`: their bytes).
    pub plans: Vec<PlanLine>,
    /// How gaps are filled, by a model that does so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<GapLine>,
    /// Multiply-accumulates (of one evaluation, or of a sample).
    pub multiply_accumulates: usize,
    /// Bytes of the blob.
    pub flash: Flash,
    /// Bytes of working memory.
    pub arena_bytes: usize,
    /// Digest of the self-test.
    pub self_test: String,
}

/// One layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerLine {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// The function at the end.
    pub activation: String,
    /// Whether input is added to output.
    pub residual: bool,
    /// Least and largest input code.
    pub input_codes: (i16, i16),
    /// Whether levels hold biases for it.
    pub level_biases: bool,
    /// Whether classes hold biases for it.
    pub class_biases: bool,
    /// Bytes of weights.
    pub weight_bytes: usize,
}

/// One plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlanLine {
    /// The name.
    pub name: String,
    /// Network evaluations of a sample.
    pub evaluations: usize,
    /// Whether it draws noise on the way.
    pub stochastic: bool,
    /// Predictions kept.
    pub history: usize,
    /// Scale of the starting noise.
    pub start_scale: f32,
    /// Multiply-accumulates (of one evaluation, or of a sample).
    pub multiply_accumulates: usize,
}

/// How gaps are filled.
#[derive(Clone, Debug, Serialize)]
pub struct GapLine {
    /// Samples of means and of deviations that the network sees.
    pub window: usize,
    /// Samples of the state that it sees.
    pub around: usize,
    /// Samples back that the linear model looks.
    pub order: usize,
    /// Steps of a draw.
    pub steps: usize,
    /// Scale of the starting noise.
    pub start_scale: f32,
    /// Bytes of memory for each sample of the longest gap, before a draw.
    pub bytes_a_sample: usize,
}

/// Bytes of the blob by what they hold.
#[derive(Clone, Debug, Serialize)]
pub struct Flash {
    /// All bytes.
    pub total: usize,
    /// Bytes of weights.
    pub weights: usize,
    /// Bytes of the level table.
    pub level_table: usize,
    /// The plans (in `Flash`: their bytes).
    pub plans: usize,
    /// Header, scales, data scaling, text and padding.
    pub rest: usize,
}

impl Inspection {
    /// Looks at a checked blob.
    #[must_use]
    pub fn of(model: &Model<'_>) -> Self {
        let network = model.network();
        let layers: Vec<LayerLine> = network
            .layers()
            .iter()
            .map(|layer| {
                let (activation, residual) = match layer.kind() {
                    LayerKind::Hidden { activation, residual, .. } => (format!("{activation:?}"), *residual),
                    _ => ("none".into(), false),
                };
                let high = layer.input_max();
                LayerLine {
                    inputs: layer.cols(),
                    outputs: layer.rows(),
                    activation: activation.to_lowercase(),
                    residual,
                    input_codes: (if layer.input_non_negative() { 0 } else { -high }, high),
                    level_biases: layer.has_level_biases(),
                    class_biases: layer.has_class_biases(),
                    weight_bytes: layer.weights().len(),
                }
            })
            .collect();
        let biases: usize = layers.iter().filter(|layer| layer.level_biases).map(|layer| layer.outputs).sum();
        let levels = network.levels();
        // Pure noise has no lambda.
        let noises = (0..levels.len()).filter_map(|level| levels.noise(level));
        let lambdas = noises.map(|noise| noise.lambda()).filter(|lambda| lambda.is_finite());
        let rows: usize = model.plans().map(|plan| plan.plan.len()).sum();
        let macs = network.multiply_accumulates();
        let plans: Vec<PlanLine> = model
            .plans()
            .map(|plan| PlanLine {
                name: plan.name.into(),
                evaluations: plan.plan.len(),
                stochastic: plan.plan.is_stochastic(),
                history: plan.history,
                start_scale: plan.plan.start_scale(),
                multiply_accumulates: macs * plan.plan.len(),
            })
            .collect();
        let weights: usize = layers.iter().map(|layer| layer.weight_bytes).sum();
        let level_table = levels.len() * (16 + 2 * layers.len() + 2 * biases);
        let plan_bytes = 32 * plans.len() + mote_core::sampler::ROW_BYTES * rows;
        let total = model.blob_bytes();
        let BlobText { name, quantisation, .. } = BlobText::of(model);
        Self {
            name,
            quantisation,
            role: format!("{:?}", model.role()),
            prediction: format!("{:?}", model.prediction()),
            dim: model.dim_out(),
            image: model.image(),
            classes: model.classes(),
            layers,
            noise_levels: levels.len(),
            log_snr: lambdas.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), l| (low.min(l), high.max(l))),
            plans,
            gaps: model.imputation().map(|gaps| {
                let linear = gaps.autoregression();
                GapLine {
                    window: gaps.window(),
                    around: gaps.around(),
                    order: linear.order(),
                    steps: gaps.plan().len(),
                    start_scale: gaps.plan().start_scale(),
                    bytes_a_sample: 4 * (linear.floats(2) - linear.floats(1)),
                }
            }),
            multiply_accumulates: macs,
            flash: Flash {
                total,
                weights,
                level_table,
                plans: plan_bytes,
                rest: total - weights - level_table - plan_bytes,
            },
            arena_bytes: model.arena_bytes(),
            self_test: format!("{:016x}", model.self_test().digest),
        }
    }

    /// The same as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let found = self;
        let mut out = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<25}{value}");
        };
        let image = found.image.map_or(String::new(), |(height, width)| format!(", {height} x {width} pixels"));
        let name = if found.name.is_empty() { "(unnamed)" } else { &found.name };
        line("model", format!("{name}, {}, dimension {}{image}, {} classes", found.role, found.dim, found.classes));
        line("prediction", found.prediction.clone());
        if !found.quantisation.is_empty() {
            line("quantisation", found.quantisation.clone());
        }
        for (number, layer) in found.layers.iter().enumerate() {
            let mut extras = vec![layer.activation.clone()];
            extras.extend(layer.residual.then(|| "residual".into()));
            extras.extend(layer.level_biases.then(|| "level biases".into()));
            extras.extend(layer.class_biases.then(|| "class biases".into()));
            let (low, high) = layer.input_codes;
            line(
                &format!("layer {number}"),
                format!(
                    "{} -> {}, {}, inputs {low}..={high}, {} weights",
                    layer.inputs,
                    layer.outputs,
                    extras.join(", "),
                    layer.weight_bytes
                ),
            );
        }
        let (low, high) = found.log_snr;
        line("noise levels", format!("{}, lambda from {low:.2} to {high:.2}", found.noise_levels));
        for plan in &found.plans {
            let kind = if plan.stochastic { "stochastic" } else { "deterministic" };
            line(
                &format!("plan {}", plan.name),
                format!(
                    "{} evaluations, {kind}, history {}, {} multiply-accumulates a sample",
                    plan.evaluations, plan.history, plan.multiply_accumulates
                ),
            );
        }
        if let Some(GapLine { window, around, order, steps, start_scale, bytes_a_sample }) = found.gaps {
            line(
                "gaps",
                format!(
                    "linear model of order {order}, {window} samples seen and {around} drawn, {steps} steps from {start_scale:.2} of the noise, {bytes_a_sample} B a sample"
                ),
            );
        }
        let flash = &found.flash;
        line("flash", bytes(flash.total));
        line("  weights", bytes(flash.weights));
        line("  level table", bytes(flash.level_table));
        line("  plans", bytes(flash.plans));
        line("  rest", format!("{} (header {HEADER_BYTES}, scales, data scaling, text, padding)", bytes(flash.rest)));
        line("working memory", bytes(found.arena_bytes));
        line("an evaluation", format!("{} multiply-accumulates", found.multiply_accumulates));
        line("self-test", found.self_test.clone());
        out
    }
}
