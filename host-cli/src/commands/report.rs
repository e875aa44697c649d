//! `mote report`

use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use mote_core::model::Model;

use super::run_page::{More, PICTURE_SEED, RunPage};
use super::source::{FloatRun, Source, parse};
use crate::evaluation::{Assessment, Draw, float_and_quantised, float_samples};
use crate::plan::LevelSet;
use crate::pool::Batch;
use crate::report::{
    BoardReport, Efficiency, EfficiencyOptions, Followed, Picture, frames, read_frontier, trajectory_frames,
};
use crate::run::{Prepared, RunFolder};
use crate::training_run::read_metrics;

/// Moments of a sample's way from noise that are shown.
const FRAMES: usize = 6;
/// Images that are followed from noise.
const FOLLOWED_IMAGES: usize = 5;
/// Points that are followed from noise, where data are not images.
const FOLLOWED_POINTS: usize = 400;
/// Samples that are compared float against int8, one by one.
const COMPARED: usize = 256;

/// Arguments of `mote report`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The page needs no network, no script and no other file. It shows samples beside data, their way from noise, quality beside what \
    real data score, quality of every sampler at 2 to 50 evaluations, what int8 costs, sizes, and the commands that make it again. Where the run's \
    folder has a frontier.csv, its chart is shown too.\n\nExamples:\n  mote report runs/demo\n  mote report runs/demo --quick --out demo.html"
)]
pub(super) struct Args {
    /// Folder of a trained or imported run.
    run: PathBuf,
    /// Where the page goes. Default: report.html in the run's folder.
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Seed of the samples that are measured.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Fewer numbers of evaluations, and one block of samples for each instead of three.
    #[arg(long)]
    quick: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let float = FloatRun::open_sampler(&folder)?;
    let source = Source::find(&args.run)?;
    let bytes = source.bytes()?;
    let model = parse(&source.path, &bytes)?;
    float.check_blob(&source.path, &model)?;
    let metrics = read_metrics(&folder.metrics())?;
    let frontier = read_frontier(&folder.frontier())?;
    let board = board(&folder)?;
    let data = Prepared::load(&float.recipe.data)?;
    let assessment = Assessment::new(&data)?;
    let noising = float.recipe.noise.noising();
    let set = LevelSet::build(&float.recipe.blob.plans, &noising)?;

    let (grid, searched) = EfficiencyOptions::grid_and_searched(&float.recipe.blob.plans);
    let options = EfficiencyOptions {
        evaluations: if args.quick { vec![5, 10, 20] } else { vec![2, 5, 10, 20, 50] },
        blocks: if args.quick { 1 } else { 3 },
        grid,
        searched,
        seed: args.seed,
    };
    let progress = Progress::new(2 + Efficiency::plan_count(&options, &noising));
    progress.at("the run's plans, float and int8");
    let quality = float_and_quantised(&assessment, &float.network, &noising, &set, &model, args.seed)?;
    let efficiency = Efficiency::measure(&float.network, &noising, &assessment, &options, |plan| progress.at(plan));
    progress.at("pictures");
    let more = More {
        trajectory: trajectory(&float, &data, &set)?,
        efficiency: Some(efficiency),
        frontier,
        quantisation_difference: difference(&float, &data, &set, &model),
        facts: facts(&float, args.seed),
    };
    let out = args.out.clone().unwrap_or_else(|| folder.report());
    RunPage {
        folder: &folder,
        title: &data.summary.name,
        recipe: &float.recipe,
        data: &data,
        metrics: &metrics,
        model: &model,
        quality: &quality,
        board: board.as_ref(),
        commands: &commands(args, &float),
        more,
    }
    .write(&out)?;
    progress.bar.finish_and_clear();
    eprintln!("wrote {}", out.display());
    Ok(())
}

/// What a board gave when the run was made, if it was run on one.
fn board(folder: &RunFolder) -> anyhow::Result<Option<BoardReport>> {
    let path = folder.board();
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let report = serde_json::from_str(&text).with_context(|| format!("{} is damaged; remove it", path.display()))?;
    Ok(Some(report))
}

