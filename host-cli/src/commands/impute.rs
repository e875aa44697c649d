//! `mote impute`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;

use super::denoise::{LogArgs, reference, scaled, window_of, write_result};
use super::output::Format;
use super::signal_plot::{self, Layer};
use super::source::{Source, parse};
use crate::data::SampleFile;
use crate::files::write_atomically;
use crate::inspection::BlobText;
use crate::inspection::bytes;
use crate::jobs::{
    Drawing, FilledSignal, ImputationQuality, Pairing, Restore, SignalError, Signals, autoregression_quality,
    draw_gaps, imputation_quality, impute, ladder, mean, quantile,
};
use crate::run::WindowSummary;
use mote_core::model::Model;
use mote_picture::Colour;

/// Arguments of `mote impute`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Missing are empty cells, NaN and infinities, and rows that a log leaves out by their times. Each draw is one way in which they may have been, given all \
    that is there; draw k of a seed has the same bits on any device.\n\nExamples:\n  mote impute runs/weather --data gaps.csv --time-column time --group station --out filled.csv\n  mote impute runs/weather --data gaps.npy --reference truth.npy --draws 40 --interval spread.csv"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// The signal with values missing: a log as CSV, or an array (.npy) of samples or of windows.
    #[arg(long, value_name = "FILE")]
    data: String,
    /// Draws of each signal; their mean is what is filled in.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    draws: u32,
    /// Times that each noise level is repeated, so that known and missing values come to agree, by a model that was trained without --gaps. Default: 5.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: Option<u32>,
    /// Share of the draws' law that an interval holds.
    #[arg(long, default_value_t = 0.9)]
    coverage: f64,
    /// Seed of the draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where the filled signal goes: .csv, .csv.gz or .npy; `-` is CSV on standard output. Default: `-`, or nowhere with --reference.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A CSV with mean and interval of each value that was missing.
    #[arg(long, value_name = "FILE.csv")]
    interval: Option<PathBuf>,
    /// A picture of one signal (.svg or .png): what is known, what is filled in, and the interval.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Which signal of several is pictured, from 0. Default: the first in which something is missing.
    #[arg(long, requires = "plot", value_name = "NUMBER")]
    signal: Option<usize>,
    /// The signal with nothing missing, to measure against.
    #[arg(long, value_name = "FILE")]
    reference: Option<String>,
    /// Keep results between the least and the largest value of their channel in training.
    #[arg(long)]
    clip: bool,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    format: Format,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    missing: usize,
    draws: u32,
    evaluations_a_draw: usize,
    blob_bytes: usize,
    quality: Vec<ImputationQuality>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    autoregression_alone: Vec<ImputationQuality>,
}

/// One end of an interval for a picture: at missing values as `end` says, at the known ones beside them these themselves, so that the band closes there.
fn band_end(known: &[f32], channels: usize, end: impl Fn(usize) -> f32) -> Vec<f32> {
    let missing = |index: Option<usize>| index.and_then(|index| known.get(index)).is_some_and(|x| x.is_nan());
    let of = |(index, x): (usize, &f32)| match x.is_nan() {
        true => end(index),
        false if missing(index.checked_sub(channels)) || missing(Some(index + channels)) => *x,
        false => f32::NAN,
    };
    known.iter().enumerate().map(of).collect()
}

