//! `mote sample`

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use mote_core::model::Model;
use mote_core::sampler::{Digest, Plan, SampleOptions};

use super::source::{self, FloatRun, Source};
use crate::data::{SampleFile, Samples, write_csv, write_samples};
use crate::denoiser::FloatDenoiser;
use crate::files::write_atomically;
use crate::inspection::BlobText;
use crate::plan::LevelSet;
use crate::pool::Batch;
use crate::run::DataSummary;
use mote_picture::{GridStyle, Tiles, grid_png};

/// Arguments of `mote sample`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sample k of a seed is the same in any batch and on any device. The digest on standard error is \
    that of `mote firmware run` with the same seed, count and plan.\n\nExample: mote sample runs/demo --count 64 --grid digits.png --out digits.npy"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// Plan of the blob. Default: its first.
    #[arg(long)]
    plan: Option<String>,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many samples.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    count: u32,
    /// Number of the first sample.
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// Class to sample, by name or number. Default: any.
    #[arg(long)]
    class: Option<String>,
    /// Guidance weight: 1 is the class as learned, more is more typical and less varied.
    #[arg(long, requires = "class", allow_hyphen_values = true)]
    guidance: Option<f32>,
    /// Sample the float network of the run instead of the blob.
    #[arg(long)]
    float: bool,
    /// Leave samples in the scale of training instead of the data's own units.
    #[arg(long)]
    scaled: bool,
    /// A .npy, .csv or .csv.gz file; `-` is CSV on standard output.
    #[arg(long, default_value = "-")]
    out: PathBuf,
    /// A PNG with the samples as images.
    #[arg(long, value_name = "FILE.png")]
    grid: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = source::parse(&source.path, &bytes)?;
    let plan = source::plan(&model, args.plan.as_deref())?;
    let text = BlobText::of(&model);
    let mut options = SampleOptions::default();
    options.class = args.class.as_deref().map(|class| source::class(&model, &text.classes, class)).transpose()?;
    options.guidance = args.guidance;
    if args.guidance.is_some_and(|weight| !weight.is_finite()) {
        bail!("--guidance must be a finite number");
    }
    let image = model.image().map(|(height, width)| (usize::from(height), usize::from(width)));
    if args.grid.is_some() && image.is_none() {
        bail!("--grid: the model's samples are not images; leave --grid out");
    }
    if args.out.as_os_str() != "-" {
        SampleFile::of(&args.out)?; // before the work, not after
    }
    let batch = Batch { seed: args.seed, first: args.first, count: args.count as usize, options };
    let mut values = if args.float {
        draw_float(args, &source, &model, plan.name, batch)?
    } else {
        batch.draw_quantised(&model, &plan)
    };
    let mut digest = Digest::new();
    digest.update(&values);
    eprintln!(
        "{} samples, plan {}, seed {}, digest {:016x}{}",
        args.count,
        plan.name,
        args.seed,
        digest.finish(),
        if args.float { " (float network: a device gives other bits)" } else { "" }
    );
    if let (Some(path), Some((height, width))) = (&args.grid, image) {
        let mut shown = values.clone();
        shown.chunks_exact_mut(model.dim_out()).for_each(|sample| model.unscale(sample));
        let range = source.run.as_ref().and_then(|run| DataSummary::read(run).ok()).map(|summary| summary.range);
        let style = GridStyle {
            columns: columns(args.count as usize),
            range: range.unwrap_or_else(|| extremes(&shown)),
            scale: 4,
        };
        let png = grid_png(&Tiles { values: &shown, height, width }, &style)?;
        write_atomically(path, |out| out.write_all(&png))?;
    }
    if !args.scaled {
        values.chunks_exact_mut(model.dim_out()).for_each(|sample| model.unscale(sample));
    }
    let samples = Samples { columns: &text.column_names(&model), values: &values, labels: None };
    if args.out.as_os_str() != "-" {
        write_samples(&args.out, &samples)?;
    } else if args.grid.is_none() {
        write_csv(&mut std::io::stdout().lock(), &samples)?;
    }
    Ok(())
}

fn draw_float(args: &Args, source: &Source, model: &Model<'_>, plan: &str, batch: Batch) -> anyhow::Result<Vec<f32>> {
    let run = source.run.as_ref().with_context(|| {
        format!("--float needs the folder of a run, and {} is a blob on its own", args.model.display())
    })?;
    let float = FloatRun::open(run)?;
    let noising = float.recipe.noise.noising();
    let spec = plan.parse()?;
    let set = LevelSet::build(&[spec], &noising)?;
    let built = &set.plans[0];
    let denoiser = FloatDenoiser::new(&float.network, &noising, &set.levels);
    Ok(batch.draw(&denoiser, model.dim_out(), Plan::new(&built.rows, built.start_scale)))
}

/// Images in a row of a grid: about as many as rows.
fn columns(count: usize) -> usize {
    ((count as f64).sqrt().ceil() as usize).clamp(1, 40)
}

fn extremes(values: &[f32]) -> (f32, f32) {
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}
