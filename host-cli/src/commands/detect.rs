//! `mote detect`

mod judge;
mod likely;
mod stream;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::bail;
use mote_device::{By, Calibration};
use serde::Serialize;

pub(super) use judge::Judge;
use likely::Likelihood;

use super::denoise::{LogArgs, window_of};
use super::output::{Format, text};
use super::source::{Source, parse};
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use crate::data::{LoadOptions, load};
use crate::files::write_atomically;
use crate::inspection::bytes;
use crate::jobs::{Signals, auroc};
use crate::run::WindowSummary;

/// Arguments of `mote detect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A window is strange where the network, which knows normal data, cannot tell it from noise taken out: the score is made of the errors at a few noise levels, in units of \
    those of normal windows. Alarms are windows above a quantile of the normal windows' scores. From standard input (--data -) a log is judged row by row as it comes.\n\nExamples:\n  mote detect runs/weather --data station.csv --time-column t --length 24\n  mote detect runs/weather --data windows.npy --labels faults.npy --quantile 0.99\n  mote detect runs/weather --length 24 --save-calibration weather.json\n  read-sensors | mote detect weather.mote --calibration weather.json --data - --time-column t --alarms"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// What to judge: a log as CSV, or an array (.npy) of windows; `-` is a log on standard input, judged as its rows come.
    #[arg(long, value_name = "FILE", required_unless_present = "save_calibration")]
    data: Option<String>,
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
    /// Judge a window by its negative log-likelihood instead, by the probability flow of the run's float network: for whole windows of at most 64 values.
    #[arg(long, conflicts_with_all = ["judgement", "at", "seeds", "calibration", "save_calibration", "length"])]
    likelihood: bool,
    /// Quantile of the normal scores above which a window is an alarm.
    #[arg(long, default_value_t = 0.99)]
    quantile: f64,
    /// One number for each window, 0 for normal and anything else for strange (.npy or .csv), to measure against.
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Judge by the calibration of this file, as --save-calibration wrote it, and not by one that is made now.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["normal", "length", "judgement", "at", "seeds", "quantile"])]
    calibration: Option<PathBuf>,
    /// Write the calibration (levels, numbers, threshold) to a file, for other runs of this verb, `mote verify`, `mote export` and `mote device score`.
    #[arg(long, value_name = "FILE.json")]
    save_calibration: Option<PathBuf>,
    /// Print the alarms alone.
    #[arg(long)]
    alarms: bool,
    /// Where the scores go, as CSV; `-` is standard output.
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    /// A picture of the scores (.svg or .png): window after window, with the threshold.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    format: Format,
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
    let streamed = args.data.as_deref() == Some("-");
    if streamed && args.likelihood {
        bail!("--likelihood judges files, and not standard input; give a file with --data");
    }
    if let (true, Some(other)) = (
        streamed,
        args.labels
            .as_ref()
            .map(|_| "--labels")
            .or(args.out.as_ref().map(|_| "--out"))
            .or(args.plot.as_ref().map(|_| "--plot")),
    ) {
        bail!("{other}: a log on standard input is judged line by line to standard output; give a file with --data");
    }
    let signals = match args.data.as_deref().filter(|_| !streamed) {
        Some(path) => Some(Signals::load(path, &window, &args.log.options())?),
        None => None,
    };
    let warnings = signals.iter().flat_map(|signals| &signals.warnings);
    warnings.for_each(|warning| eprintln!("warning: {warning}"));
    let channels = window.channels.len();
    // An array of windows is judged window by window, a log is cut.
    let of_window = signals.as_ref().filter(|signals| signals.are_windows());
    let of_window = of_window.and_then(|signals| signals.pieces.first()).map(|piece| piece.len() / channels);
    if let (true, Some(signals)) = (args.likelihood, &signals) {
        let values = window.length * channels;
        has_window(args, Some(signals), values, window.length)?;
        let likelihood = Likelihood::of(args, &source, &model, &window)?;
        let Likelihood { threshold, normal, .. } = likelihood;
        let scores = likelihood.of_pieces(&model, &signals.pieces, values);
        let judged = Judged { scores, threshold, normal, quantile: args.quantile, calibration_bytes: 0 };
        return tell(args, signals, &window, window.length, blob.len(), judged);
    }
    let judge = match &args.calibration {
        Some(path) => Judge::of_file(path, &blob, &model)?,
        None => {
            let length = args.length.or(of_window).unwrap_or(window.length);
            // Said before the normal windows are looked at, which takes longer.
            has_window(args, signals.as_ref(), length * channels, length)?;
            Judge::calibrated(args, &source, &blob, &model, &window, length)?
        }
    };
    if let Some(path) = &args.save_calibration {
        write_atomically(path, |out| out.write_all(judge.calibration.text().as_bytes()))?;
        eprintln!("wrote {}", path.display());
    }
    let length = judge.calibration.length;
    if streamed {
        return stream::run(args, &model, &window, &judge);
    }
    let (Some(signals), Some(data)) = (signals, &args.data) else { return Ok(()) };
    if let Some(found) = of_window.filter(|found| *found < length) {
        bail!("{data}: windows of {found} samples, and the calibration is for windows of {length}");
    }
    let windows = judge::cut(&model, &signals.pieces, length * channels);
    has_window(args, Some(&signals), length * channels, length)?;
    let Calibration { threshold, normal_windows: normal, quantile, ref numbers, .. } = judge.calibration;
    let judged = Judged {
        scores: judge.scores(&model, &windows),
        threshold,
        normal,
        quantile,
        calibration_bytes: 4 * numbers.len(),
    };
    tell(args, &signals, &window, length, blob.len(), judged)
}

