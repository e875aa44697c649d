use core::fmt;

/// Bytes that flash is programmed in at once: as many as the widest flash word of common parts (the STM32H7's 256 bits), and a multiple of
/// all narrower ones.
pub const PROGRAM_BYTES: usize = 32;

/// Flash did not do as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashError;

impl fmt::Display for FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the flash did not do as it was told")
    }
}

impl core::error::Error for FlashError {}

/// The flash of one slot, which the processor sees as memory: erased by the sector to ones, and programmed, where it is erased, once.
///
/// A model runs where it lies, so its bytes start at a multiple of 16.
pub trait Flash {
    /// What it holds.
    fn bytes(&self) -> &[u8];

    /// Bytes of a sector, a multiple of [`PROGRAM_BYTES`].
    fn sector_bytes(&self) -> usize;

    /// Sets all bits of a sector.
    ///
    /// # Errors
    /// [`FlashError`] past the end, or when the flash says so.
    fn erase(&mut self, sector: usize) -> Result<(), FlashError>;

    /// Clears bits: `bytes` is written to an erased place; both its start and its length are multiples of [`PROGRAM_BYTES`].
    ///
    /// # Errors
    /// [`FlashError`] past the end, off the grid, or when the flash says so.
    fn program(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashError>;
}

/// Memory that behaves as flash: programming can only clear bits, and erasing sets those of a whole sector.
#[derive(Debug)]
pub struct EmulatedFlash<'a> {
    bytes: &'a mut [u8],
    sector_bytes: usize,
}

impl<'a> EmulatedFlash<'a> {
    /// Flash over this memory, in whole sectors; what is left at its end is not used.
    #[must_use]
    pub fn new(bytes: &'a mut [u8], sector_bytes: usize) -> Self {
        let whole = bytes.len() - bytes.len().checked_rem(sector_bytes).unwrap_or(0);
        Self { bytes: bytes.get_mut(..whole).unwrap_or_default(), sector_bytes }
    }
}

impl Flash for EmulatedFlash<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn sector_bytes(&self) -> usize {
        self.sector_bytes
    }

    fn erase(&mut self, sector: usize) -> Result<(), FlashError> {
        let start = sector.checked_mul(self.sector_bytes).ok_or(FlashError)?;
        let sector = self.bytes.get_mut(start..).and_then(|rest| rest.get_mut(..self.sector_bytes));
        sector.ok_or(FlashError)?.fill(0xff);
        Ok(())
    }

    fn program(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
        if !offset.is_multiple_of(PROGRAM_BYTES) || !bytes.len().is_multiple_of(PROGRAM_BYTES) {
            return Err(FlashError);
        }
        let place = self.bytes.get_mut(offset..).and_then(|rest| rest.get_mut(..bytes.len())).ok_or(FlashError)?;
        for (there, byte) in place.iter_mut().zip(bytes) {
            *there &= byte;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programming_only_clears_bits_and_erasing_sets_a_sector() {
        let mut memory = [0xff; 200];
        let mut flash = EmulatedFlash::new(&mut memory, 64);
        assert_eq!(flash.bytes().len(), 192);
        flash.program(32, &[0x0f; 32]).unwrap();
        flash.program(32, &[0xf1; 32]).unwrap();
        assert_eq!(flash.bytes()[31..33], [0xff, 0x01]);
        flash.program(64, &[0; 32]).unwrap();
        flash.erase(0).unwrap();
        assert_eq!(flash.bytes()[..64], [0xff; 64]);
        assert_eq!(flash.bytes()[64], 0);
        for (offset, length) in [(16, 32), (32, 16), (192, 32), (usize::MAX - 31, 32)] {
            assert_eq!(flash.program(offset, &[0; 32][..length]), Err(FlashError));
        }
        assert_eq!((flash.erase(3), flash.erase(usize::MAX)), (Err(FlashError), Err(FlashError)));
    }
}
