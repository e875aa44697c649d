//! `mote firmware`

mod all_boards;
mod ensemble;

use std::path::PathBuf;

use mote_core::model::{Model, NamedPlan};
use mote_qemu::{BOARDS, Board, Error, Image, Request, Task};
use serde::Serialize;

use super::CheckFailed;
use super::output::Format;
use super::source::{self, Source};
use crate::board::{Compared, Measurement, compare, image_for, measurements};
use crate::inspection::BlobText;

/// Verbs of `mote firmware`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Draw samples on a board and compare every bit with the host's.
    #[command(
        after_help = "Prints a line for each sample (its number and values before data scaling) and says whether the bits are equal; \
        exit code 1 if they are not.\n\nExample: mote firmware run --model runs/demo --seed 7 --count 4 --plan ddpm:20:k4"
    )]
    Run(Args),
    /// The same, and count instructions, flash, memory and stack.
    #[command(
        after_help = "Instructions are counted by QEMU, exactly; they are not cycles and not time.\n\nExample: mote firmware bench --model runs/demo --board all"
    )]
    Bench(Args),
    /// Run ensembles of stochastic processes on a board, compare every bit with the host's, and count instructions.
    #[command(
        after_help = "Prints a row for each process (instructions a path-step, its noise included; digest of the final states; whether the bits \
        are equal on the board, in the host's portable code and in its vector code) and the instructions of a normal by either generator; exit code 1 if the \
        bits differ. Instructions are counted by QEMU, exactly; they are not cycles and not time.\n\n\
        Parameters: ou has rate, mean, diffusion; double-well has barrier, half-distance, diffusion; geometric has growth, volatility; vp has beta-min, beta-max.\n\n\
        Example: mote firmware ensemble ou --set rate=2 --stepper shark --seed 7 --blocks 8"
    )]
    Ensemble(ensemble::Args),
}

/// Arguments of `run` and `bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    #[arg(long)]
    model: PathBuf,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many samples.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Number of the first sample.
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// Plan of the blob. Default: its first.
    #[arg(long)]
    plan: Option<String>,
    /// Class to sample, by name or number. Default: any.
    #[arg(long, allow_negative_numbers = true)]
    class: Option<String>,
    /// Guidance weight.
    #[arg(long, allow_hyphen_values = true)]
    guidance: Option<f32>,
    /// Board that QEMU emulates, or `all` for a table of every one.
    #[arg(long, default_value = BOARDS[0].name, value_parser = choice)]
    board: Choice,
    /// Bytes of working memory in the image. Default: 4096, or what the model needs if that is more.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    arena: Option<u32>,
    #[command(flatten)]
    format: Format,
}

/// One board or every one.
#[derive(Clone, Copy, Debug)]
enum Choice {
    One(&'static Board),
    All,
}

fn choice(name: &str) -> Result<Choice, String> {
    if name == "all" { Ok(Choice::All) } else { listed(name).map(Choice::One).map_err(|error| error + ", and all") }
}

fn board(name: &str) -> Result<Board, String> {
    listed(name).copied()
}

fn listed(name: &str) -> Result<&'static Board, String> {
    let names = || BOARDS.iter().map(|board| board.name).collect::<Vec<_>>().join(", ");
    BOARDS.iter().find(|board| board.name == name).ok_or_else(|| format!("the boards are {}", names()))
}

/// What a run on a board gave.
#[derive(Serialize)]
struct Outcome {
    board: String,
    plan: String,
    seed: u64,
    count: u32,
    digest: String,
    host_digest: String,
    bits_equal: bool,
    measurements: Vec<Measurement>,
    samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Sample {
    number: u32,
    values: Vec<f32>,
}

pub(super) fn run(verb: &Verb) -> anyhow::Result<()> {
    let (args, task) = match verb {
        Verb::Run(args) => (args, Task::Run),
        Verb::Bench(args) => (args, Task::Bench),
        Verb::Ensemble(args) => return ensemble::run(args),
    };
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = source::parse(&source.path, &bytes)?;
    let plan = source::plan(&model, args.plan.as_deref())?;
    let names = BlobText::of(&model).classes;
    let options = source::options(&model, &names, args.class.as_deref(), args.guidance)?;
    let mut request = Request { seed: args.seed, first: args.first, count: args.count, ..Request::default() };
    (request.plan, request.class, request.guidance) = (Some(plan.name.into()), options.class, options.guidance);
    request.task = task;
    request.values = task == Task::Run;
    let board = match args.board {
        Choice::One(board) => *board,
        Choice::All => {
            let table = all_boards::run(args, &source.path, &model, &plan, &request)?;
            args.format.print(&table, all_boards::to_text)?;
            return table.verdict();
        }
    };
    let image = image(args, &board, &model)?;
    let compared = compare(&image, &source.path, &model, &plan, &request)?;
    let outcome = outcome(args, &model, &plan, &image, &compared, task);
    args.format.print(&outcome, to_text)?;
    if outcome.bits_equal {
        return Ok(());
    }
    Err(CheckFailed(format!(
        "the board's bits differ from the host's: digest {} and {}; samples {:?}",
        outcome.digest, outcome.host_digest, compared.different
    ))
    .into())
}

/// The image for a board, with the arena that was asked for or one that the model fits.
fn image(args: &Args, board: &Board, model: &Model<'_>) -> Result<Image, Error> {
    eprintln!("building the image for {}", board.name);
    match args.arena {
        Some(bytes) => Image::build(board, Some(bytes)),
        None => image_for(board, model),
    }
}

fn outcome(
    args: &Args,
    model: &Model<'_>,
    plan: &NamedPlan<'_>,
    image: &Image,
    compared: &Compared,
    task: Task,
) -> Outcome {
    let report = &compared.report;
    let macs = model.network().multiply_accumulates();
    let found = if task == Task::Bench { measurements(report, image, macs, plan.name) } else { Vec::new() };
    Outcome {
        board: report.board.clone(),
        plan: plan.name.into(),
        seed: args.seed,
        count: args.count,
        digest: format!("{:016x}", report.digest),
        host_digest: format!("{:016x}", compared.host_digest),
        bits_equal: compared.is_equal(),
        measurements: found,
        samples: report
            .samples
            .iter()
            .map(|sample| Sample { number: sample.number, values: sample.values().collect() })
            .collect(),
    }
}

fn to_text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for sample in &outcome.samples {
        let values: Vec<String> = sample.values.iter().map(f32::to_string).collect();
        text += &format!("sample {}: {}\n", sample.number, values.join(" "));
    }
    for found in &outcome.measurements {
        text += &format!("{:<32}{}\n", found.label, found.text());
    }
    let verdict = if outcome.bits_equal { "equal on host and board" } else { "DIFFERENT on host and board" };
    text + &format!(
        "{:<32}{verdict}: digest {} of {} samples, seed {}, plan {}, {}\n",
        "bits", outcome.digest, outcome.count, outcome.seed, outcome.plan, outcome.board
    )
}
