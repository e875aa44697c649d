//! `mote denoise`

mod bars;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::bail;
use mote_core::model::{Model, Role};
use mote_picture::Colour;
use serde::Serialize;

use super::output::{Format, text};
use super::signal_plot::{self, Layer};
use super::source::{Source, parse};
use crate::data::{Header, SampleFile};
use crate::inspection::{BlobText, bytes};
use crate::jobs::{
    Denoised, DenoisingQuality, Restore, SignalError, SignalOptions, Signals, denoise, denoising_quality,
    estimate_noise,
};
use crate::run::WindowSummary;
use bars::{BarArgs, BarReport, Ground};

/// Arguments of `mote denoise`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The signal is a log with the model's channels among its columns (.csv, .csv.gz), or an array (.npy) of samples or of windows. Noise is \
    counted in the channels' standard deviations in training, the same in each.\n\nExamples:\n  mote denoise runs/ecg --data noisy.csv --out clean.csv\n  mote denoise runs/ecg --data noisy.npy --noise 0.2 --reference truth.npy --plot beats.png\n  mote denoise runs/ecg --data noisy.csv --draws 40 --interval bars.csv --out clean.csv"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// The noisy signal.
    #[arg(long, value_name = "FILE")]
    data: String,
    /// Standard deviation of the noise, in training standard deviations. Default: estimated from the signal.
    #[arg(long, value_name = "SIGMA")]
    noise: Option<f32>,
    /// Where the denoised signal goes: .csv, .csv.gz or .npy; `-` is CSV on standard output. Default: `-`, or nowhere with --reference.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The clean signal, to measure against.
    #[arg(long, value_name = "FILE")]
    reference: Option<String>,
    /// A picture of the first samples before and after, .png or .svg.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Keep results between the least and the largest value of their channel in training.
    #[arg(long)]
    clip: bool,
    #[command(flatten)]
    bars: BarArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    format: Format,
}

/// How to read a log; all jobs have these.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// Column with the time, in seconds or as date and time of day.
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// Column that names the recording, station or person.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Whether the first line of a CSV names the columns.
    #[arg(long, value_enum, default_value = "auto")]
    header: Header,
}

impl LogArgs {
    pub fn options(&self) -> SignalOptions {
        SignalOptions { time_column: self.time_column.clone(), group: self.group.clone(), header: self.header }
    }
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    sigma: f32,
    estimated: bool,
    level_sigma: f32,
    values: usize,
    blob_bytes: usize,
    quality: Vec<DenoisingQuality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bars: Option<BarReport>,
}

/// What the blob says of its windows.
pub(super) fn window_of(model: &Model<'_>) -> anyhow::Result<WindowSummary> {
    let window = BlobText::of(model).window.ok_or(SignalError::NotOfWindows)?;
    let channels = window.channels.len();
    if model.role() == Role::Imputer {
        bail!("the model fills gaps, which `mote impute` asks it for; for this train one without --gaps");
    }
    let fits = channels > 0
        && model.dim_in() == window.length * channels
        && model.dim_out() == if window.sliding { channels } else { model.dim_in() };
    if !fits {
        bail!(
            "the model's text speaks of windows of {} samples of {channels} channels, and its network has {} inputs and {} outputs; make the blob again with `mote quantize`",
            window.length,
            model.dim_in(),
            model.dim_out()
        );
    }
    Ok(window)
}

/// Signals in the scale of training.
pub(super) fn scaled(model: &Model<'_>, pieces: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut scaled = pieces.to_vec();
    scaled.iter_mut().for_each(|piece| model.scale(piece));
    scaled
}

/// The signal as it should be, in the scale of training, where a file of it was named.
pub(super) fn reference(
    model: &Model<'_>,
    window: &WindowSummary,
    signals: &Signals,
    path: Option<&str>,
    log: &LogArgs,
    data: &str,
) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
    let Some(path) = path else { return Ok(None) };
    let reference = Signals::load(path, window, &log.options())?;
    let lengths = |signals: &Signals| signals.pieces.iter().map(Vec::len).collect::<Vec<_>>();
    if lengths(&reference) != lengths(signals) {
        bail!(
            "--reference {path}: it has other stretches of samples than {data}; give the same signal as it should be"
        );
    }
    Ok(Some(scaled(model, &reference.pieces)))
}

