use crate::{Client, Error, Line};
use mote_core::model::Model;
use mote_link::frame::checksum;
use mote_link::message::{PART_MAX, Request};
use mote_link::slots::{MODEL_OFFSET, SlotHeader};

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes that the device has.
    pub bytes: usize,
    /// Bytes in all.
    pub of: usize,
}

/// The bytes of a slot that holds this model as its first one: what a flashing tool, or an emulator, puts at the slot's address.
///
/// # Errors
/// [`Error::Model`] when the blob is no model.
pub fn slot_image(blob: &[u8]) -> Result<Vec<u8>, Error> {
    Model::parse(blob)?;
    let header = SlotHeader { sequence: 1, bytes: blob.len() as u32, crc: checksum(blob) };
    let mut slot = header.to_bytes().to_vec();
    slot.extend(header.switch());
    debug_assert_eq!(slot.len(), MODEL_OFFSET);
    slot.extend(blob);
    Ok(slot)
}

impl<L: Line> Client<L> {
    /// Replaces the device's model: writes it to the slot that does not run, has it read back, parsed and run there, and switches to it.
    ///
    /// Whatever happens on the way, the device goes on with the model that it has.
    ///
    /// # Errors
    /// [`Error::Refused`] with the device's reason; then the update is given up.
    pub fn update(&mut self, blob: &[u8], mut progress: impl FnMut(Written)) -> Result<(), Error> {
        let result = self.write_update(blob, &mut progress);
        if let Err(Error::Refused { .. }) = result {
            // There may be none to give up, and what is said is why the update failed.
            let _ = self.tell(&Request::UpdateAbort);
        }
        result
    }

    fn write_update(&mut self, blob: &[u8], progress: &mut impl FnMut(Written)) -> Result<(), Error> {
        self.tell(&Request::UpdateBegin { bytes: blob.len() as u32, crc: checksum(blob) })?;
        for (part, offset) in blob.chunks(PART_MAX).zip((0..).step_by(PART_MAX)) {
            self.tell(&Request::UpdateWrite { offset, bytes: part })?;
            progress(Written { bytes: offset as usize + part.len(), of: blob.len() });
        }
        self.tell(&Request::UpdateVerify)?;
        self.tell(&Request::UpdateCommit)
    }
}
