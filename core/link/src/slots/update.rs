use super::{Flash, MODEL_OFFSET, PROGRAM_BYTES, Room, SlotHeader, check_model};
use crate::frame::checksum;
use crate::status::{Status, Verdict};
use mote_core::model::ALIGNMENT;

/// An update in the making: begun, written from its start to its end, verified, committed.
///
/// The order of what is written is what keeps a device alive. The slot of the running model is never touched. The other one's header goes first
/// and comes last: from the first erased sector on that slot is no model's, until one unit of flash, the switch, is programmed, after the bytes
/// below it were read back, parsed and run.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    header: SlotHeader,
    written: usize,
    /// Sectors from the start that are erased.
    erased: usize,
    verified: bool,
}

impl Update {
    /// Begins an update of so many bytes with this CRC-32, and erases the slot's header; `sequence` is to be above the other slot's.
    ///
    /// # Errors
    /// [`Status`] when the model does not fit, or the flash fails.
    pub fn begin(flash: &mut impl Flash, bytes: u32, crc: u32, sequence: u32) -> Result<Self, Status> {
        let header = SlotHeader { sequence, bytes, crc };
        if bytes == 0 || !(bytes as usize).is_multiple_of(ALIGNMENT) {
            return Err(Status::BadLength);
        }
        if !header.fits(super::room(flash)) {
            return Err(Status::TooLarge);
        }
        let mut update = Self { header, written: 0, erased: 0, verified: false };
        update.erase_to(flash, MODEL_OFFSET)?;
        Ok(update)
    }

    /// Erases sectors up to the one that this many bytes of the slot end in.
    fn erase_to(&mut self, flash: &mut impl Flash, end: usize) -> Result<(), Status> {
        let size = flash.sector_bytes();
        while self.erased.checked_mul(size).ok_or(Status::Flash)? < end {
            flash.erase(self.erased).map_err(|_| Status::Flash)?;
            let sector = flash.bytes().get(self.erased * size..).and_then(|rest| rest.get(..size));
            if !sector.is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0xff)) {
                return Err(Status::Flash);
            }
            self.erased += 1;
        }
        Ok(())
    }

    /// Bytes that have been written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.written
    }

    /// Writes the next part: from where the last one ended, and a multiple of [`PROGRAM_BYTES`] except at the end.
    ///
    /// # Errors
    /// [`Status`] where the part is not the next one, or the flash does not hold it afterwards.
    pub fn write(&mut self, flash: &mut impl Flash, offset: u32, bytes: &[u8]) -> Result<(), Status> {
        let end = self.written.saturating_add(bytes.len());
        let whole = self.header.bytes as usize;
        let ends_well = end == whole || end < whole && bytes.len().is_multiple_of(PROGRAM_BYTES);
        if offset as usize != self.written || bytes.is_empty() || !ends_well {
            return Err(Status::UpdateGap);
        }
        self.verified = false;
        self.erase_to(flash, MODEL_OFFSET + end)?;
        let mut at = MODEL_OFFSET + self.written;
        for part in bytes.chunks(PROGRAM_BYTES) {
            // What is left of the last unit stays erased.
            let mut unit = [0xff; PROGRAM_BYTES];
            for (place, byte) in unit.iter_mut().zip(part) {
                *place = *byte;
            }
            program(flash, at, &unit)?;
            at += PROGRAM_BYTES;
        }
        self.written = end;
        Ok(())
    }

    /// Reads everything back, parses it and runs its self-test in the room given.
    ///
    /// # Errors
    /// [`Status::UpdateIncomplete`] with the bytes that are there, [`Status::UpdateRefused`] with the verdict's number.
    pub fn verify(&mut self, flash: &impl Flash, room: Room<'_>) -> Result<(), (Status, u32)> {
        if self.written != self.header.bytes as usize {
            return Err((Status::UpdateIncomplete, self.written as u32));
        }
        let refused = |verdict: Verdict| (Status::UpdateRefused, verdict.code());
        let models = flash.bytes().get(MODEL_OFFSET..).unwrap_or_default();
        let model = models.get(..self.written).ok_or(refused(Verdict::Length))?;
        if checksum(model) != self.header.crc {
            return Err(refused(Verdict::Checksum));
        }
        check_model(model, room).map_err(refused)?;
        self.verified = true;
        Ok(())
    }

    /// Writes the header, and then the switch: from that unit on the update is the newest model.
    ///
    /// # Errors
    /// [`Status::NotVerified`] before [`verify`](Self::verify), [`Status::Flash`] when the flash fails.
    pub fn commit(self, flash: &mut impl Flash) -> Result<SlotHeader, Status> {
        if !self.verified {
            return Err(Status::NotVerified);
        }
        program(flash, 0, &self.header.to_bytes())?;
        program(flash, PROGRAM_BYTES, &self.header.switch())?;
        Ok(self.header)
    }
}

/// Programs a unit, and reads it back.
fn program(flash: &mut impl Flash, at: usize, unit: &[u8; PROGRAM_BYTES]) -> Result<(), Status> {
    flash.program(at, unit).map_err(|_| Status::Flash)?;
    let there = flash.bytes().get(at..).and_then(|rest| rest.get(..PROGRAM_BYTES));
    if there == Some(unit.as_slice()) { Ok(()) } else { Err(Status::Flash) }
}