/// Writes what a job made of signals to the file that was named, or as CSV to standard output, unless JSON goes there, or a table of what was measured and no file was
/// named.
pub(super) fn write_result(
    out: Option<&Path>,
    signals: &Signals,
    pieces: &[Vec<f32>],
    (measured, json): (bool, bool),
) -> anyhow::Result<()> {
    match out {
        Some(out) if out.as_os_str() != "-" => {
            signals.write(out, pieces)?;
            eprintln!("wrote {}", out.display());
        }
        _ if json || (measured && out.is_none()) => {}
        _ => {
            let mut csv = Vec::new();
            signals.write_csv(&mut csv, pieces)?;
            text(&String::from_utf8_lossy(&csv))?;
        }
    }
    Ok(())
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    args.bars.check()?;
    let source = Source::find(&args.model)?;
    let blob = source.bytes()?;
    let model = parse(&source.path, &blob)?;
    let window = window_of(&model)?;
    if let Some(out) = args.out.as_deref().filter(|out| out.as_os_str() != "-") {
        SampleFile::of(out)?;
    }
    let signals = Signals::load(&args.data, &window, &args.log.options())?;
    signals.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let before = scaled(&model, &signals.pieces);
    let clean = reference(&model, &window, &signals, args.reference.as_deref(), &args.log, &args.data)?;
    let sigma = sigma(args, &before, window.channels.len())?;
    let Denoised { level, pieces: after } = denoise(&model, &window, &before, sigma);
    let level_sigma = level.noise.relative_sigma();
    let quality = clean.as_ref().map(|clean| denoising_quality(&window.channels, &before, &after, clean));
    let (noisy, estimate, clean) = (before.as_slice(), after.as_slice(), clean.as_deref());
    let ground = Ground { source: &source, blob: &blob, model: &model, window: &window, sigma, noisy, estimate, clean };
    let bars = args.bars.bars(&ground)?;
    let restore = Restore { model: &model, window: &window, clip: args.clip };
    let restored = restore.pieces(&after);
    write_result(args.out.as_deref(), &signals, &restored, (quality.is_some(), args.format.is_json()))?;
    if let Some(path) = &args.plot {
        let first = |pieces: &[Vec<f32>]| pieces.first().cloned().unwrap_or_default();
        let (noisy, denoised, clean) = (first(&before), first(&after), clean.map(first));
        let ends = bars.as_ref().map(|bars| bars.ends.each_ref().map(|end| first(end)));
        let line = |name, colour, width, opacity, values| Layer::Line { name, colour, width, opacity, values };
        let mut layers = vec![line("noisy", Colour::Grey, 2.0, 0.7, &noisy)];
        layers.extend(clean.as_deref().map(|clean| line("clean", Colour::Green, 2.0, 1.0, clean)));
        layers.extend(ends.as_ref().map(|[low, high]| Layer::Band {
            name: "interval",
            colour: Colour::Vermilion,
            ends: [low, high],
        }));
        layers.push(line("denoised", Colour::Vermilion, 2.0, 1.0, &denoised));
        signal_plot::write(path, "Denoised signal", &window, &layers)?;
        eprintln!("wrote {}", path.display());
    }
    if let Some(path) =
        bars.as_ref().map(|bars| bars::write_intervals(&args.bars, &restore, &after, bars)).transpose()?.flatten()
    {
        eprintln!("wrote {}", path.display());
    }
    let estimated = args.noise.is_none();
    eprintln!(
        "{} values, noise {sigma:.3}{}, level of {level_sigma:.3}, model of {}",
        signals.len(),
        if estimated { " (estimated)" } else { "" },
        bytes(blob.len())
    );
    let report = Report {
        sigma,
        estimated,
        level_sigma,
        values: signals.len(),
        blob_bytes: blob.len(),
        quality: quality.unwrap_or_default(),
        bars: bars.map(|bars| bars.report),
    };
    if report.quality.is_empty() && !args.format.is_json() {
        return Ok(());
    }
    args.format
        .print(&report, |report| table(&report.quality) + &report.bars.as_ref().map(bars::table).unwrap_or_default())
}

/// The noise: as given, or estimated.
fn sigma(args: &Args, before: &[Vec<f32>], channels: usize) -> anyhow::Result<f32> {
    match args.noise {
        Some(sigma) if sigma > 0.0 && sigma.is_finite() => Ok(sigma),
        Some(sigma) => {
            bail!("--noise {sigma}: a standard deviation is above 0; leave --noise out to have it estimated")
        }
        None => match estimate_noise(before, channels) {
            Some(sigma) if sigma > 0.0 => Ok(sigma as f32),
            Some(_) => bail!(
                "{}: most of the signal never changes, so its noise cannot be estimated; give it with --noise",
                args.data
            ),
            None => bail!("{}: too short to estimate its noise; give it with --noise", args.data),
        },
    }
}

fn table(rows: &[DenoisingQuality]) -> String {
    let mut out =
        format!("{:<20}{:>9}{:>13}{:>12}{:>9}\n", "channel", "values", "RMSE before", "RMSE after", "gain dB");
    for row in rows {
        let _ = writeln!(
            out,
            "{:<20}{:>9}{:>13.4}{:>12.4}{:>+9.2}",
            row.channel, row.values, row.rmse_before, row.rmse_after, row.gain_db
        );
    }
    out
}
