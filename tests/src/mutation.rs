//! Changes to blobs, and the checksum made right after them.

use crate::reader::file_checksum;
use mote_core::random::Stream;
use rand_core::Rng;

/// The blob with the checksum that its bytes have.
pub fn with_checksum_made_right(mut blob: Vec<u8>) -> Vec<u8> {
    let checksum = file_checksum(&blob);
    blob[12..16].copy_from_slice(&checksum.to_le_bytes());
    blob
}

/// The blob with the length and the checksum that its bytes have.
pub fn with_length_and_checksum_made_right(mut blob: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(blob.len()).unwrap();
    blob[8..12].copy_from_slice(&length.to_le_bytes());
    with_checksum_made_right(blob)
}

/// A source of random changes.
#[derive(Clone, Debug)]
pub struct Mutator(Stream);

impl Mutator {
    /// The changes of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Stream::new(seed))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0.next_u32() as usize % bound
    }

    /// A byte other than 0.
    pub fn change(&mut self) -> u8 {
        1 + self.below(255) as u8
    }

    /// Changes up to eight places: a bit, a byte, a 16-bit or 32-bit number at its limit, a run copied from elsewhere.
    /// Half of all changes are in the header or the last third, where few bytes are weights. Gives the places and
    /// their new first bytes.
    pub fn mutate(&mut self, blob: &mut [u8]) -> Vec<(usize, u8)> {
        const LIMITS: [u32; 10] = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7f7f_ffff, 0xff7f_ffff];
        let length = blob.len();
        (0..1 + self.below(8))
            .map(|_| {
                let at = match self.below(4) {
                    0 => self.below(96),
                    1 => length - 1 - self.below(length / 3),
                    _ => self.below(length),
                };
                match self.below(5) {
                    0 => blob[at] ^= 1 << self.below(8),
                    1 => blob[at] = self.below(256) as u8,
                    kind @ (2 | 3) => {
                        let size = if kind == 2 { 2 } else { 4 };
                        let at = at / size * size;
                        let value = LIMITS[self.below(LIMITS.len())].to_le_bytes();
                        blob[at..at + size].copy_from_slice(&value[..size]);
                    }
                    _ => {
                        let from = self.below(length);
                        let count = (1 + self.below(32)).min(length - from).min(length - at);
                        blob.copy_within(from..from + count, at);
                    }
                }
                (at, blob[at])
            })
            .collect()
    }
}
