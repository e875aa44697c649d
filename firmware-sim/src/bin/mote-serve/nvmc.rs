//! The flash of Nordic's nRF51 (nRF51 Series Reference Manual, chapter "NVMC"): pages of 1 KiB, programmed by the word.
//!
//! The processor stands still while a page is erased, about 21 ms.

use mote_boards::Region;
use mote_link::slots::{Flash, FlashError, PROGRAM_BYTES};

const PAGE_BYTES: usize = 1024;
const READY: u32 = 0x400;
const CONFIG: u32 = 0x504;
const ERASE_PAGE: u32 = 0x508;
/// Of `CONFIG`: only reading, programming, erasing.
const READ: u32 = 0;
const WRITE: u32 = 1;
const ERASE: u32 = 2;

/// A stretch of the chip's flash.
pub struct Nvmc {
    controller: u32,
    region: Region,
}

impl Nvmc {
    /// Whole pages of flash that the image has nothing in, behind the controller at this address.
    pub fn new(controller: u32, region: Region) -> Self {
        Self { controller, region }
    }

    fn register(&self, offset: u32) -> *mut u32 {
        core::ptr::with_exposed_provenance_mut((self.controller + offset) as usize)
    }

    fn wait(&self) {
        // SAFETY: a register of the board's flash controller, which only this image uses; reading it disturbs nothing.
        while unsafe { self.register(READY).read_volatile() } & 1 == 0 {}
    }

    /// Sets what may be done with the flash.
    fn allow(&self, what: u32) {
        // SAFETY: as in `wait`; nothing holds a view of this flash while it is written, as writing takes it by `&mut`.
        unsafe { self.register(CONFIG).write_volatile(what) };
        self.wait();
    }
}

impl Flash for Nvmc {
    fn bytes(&self) -> &[u8] {
        let start = core::ptr::with_exposed_provenance::<u8>(self.region.origin as usize);
        // SAFETY: the board maps this region as flash, the image has nothing in it, and only `erase` and `program` change it, by `&mut self`.
        unsafe { core::slice::from_raw_parts(start, self.region.bytes as usize) }
    }

    fn sector_bytes(&self) -> usize {
        PAGE_BYTES
    }

    fn erase(&mut self, sector: usize) -> Result<(), FlashError> {
        let start =
            sector.checked_mul(PAGE_BYTES).filter(|start| *start < self.region.bytes as usize).ok_or(FlashError)?;
        self.allow(ERASE);
        // SAFETY: as in `allow`; the address is that of a page of this region.
        unsafe { self.register(ERASE_PAGE).write_volatile(self.region.origin + start as u32) };
        self.wait();
        self.allow(READ);
        Ok(())
    }

    fn program(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
        let on_the_grid = offset.is_multiple_of(PROGRAM_BYTES) && bytes.len().is_multiple_of(PROGRAM_BYTES);
        let end = offset.checked_add(bytes.len()).filter(|end| on_the_grid && *end <= self.region.bytes as usize);
        end.ok_or(FlashError)?;
        self.allow(WRITE);
        let mut address = self.region.origin as usize + offset;
        for word in bytes.as_chunks::<4>().0 {
            // SAFETY: a word of this region, by the check above, and nothing holds a view of it.
            unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(u32::from_le_bytes(*word)) };
            self.wait();
            address += 4;
        }
        self.allow(READ);
        Ok(())
    }
}
