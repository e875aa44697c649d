//! An update whose power is cut: after every byte that is programmed and every byte that is erased, a whole model starts.

use mote_core::random::Stream;
use mote_device::slot_image;
use mote_link::frame::checksum;
use mote_link::message::{BootReport, PART_MAX};
use mote_link::slots::{Flash, FlashError, MODEL_OFFSET, PROGRAM_BYTES, Room, Update, boot, next_sequence};
use mote_link::status::{Status, Verdict};
use mote_tests::random_model::RandomModel;
use rand_core::Rng as _;
use std::cell::Cell;
use std::rc::Rc;

const SECTOR_BYTES: usize = 512;
const WIDTH: usize = 64;
/// In debug form every seventh cut, and all of them in release.
const STRIDE: usize = if cfg!(debug_assertions) { 7 } else { 1 };

/// Flash whose power fails after so many bytes of work.
///
/// What is being done then is left half done: of the byte that is being programmed some bits are cleared and others not yet; of the
/// sector that is being erased the bytes already reached are ones, the others anything.
struct Torn {
    bytes: Vec<u8>,
    /// Bytes of work until the cut, shared by both slots.
    power: Rc<Cell<u32>>,
    random: Stream,
}

/// Bytes at a multiple of 16, as flash starts.
fn start_of(bytes: &[u8]) -> usize {
    bytes.as_ptr().align_offset(16)
}

impl Torn {
    fn new(content: &[u8], power: &Rc<Cell<u32>>, seed: u64) -> Self {
        let mut bytes = vec![0xff; content.len() + 16];
        let start = start_of(&bytes);
        bytes[start..][..content.len()].copy_from_slice(content);
        Self { bytes, power: power.clone(), random: Stream::new(seed) }
    }

    fn content(&mut self) -> &mut [u8] {
        let (start, length) = (start_of(&self.bytes), self.bytes.len() - 16);
        &mut self.bytes[start..][..length]
    }

    /// Takes a byte's work from what power is left.
    fn work(&self) -> bool {
        let left = self.power.get();
        self.power.set(left.saturating_sub(1));
        left > 0
    }
}

impl Flash for Torn {
    fn bytes(&self) -> &[u8] {
        &self.bytes[start_of(&self.bytes)..][..self.bytes.len() - 16]
    }

    fn sector_bytes(&self) -> usize {
        SECTOR_BYTES
    }

    fn erase(&mut self, sector: usize) -> Result<(), FlashError> {
        let on = self.power.get() > 0;
        for i in 0..SECTOR_BYTES {
            if self.work() {
                self.content()[sector * SECTOR_BYTES + i] = 0xff;
            } else if on {
                let any = self.random.next_u32() as u8;
                self.content()[sector * SECTOR_BYTES + i] = any;
            } else {
                break;
            }
        }
        if self.power.get() > 0 { Ok(()) } else { Err(FlashError) }
    }

    fn program(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
        assert!(offset.is_multiple_of(PROGRAM_BYTES) && bytes.len().is_multiple_of(PROGRAM_BYTES));
        for (i, byte) in bytes.iter().enumerate() {
            let there = self.bytes()[offset + i];
            assert!(self.power.get() == 0 || there == 0xff, "byte {} is programmed twice", offset + i);
            let last = self.power.get() == 1;
            if !self.work() {
                break;
            }
            let late = if last { self.random.next_u32() as u8 } else { 0 };
            self.content()[offset + i] = there & (byte | late);
        }
        if self.power.get() > 0 { Ok(()) } else { Err(FlashError) }
    }
}

fn start(slots: &[Torn; 2]) -> BootReport {
    boot(slots, &mut [0; 1024], WIDTH)
}

/// The model that a device would run.
fn runs<'f>(slots: &'f [Torn; 2], report: &BootReport) -> &'f [u8] {
    let slot = usize::from(report.running.expect("some model always runs"));
    assert_eq!(report.slots[slot].verdict, Verdict::Good);
    &slots[slot].bytes()[MODEL_OFFSET..][..report.slots[slot].bytes as usize]
}

/// Updates as a device does, until it is done or the power fails.
fn update(slots: &mut [Torn; 2], report: &BootReport, blob: &[u8]) -> Result<(), Status> {
    let spare = &mut slots[1 - usize::from(report.running.expect("a model runs"))];
    let mut update = Update::begin(spare, blob.len() as u32, checksum(blob), next_sequence(report))?;
    for (part, offset) in blob.chunks(PART_MAX).zip((0..).step_by(PART_MAX)) {
        update.write(spare, offset, part)?;
    }
    update.verify(spare, Room { words: &mut [0; 1024], width: WIDTH }).map_err(|(status, _)| status)?;
    update.commit(spare).map(|_| ())
}

