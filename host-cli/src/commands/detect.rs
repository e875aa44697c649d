//! `mote detect`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use mote_core::job::{Judgement, Level};
use mote_core::model::Model;
use serde::Serialize;

use super::denoise::{LogArgs, scaled, window_of};
use super::output::{Format, text};
use super::source::{Source, parse};
use crate::data::{LoadOptions, Part, load, part_windows, read_series};
use crate::files::write_atomically;
use crate::inspection::bytes;
use crate::jobs::{Judging, Signals, auroc, ladder, quantile};
use crate::recipe::Recipe;
use crate::run::WindowSummary;

/// Arguments of `mote detect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A window is strange where the network, which knows normal data, cannot tell it from noise taken out: the score is made of the errors at a few noise levels, in units of \
    those of normal windows. Alarms are windows above a quantile of the normal windows' scores.\n\nExamples:\n  mote detect runs/weather --data station.csv --time-column t --length 24\n  mote detect runs/weather --data windows.npy --labels faults.npy --quantile 0.99"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// What to judge: a log as CSV, or an array (.npy) of windows.
    #[arg(long, value_name = "FILE")]
    data: String,
    /// Normal windows or a normal log, to calibrate on. Default: the validation part of the run's own data.
    #[arg(long, value_name = "FILE")]
    normal: Option<String>,
    /// Samples in a judged window of a log. Default: the model's window.
    #[arg(long, value_name = "SAMPLES")]
    length: Option<usize>,
    /// Whether single sensors or the whole pattern is to be judged.
    #[arg(long = "by", value_enum, default_value = "sensors")]
    judgement: By,
    /// Noise levels whose errors count, as deviations in the scale of training; the model's nearest are taken. Default: all up to 0.35.
    #[arg(long, value_delimiter = ',', value_name = "SIGMA,SIGMA,..")]
    at: Option<Vec<f32>>,
    /// Add noise so many times, with fixed seeds, before it is taken out; 0 takes the window itself for a noisy one.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=64))]
    seeds: u32,
    /// Quantile of the normal scores above which a window is an alarm.
    #[arg(long, default_value_t = 0.99)]
    quantile: f64,
    /// One number for each window, 0 for normal and anything else for strange (.npy or .csv), to measure against.
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Print the alarms alone.
    #[arg(long)]
    alarms: bool,
    /// Where the scores go, as CSV; `-` is standard output.
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    format: Format,
}

/// By what a window is judged.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum By {
    /// Peaks, lasting errors and silences of single channels: faults of sensors.
    Sensors,
    /// The mean error of all channels: another kind of event than the normal ones.
    Pattern,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    windows: usize,
    calibrated_on: usize,
    threshold: f32,
    alarms: usize,
    /// Alarms among normal windows, a day of them, where labels and the log's period say.
    false_alarms_a_day: Option<f64>,
    /// Share of strange windows that raise an alarm.
    found: Option<f64>,
    auroc: Option<f64>,
    blob_bytes: usize,
    calibration_bytes: usize,
    scores: Vec<f32>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    if !(args.quantile > 0.0 && args.quantile < 1.0) {
        bail!("--quantile {}: a share between 0 and 1, as 0.99", args.quantile);
    }
    let source = Source::find(&args.model)?;
    let blob = source.bytes()?;
    let model = parse(&source.path, &blob)?;
    let window = window_of(&model)?;
    let signals = Signals::load(&args.data, &window, &args.log.options())?;
    signals.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let channels = window.channels.len();
    // An array of windows is judged window by window, a log is cut.
    let of_window = signals.pieces.first().filter(|_| signals.are_windows()).map(|piece| piece.len() / channels);
    let length = args.length.or(of_window).unwrap_or(window.length);
    if !window.sliding && length != window.length {
        bail!("--length {length}: the model takes windows of {}", window.length);
    }
    let cut = |pieces: &[Vec<f32>]| -> Vec<Vec<f32>> {
        scaled(&model, pieces)
            .iter()
            .flat_map(|piece| piece.chunks_exact(length * channels).map(<[f32]>::to_vec))
            .collect()
    };
    let windows = cut(&signals.pieces);
    if windows.is_empty() {
        bail!("{}: no stretch of {length} samples; judge shorter windows with --length", args.data);
    }
    let normal = match &args.normal {
        Some(path) => cut(&Signals::load(path, &window, &args.log.options())?.pieces),
        None => cut(&validation(&source, length)?),
    };
    if normal.len() < 20 {
        bail!(
            "{} normal windows of {length} samples: at least 20 are needed to calibrate; name more with --normal",
            normal.len()
        );
    }
    let levels = levels(&model, args.at.as_deref())?;
    let judgement = match args.judgement {
        By::Sensors => Judgement::Sensors,
        By::Pattern => Judgement::Pattern,
    };
    let judging = Judging { judgement, levels: &levels, seeds: args.seeds, channels };
    let calibration = judging.calibrate(&model, &normal);
    let mut usual = judging.scores(&model, &calibration, &normal);
    usual.sort_unstable_by(f32::total_cmp);
    let threshold = quantile(&usual, args.quantile);
    let scores = judging.scores(&model, &calibration, &windows);
    let alarms = scores.iter().filter(|score| **score > threshold).count();
    let labels = args.labels.as_deref().map(|path| strange(path, scores.len())).transpose()?;
    let of = |wanted: bool| -> Option<Vec<f32>> {
        let labels = labels.as_ref()?;
        Some(scores.iter().zip(labels).filter(|(_, label)| **label == wanted).map(|(score, _)| *score).collect())
    };
    let share =
        |scores: &[f32]| scores.iter().filter(|score| **score > threshold).count() as f64 / scores.len().max(1) as f64;
    let seconds = window.period.map(|period| period * length as f64);
    let report = Report {
        windows: scores.len(),
        calibrated_on: normal.len(),
        threshold,
        alarms,
        false_alarms_a_day: of(false).zip(seconds).map(|(normal, seconds)| share(&normal) * 86_400.0 / seconds),
        found: of(true).map(|strange| share(&strange)),
        auroc: of(false).zip(of(true)).and_then(|(normal, strange)| auroc(&normal, &strange)),
        blob_bytes: blob.len(),
        calibration_bytes: 4 * calibration.len(),
        scores,
    };
    eprintln!(
        "{} windows of {length} samples, {alarms} above {threshold:.4} (the {} quantile of {} normal ones), model of {}",
        report.windows,
        args.quantile,
        report.calibrated_on,
        bytes(blob.len())
    );
    let table = || csv(&report, &signals, &window, length, args.alarms);
    match &args.out {
        Some(path) if path.as_os_str() != "-" => {
            write_atomically(path, |out| out.write_all(table().as_bytes()))?;
            eprintln!("wrote {}", path.display());
        }
        Some(_) if !args.format.is_json() => text(&table())?,
        None if !args.format.is_json() && labels.is_none() => text(&table())?,
        _ => {}
    }
    if labels.is_none() && !args.format.is_json() {
        return Ok(());
    }
    args.format.print(&report, |report| {
        let mut out = String::new();
        let mut line = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(out, "{name:<28}{value}");
            }
        };
        line("AUROC", report.auroc.map(|x| format!("{x:.4}")));
        line("strange windows found", report.found.map(|x| format!("{x:.3}")));
        line("false alarms a day", report.false_alarms_a_day.map(|x| format!("{x:.3}")));
        line("blob", Some(format!("{} B, and {} B of calibration", report.blob_bytes, report.calibration_bytes)));
        out
    })
}

