//! `mote score-1d`

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::value_parser;
use mote_laboratory::gallery::score_matching_figure;
use serde::Serialize;

use super::CheckFailed;
use super::output::Format;
use crate::data::{Samples, write_samples};
use crate::files::write_atomically;
use crate::score_1d::law::LAW;
use crate::score_1d::learn::{Learned, learn, least_loss};
use crate::score_1d::picture::{exact_draws, shown};
use crate::score_1d::quality::{BETWEEN, Quality, Yardstick};
use crate::score_1d::walk::{Batched, Walk};

/// The largest Wasserstein-1 distance that passes.
const WASSERSTEIN_MAX: f64 = 0.10;
/// The largest distance from one half of the share right of 0 that passes.
const IMBALANCE_MAX: f64 = 0.015;

/// Arguments of `mote score-1d`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The law is an equal mixture of N(3, 0.5^2) and N(-3, 0.5^2), the network 2-64-64-1. W1 is the Wasserstein-1 \
    distance to the exact quantiles; beside it stand what exact draws score and the exact law's own figures. docs/score-1d.md \
    is the tutorial.\n\nExample: mote score-1d --seed 1 --seed 2 --out runs/score-1d --check"
)]
pub(super) struct Args {
    /// Seed of training and samples; may be given more than once.
    #[arg(long = "seed", value_name = "SEED", value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    /// How many samples.
    #[arg(long, default_value_t = 50_000, value_parser = value_parser!(u32).range(1..=10_000_000))]
    samples: u32,
    /// Training steps, of 512 draws each.
    #[arg(long, default_value_t = 6_000, value_parser = value_parser!(u64).range(1..=10_000_000))]
    steps: u64,
    /// Noise levels that the samples come down through.
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u16).range(2..=1000))]
    levels: u16,
    /// Langevin steps at each level.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u16).range(1..=1000))]
    corrector_steps: u16,
    /// Threads; the figures do not depend on it. Default: all cores.
    #[arg(long, value_parser = value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// A folder for the picture (seed-N.svg, seed-N.png), the samples (seed-N.npy) and metrics.json.
    #[arg(long)]
    out: Option<PathBuf>,
    /// End with exit code 1 if W1 is above 0.10 or the share right of 0 more than 1.5 points from 50%.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    format: Format,
}

/// One seed's figures.
#[derive(Debug, Serialize)]
struct Row {
    seed: u64,
    #[serde(flatten)]
    quality: Quality,
    /// Mean loss over the last hundredth of the steps.
    loss: f64,
    training_seconds: f64,
    sampling_seconds: f64,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    samples: u32,
    steps: u64,
    evaluations: usize,
    seeds: Vec<Row>,
    /// What independent draws of the exact law score, as many.
    exact_draws: Quality,
    exact_law: Quality,
    least_loss: f64,
    wasserstein_max: f64,
    imbalance_max: f64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(twice) = args.seeds.iter().enumerate().find(|(i, seed)| args.seeds[..*i].contains(seed)) {
        bail!("--seed {} is given twice; leave one out", twice.1);
    }
    if let Some(out) = &args.out {
        make_folder(out)?;
    }
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = args.threads {
        pool = pool.num_threads(threads.into());
    }
    let report = pool.build().context("--threads: the system gives no threads")?.install(|| measure(args))?;
    if let Some(out) = &args.out {
        write_atomically(&out.join("metrics.json"), |file| Ok(serde_json::to_writer_pretty(file, &report)?))?;
    }
    args.format.print(&report, to_text)?;
    let missed: Vec<_> = report.seeds.iter().filter(|row| !row.passes()).map(|row| row.seed.to_string()).collect();
    if args.check && !missed.is_empty() {
        return Err(CheckFailed(format!(
            "{} of {} seeds miss a limit: {}",
            missed.len(),
            args.seeds.len(),
            missed.join(", ")
        ))
        .into());
    }
    Ok(())
}

