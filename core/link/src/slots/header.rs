use super::PROGRAM_BYTES;
use crate::frame::checksum;
use crate::message::SlotReport;
use crate::status::Verdict;
use mote_core::model::ALIGNMENT;

/// Where a slot's model starts: after the header and the switch, a unit of programming each.
pub const MODEL_OFFSET: usize = 2 * PROGRAM_BYTES;

/// What starts a slot.
const MAGIC: [u8; 4] = *b"MSLT";
/// What starts a switch.
const SWITCH: [u8; 4] = *b"GOOD";
/// The version of the slot's layout.
const FORMAT: u32 = 1;

/// What a slot's header says of its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotHeader {
    /// The number of the update: the larger of two is the newer.
    pub sequence: u32,
    /// Bytes of the model.
    pub bytes: u32,
    /// Their CRC-32.
    pub crc: u32,
}

impl SlotHeader {
    /// The header's unit: `MSLT`, format, sequence, length, CRC-32 of the model, ones, CRC-32 of all before.
    #[must_use]
    pub fn to_bytes(self) -> [u8; PROGRAM_BYTES] {
        unit(MAGIC, FORMAT, [self.sequence, self.bytes, self.crc])
    }

    /// The switch's unit: `GOOD`, and what it switches to, so that it fits no other header.
    #[must_use]
    pub fn switch(self) -> [u8; PROGRAM_BYTES] {
        unit(SWITCH, checksum(&self.to_bytes()), [self.sequence, !self.sequence, self.crc])
    }

    /// Reads a slot and holds it to its header, the model's bytes included.
    ///
    /// # Errors
    /// The first [`Verdict`] that is not good, with what the header says, as far as there is one.
    pub fn read(slot: &[u8]) -> Result<(Self, &[u8]), SlotReport> {
        let refuse = |verdict| SlotReport { verdict, ..SlotReport::default() };
        let (first, rest) = slot.split_first_chunk::<PROGRAM_BYTES>().ok_or(refuse(Verdict::Length))?;
        let (second, models) = rest.split_first_chunk::<PROGRAM_BYTES>().ok_or(refuse(Verdict::Length))?;
        if first.iter().chain(second).all(|byte| *byte == 0xff) {
            return Err(refuse(Verdict::Empty));
        }
        let header = Self::of(first).ok_or(refuse(Verdict::NoHeader))?;
        let refuse = |verdict| SlotReport { verdict, ..header.report() };
        if *second != header.switch() {
            return Err(refuse(Verdict::NotCommitted));
        }
        let model = models.get(..header.bytes as usize).filter(|_| header.fits(models.len()));
        let model = model.ok_or(refuse(Verdict::Length))?;
        if checksum(model) == header.crc { Ok((header, model)) } else { Err(refuse(Verdict::Checksum)) }
    }

    /// The header that these bytes are.
    fn of(bytes: &[u8; PROGRAM_BYTES]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<4>();
        let [_, _, sequence, length, crc, ..] = words else { return None };
        let header = Self {
            sequence: u32::from_le_bytes(*sequence),
            bytes: u32::from_le_bytes(*length),
            crc: u32::from_le_bytes(*crc),
        };
        (*bytes == header.to_bytes()).then_some(header)
    }

    /// Whether the length is a model's, and one that there is room for.
    #[must_use]
    pub fn fits(self, room: usize) -> bool {
        let bytes = self.bytes as usize;
        bytes > 0 && bytes.is_multiple_of(ALIGNMENT) && bytes <= room
    }

    /// What the header says, as a report; the verdict is still to be found.
    #[must_use]
    pub fn report(self) -> SlotReport {
        let Self { sequence, bytes, crc } = self;
        SlotReport { verdict: Verdict::Good, sequence, bytes, crc }
    }
}

/// A unit of programming with a checksum at its end; what is not said is left erased.
fn unit(magic: [u8; 4], second: u32, words: [u32; 3]) -> [u8; PROGRAM_BYTES] {
    let mut unit = [0xff; PROGRAM_BYTES];
    let (places, _) = unit.as_chunks_mut::<4>();
    let [third, fourth, fifth] = words.map(u32::to_le_bytes);
    let content = [magic, second.to_le_bytes(), third, fourth, fifth, [0xff; 4], [0xff; 4]];
    for (place, bytes) in places.iter_mut().zip(content) {
        *place = bytes;
    }
    let crc = checksum(content.as_flattened());
    if let Some(last) = places.last_mut() {
        *last = crc.to_le_bytes();
    }
    unit
}
