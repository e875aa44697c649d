//! `mote completions`

use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `mote completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "For bash: mote completions bash > ~/.local/share/bash-completion/completions/mote")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run<C: CommandFactory>(args: &Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "mote", &mut script);
    super::output::text(&String::from_utf8_lossy(&script))
}
