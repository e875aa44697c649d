//! `mote demo`: the main job, end to end.

use std::path::{Path, PathBuf};

use mote_core::model::Model;

use super::run_page::{More, RunPage};
use super::train::{Finished, prepare, train};
use super::{CheckFailed, output};
use crate::board::{self, BoardCheck};
use crate::data::Split;
use crate::evaluation::{Assessment, QualityRow, float_and_quantised, to_text};
use crate::files::write_atomically;
use crate::inspection::{Inspection, bytes};
use crate::network::Activation;
use crate::recipe::Recipe;
use crate::run::RunFolder;
use crate::training_run::{CHECKPOINT_EVERY, Trained, interrupt_switch};

/// Arguments of `mote demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Trains on the even rows of 1,797 scans of handwritten digits, measures against the odd ones, and runs the blob in the \
    firmware image under QEMU where that is installed (`cargo xtask setup` installs it). About two minutes on two cores. The samples are of all classes, in the shares of the training rows."
)]
pub(super) struct Args {
    /// Folder of the run; an earlier demo in it is replaced, an interrupted one is gone on with.
    #[arg(long, default_value = "runs/demo")]
    out: PathBuf,
    /// Training steps; fewer are quicker and worse.
    #[arg(long, default_value_t = 18_000, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Seed of training and samples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Leave the board out.
    #[arg(long)]
    no_board: bool,
}

/// The first was found by `mote search-plan --evaluations 5 --by energy --refine 1 --passes 4 --samples 900`, which compares with training rows alone.
const PLANS: [&str; 2] = ["unipc2:5:[-4.6,-0.962,-0.41,1.71,4.447]", "dpm++2m-sde:20:karras4"];

fn recipe(args: &Args) -> Recipe {
    let mut recipe = Recipe::default();
    recipe.data.split = Split::Alternate;
    recipe.training.steps = args.steps;
    recipe.training.seed = args.seed;
    recipe.network.activation = Activation::Silu;
    recipe.network.class_conditional = true;
    // Chosen by the figures on the held-out rows (`mote frontier`): more decay, fewer copies of training rows.
    recipe.training.weight_decay = 0.3;
    recipe.blob.plans = PLANS.map(|plan| plan.parse().expect("a plan of the documented form")).into();
    recipe
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let recipe = recipe(args);
    let data = prepare(&recipe)?;
    let (folder, resume) = folder(&args.out, &recipe)?;
    let switch = interrupt_switch()?;
    let Finished { trained, quantized, levels } = train(&folder, &recipe, &data, resume, &switch, CHECKPOINT_EVERY)?;
    let model = Model::parse(&quantized.blob)?;

    eprintln!("measuring quality: ten blocks of {} samples, float and int8", data.raw_test.len() / data.dim());
    let noising = recipe.noise.noising();
    let assessment = Assessment::new(&data)?;
    let seed = args.seed.wrapping_add(7);
    let quality = float_and_quantised(&assessment, &trained.network, &noising, &levels, &model, seed)?;
    write_atomically(&folder.file("quality.json"), |out| Ok(serde_json::to_writer_pretty(out, &quality)?))?;

    let checked = if args.no_board {
        BoardCheck::Unavailable("left out by --no-board".into())
    } else {
        eprintln!("running the blob in the firmware image under QEMU");
        board::check(&folder.model(), &model)?
    };
    let root = folder.root().display();
    let inspection = RunPage {
        folder: &folder,
        title: "Handwritten digits, 8x8",
        recipe: &recipe,
        data: &data,
        metrics: &trained.metrics,
        model: &model,
        quality: &quality,
        board: checked.report(),
        commands: &[
            format!("mote demo --steps {} --seed {} --out {root}", args.steps, args.seed),
            "# or, in parts:".into(),
            format!("mote train --recipe {root}/recipe.toml --out {root} --force"),
            format!("mote evaluate {root} --seed {seed}"),
            format!("mote firmware bench --model {root}"),
            format!("mote report {root}"),
        ],
        more: More::default(),
    }
    .write(&folder.report())?;
    if let Some(report) = checked.report() {
        write_atomically(&folder.board(), |out| Ok(serde_json::to_writer_pretty(out, report)?))?;
    }
    output::text(&summary(&folder, &trained, &quality, &inspection, &checked))?;
    match checked {
        BoardCheck::Done(report) if !report.bits_equal => {
            Err(CheckFailed("the board's bits differ from the host's".into()).into())
        }
        _ => Ok(()),
    }
}

/// The folder, and whether an interrupted demo with the same recipe is in it. A run that is no demo is left alone.
fn folder(root: &Path, recipe: &Recipe) -> anyhow::Result<(RunFolder, bool)> {
    let Ok(run) = RunFolder::open(root) else { return Ok((RunFolder::create(root, false)?, false)) };
    let mut earlier = Recipe::read(&run.recipe())?;
    if earlier == *recipe && run.checkpoint().exists() && !run.model().exists() {
        eprintln!("going on with the interrupted demo in {}", root.display());
        return Ok((run, true));
    }
    (earlier.training.steps, earlier.training.seed) = (recipe.training.steps, recipe.training.seed);
    Ok((RunFolder::create(root, earlier == *recipe)?, false))
}

fn summary(
    folder: &RunFolder,
    trained: &Trained,
    quality: &[QualityRow],
    inspection: &Inspection,
    checked: &BoardCheck,
) -> String {
    let mut text = format!("\n{}\n", to_text(quality));
    let mut line = |name: &str, value: &str| text += &format!("{name:<28}{value}\n");
    if trained.steps_here > 0 {
        let rate = trained.steps_here as f64 / trained.seconds_here;
        line("training", &format!("{} steps, {rate:.0} a second", trained.steps_here));
    }
    line("blob", &bytes(inspection.flash.total));
    line("working memory", &bytes(inspection.arena_bytes));
    match checked {
        BoardCheck::Done(report) => {
            line("board", &report.board);
            for (name, value) in &report.lines {
                line(name, value);
            }
            line("bits", if report.bits_equal { "equal on host and board" } else { "DIFFERENT on host and board" });
        }
        BoardCheck::Unavailable(reason) => line("board", &format!("not run: {reason}")),
    }
    line("report", &folder.report().display().to_string());
    text
}
