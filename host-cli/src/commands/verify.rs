//! `mote verify`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mote_core::random::Stream;
use mote_core::sampler::Digest;
use mote_qemu::{Board, Image, Job, JobTask, Program, run_job};
use serde::Serialize;

use super::CheckFailed;
use super::denoise::{LogArgs, reference, scaled, window_of};
use super::output::Format;
use super::source::{Source, parse};
use crate::jobs::{Denoised, DenoisingQuality, Signals, denoise, denoising_quality, draw_of, estimate_noise, ladder};

/// Longest that the emulator may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Arguments of `mote verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Denoises signals on a board under QEMU, compares the bits with the host's, and measures the board's own results against the clean signal. With --impute, \
    draws what is missing in the first signal instead. Exit code 1 if a bit differs.\n\nExample: mote verify runs/ecg --data noisy.npy --noise 0.2 --reference truth.npy --board microbit"
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
    #[arg(long, value_name = "FILE", conflicts_with = "impute")]
    reference: Option<String>,
    /// Draw what is missing instead, with this seed.
    #[arg(long, value_name = "SEED")]
    impute: Option<u64>,
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
    /// Of a sample that is denoised, or of an evaluation of a draw.
    instructions: f64,
    blob_bytes: usize,
    arena_bytes: usize,
    statics_bytes: usize,
    stack_bytes: usize,
    quality: Vec<DenoisingQuality>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let blob = source.bytes()?;
    let model = parse(&source.path, &blob)?;
    let window = window_of(&model)?;
    if !window.sliding && args.impute.is_none() {
        bail!("the network does not slide, and a board denoises sample by sample; train one with --sliding");
    }
    let board: Board = mote_qemu::find(&args.board).with_context(|| {
        let names: Vec<_> = mote_qemu::BOARDS.iter().map(|board| board.name).collect();
        format!("--board {}: the boards are {}", args.board, names.join(", "))
    })?;
    let signals = Signals::load(&args.data, &window, &args.log.options())?;
    let before = scaled(&model, &signals.pieces);
    let clean = reference(&model, &window, &signals, args.reference.as_deref(), &args.log, &args.data)?;
    let channels = window.channels.len();
    let (task, host) = match args.impute {
        Some(seed) => {
            let first = before.first().context("there is no signal")?;
            let drawn = draw_of(&model, &window, &ladder(&model), first, args.repeats as usize, Stream::new(seed));
            (JobTask::Impute { seed, number: 0, repeats: args.repeats }, vec![drawn])
        }
        None => {
            let estimated = || estimate_noise(&before, channels).map(|sigma| sigma as f32);
            let sigma = args.noise.or_else(estimated).filter(|sigma| *sigma > 0.0);
            let sigma = sigma.context("the noise cannot be estimated; give it with --noise")?;
            let Denoised { pieces, .. } = denoise(&model, &window, &before, sigma);
            (JobTask::Denoise { sigma }, pieces)
        }
    };
    let length = signals.pieces.iter().map(Vec::len).max().unwrap_or_default();
    if args.impute.is_none() && signals.pieces.iter().any(|piece| piece.len() != length) {
        bail!("{}: its stretches have different lengths; give one recording, or windows of one length", args.data);
    }
    let values: Vec<f32> = match args.impute {
        Some(_) => signals.pieces[0].clone(),
        None => signals.pieces.concat(),
    };
    let arena_bytes = u32::try_from(model.arena_bytes_anywhere().next_multiple_of(8)).ok();
    let image = Image::of(Program::Jobs { arena_bytes }, &board)?;
    let job = Job { task, values: &values, length: if args.impute.is_some() { values.len() } else { length } };
    let mut partition = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    partition.write_all(&job.behind(&blob)).context("cannot write a temporary file")?;
    let ran = run_job(&image, partition.path(), LIMIT)?;
    let mut digest = Digest::new();
    host.iter().for_each(|piece| digest.update(piece));
    let expected = digest.finish();
    let same_bits = expected == ran.digest;
    // What the board gave, in the pieces that it was given.
    let mut rest = ran.values.as_slice();
    let after: Vec<Vec<f32>> = host
        .iter()
        .map(|piece| {
            let (own, others) = rest.split_at(piece.len().min(rest.len()));
            rest = others;
            own.to_vec()
        })
        .collect();
    let quality = clean.map(|clean| denoising_quality(&window.channels, &before, &after, &clean));
    let report = Report {
        board: board.name.into(),
        same_bits,
        digest: format!("{:016x}", ran.digest),
        instructions: ran.work.instructions as f64 / ran.work.of.max(1) as f64,
        blob_bytes: blob.len(),
        arena_bytes: model.arena_bytes(),
        statics_bytes: (ran.memory.data + ran.memory.bss) as usize,
        stack_bytes: ran.memory.stack as usize,
        quality: quality.unwrap_or_default(),
    };
    args.format.print(&report, |report| {
        let mut out = String::new();
        let each = if args.impute.is_some() { "instructions an evaluation" } else { "instructions a sample" };
        for (name, value) in [
            ("board", format!("{}, {}", board.name, board.core)),
            ("bits", if report.same_bits { "the host's".into() } else { "other than the host's".to_string() }),
            ("digest", report.digest.clone()),
            (each, format!("{:.0}", report.instructions)),
            ("blob", format!("{} B", report.blob_bytes)),
            (
                "memory",
                format!(
                    "{} B of statics (a console and all buffers), {} B of stack",
                    report.statics_bytes, report.stack_bytes
                ),
            ),
        ] {
            let _ = writeln!(out, "{name:<28}{value}");
        }
        if let Some(all) = report.quality.first() {
            let _ = writeln!(
                out,
                "{:<28}RMSE {:.4} before, {:.4} after, {:+.2} dB",
                "quality on the board", all.rmse_before, all.rmse_after, all.gain_db
            );
        }
        out
    })?;
    if same_bits {
        return Ok(());
    }
    Err(CheckFailed(format!(
        "{} gave other bits than the host: digest {:016x}, not {:016x}",
        board.name, ran.digest, expected
    ))
    .into())
}
