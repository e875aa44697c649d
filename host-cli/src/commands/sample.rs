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
use crate::recipe::Recipe;
use crate::run::{DataSummary, Prepared};
use mote_picture::{Colour, Figure, GridStyle, Mark, Panel, Scale, Tiles, grid_png};

/// Arguments of `mote sample`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sample k of a seed is the same in any batch and on any device. The digest on standard error is \
    that of `mote firmware run` with the same seed, count and plan.\n\nExample: mote sample runs/demo --count 64 --grid digits.png --out digits.npy\n         mote sample runs/moons --class each --count 2000 --scatter moons.png"
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
    /// Class to sample, by name or number, or `each` for all of them in turn. Default: none, which a network with classes knows less well.
    #[arg(long, allow_negative_numbers = true)]
    class: Option<String>,
    /// Guidance weight: 1 is the class as learned, more is more typical and less varied.
    #[arg(long, allow_hyphen_values = true)]
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
    /// A PNG with the samples as dots beside test rows, for two features.
    #[arg(long, value_name = "FILE.png")]
    scatter: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = source::parse(&source.path, &bytes)?;
    let plan = source::plan(&model, args.plan.as_deref())?;
    let text = BlobText::of(&model);
    let each = args.class.as_deref() == Some("each") && model.classes() > 0;
    // With each class in turn the first stands for all while the options are checked.
    let names = &text.classes;
    let class = if each { Some(names.first().map_or("0", String::as_str)) } else { args.class.as_deref() };
    let options = source::options(&model, names, class, args.guidance)?;
    let image = model.image().map(|(height, width)| (usize::from(height), usize::from(width)));
    if args.grid.is_some() && image.is_none() {
        bail!("--grid: the model's samples are not images; leave --grid out");
    }
    if args.scatter.is_some() && model.dim_out() != 2 {
        bail!("--scatter: the model's samples have {} features, not two; leave --scatter out", model.dim_out());
    }
    if args.out.as_os_str() != "-" {
        SampleFile::of(&args.out)?; // before the work, not after
    }
    let batch = Batch { seed: args.seed, first: args.first, count: args.count as usize, options };
    let class_of = |k: u32| if each { Some((k as usize % model.classes()) as u16) } else { options.class };
    let of_sample = |k: u32| {
        let mut options = options;
        options.class = class_of(k);
        options
    };
    let mut values = if args.float {
        draw_float(args, &source, &model, plan.name, batch, &of_sample)?
    } else {
        batch.draw_quantised_each(&model, &plan, &of_sample)
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
    if model.classes() > 0 && args.class.is_none() {
        eprintln!(
            "samples of no class; --class each draws the model's {} classes in turn, and draws them better",
            model.classes()
        );
    }
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
    if let Some(path) = &args.scatter {
        let mut shown = values.clone();
        if args.scaled {
            shown.chunks_exact_mut(2).for_each(|sample| model.unscale(sample));
        }
        let png = scatter(&source, &text.column_names(&model), &shown)?;
        write_atomically(path, |out| out.write_all(&png))?;
    }
    let number = |k: u32| class_of(args.first.wrapping_add(k)).map(usize::from);
    let name = |class: usize| text.classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    let labels: Vec<String> = (0..args.count).filter_map(number).map(name).collect();
    let labels = Some(("class", labels.as_slice())).filter(|_| each);
    let samples = Samples { columns: &text.column_names(&model), values: &values, labels };
    if args.out.as_os_str() != "-" {
        write_samples(&args.out, &samples)?;
    } else if args.grid.is_none() && args.scatter.is_none() {
        write_csv(&mut std::io::stdout().lock(), &samples)?;
    }
    Ok(())
}

fn draw_float(
    args: &Args,
    source: &Source,
    model: &Model<'_>,
    plan: &str,
    batch: Batch,
    of_sample: &(dyn Fn(u32) -> SampleOptions + Sync),
) -> anyhow::Result<Vec<f32>> {
    let run = source.run.as_ref().with_context(|| {
        format!("--float needs the folder of a run, and {} is a blob on its own", args.model.display())
    })?;
    let float = FloatRun::open_sampler(run)?;
    float.check_blob(&source.path, model)?;
    let noising = float.recipe.noise.noising();
    let mut set = LevelSet::build(&float.recipe.blob.plans, &noising)?;
    // A blob may have been made with other plans than the run's; a name says all of a plan unless it lists its levels.
    if set.plans.iter().all(|built| built.name != plan) {
        set = LevelSet::build(&[plan.parse()?], &noising)?;
    }
    let built = set.plans.iter().find(|built| built.name == plan).unwrap_or(&set.plans[0]);
    let denoiser = FloatDenoiser::new(&float.network, &noising, &set.levels);
    Ok(batch.draw_each(&denoiser, model.dim_out(), Plan::new(&built.rows, built.start_scale), of_sample))
}

/// Samples as dots, beside as many test rows where there is a run to take them from, on the same axes.
fn scatter(source: &Source, columns: &[String], samples: &[f32]) -> anyhow::Result<Vec<u8>> {
    let mut parts = vec![("samples", Colour::Blue, samples.to_vec())];
    if let Some(run) = &source.run {
        let mut rows = Prepared::load(&Recipe::read(&run.recipe())?.data)?.raw_test;
        rows.truncate(samples.len());
        parts.push(("test rows", Colour::Vermilion, rows));
    }
    let axis = |feature: usize| {
        let all: Vec<f32> =
            parts.iter().flat_map(|(_, _, rows)| rows.iter().skip(feature).step_by(2)).copied().collect();
        let (low, high) = extremes(&all);
        let margin = (0.04 * (high - low)).max(f32::MIN_POSITIVE);
        Scale::linear(columns.get(feature).map_or("", String::as_str))
            .between((low - margin).into(), (high + margin).into())
    };
    let panel = |(name, colour, rows): &(&str, Colour, Vec<f32>)| {
        let points = rows.chunks_exact(2).map(|row| (row[0].into(), row[1].into())).collect();
        let mut dots = Mark::dots("", *colour, points);
        (dots.stroke.width, dots.stroke.opacity) = (1.5, 0.6);
        Panel { title: (*name).into(), x: axis(0), y: axis(1), marks: vec![dots] }
    };
    let panels: Vec<_> = parts.iter().map(panel).collect();
    let count = panels.len() as u32;
    Ok(Figure::new("", panels.len(), panels).sized(460 * count, 430).png(2)?)
}

/// Images in a row of a grid: about as many as rows.
fn columns(count: usize) -> usize {
    ((count as f64).sqrt().ceil() as usize).clamp(1, 40)
}

fn extremes(values: &[f32]) -> (f32, f32) {
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}
