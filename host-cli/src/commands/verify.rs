//! `mote verify`

mod work;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mote_core::sampler::Digest;
use mote_qemu::{Board, Count, Image, Job, Memory, Program, run_job};
use serde::Serialize;

use super::CheckFailed;
use super::denoise::{LogArgs, reference, scaled, window_of};
use super::detect::{Judge, labelled, strange};
use super::impute::gaps_window_of;
use super::output::Format;
use super::source::{Source, parse};
use crate::jobs::{DenoisingQuality, ImputationQuality, Signals, auroc, denoising_quality};
use work::Work;

/// So many draws make an interval.
const MANY_DRAWS: u32 = 19;
/// Longest that the emulator may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Arguments of `mote verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Denoises signals on a board under QEMU, compares the bits with the host's, and measures the board's own results against the clean signal. With --detect, \
    scores windows instead; with --impute, draws what is missing in the first signal in which anything is, or, by a model that was trained with --gaps, in all of them; with --draw, what may be behind the noise of the first. A signal that is drawn is cut to 512 values. \
    Exit code 1 if a bit differs.\n\nExamples:\n  mote verify runs/ecg --data noisy.npy --noise 0.2 --reference truth.npy --board microbit\n  mote verify runs/weather --detect weather.json --data windows.npy --labels faults.npy"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// The signal: a log as CSV, or an array (.npy) of samples or of windows.
    #[arg(long, value_name = "FILE")]
    data: String,
    /// Standard deviation of the noise, in training standard deviations. Default: estimated.
    #[arg(long, value_name = "SIGMA")]
    noise: Option<f32>,
    /// The clean signal, to measure against.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["detect", "draw"])]
    reference: Option<String>,
    /// Draw what is missing instead, with this seed.
    #[arg(long, value_name = "SEED", conflicts_with_all = ["detect", "draw", "noise"])]
    impute: Option<u64>,
    /// Score windows instead, by this calibration, as `mote detect --save-calibration` wrote it.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["draw", "noise"])]
    detect: Option<PathBuf>,
    /// One number for each window that is scored, 0 for normal and anything else for strange (.npy or .csv), to measure against.
    #[arg(long, value_name = "FILE", requires = "detect")]
    labels: Option<String>,
    /// Draw what may be behind the noise instead, with this seed.
    #[arg(long, value_name = "SEED")]
    draw: Option<u64>,
    /// Draws of each signal, by a model that was trained with --gaps. Default: 1.
    #[arg(long, requires = "impute", value_parser = clap::value_parser!(u32).range(1..=1024))]
    draws: Option<u32>,
    /// Times that each level of a draw is repeated.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: u32,
    /// The board.
    #[arg(long, default_value = mote_qemu::BOARDS[0].name)]
    board: String,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    format: Format,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    board: String,
    same_bits: bool,
    digest: String,
    /// Of a sample or window that is denoised, of a window that is scored, or of an evaluation of a draw.
    instructions: f64,
    blob_bytes: usize,
    /// Of the numbers that a detector needs besides its blob.
    calibration_bytes: usize,
    arena_bytes: usize,
    statics_bytes: usize,
    stack_bytes: usize,
    /// Of each signal, by a model that fills gaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    draws: Option<u32>,
    /// Of the autoregression that fills a signal's gaps before they are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    fill_instructions: Option<f64>,
    quality: Vec<DenoisingQuality>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imputation: Vec<ImputationQuality>,
    detection: Option<Detection>,
}

