//! Error bars: draws behind the noise, their spread, and how well intervals hold.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mote_core::model::Model;
use mote_core::random::{NormalSource as _, Stream, Ziggurat};
use mote_device::checksum;
use serde::{Deserialize, Serialize};

use super::scaled;
use crate::commands::source::Source;
use crate::data::{Part, part_windows, read_series};
use crate::files::write_atomically;
use crate::jobs::{
    ImputationQuality, Pairing, Restore, bounds, covering_factor, denoise, imputation_quality, levels_below,
    noisy_draws, place_about,
};
use crate::recipe::Recipe;
use crate::run::WindowSummary;

/// The file in a run that keeps its spreads.
const FILE: &str = "denoise-spread.json";
/// Values of the validation part that a spread is found on, at most.
const VALUES: usize = 20_000;
/// Seeds of the noise on the validation part, and of the draws behind it.
const SEEDS: (u64, u64) = (0x6e6f_6973, 0x6472_6177);

/// Arguments that ask for error bars.
#[derive(Debug, clap::Args)]
pub(super) struct BarArgs {
    /// Draw so many signals that may be behind the noise, for error bars.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    draws: Option<u32>,
    /// A CSV with estimate and interval of each value.
    #[arg(long, value_name = "FILE.csv", requires = "draws")]
    interval: Option<PathBuf>,
    /// Share of values that an interval is to hold.
    #[arg(long, default_value_t = 0.9, requires = "draws")]
    coverage: f64,
    /// Seed of the draws.
    #[arg(long, default_value_t = 0, requires = "draws")]
    seed: u64,
    /// Spread the draws by this factor. Default: the one with which intervals hold on the validation part of the run's own data, kept in the run; 1 for a blob alone.
    #[arg(long, value_name = "FACTOR", requires = "draws")]
    spread: Option<f32>,
}

/// What is behind the noise, with its error bars, in the scale of training.
pub(super) struct Bars {
    /// Ends of the interval of each value.
    pub ends: [Vec<Vec<f32>>; 2],
    pub report: BarReport,
}

/// What is printed of error bars.
#[derive(Serialize)]
pub(super) struct BarReport {
    draws: u32,
    coverage_asked: f64,
    spread: f32,
    evaluations_a_draw: usize,
    /// Mean absolute error of the estimate: its continuous ranked probability score as a law of one point.
    estimate_crps: Option<f64>,
    /// The draws, against the clean signal.
    intervals: Vec<ImputationQuality>,
}

/// A spread that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spread {
    noise: f32,
    coverage: f64,
    draws: u32,
    factor: f32,
}

/// The spreads of a run's blob.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Spreads {
    blob_crc32: String,
    spreads: Vec<Spread>,
}

/// What bars are made of: the model, its run, and a signal with its estimate, in the scale of training.
pub(super) struct Ground<'g> {
    pub source: &'g Source,
    pub blob: &'g [u8],
    pub model: &'g Model<'g>,
    pub window: &'g WindowSummary,
    pub sigma: f32,
    pub noisy: &'g [Vec<f32>],
    pub estimate: &'g [Vec<f32>],
    pub clean: Option<&'g [Vec<f32>]>,
}

impl BarArgs {
    /// Refuses what makes no sense, before anything is computed.
    pub fn check(&self) -> anyhow::Result<()> {
        if !(self.coverage > 0.0 && self.coverage < 1.0) {
            bail!("--coverage {}: a share between 0 and 1, as 0.9", self.coverage);
        }
        match self.spread {
            Some(factor) if !(factor > 0.0 && factor.is_finite()) => {
                bail!("--spread {factor}: a factor above 0; leave --spread out to have it found on validation data")
            }
            _ => Ok(()),
        }
    }

    /// Draws, if draws are asked for.
    pub fn bars(&self, ground: &Ground<'_>) -> anyhow::Result<Option<Bars>> {
        let Some(draws) = self.draws else { return Ok(None) };
        let Ground { model, window, sigma, noisy, estimate, clean, .. } = *ground;
        let levels = levels_below(model, sigma);
        let spread = match self.spread {
            Some(factor) => factor,
            None => self.found(ground, draws)?,
        };
        let mut drawn = noisy_draws(model, window, &levels, noisy, (draws, self.seed));
        place_about(estimate, &mut drawn, spread);
        // What is missing was not there to be denoised, and counts for nothing.
        let asked: Vec<Vec<f32>> =
            noisy.iter().map(|piece| piece.iter().map(|x| if x.is_nan() { 0.0 } else { f32::NAN }).collect()).collect();
        let intervals = clean.map(|clean| {
            imputation_quality(&window.channels, &asked, &drawn, clean, self.coverage, Pairing::Independent)
        });
        let report = BarReport {
            draws,
            coverage_asked: self.coverage,
            spread,
            evaluations_a_draw: levels.len(),
            estimate_crps: clean.map(|clean| mean_absolute_error(estimate, clean)),
            intervals: intervals.unwrap_or_default(),
        };
        Ok(Some(Bars { ends: bounds(&drawn, self.coverage), report }))
    }

