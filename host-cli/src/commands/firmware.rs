//! `mote firmware`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// x
    Run,
}
pub(super) fn run(_: &Verb) -> anyhow::Result<()> {
    Ok(())
}
