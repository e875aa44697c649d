//! The `mote` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mote_cli::commands::main()
}
