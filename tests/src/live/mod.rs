//! Live devices for tests: one in a thread of this process, lines that spoil what passes, and frames that are nearly right.

mod chaos;
mod host;
mod storm;
mod thread;

pub use chaos::{Chaos, Spoilt};
pub use host::{Host, bits, normals};
pub use storm::Storm;
pub use thread::{Board, CALIBRATION, Wire};

use mote_link::slots::EmulatedFlash;

/// Bytes of a sector of the tests' flash.
pub const SECTOR_BYTES: usize = 512;

/// Two slots of emulated flash over memory that outlives the device.
pub fn flash(memory: &mut [Vec<u8>; 2]) -> [EmulatedFlash<'_>; 2] {
    memory.each_mut().map(|slot| EmulatedFlash::new(aligned(slot), SECTOR_BYTES))
}

/// The part of some memory that starts at a multiple of 16.
fn aligned(memory: &mut [u8]) -> &mut [u8] {
    let skip = memory.as_ptr().align_offset(16);
    &mut memory[skip..]
}

/// Memory for two slots with this much room, the first one holding a slot's bytes.
pub fn memory(room: usize, slot: &[u8]) -> [Vec<u8>; 2] {
    let mut memory = [vec![0xff; room + 16], vec![0xff; room + 16]];
    aligned(&mut memory[0])[..slot.len()].copy_from_slice(slot);
    memory
}