fn trajectory(float: &FloatRun, data: &Prepared, set: &LevelSet) -> anyhow::Result<Vec<Picture>> {
    let noising = float.recipe.noise.noising();
    let Some(built) = set.plans.first() else { return Ok(Vec::new()) };
    let count = if data.summary.image.is_some() { FOLLOWED_IMAGES } else { FOLLOWED_POINTS };
    let mix = data.class_mix();
    let of_sample = Draw::default().of_sample(&float.network, mix.as_ref());
    let found = frames(
        &float.network,
        &noising,
        set,
        built,
        &Followed { seed: PICTURE_SEED, count, frames: FRAMES, of_sample: &of_sample },
    );
    Ok(trajectory_frames(&data.summary, &found, &data.raw_test, &built.name)?)
}

/// Relative root mean square difference of int8 samples from float samples of the same noise, by the blob's first plan.
fn difference(float: &FloatRun, data: &Prepared, set: &LevelSet, model: &Model<'_>) -> Option<f64> {
    let (built, plan) = set.plans.iter().find_map(|built| Some((built, model.plan_named(&built.name)?)))?;
    let batch = Batch { seed: PICTURE_SEED, first: 0, count: COMPARED, options: Default::default() };
    let noising = float.recipe.noise.noising();
    let draw = Draw { seed: PICTURE_SEED, ..Draw::default() };
    let mix = data.class_mix();
    let exact = float_samples(&float.network, &noising, set, built, (mix.as_ref(), draw), COMPARED);
    let int8 = batch.draw_quantised_each(model, &plan, &draw.of_sample(&float.network, mix.as_ref()));
    let square = |x: f32| f64::from(x) * f64::from(x);
    let errors: f64 = exact.iter().zip(&int8).map(|(exact, int8)| square(exact - int8)).sum();
    Some((errors / exact.iter().map(|x| square(*x)).sum::<f64>()).sqrt())
}

fn facts(float: &FloatRun, seed: u64) -> Vec<(&'static str, String)> {
    let FloatRun { recipe, summary, network } = float;
    let dim = summary.columns.len();
    let imported = recipe.import.as_ref().and_then(|import| import.weights.clone());
    let mut facts = vec![
        ("data", format!("{}, {} rows of {dim}", summary.name, summary.rows)),
        ("parameters of the float network", network.parameter_count().to_string()),
        ("seed of training", recipe.training.seed.to_string()),
        ("seed of the samples measured", seed.to_string()),
        ("seed of the samples shown", PICTURE_SEED.to_string()),
        ("Mote that made the run", summary.mote.clone()),
        ("Mote that made this page", env!("CARGO_PKG_VERSION").into()),
        ("machine", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
    ];
    facts.extend(imported.map(|weights| ("weights imported from", weights)));
    facts
}

/// The commands that make the run and this page.
fn commands(args: &Args, float: &FloatRun) -> Vec<String> {
    let root = args.run.display();
    let imported = float.recipe.import.as_ref().and_then(|import| import.weights.as_ref());
    let made = match imported {
        Some(weights) => format!("mote import {weights} --recipe {root}/recipe.toml --out {root} --force"),
        None => format!("mote train --recipe {root}/recipe.toml --out {root} --force"),
    };
    let quick = if args.quick { " --quick" } else { "" };
    let out = args.out.as_ref().map_or(String::new(), |out| format!(" --out {}", out.display()));
    vec![
        made,
        format!("mote evaluate {root} --seed {}", args.seed),
        format!("mote sample {root} --count 1000 --out samples.csv"),
        format!("mote firmware bench --model {root}"),
        format!("mote report {root} --seed {}{quick}{out}", args.seed),
    ]
}

/// A bar on a terminal, a line for each piece of work elsewhere.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(pieces: usize) -> Self {
        let bar = ProgressBar::new(pieces as u64);
        let style = ProgressStyle::with_template("measuring {wide_bar} {pos}/{len}, {eta} left, {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    fn at(&self, piece: &str) {
        self.bar.set_message(piece.to_owned());
        if self.bar.is_hidden() {
            let (done, all) = (self.bar.position() + 1, self.bar.length().unwrap_or(0));
            eprintln!("measuring {done} of {all}: {piece}");
        }
        self.bar.inc(1);
    }
}
