//! The model in its partition, and the job behind it.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Take the noise out.
    Denoise,
    /// Draw what is missing.
    Impute,
}

/// A job: 36 bytes, `MJOB`, and as words the task (0 denoise, 1 impute), the bits of sigma, the seed (low, high), the draw's number, repeats, the
/// number of values, and the number of values in each signal; then the values of the signals, in the data's own units.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub task: Task,
    pub sigma: f32,
    pub seed: u64,
    pub number: u32,
    pub repeats: u32,
    length: usize,
    values: &'static [[u8; 4]],
}

impl Job {
    /// Reads the job, if it is one.
    pub fn read(bytes: &'static [u8]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<4>();
        let (head, rest) = words.split_first_chunk::<9>()?;
        let [magic, task, sigma, low, high, number, repeats, count, length] = *head;
        let word = u32::from_le_bytes;
        if magic != *b"MJOB" {
            return None;
        }
        Some(Self {
            task: match word(task) {
                0 => Task::Denoise,
                1 => Task::Impute,
                _ => return None,
            },
            sigma: f32::from_le_bytes(sigma),
            seed: u64::from(word(high)) << 32 | u64::from(word(low)),
            number: word(number).min(1024),
            repeats: word(repeats),
            length: word(length) as usize,
            values: rest.get(..word(count) as usize)?,
        })
    }

    /// The values of each signal.
    pub fn signals(&self) -> impl Iterator<Item = impl ExactSizeIterator<Item = f32> + use<>> + use<> {
        self.values.chunks(self.length.max(1)).map(|signal| signal.iter().map(|bytes| f32::from_le_bytes(*bytes)))
    }
}
