//! The model in its partition, twice.

use crate::failure::Failure;
use mote_core::model::{HEADER_BYTES, Model};
use mote_firmware::BOARD;

/// The model at the start of the partition, and its copy one byte past the end of it.
pub fn models() -> Result<[Model<'static>; 2], Failure> {
    let start = core::ptr::with_exposed_provenance::<u8>(BOARD.model.origin as usize);
    // SAFETY: the board maps this region, the image has nothing in it, and nothing writes to it while the image runs.
    let partition = unsafe { core::slice::from_raw_parts(start, BOARD.model.bytes as usize) };
    let stated = partition.get(8..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // Whatever is wrong with this length, parsing finds it.
    let length = (stated as usize).max(HEADER_BYTES).min(partition.len());
    let (first, rest) = partition.split_at_checked(length).unwrap_or((partition, &[]));
    let second = rest.get(1..).and_then(|rest| rest.get(..length)).unwrap_or_default();
    Ok([Model::parse(first).map_err(Failure::Model)?, Model::parse(second).map_err(Failure::Model)?])
}
