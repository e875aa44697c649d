//! Normals by the ziggurat: one uniform draw, one comparison and one multiplication, 99.2% of the
//! time.

use rand_core::Rng;

use super::NormalSource;
use super::tables::{DENSITIES, LAYERS, TAIL_START};
use crate::math;

/// Standard normals from uniform bits, by the ziggurat with 256 layers.
///
/// The density f(x) = exp(-x^2/2) is covered by 256 layers of equal area, 255 rectangles and a
/// base strip that holds the tail. The draws of a normal, in order, are the bit contract:
///
/// 1. A 32-bit draw `u`. Bits 0 to 7 are the layer i; the odd integer v = (u >> 7) | 1, the shift
///    being arithmetic, is uniform and symmetric in (-2^24, 2^24). If |v| is below the layer's
///    limit, the normal is v times the layer's scale.
/// 2. Otherwise, in layers 1 to 255, a draw gives a uniform y. The normal is x = v times the scale
///    if f(x_i) + y (f(x_(i+1)) - f(x_i)) < f(x), with [`math::exp`]; else start again at 1.
/// 3. Otherwise, in layer 0, pairs of draws give uniform y_1, y_2 until a = -ln(y_1) / r and
///    b = -ln(y_2) have 2 b > a^2; the normal is r + a with the sign of v.
///
/// A uniform is ((u >> 8) | 1) / 2^24: never 0, never 1. A normal has at most 24 bits of
/// resolution, is never zero, and reaches 8.2.
///
/// Cost: 1.02 draws on average; 99.2% of all normals take integer work, one conversion and one
/// multiplication. On a Cortex-M4F 32 instructions a normal on average, the generator and the rare
/// steps included (counted in QEMU). Flash: 3 KiB of tables. Terminates with
/// probability one for a random generator; a generator stuck at one value may loop.
///
/// Source: Marsaglia and Tsang, "The ziggurat method for generating random variables", Journal of
/// Statistical Software 5 (2000); layer and value from disjoint bits as in Doornik, "An improved
/// ziggurat method to generate normal random samples" (2005); tail by Marsaglia, "Generating a
/// variable from the tail of the normal distribution", Technometrics 6 (1964).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ziggurat<R> {
    rng: R,
}

impl<R: Rng> Ziggurat<R> {
    /// Normals from the draws of `rng`.
    #[inline]
    pub const fn new(rng: R) -> Self {
        Self { rng }
    }

    /// The generator, after the draws taken so far.
    #[inline]
    #[must_use]
    pub fn into_inner(self) -> R {
        self.rng
    }

    /// Steps 2 and 3: the draw was not under the layer's rectangle.
    #[cold]
    #[inline(never)]
    fn finish(&mut self, mut draw: u32) -> f32 {
        loop {
            let index = layer_index(draw);
            let layer = &LAYERS[index];
            let value = signed_value(draw);
            let x = math::scaled(value, layer.scale);
            if is_inside(value, layer.limit) {
                return x;
            }
            if index == 0 {
                let magnitude = self.tail();
                return if value < 0 { -magnitude } else { magnitude };
            }
            let low = DENSITIES[index];
            let high = DENSITIES[index + 1];
            if low + self.uniform() * (high - low) < math::exp(-0.5 * x * x) {
                return x;
            }
            draw = self.rng.next_u32();
        }
    }

    /// A normal beyond `TAIL_START`.
    fn tail(&mut self) -> f32 {
        loop {
            let a = -math::ln(self.uniform()) * (1.0 / TAIL_START);
            let b = -math::ln(self.uniform());
            if b + b > a * a {
                return TAIL_START + a;
            }
        }
    }

    /// A uniform in (0, 1): an odd multiple of 2^-24.
    fn uniform(&mut self) -> f32 {
        const UNIT: f32 = 1.0 / 16_777_216.0;
        ((self.rng.next_u32() >> 8) | 1) as f32 * UNIT
    }
}

impl<R: Rng> NormalSource for Ziggurat<R> {
    #[inline]
    fn normal(&mut self) -> f32 {
        let draw = self.rng.next_u32();
        let layer = &LAYERS[layer_index(draw)];
        let value = signed_value(draw);
        if is_inside(value, layer.limit) { math::scaled(value, layer.scale) } else { self.finish(draw) }
    }
}

/// Bits 0 to 7; the type keeps the compiler sure that a look-up among 256 cannot fail.
#[inline]
fn layer_index(draw: u32) -> usize {
    usize::from(draw as u8)
}

/// An odd integer from bits 8 to 31, bit 7 being overwritten: symmetric, exact in `f32`.
#[inline]
fn signed_value(draw: u32) -> i32 {
    ((draw as i32) >> 7) | 1
}

