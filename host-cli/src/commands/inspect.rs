//! `mote inspect`

use std::path::PathBuf;

use serde::Serialize;

use super::chip::Chip;
use super::output::Format;
use super::source::{Source, parse};
use crate::fit::OnBoard;
use crate::inspection::Inspection;

/// Arguments of `mote inspect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What a board takes is what `mote fit` says of a network before it is trained: bytes are those of Mote's own image; instructions are QEMU's to some per cent, \
    for a sample without guidance and weights in row pairs; cycles are a range, since flash and buses wait differently on every chip.\n\n\
    Examples:\n  mote inspect runs/demo/model.mote --json\n  mote inspect runs/demo --board microbit --clock 16MHz"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run.
    model: PathBuf,
    #[command(flatten)]
    chip: Chip,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    blob: Inspection,
    on_board: OnBoard,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::find(&args.model)?;
    let bytes = source.bytes()?;
    let model = parse(&source.path, &bytes)?;
    let on_board = OnBoard::of(&model, args.chip.board, args.chip.clock);
    let page = Page { blob: Inspection::of(&model), on_board };
    args.format.print(&page, |page| page.blob.to_text() + &page.on_board.to_text())
}