/// How well the board's own scores tell strange windows.
#[derive(Serialize)]
struct Detection {
    windows: usize,
    alarms: usize,
    auroc: Option<f64>,
    /// Share of strange windows above the threshold.
    found: Option<f64>,
    /// Share of normal windows above it.
    false_alarms: Option<f64>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let blob = source.bytes()?;
    let model = parse(&source.path, &blob)?;
    let window = match model.imputation() {
        Some(_) => gaps_window_of(&model)?,
        None => window_of(&model)?,
    };
    if model.imputation().is_some() && args.impute.is_none() {
        bail!("the model fills gaps: give --impute with a seed");
    }
    if model.imputation().is_none() && args.draws.is_some() {
        bail!("--draws is for models that were trained with --gaps; this one draws once");
    }
    let board: Board = mote_qemu::find(&args.board).with_context(|| {
        let names: Vec<_> = mote_qemu::BOARDS.iter().map(|board| board.name).collect();
        format!("--board {}: the boards are {}", args.board, names.join(", "))
    })?;
    let judge = args.detect.as_deref().map(|path| Judge::of_file(path, &blob, &model)).transpose()?;
    let signals = Signals::load(&args.data, &window, &args.log.options())?;
    signals.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let clean = reference(&model, &window, &signals, args.reference.as_deref(), &args.log, &args.data)?;
    let mut gap_bytes = 0;
    let work = match (&judge, args.impute, args.draw) {
        (Some(judge), ..) => Work::detect(judge, &model, &signals, &args.data)?,
        (None, Some(seed), _) if model.imputation().is_some() => {
            Work::fill_gaps((seed, args.draws.unwrap_or(1)), &model, &window, &signals, &mut gap_bytes)?
        }
        (None, Some(seed), _) => Work::impute((seed, args.repeats), &model, &window, &signals)?,
        (None, None, Some(seed)) => Work::draw(args, seed, &model, &window, &signals)?,
        (None, None, None) => Work::denoise(args, &model, &window, &signals)?,
    };
    let labels = args.labels.as_deref().map(|path| strange(path, work.signals.len())).transpose()?;
    let arena_bytes = u32::try_from(model.arena_bytes_anywhere().max(gap_bytes).next_multiple_of(8)).ok();
    let image = Image::of(Program::Jobs { arena_bytes }, &board)?;
    let ran = run_all(&work, &blob, &image)?;
    let same_bits = ran.digest == ran.expected;
    let imputation = clean
        .as_ref()
        .filter(|_| model.imputation().is_some())
        .map(|clean| work.imputed(&ran.values, clean, &window.channels, &scaled(&model, &work.signals)));
    let quality = clean.filter(|_| args.impute.is_none()).map(|clean| {
        let after = work.pieces(&window, &signals.pieces, &ran.values);
        denoising_quality(&window.channels, &scaled(&model, &signals.pieces), &after, &clean)
    });
    let detection = judge.as_ref().map(|judge| detection(judge, &ran.values, labels.as_deref()));
    let report = Report {
        board: board.name.into(),
        same_bits,
        digest: format!("{:016x}", ran.digest),
        instructions: ran.count.instructions as f64 / ran.count.of.max(1) as f64,
        blob_bytes: blob.len(),
        calibration_bytes: judge.as_ref().map_or(0, |judge| 4 * judge.calibration.numbers.len()),
        arena_bytes: model.arena_bytes(),
        statics_bytes: (ran.memory.data + ran.memory.bss) as usize,
        stack_bytes: ran.memory.stack as usize,
        draws: model.imputation().map(|_| args.draws.unwrap_or(1)),
        fill_instructions: ran.fill.map(|count| count.instructions as f64 / count.of.max(1) as f64),
        quality: quality.unwrap_or_default(),
        imputation: imputation.unwrap_or_default(),
        detection,
    };
    args.format.print(&report, |report| table(report, &board, work.each))?;
    if same_bits {
        return Ok(());
    }
    Err(CheckFailed(format!(
        "{} gave other bits than the host: digest {:016x}, not {:016x}",
        board.name, ran.digest, ran.expected
    ))
    .into())
}

/// What a board did.
struct Ran {
    values: Vec<f32>,
    /// The board's own digest, or, of several runs, that of all that it gave.
    digest: u64,
    /// What the host's digest is.
    expected: u64,
    count: Count,
    fill: Option<Count>,
    memory: Memory,
}