    /// The spread with which intervals hold on the validation part, from the run's file or found now and kept there.
    fn found(&self, ground: &Ground<'_>, draws: u32) -> anyhow::Result<f32> {
        let Some(run) = &ground.source.run else {
            eprintln!(
                "warning: the blob lies in no run, so the spread of the draws is taken as it is; --spread widens it"
            );
            return Ok(1.0);
        };
        let blob_crc32 = format!("{:08x}", checksum(ground.blob));
        // Two digits: noise is not known better, and an estimate of it is never twice the same.
        let noise: f32 = format!("{:.1e}", ground.sigma).parse()?;
        let path = run.file(FILE);
        let kept = std::fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<Spreads>(&text).ok());
        let mut kept = kept.filter(|kept| kept.blob_crc32 == blob_crc32).unwrap_or_default();
        let same = |spread: &&Spread| (spread.noise, spread.coverage, spread.draws) == (noise, self.coverage, draws);
        if let Some(spread) = kept.spreads.iter().find(same) {
            return Ok(spread.factor);
        }
        let Some(factor) = on_validation(ground, noise, draws, self.coverage, &Recipe::read(&run.recipe())?).context(
            "the spread of the draws is found on the run's own data; say it by --spread where these are not at hand",
        )?
        else {
            eprintln!("warning: the validation part says nothing of the spread, which is taken as it is");
            return Ok(1.0);
        };
        eprintln!(
            "draws are spread by {factor:.3}, found on the validation part for noise of {noise} and kept in {}",
            path.display()
        );
        kept.blob_crc32 = blob_crc32;
        kept.spreads.push(Spread { noise, coverage: self.coverage, draws, factor });
        let text = serde_json::to_string_pretty(&kept)? + "\n";
        if let Err(error) = write_atomically(&path, |out| out.write_all(text.as_bytes())) {
            eprintln!("warning: the spread is not kept: {error}");
        }
        Ok(factor)
    }
}

/// The spread with which intervals hold on the validation part of the run's own data, with noise of this deviation put on.
fn on_validation(
    ground: &Ground<'_>,
    noise: f32,
    draws: u32,
    coverage: f64,
    recipe: &Recipe,
) -> anyhow::Result<Option<f32>> {
    let Ground { model, window, .. } = *ground;
    let data = &recipe.data;
    let Some(windows) = &data.window else { return Ok(None) };
    let log = read_series(&data.source, windows, data.header, data.label.as_deref(), data.split.column())?;
    let length = if window.sliding { windows.stretch.unwrap_or(4 * window.length) } else { window.length };
    let mut pieces = part_windows(&log, &data.split, Part::Validation, length, length)?;
    // Spread over the whole part, if there is more of it than needed.
    let every = (pieces.iter().map(Vec::len).sum::<usize>() / VALUES).max(1);
    pieces = pieces.into_iter().step_by(every).collect();
    let truth = scaled(model, &pieces);
    let mut random = Ziggurat::new(Stream::new(SEEDS.0));
    let noisy: Vec<Vec<f32>> =
        truth.iter().map(|piece| piece.iter().map(|x| x + noise * random.normal()).collect()).collect();
    let estimate = denoise(model, window, &noisy, noise).pieces;
    let mut drawn = noisy_draws(model, window, &levels_below(model, noise), &noisy, (draws, SEEDS.1));
    place_about(&estimate, &mut drawn, 1.0);
    Ok(covering_factor(&truth, &estimate, &drawn, coverage))
}

fn mean_absolute_error(estimate: &[Vec<f32>], clean: &[Vec<f32>]) -> f64 {
    let pairs = estimate.iter().flatten().zip(clean.iter().flatten());
    let errors: Vec<f64> = pairs.map(|(a, b)| f64::from((a - b).abs())).filter(|error| !error.is_nan()).collect();
    errors.iter().sum::<f64>() / errors.len().max(1) as f64
}

/// A line for each value: estimate and interval, in the data's own units; empty where it is missing.
pub(super) fn write_intervals(
    args: &BarArgs,
    restore: &Restore<'_, '_>,
    estimate: &[Vec<f32>],
    bars: &Bars,
) -> anyhow::Result<Option<PathBuf>> {
    let Some(path) = &args.interval else { return Ok(None) };
    let channels = &restore.window.channels;
    let [low, high] = [0, 1].map(|end| restore.pieces(&bars.ends[end]));
    let middle = restore.pieces(estimate);
    let mut csv = String::from("signal,sample,channel,mean,low,high\n");
    let cell = |x: f32| if x.is_nan() { String::new() } else { x.to_string() };
    for (signal, ((middle, low), high)) in middle.iter().zip(&low).zip(&high).enumerate() {
        for (index, ((m, l), h)) in middle.iter().zip(low).zip(high).enumerate() {
            let (sample, name) = (index / channels.len(), &channels[index % channels.len()]);
            let _ = writeln!(csv, "{signal},{sample},{name},{},{},{}", cell(*m), cell(*l), cell(*h));
        }
    }
    write_atomically(path, |out| out.write_all(csv.as_bytes()))?;
    Ok(Some(Path::new(path).to_owned()))
}

/// The table of error bars.
pub(super) fn table(report: &BarReport) -> String {
    let mut out =
        format!("\n{:<20}{:>9}{:>9}{:>9}{:>10}{:>9}\n", "draws", "values", "RMSE", "CRPS", "coverage", "width");
    for row in &report.intervals {
        let ImputationQuality { channel, values, rmse, crps, coverage, width } = row;
        let _ = writeln!(out, "{channel:<20}{values:>9}{rmse:>9.4}{crps:>9.4}{coverage:>10.3}{width:>9.4}");
    }
    if let Some(crps) = report.estimate_crps {
        let _ = writeln!(out, "{:<20}{:>9}{:>9}{crps:>9.4}", "estimate alone", "", "");
    }
    let _ = writeln!(
        out,
        "{} draws of {} evaluations, spread by {:.3}",
        report.draws, report.evaluations_a_draw, report.spread
    );
    out
}
