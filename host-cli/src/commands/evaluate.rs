//! `mote evaluate`

use std::path::PathBuf;

use super::output::Format;
use super::quantize::make_blob;
use super::source::{FloatRun, Source, parse};
use crate::evaluation::{Assessment, BLOCKS, float_and_quantised, to_text};
use crate::plan::{LevelSet, PlanSpec};
use crate::quantize::CalibrationOptions;
use crate::run::{Prepared, RunFolder};

/// Arguments of `mote evaluate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Distances are means over ten blocks of as many samples as there are test rows; float and int8 samples \
    share their noise. Digits are rounded to 17 grey levels and measured in -1..1; other data in training standard \
    deviations. Memorisation is the share of samples nearer to a training row than to any test row; what fresh data score is in brackets.\n\n\
    Example: mote evaluate runs/demo --json"
)]
pub(super) struct Args {
    /// Folder of a trained run.
    run: PathBuf,
    /// Measure these samplers, SAMPLER:STEPS[:GRID], instead of the ones in the run's blob; the blob stays as it is.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<PlanSpec>,
    /// Seed of the samples.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let mut float = FloatRun::open(&folder)?;
    let source = Source::find(&args.run)?;
    let bytes = if args.plans.is_empty() {
        source.bytes()?
    } else {
        float.recipe.blob.plans.clone_from(&args.plans);
        make_blob(&float, &CalibrationOptions::default())?.0.blob
    };
    let model = parse(&source.path, &bytes)?;
    let data = Prepared::load(&float.recipe.data)?;
    let noising = float.recipe.noise.noising();
    let set = LevelSet::build(&float.recipe.blob.plans, &noising)?;
    let assessment = Assessment::new(&data)?;
    eprintln!("measuring {BLOCKS} blocks of {} samples for each plan", assessment.pool_size() / BLOCKS);
    let rows = float_and_quantised(&assessment, &float.network, &noising, &set, &model, args.seed)?;
    args.format.print(&rows, |rows| to_text(rows))
}