/// Runs a job, in as many runs as the board's partition is small.
fn run_all(work: &Work<'_>, blob: &[u8], image: &Image) -> anyhow::Result<Ran> {
    let digest_of = |pieces: &[Vec<f32>]| {
        let mut digest = Digest::new();
        pieces.iter().for_each(|piece| digest.update(piece));
        digest.finish()
    };
    let mut all: Option<Ran> = None;
    let (mut signals, mut host) = (work.signals.as_slice(), work.host.as_slice());
    while !signals.is_empty() || all.is_none() {
        let fits = |count: &usize| {
            let job = Job { task: work.task, signals: &signals[..*count] };
            job.behind(blob).len() <= image.board().model.bytes as usize
        };
        // The longest beginning that fits; one signal at least, for the runner to say what does not.
        let counts: Vec<usize> = (1..=signals.len().min(work.most)).collect();
        let count = counts.partition_point(fits).max(1).min(signals.len());
        let ((now, later), (expected, rest)) = (signals.split_at(count), host.split_at(count));
        let mut partition = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
        let job = Job { task: work.task_from(work.signals.len() - signals.len()), signals: now };
        partition.write_all(&job.behind(blob)).context("cannot write a temporary file")?;
        let ran = run_job(image, partition.path(), LIMIT)?;
        let ran = Ran {
            values: ran.values,
            digest: ran.digest,
            expected: digest_of(expected),
            count: ran.work,
            fill: ran.fill,
            memory: ran.memory,
        };
        all = Some(match all {
            None => ran,
            // A run whose bits are others spoils the whole, whatever the digest of all values says.
            Some(before) => {
                let same = before.digest == before.expected && ran.digest == ran.expected;
                let values = [before.values, ran.values].concat();
                let digest = digest_of(std::slice::from_ref(&values));
                Ran {
                    digest,
                    expected: if same { digest } else { digest_of(&work.host) },
                    values,
                    count: added(before.count, ran.count),
                    fill: before.fill.zip(ran.fill).map(|(a, b)| added(a, b)),
                    memory: if ran.memory.stack > before.memory.stack { ran.memory } else { before.memory },
                }
            }
        });
        (signals, host) = (later, rest);
    }
    all.context("there is no signal")
}

/// Two counts together.
fn added(a: Count, b: Count) -> Count {
    Count { instructions: a.instructions + b.instructions, of: a.of + b.of }
}

/// What the board's scores say.
fn detection(judge: &Judge, scores: &[f32], labels: Option<&[bool]>) -> Detection {
    let of = |wanted: bool| labels.map(|labels| labelled(scores, labels, wanted));
    let above = |scores: &[f32]| scores.iter().filter(|score| **score > judge.calibration.threshold).count();
    let share = |scores: Vec<f32>| above(&scores) as f64 / scores.len().max(1) as f64;
    Detection {
        windows: scores.len(),
        alarms: above(scores),
        auroc: of(false).zip(of(true)).and_then(|(normal, strange)| auroc(&normal, &strange)),
        found: of(true).map(share),
        false_alarms: of(false).map(share),
    }
}

fn table(report: &Report, board: &Board, each: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<28}{value}");
    };
    line("board", format!("{}, {}", board.name, board.core));
    line("bits", if report.same_bits { "the host's".into() } else { "other than the host's".into() });
    line("digest", report.digest.clone());
    line(
        &format!("instructions {} {each}", if each.starts_with('e') { "an" } else { "a" }),
        format!("{:.0}", report.instructions),
    );
    let calibration = match report.calibration_bytes {
        0 => String::new(),
        bytes => format!(", and {bytes} B of calibration"),
    };
    line("blob", format!("{} B{calibration}", report.blob_bytes));
    line(
        "memory",
        format!("{} B of statics (a console and all buffers), {} B of stack", report.statics_bytes, report.stack_bytes),
    );
    if let Some(fill) = report.fill_instructions {
        line("instructions to fill gaps", format!("{fill:.0} a signal"));
    }
    if let Some(all) = report.imputation.first() {
        // Of a few draws neither a score nor an interval says much.
        let more = match report.draws {
            Some(MANY_DRAWS..) => format!(", CRPS {:.4}, {:.3} inside intervals of 90%", all.crps, all.coverage),
            _ => String::new(),
        };
        let draws = report.draws.unwrap_or(1);
        line("quality on the board", format!("RMSE {:.4} of the mean of {draws}{more}", all.rmse));
    }
    if let Some(all) = report.quality.first() {
        line(
            "quality on the board",
            format!("RMSE {:.4} before, {:.4} after, {:+.2} dB", all.rmse_before, all.rmse_after, all.gain_db),
        );
    }
    if let Some(detection) = &report.detection {
        line("windows above the threshold", format!("{} of {}", detection.alarms, detection.windows));
        let mut measured = |name: &str, value: Option<f64>| {
            if let Some(value) = value {
                line(name, format!("{value:.4}"));
            }
        };
        measured("AUROC on the board", detection.auroc);
        measured("strange windows found", detection.found);
        measured("normal windows above it", detection.false_alarms);
    }
    out
}
