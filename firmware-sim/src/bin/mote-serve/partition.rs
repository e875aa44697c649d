//! The two slots: halves of the model partition.

use crate::nvmc::Nvmc;
use mote_boards::{Region, Storage};
use mote_firmware::BOARD;
use mote_link::slots::{EmulatedFlash, Flash, FlashError};

/// Bytes of a sector where memory stands for flash.
const SECTOR_BYTES: usize = 4096;

/// A slot's flash, of the kind that the board has.
pub enum Slot {
    /// Memory that behaves as flash.
    Memory(EmulatedFlash<'static>),
    /// The nRF51's own.
    Nvmc(Nvmc),
}

/// Both slots. What they hold at the start is what was flashed, or what the emulator loaded there.
///
/// To be called once.
pub fn slots() -> [Slot; 2] {
    let Region { origin, bytes } = BOARD.model;
    let half = bytes / 2;
    [origin, origin + half].map(|origin| match BOARD.storage {
        Storage::Memory => {
            let start = core::ptr::with_exposed_provenance_mut::<u8>(origin as usize);
            // SAFETY: the board maps this region as memory and the image has nothing in it; the two halves do not overlap, and this
            // function, called once, is the only one that names them.
            let memory = unsafe { core::slice::from_raw_parts_mut(start, half as usize) };
            Slot::Memory(EmulatedFlash::new(memory, SECTOR_BYTES))
        }
        Storage::Nvmc { base } => Slot::Nvmc(Nvmc::new(base, Region { origin, bytes: half })),
    })
}

impl Flash for Slot {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Memory(flash) => flash.bytes(),
            Self::Nvmc(flash) => flash.bytes(),
        }
    }

    fn sector_bytes(&self) -> usize {
        match self {
            Self::Memory(flash) => flash.sector_bytes(),
            Self::Nvmc(flash) => flash.sector_bytes(),
        }
    }

    fn erase(&mut self, sector: usize) -> Result<(), FlashError> {
        match self {
            Self::Memory(flash) => flash.erase(sector),
            Self::Nvmc(flash) => flash.erase(sector),
        }
    }

    fn program(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
        match self {
            Self::Memory(flash) => flash.program(offset, bytes),
            Self::Nvmc(flash) => flash.program(offset, bytes),
        }
    }
}
