//! The model: the one in its partition of the flash, or else a small one that is built in.

use mote_core::model::HEADER_BYTES;
use mote_firmware::BOARD;

/// A model with random weights, two components and two plans, so that an image without a model can show that it works.
static BUILT_IN: &[u8] = include_bytes!("../../../models/built-in.mote");

/// Where the model came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The partition.
    Partition,
    /// The image itself.
    BuiltIn,
}

/// The bytes to parse: those of the partition, as many as their header says, if they start with a model's magic.
pub fn find() -> (&'static [u8], Source) {
    let start = core::ptr::with_exposed_provenance::<u8>(BOARD.model.origin as usize);
    // SAFETY: the board maps this region, the image has nothing in it, and nothing writes to it while the image runs.
    let partition = unsafe { core::slice::from_raw_parts(start, BOARD.model.bytes as usize) };
    if !partition.starts_with(b"MOTE") {
        return (BUILT_IN, Source::BuiltIn);
    }
    let stated = partition.get(8..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // Whatever is wrong with this length, parsing finds it: no shorter than a header, no longer than the partition.
    let length = (stated as usize).max(HEADER_BYTES).min(partition.len());
    (partition.get(..length).unwrap_or(partition), Source::Partition)
}
