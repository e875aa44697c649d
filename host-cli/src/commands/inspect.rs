//! `mote inspect`

use std::path::PathBuf;

use super::output::Format;
use super::source::{Source, parse};
use crate::inspection::Inspection;

/// Arguments of `mote inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: mote inspect runs/demo/model.mote --json")]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = parse(&source.path, &bytes)?;
    args.format.print(&Inspection::of(&model), Inspection::to_text)
}
