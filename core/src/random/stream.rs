//! Seeded streams of uniform bits.

use core::convert::Infallible;

use rand_core::{SeedableRng, TryRng};
use rand_xoshiro::Xoshiro128PlusPlus;

/// A stream of uniform bits: xoshiro128++, seeded by SplitMix64.
///
/// The four state words are the two first outputs of SplitMix64 started at the seed, low half
/// before high half. The period is 2^128 - 1. One draw takes about ten integer instructions on a
/// 32-bit chip; the state is 16 bytes. Not for cryptography.
///
/// A draw of 64 bits is two of 32, low half first, so any mix of calls reads the same stream.
///
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47
/// (2021); <https://prng.di.unimi.it>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream(Xoshiro128PlusPlus);

impl Stream {
    /// The stream of a seed; every seed is a good one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro128PlusPlus::seed_from_u64(seed))
    }

    /// The stream of sample `k` of a batch: the seed's stream jumped `k` times.
    ///
    /// Costs `k` jumps; a [`StreamSequence`] reaches the samples of a batch with one jump each.
    #[must_use]
    pub fn nth(seed: u64, k: u32) -> Self {
        let mut stream = Self::new(seed);
        for _ in 0..k {
            stream.jump();
        }
        stream
    }

    /// Moves 2^64 draws of 32 bits ahead, at the cost of 128 draws.
    ///
    /// Two streams of one seed, a jump apart, do not overlap within 2^64 draws.
    pub fn jump(&mut self) {
        self.0.jump();
    }

    /// Moves 2^96 draws of 32 bits ahead, which is 2^32 jumps, at the cost of 128 draws.
    pub fn long_jump(&mut self) {
        self.0.long_jump();
    }

    /// The four words of the generator's state.
    pub(super) fn words(&self) -> [u32; 4] {
        let bytes = self.0.state();
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    #[inline]
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(dst)
    }
}

/// The streams of the samples of a batch, in order, one jump apart.
///
/// ```
/// use mote_core::random::{Stream, StreamSequence};
///
/// let mut streams = StreamSequence::new(7);
/// assert_eq!(streams.next_stream(), Stream::nth(7, 0));
/// assert_eq!(streams.next_stream(), Stream::nth(7, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSequence {
    next: Stream,
}

impl StreamSequence {
    /// The streams of samples 0, 1, 2 and so on of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::starting_at(seed, 0)
    }

    /// The streams of samples `k`, `k + 1`, `k + 2` and so on of a seed; costs `k` jumps.
    #[must_use]
    pub fn starting_at(seed: u64, k: u32) -> Self {
        Self { next: Stream::nth(seed, k) }
    }

    /// The stream of the next sample; costs one jump.
    pub fn next_stream(&mut self) -> Stream {
        let stream = self.next.clone();
        self.next.jump();
        stream
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use rand_core::Rng;

    use super::*;

    /// The state of the reference vectors.
    const STATE: [u32; 4] = [1, 2, 3, 4];

    fn from_words(words: [u32; 4]) -> Stream {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Stream(Xoshiro128PlusPlus::from_seed(bytes.try_into().unwrap()))
    }

    #[test]
    fn draws_match_the_reference_implementation() {
        // Output of xoshiro128plusplus.c (https://prng.di.unimi.it/xoshiro128plusplus.c) from the
        // state 1, 2, 3, 4; the vector is the one in rand_xoshiro's own tests.
        let expected =
            [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420];
        let mut stream = from_words(STATE);
        assert_eq!(expected.map(|_| stream.next_u32()), expected);
    }

    #[test]
    fn seeding_is_splitmix64() {
        // The first two outputs of splitmix64.c (https://prng.di.unimi.it/splitmix64.c) from this
        // state; the vector is the one in rand_xoshiro's own tests.
        let stream = Stream::new(1477776061723855037);
        let (first, second) = (1985237415132408290_u64, 2979275885539914483_u64);
        let expected = [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32];
        assert_eq!(stream.words(), expected);
    }

    #[test]
    fn jump_matches_the_reference_implementation() {
        // State after jump() of the reference implementation from 1, 2, 3, 4; the vector is the
        // one in rand_xoshiro's own tests.
        let mut stream = from_words(STATE);
        stream.jump();
        assert_eq!(stream.words(), [2843103750, 2038079848, 1533207345, 44816753]);
    }

    /// A linear map of 128 bits: column i is the image of bit i.
    struct BitMatrix(Vec<u128>);

    impl BitMatrix {
        fn apply(&self, x: u128) -> u128 {
            let bits = self.0.iter().enumerate();
            bits.filter(|(i, _)| x >> i & 1 == 1).fold(0, |sum, (_, column)| sum ^ column)
        }
    }

    #[test]
    fn jump_is_two_to_the_64_steps() {
        // The step is linear over GF(2), so its matrix squared 64 times is 2^64 steps; this needs
        // neither the jump polynomial nor anybody's vector.
        let pack = |w: [u32; 4]| w.iter().rev().fold(0, |x, word| x << 32 | u128::from(*word));
        let unpack = |x: u128| core::array::from_fn(|i| (x >> (32 * i)) as u32);
        let step = |x: u128| {
            let mut stream = from_words(unpack(x));
            stream.next_u32();
            pack(stream.words())
        };
        let mut matrix = BitMatrix((0..128).map(|i| step(1 << i)).collect());
        for _ in 0..64 {
            matrix = BitMatrix(matrix.0.iter().map(|c| matrix.apply(*c)).collect());
        }
        let before = Stream::new(3);
        let mut after = before.clone();
        after.jump();
        assert_eq!(after.words(), unpack(matrix.apply(pack(before.words()))));
    }

    #[test]
    fn stream_of_a_sample_does_not_depend_on_its_batch() {
        let mut batch = StreamSequence::new(11);
        let mut tail = StreamSequence::starting_at(11, 3);
        for k in 0..6 {
            let stream = batch.next_stream();
            assert_eq!(stream, Stream::nth(11, k));
            if k >= 3 {
                assert_eq!(stream, tail.next_stream());
            }
        }
    }

    #[test]
    fn wide_draws_and_bytes_read_the_same_stream() {
        let mut narrow = Stream::new(5);
        let (mut wide, mut bytes) = (narrow.clone(), narrow.clone());
        let (low, high) = (narrow.next_u32(), narrow.next_u32());
        assert_eq!(wide.next_u64(), u64::from(high) << 32 | u64::from(low));
        let mut buffer = [0; 8];
        bytes.fill_bytes(&mut buffer);
        assert_eq!(buffer[..4], low.to_le_bytes());
        assert_eq!(buffer[4..], high.to_le_bytes());
        assert_eq!((&wide, &bytes), (&narrow, &narrow));
    }
}
