//! `mote inspect`

use std::fmt::Write as _;
use std::path::PathBuf;

use mote_core::model::{HEADER_BYTES, Model};
use mote_core::network::LayerKind;
use serde::Serialize;

use super::output::{Format, bytes};
use super::source::{BlobText, Source, parse};

/// Arguments of `mote inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: mote inspect runs/demo/model.mote --json")]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// What a blob holds and needs.
#[derive(Debug, Serialize)]
struct Inspection {
    name: String,
    role: String,
    prediction: String,
    dim: usize,
    image: Option<(u16, u16)>,
    classes: usize,
    layers: Vec<LayerLine>,
    noise_levels: usize,
    log_snr: (f32, f32),
    plans: Vec<PlanLine>,
    multiply_accumulates: usize,
    flash: Flash,
    arena_bytes: usize,
    self_test: String,
}

#[derive(Debug, Serialize)]
struct LayerLine {
    inputs: usize,
    outputs: usize,
    activation: String,
    residual: bool,
    input_codes: (i16, i16),
    level_biases: bool,
    class_biases: bool,
    weight_bytes: usize,
}

#[derive(Debug, Serialize)]
struct PlanLine {
    name: String,
    evaluations: usize,
    stochastic: bool,
    history: usize,
    start_scale: f32,
    multiply_accumulates: usize,
}

/// Bytes of the blob by what they hold.
#[derive(Debug, Serialize)]
struct Flash {
    total: usize,
    weights: usize,
    level_table: usize,
    plans: usize,
    rest: usize,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = parse(&source.path, &bytes)?;
    args.format.print(&inspect(&model), |found| to_text(found))
}

fn inspect(model: &Model<'_>) -> Inspection {
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
                weight_bytes: layer.multiply_accumulates(),
            }
        })
        .collect();
    let biases: usize = layers.iter().filter(|layer| layer.level_biases).map(|layer| layer.outputs).sum();
    let levels = network.levels();
    let lambdas = (0..levels.len()).filter_map(|level| levels.noise(level)).map(|noise| noise.lambda());
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
    Inspection {
        name: BlobText::of(model).name,
        role: format!("{:?}", model.role()),
        prediction: format!("{:?}", model.prediction()),
        dim: model.dim_out(),
        image: model.image(),
        classes: model.classes(),
        layers,
        noise_levels: levels.len(),
        log_snr: lambdas.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), l| (low.min(l), high.max(l))),
        plans,
        multiply_accumulates: macs,
        flash: Flash { total, weights, level_table, plans: plan_bytes, rest: total - weights - level_table - plan_bytes },
        arena_bytes: model.arena_bytes(),
        self_test: format!("{:016x}", model.self_test().digest),
    }
}

fn to_text(found: &Inspection) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<16}{value}");
    };
    let image = found.image.map_or(String::new(), |(height, width)| format!(", {height} x {width} pixels"));
    let name = if found.name.is_empty() { "(unnamed)" } else { &found.name };
    line("model", format!("{name}, {}, dimension {}{image}, {} classes", found.role, found.dim, found.classes));
    line("prediction", found.prediction.clone());
    for (number, layer) in found.layers.iter().enumerate() {
        let mut extras = vec![layer.activation.clone()];
        extras.extend(layer.residual.then(|| "residual".into()));
        extras.extend(layer.level_biases.then(|| "level biases".into()));
        extras.extend(layer.class_biases.then(|| "class biases".into()));
        let (low, high) = layer.input_codes;
        line(
            &format!("layer {number}"),
            format!("{} -> {}, {}, inputs {low}..={high}, {} weights", layer.inputs, layer.outputs, extras.join(", "), layer.weight_bytes),
        );
    }
    let (low, high) = found.log_snr;
    line("noise levels", format!("{}, lambda from {low:.2} to {high:.2}", found.noise_levels));
    for plan in &found.plans {
        let kind = if plan.stochastic { "stochastic" } else { "deterministic" };
        line(
            &format!("plan {}", plan.name),
            format!("{} evaluations, {kind}, history {}, {} multiply-accumulates a sample", plan.evaluations, plan.history, plan.multiply_accumulates),
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