/// What the flash holds before: the old model in the first slot, and something of no use in the other, or an older model.
fn before(old: &[u8], room: usize, other: Option<&[u8]>) -> [Vec<u8>; 2] {
    let whole = |slot: &[u8]| {
        let mut bytes = vec![0xff; room];
        bytes[..slot.len()].copy_from_slice(slot);
        bytes
    };
    let first = whole(&slot_image(old).unwrap());
    let second = other.map_or_else(|| vec![0xa5; room], whole);
    [first, second]
}

#[test]
fn wherever_the_power_is_cut_a_whole_model_starts_and_the_update_can_be_done_again() {
    let old = RandomModel::tiny().blob();
    let new = RandomModel { seed: 99, ..RandomModel::tiny() }.blob();
    assert_ne!(old, new);
    let room = (MODEL_OFFSET + new.len()).next_multiple_of(SECTOR_BYTES);
    let full = u32::MAX;
    let mut cuts = 0;
    let mut names = std::collections::BTreeSet::new();
    // A slot of rubbish, an erased one, and one that held a model.
    for (round, other) in [None, Some(vec![0xff; room]), Some(slot_image(&new).unwrap())].into_iter().enumerate() {
        let content = before(&old, room, other.as_deref());
        let fresh =
            |power: &Rc<Cell<u32>>, seed| [0, 1].map(|slot| Torn::new(&content[slot], power, 2 * seed + slot as u64));
        // How much work an update is.
        let power = Rc::new(Cell::new(full));
        let mut slots = fresh(&power, 0);
        let report = start(&slots);
        assert_eq!(report.running, Some(0), "round {round}");
        update(&mut slots, &report, &new).unwrap();
        let work = full - power.get();
        assert!(runs(&slots, &start(&slots)) == new);
        let (mut stayed, mut switched) = (0, 0);
        for cut in (0..=work).step_by(STRIDE).chain([work + 1]) {
            let power = Rc::new(Cell::new(cut));
            let mut slots = fresh(&power, u64::from(cut) + 1);
            let done = update(&mut slots, &report, &new);
            assert_eq!(done.is_ok(), cut > work, "cut {cut}");
            power.set(full);
            let found = start(&slots);
            names.insert(found.slots[1].verdict.name());
            let model = runs(&slots, &found);
            if model == old {
                stayed += 1;
                assert_eq!(switched, 0, "the old model came back at cut {cut}");
            } else {
                assert!(model == new, "cut {cut}");
                switched += 1;
            }
            // Again, from whatever is there.
            if model == old {
                update(&mut slots, &found, &new).unwrap();
                assert!(runs(&slots, &start(&slots)) == new, "again after cut {cut}");
            }
            cuts += 1;
        }
        assert!(stayed * STRIDE > 2000 && switched > 0, "{stayed} {switched}");
    }
    println!("{cuts} cuts; the slot then held: {names:?}");
    assert!(cuts * STRIDE > 6000);
    assert!(names.contains("no-header") && (STRIDE > 1 || names.contains("not-committed")), "{names:?}");
}

#[test]
fn a_bit_of_the_running_model_that_turns_is_found_at_the_next_start() {
    // Every byte of the newest slot, one bit of each: the older model starts, and the reason has a name.
    let (old, new) = (RandomModel::tiny().blob(), RandomModel { seed: 99, ..RandomModel::tiny() }.blob());
    let room = (MODEL_OFFSET + new.len()).next_multiple_of(SECTOR_BYTES);
    let power = Rc::new(Cell::new(u32::MAX));
    let content = before(&old, room, None);
    let mut slots = [0, 1].map(|slot| Torn::new(&content[slot], &power, 0));
    let report = start(&slots);
    update(&mut slots, &report, &new).unwrap();
    for at in 0..MODEL_OFFSET + new.len() {
        let bit = 1 << (at % 8);
        slots[1].content()[at] ^= bit;
        let report = start(&slots);
        assert!(runs(&slots, &report) == old, "byte {at}");
        let expected = match at {
            0..32 => Verdict::NoHeader,
            32..64 => Verdict::NotCommitted,
            _ => Verdict::Checksum,
        };
        assert_eq!(report.slots[1].verdict, expected, "byte {at}");
        slots[1].content()[at] ^= bit;
    }
    assert!(runs(&slots, &start(&slots)) == new);
}
