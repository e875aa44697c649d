//! `mote import`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::output::Format;
use super::quantize::{make_blob, summary};
use super::source::FloatRun;
use super::train::prepare;
use crate::checkpoint::save_state;
use crate::files::write_atomically;
use crate::import::{Imported, Proof, WeightFile};
use crate::quantize::CalibrationOptions;
use crate::recipe::Recipe;
use crate::run::{Prepared, RunError, RunFolder};
use crate::train::TrainingState;

/// Arguments of `mote import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The recipe says what the network looks like, what it predicts and what data it learned; its [import] section says how \
    the file names and orders things (docs/import.md has a script that exports from PyTorch). Where the file holds test_input, test_time and \
    test_output, the network must repeat them to 1e-5. The run can then be sampled, evaluated, quantised, reported, and trained on.\n\n\
    Example: mote import weights.safetensors --recipe digits.toml --out runs/imported"
)]
pub(super) struct Args {
    /// A safetensors file with the network's weights.
    weights: PathBuf,
    /// The recipe (TOML) of the network.
    #[arg(long, value_name = "FILE.toml")]
    recipe: PathBuf,
    /// Folder of the run. Default: runs/NAME, by the name of the data.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the run that the folder holds.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: Format,
}

/// What was imported, as JSON has it.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    run: &'a Path,
    parameters: usize,
    proof: Option<Proof>,
    unused_tensors: &'a [String],
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut recipe = Recipe::read(&args.recipe)?;
    let mut convention = recipe.import.take().unwrap_or_default();
    convention.weights = Some(args.weights.display().to_string());
    let bytes =
        std::fs::read(&args.weights).with_context(|| format!("cannot read the weights {}", args.weights.display()))?;
    let file = WeightFile::open(&args.weights, &bytes, &convention)?;
    if let Some(frequencies) = file.frequencies(recipe.network.features)? {
        recipe.network.frequencies = frequencies;
    }
    let unscaled = Prepared::load(&recipe.data)?.summary;
    let path = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&unscaled.name));
    if RunFolder::open(&path).is_ok() && !args.force {
        return Err(RunError::Exists { path }.into());
    }
    match file.scaling(unscaled.columns.len())? {
        Some(scaling) => recipe.data.fixed_scaling = Some(scaling),
        None if recipe.data.fixed_scaling.is_none() => eprintln!(
            "warning: the file has no data_mean and data_std: the network is taken to know data scaled by the training rows' mean and deviation"
        ),
        None => {}
    }
    let data = prepare(&recipe)?;
    let Imported { network, proof, unused } =
        file.network(&recipe.network.shape(data.dim(), data.summary.classes.len()))?;
    recipe.import = Some(convention.clone());
    match &proof {
        Some(proof) => eprintln!(
            "the outputs of {} tests agree: largest difference {:.1e} of the largest output, bound {:.1e}",
            proof.rows, proof.largest_difference, proof.allowed
        ),
        None => {
            eprintln!("warning: the file has no test_input, test_time and test_output: the weights are taken unproved")
        }
    }
    if !unused.is_empty() {
        eprintln!("warning: tensors without a use: {}", unused.join(", "));
    }
    let float = FloatRun { recipe, summary: data.summary.clone(), network };
    let (quantized, _) = make_blob(&float, &CalibrationOptions::default())?;

    let folder = RunFolder::create(&path, args.force)?;
    data.summary.write(&folder)?;
    let state = TrainingState::of_network(&float.network, 0, float.recipe.training.clone());
    save_state(&folder.checkpoint(), &state)?;
    write_atomically(&folder.model(), |out| out.write_all(&quantized.blob))?;
    // Last, since a folder with a recipe is a run.
    float.recipe.write(&folder.recipe())?;
    eprintln!("wrote {}: {}", folder.model().display(), summary(&quantized)?);
    let root = folder.root().display();
    eprintln!("next: mote evaluate {root}, mote sample {root}, mote report {root}");
    let parameters = float.network.parameter_count();
    let outcome = Outcome { run: folder.root(), parameters, proof, unused_tensors: &unused };
    args.format.print(&outcome, |_| String::new())
}
