//! `mote device`

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use mote_device::command::{self, SelfTestFailed};

use super::CheckFailed;
use super::source::Source;
use crate::files::write_atomically;

/// Verbs of `mote device`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    #[command(flatten)]
    Live(Box<command::Verb>),
    /// Write a model as the bytes of a device's slot, for a flashing tool to put at the slot's address.
    #[command(after_help = "Example: mote device slot-image runs/demo --out slot0.bin")]
    SlotImage(SlotImage),
}

/// Arguments of `slot-image`.
#[derive(Debug, clap::Args)]
pub(super) struct SlotImage {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// Where to write it.
    #[arg(long)]
    out: PathBuf,
}

pub(super) fn run(verb: &Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Live(verb) => command::run(verb, &mut std::io::stdout().lock()).map_err(|error| {
            match error.downcast_ref::<SelfTestFailed>() {
                Some(failed) => CheckFailed(failed.to_string()).into(),
                None => error,
            }
        }),
        Verb::SlotImage(args) => {
            let path = Source::find(&args.model)?.path;
            let blob = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let slot = mote_device::slot_image(&blob).with_context(|| path.display().to_string())?;
            Ok(write_atomically(&args.out, |out| out.write_all(&slot))?)
        }
    }
}