/// Windows and what they were judged by.
struct Judged {
    scores: Vec<f32>,
    threshold: f32,
    /// Normal windows that the threshold was found on, and their quantile that it is.
    normal: usize,
    quantile: f64,
    calibration_bytes: usize,
}

/// Says what was found: the scores, the alarms, and how good they are where labels are known.
fn tell(
    args: &Args,
    signals: &Signals,
    window: &WindowSummary,
    length: usize,
    blob_bytes: usize,
    judged: Judged,
) -> anyhow::Result<()> {
    let Judged { scores, threshold, normal, quantile, calibration_bytes } = judged;
    let data = args.data.as_deref().unwrap_or_default();
    let unjudged = scores.iter().filter(|score| score.is_nan()).count();
    if unjudged > 0 {
        eprintln!(
            "warning: {data}: {unjudged} of {} windows {} and have no score",
            scores.len(),
            if args.likelihood { "miss a value" } else { "hold no value at all" }
        );
    }
    let alarms = scores.iter().filter(|score| **score > threshold).count();
    let labels = args.labels.as_deref().map(|path| strange(path, scores.len())).transpose()?;
    let of = |wanted: bool| labels.as_ref().map(|labels| labelled(&scores, labels, wanted));
    let share =
        |scores: &[f32]| scores.iter().filter(|score| **score > threshold).count() as f64 / scores.len().max(1) as f64;
    let seconds = window.period.map(|period| period * length as f64);
    let report = Report {
        windows: scores.len(),
        calibrated_on: normal,
        threshold,
        alarms,
        false_alarms_a_day: of(false).zip(seconds).map(|(normal, seconds)| share(&normal) * 86_400.0 / seconds),
        found: of(true).map(|strange| share(&strange)),
        auroc: of(false).zip(of(true)).and_then(|(normal, strange)| auroc(&normal, &strange)),
        blob_bytes,
        calibration_bytes,
        scores,
    };
    eprintln!(
        "{} windows of {length} samples, {alarms} above {threshold:.4} (the {} quantile of {} normal ones), model of {}",
        report.windows,
        quantile,
        report.calibrated_on,
        bytes(blob_bytes)
    );
    if let Some(path) = &args.plot {
        plot(path, &report, labels.as_deref())?;
        eprintln!("wrote {}", path.display());
    }
    let table = || csv(&report, signals, window, length, args.alarms);
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

/// Refuses signals without a stretch of so many values, a window of `length` samples.
fn has_window(args: &Args, signals: Option<&Signals>, values: usize, length: usize) -> anyhow::Result<()> {
    match (signals, &args.data) {
        (Some(signals), Some(data)) if !signals.pieces.iter().any(|piece| piece.len() >= values) => {
            bail!("{data}: no stretch of {length} samples; judge shorter windows with --length")
        }
        _ => Ok(()),
    }
}

/// The scores of the windows that a label calls strange or not; those without a score count in neither.
pub(super) fn labelled(scores: &[f32], labels: &[bool], wanted: bool) -> Vec<f32> {
    let pairs = scores.iter().zip(labels).filter(|(score, label)| **label == wanted && !score.is_nan());
    pairs.map(|(score, _)| *score).collect()
}

/// Which windows are strange.
pub(super) fn strange(path: &str, windows: usize) -> anyhow::Result<Vec<bool>> {
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

/// The scores in their order, and the threshold.
fn plot(path: &Path, report: &Report, labels: Option<&[bool]>) -> anyhow::Result<()> {
    let points = |strange: bool| -> Vec<(f64, f64)> {
        let of = |number: usize| labels.is_some_and(|labels| labels.get(number).copied().unwrap_or(false));
        let scores =
            report.scores.iter().enumerate().filter(|(number, score)| of(*number) == strange && !score.is_nan());
        scores.map(|(number, score)| (number as f64, f64::from(*score))).collect()
    };
    let (end, threshold) = (report.scores.len().max(2) as f64 - 1.0, f64::from(report.threshold));
    let mut marks = vec![Mark::dots(if labels.is_some() { "normal" } else { "score" }, Colour::nth(0), points(false))];
    if labels.is_some() {
        marks.push(Mark::dots("strange", Colour::nth(1), points(true)));
    }
    marks.push(Mark::line("threshold", Colour::Black, vec![(0.0, threshold), (end, threshold)]).dashed());
    let panel = Panel { title: String::new(), x: Scale::linear("window"), y: Scale::linear("score"), marks };
    let figure = Figure::new("What does not belong", 1, vec![panel]).sized(920, 320);
    let svg = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("svg"));
    let content = if svg { figure.svg().into_bytes() } else { figure.png(2)? };
    Ok(write_atomically(path, |out| out.write_all(&content))?)
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
                let score = if score.is_nan() { String::new() } else { score.to_string() };
                let _ = writeln!(out, "{signal},{first},{seconds},{score},{}", u8::from(alarm));
            }
        }
    }
    out
}
