//! `mote evaluate`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::output::Format;
use super::quantize::make_blob;
use super::source::{FloatRun, Source, class, parse};
use crate::data::{LoadOptions, Split, load, usual_split};
use crate::evaluation::{Asked, Assessment, BLOCKS, Draw, Pool, QualityRow, balance_text, draw, to_csv, to_text};
use crate::files::write_atomically;
use crate::inspection::BlobText;
use crate::likelihood::{LikelihoodOptions, likelihood_rows};
use crate::plan::{LevelSet, PlanSpec};
use crate::quantize::CalibrationOptions;
use crate::recipe::DataRecipe;
use crate::run::{Prepared, RunFolder};

/// Arguments of `mote evaluate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Figures are means over ten blocks of as many samples as there are test rows; float and int8 samples share their \
    noise. Digits are rounded to 17 grey levels and measured in -1..1; other data in training standard deviations. Memorisation is the \
    share of samples nearer to a training row than to any test row; what fresh data score is in brackets. Labels is the share of samples \
    that a vote of five training rows puts in the class they were asked for (of test rows, in the floor), balance the total variation \
    distance between the classes of samples and of training rows.\n\n\
    Examples:\n  mote evaluate runs/demo --json\n  mote evaluate runs/demo --samples digits.npy --csv quality.csv\n  \
    mote evaluate --samples a.npy --against b.csv\n  mote evaluate runs/moons --likelihood --bound"
)]
pub(super) struct Args {
    /// Folder of a trained run.
    #[arg(required_unless_present = "against")]
    run: Option<PathBuf>,
    /// Measure these samplers, SAMPLER:STEPS[:GRID], instead of the ones in the run's blob; the blob stays as it is.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<PlanSpec>,
    /// Measure the samples of a .npy, .csv or .csv.gz file, in the data's own units, instead of drawing some.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plans", "class", "guidance"])]
    samples: Option<String>,
    /// Compare with a file or a built-in set instead of a run's data: its even rows stand for training rows, its odd ones are held out.
    #[arg(long, value_name = "SOURCE", conflicts_with = "run", requires = "samples")]
    against: Option<String>,
    /// Class to sample, by name or number; `all` takes each in its share of the training rows, `none` asks for none.
    #[arg(long, default_value = "all")]
    class: String,
    /// Guidance weight: 1 is the class as learned, more is more typical and less varied.
    #[arg(long, allow_hyphen_values = true)]
    guidance: Option<f32>,
    /// Log-likelihood of test rows by the probability flow instead: exact up to dimension 16, estimated beyond.
    #[arg(long, conflicts_with_all = ["samples", "against"])]
    likelihood: bool,
    /// The variational bound on the log-likelihood of test rows instead, or beside it.
    #[arg(long, conflicts_with_all = ["samples", "against"])]
    bound: bool,
    /// Test rows that --likelihood and --bound look at.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..))]
    rows: u32,
    /// Seed of the samples.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Write the table as CSV too.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    if args.guidance.is_some_and(|weight| !weight.is_finite()) {
        bail!("--guidance must be a finite number");
    }
    match (&args.run, &args.samples, &args.against) {
        (_, Some(samples), Some(against)) => {
            let split = if usual_split(against) == Split::default() { Split::Alternate } else { usual_split(against) };
            let recipe = DataRecipe { source: against.clone(), split, ..DataRecipe::default() };
            of_file(args, samples, &recipe)
        }
        (Some(run), Some(samples), None) => {
            let float = FloatRun::open_sampler(&RunFolder::open(run)?)?;
            of_file(args, samples, &float.recipe.data)
        }
        (Some(run), None, _) => of_run(args, run),
        (None, _, _) => bail!("name the folder of a run, or --samples FILE --against SOURCE"),
    }
}

/// Measures a file of samples.
fn of_file(args: &Args, samples: &str, recipe: &DataRecipe) -> anyhow::Result<()> {
    let data = Prepared::load(recipe)?;
    let table = load(samples, &LoadOptions { label: None, ..recipe.load_options() })?;
    if table.dim != data.dim() {
        bail!(
            "{samples}: {} features in a row, but {} in {}; give samples of the same features in the same order",
            table.dim,
            data.dim(),
            recipe.source
        );
    }
    let mut values = table.values;
    data.summary.scaling.apply(&mut values);
    let pool = Pool { name: table.name, plan: None, arithmetic: None, evaluations: None, values, asked: None };
    let rows = Assessment::new(&data)?.table(vec![pool])?;
    finish(args, &rows, &data.summary.classes)
}

/// Draws samples of a run and measures them.
fn of_run(args: &Args, run: &Path) -> anyhow::Result<()> {
    let folder = RunFolder::open(run)?;
    let mut float = FloatRun::open_sampler(&folder)?;
    let source = Source::find(run)?;
    let bytes = if args.plans.is_empty() {
        source.bytes()?
    } else {
        float.recipe.blob.plans.clone_from(&args.plans);
        make_blob(&float, &CalibrationOptions::default())?.0.blob
    };
    let model = parse(&source.path, &bytes)?;
    float.check_blob(&source.path, &model)?;
    let asked = match args.class.as_str() {
        "all" => Asked::Shares,
        "none" => Asked::Nothing,
        name => Asked::One(class(&model, &BlobText::of(&model).classes, name)?),
    };
    if let Some(weight) = args.guidance {
        if model.classes() == 0 {
            bail!(
                "--guidance {weight}: the model has no classes to guide to; train with --class-conditional and labels"
            );
        }
        if asked == Asked::Nothing {
            bail!("--guidance {weight}: --class none leaves nothing to guide to; leave one of them out");
        }
    }
    let data = Prepared::load(&float.recipe.data)?;
    let noising = float.recipe.noise.noising();
    if args.likelihood || args.bound {
        let options = LikelihoodOptions {
            rows: args.rows as usize,
            seed: args.seed,
            flow: args.likelihood,
            bound: args.bound,
            asked,
            ..LikelihoodOptions::default()
        };
        let rows = likelihood_rows(&float.network, &noising, &data, options)?;
        return args.format.print(&rows, |rows| crate::likelihood::to_text(rows));
    }
    let set = LevelSet::build(&float.recipe.blob.plans, &noising)?;
    let assessment = match asked {
        Asked::One(class) => Assessment::of_class(&data, class)
            .with_context(|| format!("--class {}: too few rows of that class", args.class))?,
        _ => Assessment::new(&data)?,
    };
    eprintln!("measuring {BLOCKS} blocks of {} samples for each plan", assessment.pool_size() / BLOCKS);
    let wanted = Draw { seed: args.seed, asked, guidance: args.guidance };
    let rows = assessment.table(draw(&assessment, &float.network, &noising, &set, Some(&model), wanted))?;
    finish(args, &rows, &data.summary.classes)
}

/// Writes the table where it was asked for.
fn finish(args: &Args, rows: &Vec<QualityRow>, classes: &[String]) -> anyhow::Result<()> {
    if let Some(path) = &args.csv {
        write_atomically(path, |out| out.write_all(to_csv(rows).as_bytes()))?;
    }
    args.format.print(rows, |rows| {
        let balance = balance_text(rows, classes);
        to_text(rows) + if balance.is_empty() { "" } else { "\n" } + &balance
    })
}
