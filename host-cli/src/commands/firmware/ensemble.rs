//! `mote firmware ensemble`

use std::collections::BTreeMap;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use mote_qemu::experiments::{Experiment, Method, Noise, Process};
use mote_qemu::{BOARDS, Board, Image, Program};
use serde::Serialize;

use super::super::CheckFailed;
use super::super::output::Format;
use crate::board::{ComparedEnsemble, Measurement, compare_ensemble};

/// Arguments of `mote firmware ensemble`.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Args {
    /// Processes to run, one after the other.
    #[arg(value_name = "PROCESS", default_values = ["ou", "double-well"], value_parser = named(Process::ALL.map(|process| process.name()), Process::named))]
    processes: Vec<Process>,
    /// A parameter of the processes, as rate=2; may be given again for another one.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter, allow_hyphen_values = true)]
    set: Vec<(String, f32)>,
    /// Stepper.
    #[arg(long, default_value = "euler-maruyama", value_parser = named(Method::ALL.map(Method::name), Method::named))]
    stepper: Method,
    /// Where the increments come from: the generator of ensembles, the ziggurat, or one Brownian tree a block.
    #[arg(long, default_value = "blocks", value_parser = named(Noise::ALL.map(Noise::name), Noise::named))]
    noise: Noise,
    /// Equal steps.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    steps: u32,
    /// Time at the end.
    #[arg(long, default_value_t = 1.0, allow_hyphen_values = true)]
    horizon: f32,
    /// Where every path starts.
    #[arg(long, default_value_t = 1.0, allow_hyphen_values = true)]
    start: f32,
    /// Seed of all paths.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the first block.
    #[arg(long, default_value_t = 0)]
    block: u32,
    /// How many blocks of 256 paths.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    blocks: u32,
    /// Board that QEMU emulates.
    #[arg(long, default_value = BOARDS[0].name, value_parser = super::board)]
    board: Board,
    #[command(flatten)]
    format: Format,
}

