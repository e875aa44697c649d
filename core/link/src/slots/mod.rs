//! Two slots of flash, a model each, and an update of one while the other runs: wherever the power is cut, a whole model starts.
//!
//! | bytes of a slot | hold |
//! |---|---|
//! | 0 to 32 | the header: sequence number, length and CRC-32 of the model, CRC-32 of itself |
//! | 32 to 64 | the switch, programmed last: it repeats the header's checksum and the sequence number |
//! | from 64 | the model |
//!
//! A slot whose header, switch, length, checksum, contents or self-test is not right is not run, and [`BootReport`] says which it was.

mod flash;
mod header;
mod update;

pub use flash::{EmulatedFlash, Flash, FlashError, PROGRAM_BYTES};
pub use header::{MODEL_OFFSET, SlotHeader};
pub use update::Update;

use crate::message::{BootReport, SlotReport};
use crate::status::Verdict;
use mote_core::model::Model;

/// What a model is given to run in.
#[derive(Debug)]
pub struct Room<'a> {
    /// Its arena.
    pub words: &'a mut [u32],
    /// The widest window that the device has buffers for.
    pub width: usize,
}

/// Bytes of a model that a slot has room for.
#[must_use]
pub fn room(flash: &impl Flash) -> usize {
    let room = flash.bytes().len().saturating_sub(MODEL_OFFSET);
    room - room % PROGRAM_BYTES
}

/// Parses a model and runs its self-test.
///
/// # Errors
/// The [`Verdict`] that it does not pass.
// Not inlined, so that its part of the stack is given back.
#[inline(never)]
pub fn check_model(model: &[u8], room: Room<'_>) -> Result<(), Verdict> {
    let model = Model::parse(model).map_err(|_| Verdict::Model)?;
    if model.dim_in().max(model.dim_out()) > room.width {
        return Err(Verdict::Width);
    }
    let mut bound = model.bind_words(room.words).map_err(|_| Verdict::Arena)?;
    bound.self_test().map_err(|_| Verdict::SelfTest)
}

/// Holds a slot to everything that can be asked of it.
#[must_use]
pub fn check(flash: &impl Flash, room: Room<'_>) -> SlotReport {
    match SlotHeader::read(flash.bytes()) {
        Ok((header, model)) => {
            let verdict = check_model(model, room).err().unwrap_or(Verdict::Good);
            SlotReport { verdict, ..header.report() }
        }
        Err(report) => report,
    }
}

/// Looks at both slots and chooses the one to run: the newest that passes every check. Of the other one, where it is older, only the bytes are checked.
#[must_use]
pub fn boot<F: Flash>(slots: &[F; 2], words: &mut [u32], width: usize) -> BootReport {
    let [first, second] = slots;
    let mut report = BootReport {
        running: None,
        slots: [first, second].map(|flash| match SlotHeader::read(flash.bytes()) {
            Ok((header, _)) => SlotReport { verdict: Verdict::Standby, ..header.report() },
            Err(report) => report,
        }),
        room: room(first).min(room(second)) as u32,
    };
    let [a, b] = &mut report.slots;
    let mut order = [(0, first, a), (1, second, b)];
    // The newer one first; of two that are equally new, which no update makes, the first.
    order.sort_unstable_by_key(|(slot, _, report)| (core::cmp::Reverse(report.sequence), *slot));
    for (slot, flash, found) in order {
        if found.verdict == Verdict::Standby {
            *found = check(flash, Room { words: &mut *words, width });
            if found.verdict == Verdict::Good {
                report.running = Some(slot);
                break;
            }
        }
    }
    report
}

/// The sequence number of the next update: above that of any slot with a header.
#[must_use]
pub fn next_sequence(report: &BootReport) -> u32 {
    report.slots.iter().map(|slot| slot.sequence).max().unwrap_or(0).wrapping_add(1)
}
