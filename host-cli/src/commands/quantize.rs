//! `mote quantize`

use std::path::PathBuf;

use mote_core::model::Model;

use super::source::FloatRun;
use crate::files::write_atomically;
use crate::inspection::bytes;
use crate::plan::{LevelSet, PlanSpec};
use crate::quantize::{ActivationBits, BlobDetails, CalibrationOptions, Quantized, quantize};
use crate::run::RunFolder;

/// Arguments of `mote quantize`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: mote quantize runs/digits --plan dpm++2m:10 --plan ddpm:50 --out digits.mote")]
pub(super) struct Args {
    /// Folder of a trained run.
    run: PathBuf,
    /// A sampler for the blob, SAMPLER:STEPS[:GRID]; give it several times for several. Default: the recipe's.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<PlanSpec>,
    /// Width of activation codes. Default: the recipe's.
    #[arg(long, value_enum)]
    activation_bits: Option<ActivationBits>,
    /// Trajectories of each plan that the scales are calibrated on.
    #[arg(long, default_value_t = CalibrationOptions::default().samples, value_parser = clap::value_parser!(u16).range(8..))]
    calibration_samples: u16,
    /// Where the blob goes. Default: model.mote in the run's folder.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let mut float = FloatRun::open(&folder)?;
    if !args.plans.is_empty() {
        float.recipe.blob.plans.clone_from(&args.plans);
    }
    if let Some(bits) = args.activation_bits {
        float.recipe.blob.activation_bits = bits;
    }
    let calibration = CalibrationOptions { samples: args.calibration_samples, ..Default::default() };
    let (quantized, _) = make_blob(&float, &calibration)?;
    let out = args.out.clone().unwrap_or_else(|| folder.model());
    write_atomically(&out, |file| file.write_all(&quantized.blob))?;
    eprintln!("wrote {}: {}", out.display(), summary(&quantized)?);
    Ok(())
}

/// Quantises a run by its recipe.
pub(super) fn make_blob(float: &FloatRun, calibration: &CalibrationOptions) -> anyhow::Result<(Quantized, LevelSet)> {
    let FloatRun { recipe, summary, network } = float;
    let noising = recipe.noise.noising();
    let set = LevelSet::build(&recipe.blob.plans, &noising)?;
    let text = summary.blob_text(recipe);
    let details = BlobDetails {
        scaling: &summary.scaling,
        image: summary.image,
        text: &text,
        self_test_seed: recipe.training.seed,
    };
    let quantized = quantize(network, &noising, &set, recipe.blob.activation_bits, calibration, &details)?;
    for warning in &quantized.warnings {
        eprintln!("warning: {warning}");
    }
    Ok((quantized, set))
}

/// A blob in one line.
pub(super) fn summary(quantized: &Quantized) -> anyhow::Result<String> {
    let model = Model::parse(&quantized.blob)?;
    let plans: Vec<_> = model.plans().map(|plan| plan.name.to_string()).collect();
    Ok(format!(
        "{}, {} of working memory, plans {}",
        bytes(quantized.blob.len()),
        bytes(model.arena_bytes()),
        plans.join(", ")
    ))
}
