//! The model in its partition, and the job behind it.

use mote_core::job::Judgement;
use mote_core::model::HEADER_BYTES;
use mote_firmware::BOARD;

/// The bytes of the model, as many as its header says, and those that follow. Whatever is wrong with that number, parsing finds it.
pub fn model() -> (&'static [u8], &'static [u8]) {
    let start = core::ptr::with_exposed_provenance::<u8>(BOARD.model.origin as usize);
    // SAFETY: the board maps this region, the image has nothing in it, and nothing writes to it while the image runs.
    let partition = unsafe { core::slice::from_raw_parts(start, BOARD.model.bytes as usize) };
    let stated = partition.get(8..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let length = (stated as usize).max(HEADER_BYTES).min(partition.len());
    partition.split_at_checked(length).unwrap_or((partition, &[]))
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// Take the noise out.
    Denoise,
    /// Draw what is missing.
    Impute,
    /// Score windows.
    Detect,
    /// Draw what may be behind the noise.
    Draw,
    /// Vary a row of a class, whose number is in the place of repeats.
    Vary,
}

/// A job: `MJOB` and twelve words, then a word for each signal's length and for each level of a calibration, the calibration's numbers, and the values of the
/// signals, in the data's own units. See README.md for the words.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub task: Task,
    pub sigma: f32,
    pub seed: u64,
    pub number: u32,
    pub repeats: u32,
    pub judgement: Judgement,
    pub seeds: u32,
    lengths: &'static [[u8; 4]],
    levels: &'static [[u8; 4]],
    /// The calibration's numbers, where they lie.
    pub calibration: &'static [f32],
    values: &'static [[u8; 4]],
}

impl Job {
    /// Reads the job, if it is one.
    pub fn read(bytes: &'static [u8]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<4>();
        let (head, rest) = words.split_first_chunk::<13>()?;
        let [magic, task, sigma, low, high, number, repeats, judgement, seeds, levels, numbers, signals, values] =
            *head;
        let word = u32::from_le_bytes;
        if magic != *b"MJOB" {
            return None;
        }
        let (lengths, rest) = rest.split_at_checked(word(signals) as usize)?;
        let (levels, rest) = rest.split_at_checked(word(levels) as usize)?;
        let (calibration, rest) = rest.split_at_checked(word(numbers) as usize)?;
        Some(Self {
            task: match word(task) {
                0 => Task::Denoise,
                1 => Task::Impute,
                2 => Task::Detect,
                3 => Task::Draw,
                4 => Task::Vary,
                _ => return None,
            },
            sigma: f32::from_le_bytes(sigma),
            seed: u64::from(word(high)) << 32 | u64::from(word(low)),
            number: word(number).min(1024),
            repeats: word(repeats),
            judgement: match word(judgement) {
                0 => Judgement::Pattern,
                1 => Judgement::Sensors,
                _ => return None,
            },
            seeds: word(seeds).min(64),
            lengths,
            levels,
            calibration: floats(calibration)?,
            values: rest.get(..word(values) as usize)?,
        })
    }

    /// The values of each signal.
    pub fn signals(&self) -> impl Iterator<Item = impl ExactSizeIterator<Item = f32> + use<>> + use<> {
        let mut rest = self.values;
        self.lengths.iter().map_while(move |length| {
            let (signal, others) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = others;
            Some(signal.iter().map(|bytes| f32::from_le_bytes(*bytes)))
        })
    }

    /// The numbers of the calibration's levels in the model.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = usize> + use<> {
        self.levels.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize)
    }
}

/// Words of flash as floats, where they lie; none if the model before them has an odd length.
fn floats(words: &'static [[u8; 4]]) -> Option<&'static [f32]> {
    // SAFETY: any bits are a float, and `align_to` gives as the middle part only what lies at an address for one.
    match unsafe { words.align_to::<f32>() } {
        ([], floats, []) => Some(floats),
        _ => None,
    }
}
