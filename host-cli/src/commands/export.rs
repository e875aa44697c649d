//! `mote export`

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::detect::Judge;
use super::source::{Source, parse};
use crate::export::{Export, ExportedDetector, is_name};
use crate::files::write_atomically;

/// Arguments of `mote export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mote export runs/demo --format c --out firmware/model          model.h and model.c, for libmote.a (docs/c-library.md)
  mote export small.mote --format rust --out src --name wind     wind.mote and wind.rs, for `mod wind;` and mote-core
  mote export runs/demo --format blob --out partition            model.mote, for a partition of its own
  mote export runs/log --format rust --out src --calibration log.json   model.rs with `pub mod detector`")]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    /// What to write.
    #[arg(long, value_enum)]
    format: Format,
    /// The folder to write to; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The name of files and identifiers: small letters, digits and underscores.
    #[arg(long, default_value = "model")]
    name: String,
    /// A calibration of `mote detect --save-calibration`, for the module of Rust to hold a detector.
    #[arg(long, value_name = "FILE.json")]
    calibration: Option<PathBuf>,
}

/// What firmware takes a model as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The blob, and a module with its sizes, plans and self-test.
    Rust,
    /// A header with sizes, plans and self-test, and a source with the blob as an array.
    C,
    /// The blob alone, checked.
    Blob,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let name = &args.name;
    if !is_name(name) {
        bail!(
            "--name {name}: take small letters, digits and underscores, a letter first, at most 40, and not \"mote\", as in --name model"
        );
    }
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = parse(&source.path, &bytes)?;
    if args.calibration.is_some() && args.format != Format::Rust {
        bail!("--calibration: only a module of Rust holds a detector; say --format rust");
    }
    let judge = args.calibration.as_deref().map(|path| Judge::of_file(path, &bytes, &model)).transpose()?;
    let detector =
        judge.as_ref().map(|judge| ExportedDetector { calibration: &judge.calibration, levels: &judge.levels });
    let export = Export { name, blob: &bytes, model: &model, detector };
    let files = match args.format {
        Format::Rust => export.rust(),
        Format::C => export.c(),
        Format::Blob => export.blob(),
    };
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}; choose another by --out", args.out.display()))?;
    for file in &files {
        write_atomically(&args.out.join(&file.name), |out| out.write_all(&file.bytes))?;
    }
    for file in files {
        eprintln!("wrote {}", args.out.join(file.name).display());
    }
    Ok(())
}