/// Makes the folder and sees that files can be written there, before the work and not after.
fn make_folder(out: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(out)
        .and_then(|()| tempfile::tempfile_in(out).map(drop))
        .with_context(|| format!("--out: cannot write in the folder {}; choose another", out.display()))
}

fn measure(args: &Args) -> anyhow::Result<Report> {
    let count = args.samples as usize;
    let mut walk = Walk { levels: args.levels.into(), ..Walk::default() };
    walk.sampler.steps_per_level = args.corrector_steps;
    let levels = walk.levels();
    let yardstick = Yardstick::new(LAW, count);
    let mut seeds = Vec::new();
    for &seed in &args.seeds {
        eprintln!("training seed {seed}: {} steps, then {count} samples", args.steps);
        let started = Instant::now();
        let learned = learn(seed, args.steps)?;
        let training_seconds = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let samples = walk.draw(&levels, |levels| Batched::new(&learned.network, levels), seed, count);
        let sampling_seconds = started.elapsed().as_secs_f64();
        let loss = learned.losses.last().map_or(f64::NAN, |point| point.1);
        seeds.push(Row { seed, quality: yardstick.measure(&samples), loss, training_seconds, sampling_seconds });
        if let Some(out) = &args.out {
            write_files(out, seed, &learned, &samples)?;
        }
    }
    Ok(Report {
        samples: args.samples,
        steps: args.steps,
        evaluations: walk.evaluations(),
        seeds,
        exact_draws: yardstick.measure(&exact_draws(args.seeds[0], count)),
        exact_law: Quality::exact(LAW),
        least_loss: least_loss(),
        wasserstein_max: WASSERSTEIN_MAX,
        imbalance_max: IMBALANCE_MAX,
    })
}

fn write_files(out: &Path, seed: u64, learned: &Learned, samples: &[f32]) -> anyhow::Result<()> {
    let path = |ending: &str| out.join(format!("seed-{seed}.{ending}"));
    let columns = ["x".to_string()];
    write_samples(&path("npy"), &Samples { columns: &columns, values: samples, labels: None })?;
    let figure = score_matching_figure(&shown(learned, samples));
    write_atomically(&path("svg"), |file| file.write_all(figure.svg().as_bytes()))?;
    let png = figure.png(2)?;
    write_atomically(&path("png"), |file| file.write_all(&png))?;
    Ok(())
}

impl Row {
    fn passes(&self) -> bool {
        let Quality { wasserstein, right, .. } = self.quality;
        wasserstein <= WASSERSTEIN_MAX && (right - 0.5).abs() <= IMBALANCE_MAX
    }
}

fn to_text(report: &Report) -> String {
    let between = format!("|x| < {BETWEEN}");
    let heads = ["W1", "right of 0", &between, "loss", "training", "sampling"];
    let width = report.seeds.iter().map(|row| row.seed.to_string().len() + 5).max().unwrap_or(0).max(11);
    let mut text = format!("{:width$}", "");
    for head in heads {
        let _ = write!(text, "{head:>12}");
    }
    let mut line = |name: &str, quality: &Quality, rest: &[String]| {
        let Quality { wasserstein, right, between } = quality;
        let _ = write!(text, "\n{name:width$}{wasserstein:>12.4}{:>10.2} %{:>10.3} %", 100.0 * right, 100.0 * between);
        for cell in rest {
            let _ = write!(text, "{cell:>12}");
        }
    };
    for row in &report.seeds {
        let seconds = |seconds: f64| format!("{seconds:.1} s");
        let rest = [format!("{:.4}", row.loss), seconds(row.training_seconds), seconds(row.sampling_seconds)];
        line(&format!("seed {}", row.seed), &row.quality, &rest);
    }
    line("exact draws", &report.exact_draws, &[]);
    line("exact law", &report.exact_law, &[format!("{:.4}", report.least_loss)]);
    text + &format!(
        "\n\n{} samples, {} evaluations each; to pass, W1 is at most {WASSERSTEIN_MAX} and the share right of 0 within {} points of 50%\n",
        report.samples,
        report.evaluations,
        100.0 * IMBALANCE_MAX
    )
}
