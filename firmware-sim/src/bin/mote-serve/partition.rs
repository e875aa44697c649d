//! The two slots: halves of the model partition, which on these emulated boards is memory and here behaves as flash.

use mote_firmware::BOARD;
use mote_link::slots::EmulatedFlash;

/// Bytes of a sector of the emulated flash.
const SECTOR_BYTES: usize = 4096;

/// Both slots. What they hold at the start is what the emulator loaded there, or zeros.
///
/// To be called once.
pub fn slots() -> [EmulatedFlash<'static>; 2] {
    let start = core::ptr::with_exposed_provenance_mut::<u8>(BOARD.model.origin as usize);
    // SAFETY: the board maps this region as memory, the image has nothing in it, and this function, called once, is the only one that names it.
    let partition = unsafe { core::slice::from_raw_parts_mut(start, BOARD.model.bytes as usize) };
    let (first, second) = partition.split_at_mut(BOARD.model.bytes as usize / 2);
    [EmulatedFlash::new(first, SECTOR_BYTES), EmulatedFlash::new(second, SECTOR_BYTES)]
}
