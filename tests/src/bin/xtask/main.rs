//! The project's own commands: `cargo xtask test` runs everything that a change must pass.

mod generated;
mod mutants;
mod report;
mod run;
mod setup;
mod signals;
mod stages;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Mote's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything: set-up, format, lints, tests in debug and release, boards, documentation
    Test(stages::Options),
    /// Put errors into a copy of the sources, one at a time: rows of `mote theory` must notice each, for every seed
    Mutants(mutants::Options),
    /// Install what the tests need: the boards' targets, rustfmt, clippy, QEMU
    Setup,
    /// Write the generated tables of core
    Tables,
    /// Write the header of the C library
    Header,
    /// Write test windows of real signals, with their noise and gaps, as .npy files
    Signals {
        /// Folder to write to
        folder: PathBuf,
    },
    /// Write the models with random weights that are kept in the repository
    Golden {
        /// Overwrite files that a released version must read
        #[arg(long)]
        force: bool,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all that was checked holds.
fn run() -> Result<bool> {
    let arguments = Arguments::parse();
    // Every path and every command below starts at the repository's root.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))?;
    match arguments.command {
        Command::Test(options) => return stages::test(&options),
        Command::Mutants(options) => return mutants::run(&options),
        Command::Setup => setup::install(setup::Boards::Wanted)?,
        Command::Tables => generated::write_tables()?,
        Command::Header => generated::write_header()?,
        Command::Signals { folder } => signals::write_all(&folder)?,
        Command::Golden { force } => {
            generated::write_models(if force { generated::Released::Overwrite } else { generated::Released::Keep })?
        }
    }
    Ok(true)
}