/// Whether |value| < limit, in two instructions: the value is odd and the limit even, so the
/// value never meets an end of -limit..limit.
#[inline]
fn is_inside(value: i32, limit: u32) -> bool {
    (value as u32).wrapping_add(limit) < limit << 1
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::normality::*;
    use super::super::{NormalSource, Stream};
    use super::*;

    fn ziggurat(seed: u64) -> Ziggurat<Stream> {
        Ziggurat::new(Stream::new(seed))
    }

    #[test]
    fn follows_the_normal_distribution() {
        let mut sample = draw(&mut ziggurat(1), COUNT);
        assert_distributed(&mut sample, cumulative);
    }

    #[test]
    fn is_even_over_bins_of_equal_probability() {
        assert_even_over_bins(&draw(&mut ziggurat(2), COUNT));
    }

    #[test]
    fn has_the_moments_of_a_normal() {
        assert_normal_moments(&draw(&mut ziggurat(3), COUNT));
    }

    #[test]
    fn has_the_tails_of_a_normal() {
        assert_normal_tail_counts(&draw(&mut ziggurat(4), COUNT));
    }

    #[test]
    fn is_uncorrelated_with_its_successors() {
        assert_uncorrelated(&draw(&mut ziggurat(5), COUNT));
    }

    #[test]
    fn tail_follows_the_normal_beyond_its_start() {
        let start = f64::from(TAIL_START);
        let mut source = ziggurat(6);
        let mut sample: Vec<f32> = (0..COUNT / 4).map(|_| source.tail()).collect();
        assert_distributed(&mut sample, |x| 1.0 - upper_tail(x) / upper_tail(start));
    }

    /// Plays back draws, then zeros.
    struct Recorded(Vec<u32>);

    impl rand_core::TryRng for Recorded {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let draw = self.0.first().copied().unwrap_or(0);
            self.0 = self.0.split_off(self.0.len().min(1));
            Ok(draw)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            rand_core::utils::next_u64_via_u32(self)
        }

        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
            rand_core::utils::fill_bytes_via_next_word(dst, || self.try_next_u32())
        }
    }

    /// The normal of some draws, and how many draws are left.
    fn play(draws: &[u32]) -> (f32, usize) {
        let mut source = Ziggurat::new(Recorded(draws.to_vec()));
        let normal = source.normal();
        (normal, source.into_inner().0.len())
    }

    #[test]
    fn opposite_values_give_opposite_normals() {
        // Complementing bits 8 to 31 turns v into -v; all else is equal.
        let mut stream = Stream::new(7);
        for _ in 0..100_000 {
            let draw = stream.next_u32();
            // After it zeros, which wedge and tail accept at once.
            let (normal, opposite) = (play(&[draw]).0, play(&[draw ^ 0xffff_ff00]).0);
            assert_eq!(normal, -opposite);
        }
    }

    #[test]
    fn each_step_takes_the_draws_it_documents() {
        // Layer 1, v = 1: inside, one draw.
        assert_eq!(play(&[0x0000_0001, 9, 9]), (LAYERS[1].scale, 2));
        // Layer 1, v = 2^24 - 1, at the right edge, where only the lowest y is under the density.
        let edge = 0x7fff_ff01;
        assert_eq!(play(&[edge, 0, 9]), (16_777_215.0 * LAYERS[1].scale, 1));
        // The same with a high y: rejected, and a new start with the third draw.
        assert_eq!(play(&[edge, u32::MAX, 1, 9]), (LAYERS[1].scale, 1));
        // Layer 0, v = -(2^24 - 1): the tail, two draws; y_1 = 1 - 2^-24 gives r all but itself.
        let (normal, left) = play(&[0x8000_0000, u32::MAX, 0, 9]);
        let expected = -TAIL_START + math::ln(1.0_f32.next_down()) / TAIL_START;
        assert!((normal - expected).abs() < 1e-6 && left == 1, "{normal}");
        // The smallest uniforms give the largest normal: r + 24 ln 2 / r = 8.2066.
        let (normal, left) = play(&[0x7fff_ff00, 0, 0, 9]);
        assert!((normal - 8.2066).abs() < 1e-3 && left == 1, "{normal}");
    }

    #[test]
    fn outputs_are_stable() {
        // A regression golden, not a yardstick: it changes only with the bit contract.
        let mut normals = [0.0; 8];
        ziggurat(0).fill(&mut normals);
        let bits = normals.map(f32::to_bits);
        let expected: [u32; 8] =
            [0x3f36_e719, 0x3fd2_a00b, 0xbef5_6dbe, 0xbf1d_ac6b, 0x3f01_f492, 0x3d45_094e, 0x3f4c_f5ee, 0xbe94_047d];
        assert_eq!(bits, expected);
    }
}