/// What the blob of a model that fills gaps says of its windows.
pub(super) fn gaps_window_of(model: &Model<'_>) -> anyhow::Result<WindowSummary> {
    let window = BlobText::of(model).window.ok_or(SignalError::NotOfWindows)?;
    if window.channels.len() != model.dim_out() {
        bail!(
            "the model's text names {} channels, and its network gives {}; make the blob again with `mote quantize`",
            window.channels.len(),
            model.dim_out()
        );
    }
    Ok(window)
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    if !(args.coverage > 0.0 && args.coverage < 1.0) {
        bail!("--coverage {}: a share between 0 and 1, as 0.9", args.coverage);
    }
    let source = Source::find(&args.model)?;
    let blob = source.bytes()?;
    let model = parse(&source.path, &blob)?;
    let window = match model.imputation() {
        Some(_) => gaps_window_of(&model)?,
        None => window_of(&model)?,
    };
    if args.repeats.is_some() && model.imputation().is_some() {
        bail!("--repeats is for models that were not trained with --gaps: this one draws what is missing as it is");
    }
    if let Some(out) = args.out.as_deref().filter(|out| out.as_os_str() != "-") {
        SampleFile::of(out)?;
    }
    let signals = Signals::load(&args.data, &window, &args.log.options())?;
    if let Some(number) = args.signal.filter(|number| *number >= signals.pieces.len()) {
        bail!("--signal {number}: {} holds signals 0 to {}", args.data, signals.pieces.len() - 1);
    }
    signals.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let missing = signals.pieces.iter().flatten().filter(|x| x.is_nan()).count();
    if missing == 0 {
        eprintln!("nothing is missing in {}", args.data);
    }
    let given = scaled(&model, &signals.pieces);
    let truth = reference(&model, &window, &signals, args.reference.as_deref(), &args.log, &args.data)?;
    let drawing = Drawing { draws: args.draws, repeats: args.repeats.unwrap_or(5) as usize, seed: args.seed };
    let (draws, evaluations, gaussian) = match model.imputation() {
        Some(imputation) => {
            let filled: Vec<_> = given.iter().map(|signal| FilledSignal::of(&imputation, signal)).collect();
            let quality =
                truth.as_ref().map(|truth| autoregression_quality(&window.channels, &filled, truth, args.coverage));
            (draw_gaps(&model, imputation.plan(), &filled, drawing), imputation.plan().len(), quality)
        }
        None => {
            let levels = ladder(&model);
            let evaluations = (levels.len() - 1) * drawing.repeats + 1;
            (impute(&model, &window, &levels, &given, drawing), evaluations, None)
        }
    };
    let of = |piece: usize, index: usize| draws[piece].iter().map(|draw| draw[index]).collect::<Vec<f32>>();
    let filled: Vec<Vec<f32>> = given
        .iter()
        .enumerate()
        .map(|(piece, values)| {
            let value = |(index, x): (usize, &f32)| if x.is_nan() { mean(&of(piece, index)) } else { *x };
            values.iter().enumerate().map(value).collect()
        })
        .collect();
    let restore = Restore { model: &model, window: &window, clip: args.clip };
    let mut restored = restore.pieces(&filled);
    // What was there goes out as it came in.
    for (restored, came) in restored.iter_mut().flatten().zip(signals.pieces.iter().flatten()) {
        if !came.is_nan() {
            *restored = *came;
        }
    }
    let pairing = if model.imputation().is_some() { Pairing::Mirrored } else { Pairing::Independent };
    let quality =
        truth.as_ref().map(|truth| imputation_quality(&window.channels, &given, &draws, truth, args.coverage, pairing));
    write_result(args.out.as_deref(), &signals, &restored, (quality.is_some(), args.format.is_json()))?;
    if let Some(path) = &args.interval {
        let channels = window.channels.len();
        let mut csv = String::from("signal,sample,channel,mean,low,high\n");
        for (piece, values) in given.iter().enumerate() {
            for (index, _) in values.iter().enumerate().filter(|(_, x)| x.is_nan()) {
                let mut drawn = of(piece, index);
                drawn.sort_unstable_by(f32::total_cmp);
                let [low, high] = [0.5 - args.coverage / 2.0, 0.5 + args.coverage / 2.0].map(|p| quantile(&drawn, p));
                let mut row = vec![f32::NAN; 3 * channels];
                let channel = index % channels;
                for (place, x) in [mean(&drawn), low, high].into_iter().enumerate() {
                    row[place * channels + channel] = x;
                }
                let units = restore.pieces(&[row]);
                let [m, l, h] = [0, 1, 2].map(|place| units[0][place * channels + channel]);
                let _ = writeln!(csv, "{piece},{},{},{m},{l},{h}", index / channels, window.channels[channel]);
            }
        }
        write_atomically(path, |out| out.write_all(csv.as_bytes()))?;
        eprintln!("wrote {}", path.display());
    }
    eprintln!(
        "{missing} values from {} draws of {evaluations} evaluations each, model of {}",
        args.draws,
        bytes(blob.len())
    );
    if let Some(path) = &args.plot {
        let first = given.iter().position(|piece| piece.iter().any(|x| x.is_nan())).unwrap_or(0);
        let number = args.signal.unwrap_or(first);
        let (known, filled) = (&given[number], &filled[number]);
        let ends = [0.5 - args.coverage / 2.0, 0.5 + args.coverage / 2.0].map(|p| {
            let end = |index: usize| {
                let mut drawn = of(number, index);
                drawn.sort_unstable_by(f32::total_cmp);
                quantile(&drawn, p)
            };
            band_end(known, window.channels.len(), end)
        });
        let line = |name, colour, width, values| Layer::Line { name, colour, width, opacity: 1.0, values };
        let mut layers = vec![Layer::Band { name: "interval", colour: Colour::Vermilion, ends: [&ends[0], &ends[1]] }];
        layers.extend(truth.as_ref().map(|truth| line("as it was", Colour::Green, 1.5, truth[number].as_slice())));
        layers.push(line("filled in", Colour::Vermilion, 2.0, filled));
        layers.push(line("known", Colour::Blue, 2.5, known));
        signal_plot::write(path, "What was missing", &window, &layers)?;
        eprintln!("wrote {}", path.display());
    }
    let report = Report {
        missing,
        draws: args.draws,
        evaluations_a_draw: evaluations,
        blob_bytes: blob.len(),
        quality: quality.unwrap_or_default(),
        autoregression_alone: gaussian.unwrap_or_default(),
    };
    if report.quality.is_empty() && !args.format.is_json() {
        return Ok(());
    }
    args.format.print(&report, |report| {
        let mut out =
            format!("{:<20}{:>9}{:>9}{:>9}{:>10}{:>9}\n", "channel", "values", "RMSE", "CRPS", "coverage", "width");
        let mut add = |name: &str, row: &ImputationQuality| {
            let _ = writeln!(
                out,
                "{name:<20}{:>9}{:>9.4}{:>9.4}{:>10.3}{:>9.4}",
                row.values, row.rmse, row.crps, row.coverage, row.width
            );
        };
        report.quality.iter().for_each(|row| add(&row.channel, row));
        report.autoregression_alone.iter().take(1).for_each(|row| add("all, linear alone", row));
        out
    })
}