/// A parser of the names of a closed set.
fn named<T, const N: usize>(names: [&'static str; N], find: fn(&str) -> Option<T>) -> ValueParser
where
    T: Clone + Send + Sync + 'static,
{
    let parser = PossibleValuesParser::new(names);
    ValueParser::new(parser.try_map(move |name| find(&name).ok_or("unknown name")))
}

/// Reads `name=value`.
fn parameter(text: &str) -> Result<(String, f32), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is set as name=value, rate=2 for one")?;
    let value = value.parse().map_err(|_| format!("'{value}' is no number"))?;
    Ok((name.to_owned(), value))
}

/// What came of all ensembles.
#[derive(Serialize)]
struct Outcome {
    board: String,
    bits_equal: bool,
    ensembles: Vec<Row>,
    measurements: Vec<Measurement>,
}

/// One ensemble.
#[derive(Serialize)]
struct Row {
    process: &'static str,
    parameters: BTreeMap<&'static str, f32>,
    stepper: &'static str,
    noise: &'static str,
    steps: u32,
    horizon: f32,
    start: f32,
    seed: u64,
    block: u32,
    blocks: u32,
    paths: u64,
    instructions_per_path_step: f64,
    digest: String,
    host_digest: String,
    host_vector_digest: Option<String>,
    bits_equal: bool,
}

pub(in crate::commands) fn run(args: &Args) -> anyhow::Result<()> {
    // Everything is checked before anything is built.
    let experiments = args.processes.iter().map(|process| experiment(args, *process)).collect::<Result<Vec<_>, _>>()?;
    eprintln!("building the image for {}", args.board.name);
    let image = Image::of(Program::Ensembles, &args.board)?;
    let mut outcome =
        Outcome { board: args.board.name.into(), bits_equal: true, ensembles: Vec::new(), measurements: Vec::new() };
    for experiment in &experiments {
        let compared = compare_ensemble(&image, experiment)
            .with_context(|| format!("{} by {}", experiment.process.name(), experiment.method.name()))?;
        outcome.bits_equal &= compared.is_equal();
        outcome.ensembles.push(row(experiment, &compared));
        outcome.measurements = measurements(&compared, &image, outcome.measurements);
    }
    args.format.print(&outcome, to_text)?;
    if outcome.bits_equal {
        return Ok(());
    }
    let different = outcome.ensembles.iter().filter(|row| !row.bits_equal).map(|row| row.process).collect::<Vec<_>>();
    Err(CheckFailed(format!("the board's bits differ from the host's: {}", different.join(", "))).into())
}

fn experiment(args: &Args, mut process: Process) -> anyhow::Result<Experiment> {
    for (name, value) in &args.set {
        process.set(name, *value).with_context(|| format!("--set {name}={value}"))?;
    }
    let experiment = Experiment {
        process,
        method: args.stepper,
        noise: args.noise,
        steps: args.steps,
        horizon: args.horizon,
        start: args.start,
        seed: args.seed,
        first: args.block,
        blocks: args.blocks,
    };
    experiment.check()?;
    Ok(experiment)
}

fn row(experiment: &Experiment, compared: &ComparedEnsemble) -> Row {
    let hex = |digest: u64| format!("{digest:016x}");
    let report = &compared.report;
    Row {
        process: experiment.process.name(),
        parameters: experiment.process.parameters().collect(),
        stepper: experiment.method.name(),
        noise: experiment.noise.name(),
        steps: experiment.steps,
        horizon: experiment.horizon,
        start: experiment.start,
        seed: experiment.seed,
        block: experiment.first,
        blocks: experiment.blocks,
        paths: report.paths,
        instructions_per_path_step: report.counts.get("path-step").map_or(f64::NAN, mote_qemu::Count::each),
        digest: hex(report.digest),
        host_digest: hex(compared.host_digest),
        host_vector_digest: compared.vector_digest.map(hex),
        bits_equal: compared.is_equal(),
    }
}

/// The figures that belong to the image and not to one process; the stack is the deepest of all runs.
fn measurements(compared: &ComparedEnsemble, image: &Image, before: Vec<Measurement>) -> Vec<Measurement> {
    let counts = [
        ("normal-box-muller", "one normal, Box-Muller"),
        ("normal-ziggurat", "one normal, ziggurat"),
        ("block-start", "start of a block"),
    ];
    let figure = |name, label: &str, value, unit| Measurement {
        name,
        label: label.into(),
        value,
        unit,
        per_multiply_accumulate: None,
    };
    let mut found: Vec<Measurement> = counts
        .into_iter()
        .filter_map(|(name, label)| Some(figure(name, label, compared.report.counts.get(name)?.each(), "instructions")))
        .collect();
    if let Ok(size) = image.size() {
        found.push(figure("flash", "flash", size.flash as f64, "bytes"));
        found.push(figure("statics", "memory besides stack", size.statics as f64, "bytes"));
    }
    let deepest = before.iter().find(|figure| figure.name == "stack").map_or(0.0, |figure| figure.value);
    found.push(figure("stack", "stack, measured", deepest.max(compared.report.memory.stack as f64), "bytes"));
    found
}

fn to_text(outcome: &Outcome) -> String {
    let mut text = format!(
        "{:<12} {:<24} {:<9} {:>8} {:>8} {:>16}  {:<16}  bits\n",
        "process", "stepper", "noise", "paths", "steps", "instr./path-step", "digest"
    );
    for row in &outcome.ensembles {
        let verdict = if row.bits_equal { "equal on host and board" } else { "DIFFERENT on host and board" };
        text += &format!(
            "{:<12} {:<24} {:<9} {:>8} {:>8} {:>16.1}  {:<16}  {verdict}\n",
            row.process, row.stepper, row.noise, row.paths, row.steps, row.instructions_per_path_step, row.digest
        );
    }
    text += "\n";
    for found in &outcome.measurements {
        text += &format!("{:<32}{}\n", found.label, found.text());
    }
    text
}
