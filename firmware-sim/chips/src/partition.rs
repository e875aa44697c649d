use core::slice;
use mote_core::model::HEADER_BYTES;

/// A model with random weights, two components and two plans, so that a chip without a model can show that it works.
static BUILT_IN: &Aligned<[u8]> = &Aligned(*include_bytes!("../../models/built-in.mote"));

/// The kernels want weights at a multiple of 16 bytes.
#[repr(align(16))]
struct Aligned<T: ?Sized>(T);

unsafe extern "C" {
    static _model_start: u8;
    static _model_end: u8;
}

/// The bytes to parse, and a word for where they lie: the partition, as many bytes as their header says, if it starts with a model's magic,
/// and otherwise the image.
pub(crate) fn find() -> (&'static [u8], &'static str) {
    let (start, end) = (&raw const _model_start, &raw const _model_end);
    // SAFETY: the linker's symbols are the bounds of a stretch of flash that nothing else lies in and nothing writes to.
    let partition = unsafe { slice::from_raw_parts(start, end.addr().wrapping_sub(start.addr())) };
    if !partition.starts_with(b"MOTE") {
        return (&BUILT_IN.0, "built-in");
    }
    let stated = partition.get(8..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // Whatever is wrong with this length, parsing finds it: no shorter than a header, no longer than the partition.
    let length = (stated as usize).max(HEADER_BYTES).min(partition.len());
    (partition.get(..length).unwrap_or(partition), "flashed")
}
