//! `mote frontier`

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};

use super::Interrupted;
use super::output::Format;
use crate::evaluation::{Assessment, Draw, draw};
use crate::files::write_atomically;
use crate::network::FloatNetwork;
use crate::plan::{LevelSet, PlanSpec};
use crate::recipe::Recipe;
use crate::report::{FrontierPoint, read_frontier};
use crate::run::{Prepared, RunFolder};
use crate::training_run::{CHECKPOINT_EVERY, Outcome, interrupt_switch, train_into};

/// Arguments of `mote frontier`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every pair of a length and a decay is one training run. Lines are kept in frontier.csv as they come, and pairs that are there already are not trained \
    again, so that a stopped search goes on. `mote report` shows the chart of a run's folder that holds the file.\n\n\
    Example: mote frontier runs/digits --steps 4000,8000,16000,32000 --weight-decay 0,0.1,0.2,0.4"
)]
pub(super) struct Args {
    /// Folder of a run: its recipe is what is varied, and frontier.csv goes there.
    run: PathBuf,
    /// Training lengths.
    #[arg(long, value_delimiter = ',', default_value = "4000,8000,16000,24000", value_name = "N,N,..", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Vec<u64>,
    /// Decoupled weight decays.
    #[arg(long, value_delimiter = ',', default_value = "0,0.1,0.2,0.4", value_name = "W,W,..")]
    weight_decay: Vec<f32>,
    /// The sampler. Default: the recipe's first.
    #[arg(long)]
    plan: Option<PlanSpec>,
    /// Seed of the samples.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let mut recipe = Recipe::read(&folder.recipe())?;
    if recipe.distillation.is_some() {
        bail!("{} is a student, which is not trained on data; give its teacher's run", args.run.display());
    }
    if let Some(plan) = &args.plan {
        recipe.blob.plans = vec![plan.clone()];
    }
    recipe.blob.plans.truncate(1);
    let plan = recipe.blob.plans.first().context("the recipe has no plan; give one with --plan")?.to_string();
    let data = Prepared::load(&recipe.data)?;
    let assessment = Assessment::new(&data)?;
    let path = folder.file("frontier.csv");
    let mut points = read_frontier(&path)?;
    let switch = interrupt_switch()?;
    for decay in &args.weight_decay {
        for steps in &args.steps {
            let label = format!("weight decay {decay}, {plan}");
            if points.iter().any(|point| point.steps == *steps && point.regularisation == label) {
                continue;
            }
            recipe.training.steps = *steps;
            recipe.training.weight_decay = *decay;
            eprintln!("{steps} steps, {label}");
            let network = trained(&recipe, &data, &switch)?;
            let noising = recipe.noise.noising();
            let set = LevelSet::build(&recipe.blob.plans, &noising)?;
            let wanted = Draw { seed: args.seed, ..Draw::default() };
            let rows = assessment.table(draw(&assessment, &network, &noising, &set, None, wanted))?;
            let quality = &rows.last().context("no row was measured")?.quality;
            points.push(FrontierPoint {
                steps: *steps,
                regularisation: label,
                memorisation: quality.memorisation.map_or(f64::NAN, |figure| figure.mean),
                sliced_w2: quality.sliced_w2.mean,
                frechet: quality.frechet.mean,
                nearest_neighbour: quality.nearest_neighbour.mean,
            });
            write(&path, &points)?;
        }
    }
    args.format.print(&points, |points| to_text(points))
}

/// Trains in a folder of its own, which is removed afterwards.
fn trained(recipe: &Recipe, data: &Prepared, switch: &AtomicBool) -> anyhow::Result<FloatNetwork> {
    let place = tempfile::tempdir()?;
    let folder = RunFolder::create(&place.path().join("run"), false)?;
    match train_into(&folder, recipe, data, false, switch, CHECKPOINT_EVERY)? {
        Outcome::Finished(trained) if !switch.load(Ordering::SeqCst) => Ok(trained.network),
        _ => Err(Interrupted(
            "stopped; what was measured so far is in frontier.csv, and the same command goes on".into(),
        )
        .into()),
    }
}

fn write(path: &std::path::Path, points: &[FrontierPoint]) -> anyhow::Result<()> {
    write_atomically(path, |out| {
        let mut csv = csv::Writer::from_writer(out);
        for point in points {
            csv.serialize(point).map_err(std::io::Error::other)?;
        }
        csv.flush()
    })?;
    Ok(())
}

fn to_text(points: &[FrontierPoint]) -> String {
    let width = points.iter().map(|point| point.regularisation.len()).max().unwrap_or(0);
    let mut text =
        format!("{:>7}  {:width$} {:>8} {:>9} {:>8} {:>7}\n", "steps", "", "memoris.", "sliced W2", "Frechet", "1-NN");
    for point in points {
        text += &format!(
            "{:>7}  {:width$} {:>8.3} {:>9.4} {:>8.3} {:>7.3}\n",
            point.steps,
            point.regularisation,
            point.memorisation,
            point.sliced_w2,
            point.frechet,
            point.nearest_neighbour
        );
    }
    text
}