/// The levels whose errors count, the noisiest first.
fn levels(model: &Model<'_>, at: Option<&[f32]>) -> anyhow::Result<Vec<Level>> {
    let all = ladder(model);
    let Some(at) = at else {
        let some: Vec<_> = all.iter().copied().filter(|level| level.noise.relative_sigma() <= 0.35).collect();
        return Ok(if some.is_empty() { all } else { some });
    };
    if at.iter().any(|sigma| !(*sigma > 0.0 && sigma.is_finite())) {
        bail!("--at takes deviations above 0, as in 0.05,0.1");
    }
    let mut levels: Vec<Level> = at.iter().map(|sigma| model.nearest_level(*sigma)).collect();
    levels.sort_by_key(|level| all.iter().position(|known| known.index == level.index));
    levels.dedup_by_key(|level| level.index);
    Ok(levels)
}

/// Windows of the validation part of a run's own data.
fn validation(source: &Source, length: usize) -> anyhow::Result<Vec<Vec<f32>>> {
    let run = source
        .run
        .as_ref()
        .context("name normal data with --normal: the blob lies in no run, whose own could be taken")?;
    let data = Recipe::read(&run.recipe())?.data;
    let window =
        data.window.clone().context("the run was not trained on windows of a log; name normal data with --normal")?;
    let log = read_series(&data.source, &window, data.header, data.label.as_deref(), data.split.column())?;
    Ok(part_windows(&log, &data.split, Part::Validation, length, (length / 2).max(1))?)
}

/// Which windows are strange.
fn strange(path: &str, windows: usize) -> anyhow::Result<Vec<bool>> {
    let table = load(path, &LoadOptions::default())?;
    if table.dim != 1 || table.rows != windows {
        bail!(
            "--labels {path}: {} rows of {} numbers, and there are {windows} windows; give one number for each",
            table.rows,
            table.dim
        );
    }
    Ok(table.values.iter().map(|label| *label != 0.0).collect())
}

/// A line for each window, or for each alarm.
fn csv(report: &Report, signals: &Signals, window: &WindowSummary, length: usize, alarms: bool) -> String {
    let channels = window.channels.len();
    let mut out = String::from("signal,first_sample,seconds,score,alarm\n");
    let mut scores = report.scores.iter();
    for (signal, piece) in signals.pieces.iter().enumerate() {
        for number in 0..piece.len() / (length * channels) {
            let Some(score) = scores.next() else { break };
            let alarm = *score > report.threshold;
            if alarm || !alarms {
                let first = number * length;
                let seconds = window
                    .period
                    .map_or(String::new(), |period| format!("{}", (first as f64 * period * 1e6).round() / 1e6));
                let _ = writeln!(out, "{signal},{first},{seconds},{score},{}", u8::from(alarm));
            }
        }
    }
    out
}
