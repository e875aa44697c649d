use core::f32::consts::LN_2;
use core::{fmt, slice};

use super::{NormalSource, Stream};
use crate::math;

/// Streams that advance side by side in a [`BoxMuller`]: one vector of AVX-512, two of AVX2, four of SSE2 or NEON.
pub const LANES: usize = 16;
/// Normals of one round, two a lane.
const ROUND: usize = 2 * LANES;

/// The streams of all lanes: word k of the state of every lane's xoshiro128++.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lanes([[u32; LANES]; 4]);

impl Lanes {
    /// The first [`LANES`] of some streams, one a lane.
    pub fn new(streams: impl IntoIterator<Item = Stream>) -> Self {
        let mut state = [[0; LANES]; 4];
        for (lane, stream) in (0..LANES).zip(streams) {
            for (word, value) in state.iter_mut().zip(stream.words()) {
                if let Some(slot) = word.get_mut(lane) {
                    *slot = value;
                }
            }
        }
        Self(state)
    }

    /// Moves every lane's stream 2^64 draws ahead; costs 128 draws of each lane.
    pub fn jump(&mut self) {
        /// The polynomial of 2^64 steps (Blackman and Vigna 2021, the authors' xoshiro128plusplus.c).
        const JUMP: [u32; 4] = [0x8764_000b, 0xf542_d2d3, 0x6fa0_35c3, 0x77f2_db5b];
        let mut sum = [[0; LANES]; 4];
        for bit in JUMP.into_iter().flat_map(|word| (0..u32::BITS).map(move |bit| word >> bit & 1)) {
            let mask = bit.wrapping_neg();
            for (sum, word) in sum.as_flattened_mut().iter_mut().zip(self.0.as_flattened()) {
                *sum ^= word & mask;
            }
            let [s0, s1, s2, s3] = &mut self.0;
            for (((s0, s1), s2), s3) in s0.iter_mut().zip(s1).zip(s2).zip(s3) {
                let mut words = [*s0, *s1, *s2, *s3];
                draw(&mut words);
                [*s0, *s1, *s2, *s3] = words;
            }
        }
        self.0 = sum;
    }

    /// Whole rounds of normals, times `deviation`.
    #[inline(always)]
    fn rounds(&mut self, deviation: f32, out: &mut [[f32; ROUND]]) {
        // A copy, which the compiler can keep in registers.
        let mut state = self.0;
        for round in out {
            let (cosines, sines) = round.split_at_mut(LANES);
            let [s0, s1, s2, s3] = &mut state;
            let lanes = s0.iter_mut().zip(s1).zip(s2).zip(s3);
            // One loop does all that a lane has to do. Split in two, each half is short enough for the compiler to unroll before
            // it has vectorised, and the words of all the lanes end up in scalar registers.
            for (((((s0, s1), s2), s3), cosine), sine) in lanes.zip(cosines).zip(sines) {
                let mut words = [*s0, *s1, *s2, *s3];
                let (a, b) = (draw(&mut words), draw(&mut words));
                [*s0, *s1, *s2, *s3] = words;
                (*cosine, *sine) = pair(a, b, deviation);
            }
        }
        self.0 = state;
    }
}

/// Standard normals by Box and Muller's transform over [`LANES`] streams side by side: no branch and no table, so that
/// compilers vectorise it. The generator of ensembles; on a chip the [`Ziggurat`](super::Ziggurat) takes less work.
///
/// The bit contract: a round takes two draws `a`, `b` of each lane's stream and gives 32 normals, `r cos` of lanes 0 to 15
/// and then `r sin` of lanes 0 to 15. With s reading 32 bits as a signed number, the radius is `r = sqrt(-2 ln u)` with
/// `u = |s(a) + 1/2| / 2^31`, the angle is `pi x` with `x = s(b) / 2^32` in [-1/2, 1/2], and the sign of `s(a) + 1/2` turns
/// that of the cosine. All is `f32`, `s` rounded to it:
///
/// ```text
/// v = |s(a) + 0.5| = m 2^e, m in [sqrt(1/2), sqrt(2)) 2^31    q = (m - 2^31) / (m + 2^31)    z = q q
/// r = sqrt(q (-4.0000005 + z (-1.3330439 + z -0.82594585)) + (e 2^23) (-2 ln 2 / 2^23))
/// sin = x (3.1415925 + y (-5.1677027 + y (2.5499725 + y (-0.5977488 + y 0.07672574))))    y = x x
/// cos = 1 + y (-4.9347954 + y (4.0584474 + y (-1.3320624 + y 0.22000697)))
/// ```
///
/// rounded after each operation as it is written, so that any vector width gives the same bits. A scaled normal is
/// `(r cos) deviation`, `(r sin) deviation`.
///
/// Error: a normal is right to 2.5e-7 of r (of 1, where r is smaller) for the u and x that it was made of. It reaches 6.66;
/// the true share beyond is 3e-11. The polynomials are minimax fits, rounded to `f32` one by one: they add relative errors
/// of 1.2e-7 to the logarithm, 8e-9 to the sine and 5.5e-8 to the cosine.
///
/// Cost: 46 instructions a normal on a Cortex-M4 with its floating-point unit, half a division and half a root among them;
/// 2.5 where a vector holds 16 lanes.
///
/// Source: Box and Muller 1958, "A note on the generation of random normal deviates".
#[derive(Clone)]
pub struct BoxMuller {
    lanes: Lanes,
    /// A round of which `left` normals at the end are still to be given.
    round: [f32; ROUND],
    left: usize,
}

impl fmt::Debug for BoxMuller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxMuller").finish_non_exhaustive()
    }
}

impl BoxMuller {
    /// Normals from sixteen streams, one a lane.
    #[must_use]
    pub fn new(streams: &[Stream; LANES]) -> Self {
        Self::from_lanes(Lanes::new(streams.iter().cloned()))
    }

    /// Normals from the streams of all lanes.
    #[inline]
    pub(crate) const fn from_lanes(lanes: Lanes) -> Self {
        Self { lanes, round: [0.0; ROUND], left: 0 }
    }

    /// A round for those who take normals one by one; out of line, as the loop over the lanes is long.
    #[inline(never)]
    fn refill(&mut self) {
        self.lanes.rounds(1.0, slice::from_mut(&mut self.round));
        self.left = ROUND;
    }
}

impl NormalSource for BoxMuller {
    #[inline]
    fn normal(&mut self) -> f32 {
        if self.left == 0 {
            self.refill();
        }
        let normal = self.round.get(ROUND - self.left).copied().unwrap_or(0.0);
        self.left -= 1;
        normal
    }

    #[inline(always)]
    fn fill(&mut self, out: &mut [f32]) {
        self.fill_scaled(1.0, out);
    }

    #[inline(always)]
    fn fill_scaled(&mut self, deviation: f32, out: &mut [f32]) {
        let begun = self.left.min(out.len());
        let (head, rest) = out.split_at_mut(begun);
        let (rounds, tail) = rest.as_chunks_mut();
        head.iter_mut().for_each(|z| *z = self.normal() * deviation);
        self.lanes.rounds(deviation, rounds);
        tail.iter_mut().for_each(|z| *z = self.normal() * deviation);
    }
}

/// A draw of one lane's xoshiro128++ (Blackman and Vigna 2021).
#[inline(always)]
fn draw([s0, s1, s2, s3]: &mut [u32; 4]) -> u32 {
    let out = s0.wrapping_add(*s3).rotate_left(7).wrapping_add(*s0);
    let t = *s1 << 9;
    *s2 ^= *s0;
    *s3 ^= *s1;
    *s1 ^= *s2;
    *s0 ^= *s3;
    *s2 ^= t;
    *s3 = s3.rotate_left(11);
    out
}

/// Two normals of two draws, times `deviation`.
#[inline(always)]
fn pair(a: u32, b: u32, deviation: f32) -> (f32, f32) {
    const SIGN: u32 = 1 << 31;
    let v = a as i32 as f32 + 0.5;
    let radius = math::sqrt(minus_two_ln(f32::from_bits(v.to_bits() & !SIGN)));
    let x = b as i32 as f32 * (1.0 / 4_294_967_296.0);
    let y = x * x;
    let sine = x * (3.141_592_5 + y * (-5.167_702_7 + y * (2.549_972_5 + y * (-0.597_748_8 + y * 0.076_725_74))));
    let cosine = 1.0 + y * (-4.934_795_4 + y * (4.058_447_4 + y * (-1.332_062_4 + y * 0.220_006_97)));
    let cosine = f32::from_bits(cosine.to_bits() ^ (a & SIGN));
    (radius * cosine * deviation, radius * sine * deviation)
}

/// `-2 ln(v / 2^31)` for v from 1/2 to 2^31, without a branch; not negative.
#[inline(always)]
fn minus_two_ln(v: f32) -> f32 {
    const TOP: f32 = 2_147_483_648.0;
    /// The bits of sqrt(1/2) 2^31, the lower end of the mantissas.
    const LOW: u32 = 0x3f35_04f3 + (31 << 23);
    // The exponent where floats keep it, so that it comes off by a subtraction of bits.
    let exponent = v.to_bits().wrapping_sub(LOW) & 0xff80_0000;
    let m = f32::from_bits(v.to_bits().wrapping_sub(exponent));
    // ln(m / 2^31) = 2 artanh(q). At v = 2^31 all is 0, and below it both terms are positive or 0, or the second outweighs.
    let q = (m - TOP) / (m + TOP);
    let z = q * q;
    q * (-4.000_000_5 + z * (-1.333_043_9 + z * -0.825_945_85)) + exponent as i32 as f32 * (-2.0 * LN_2 / 8_388_608.0)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use rand_core::Rng as _;

    use super::super::StreamSequence;
    use super::super::normality::*;
    use super::*;

    fn source(seed: u64) -> BoxMuller {
        BoxMuller::new(&lanes(seed))
    }

    #[test]
    fn follows_the_normal_distribution() {
        let mut sample = draw_normals(1);
        assert_distributed(&mut sample, cumulative);
    }

    fn draw_normals(seed: u64) -> Vec<f32> {
        super::super::normality::draw(&mut source(seed), COUNT)
    }

    #[test]
    fn is_even_over_bins_of_equal_probability() {
        assert_even_over_bins(&draw_normals(2));
    }

    #[test]
    fn has_the_moments_of_a_normal() {
        assert_normal_moments(&draw_normals(3));
    }

    #[test]
    fn has_the_tails_of_a_normal() {
        assert_normal_tail_counts(&draw_normals(4));
    }

    #[test]
    fn is_uncorrelated_with_its_successors() {
        assert_uncorrelated(&draw_normals(5));
    }

    /// The two draws of each lane that made a round, from streams of their own.
    fn draws(lanes: &mut [Stream; LANES]) -> [(u32, u32); LANES] {
        lanes.each_mut().map(|stream| (stream.next_u32(), stream.next_u32()))
    }

    fn lanes(seed: u64) -> [Stream; LANES] {
        let mut streams = StreamSequence::new(seed);
        core::array::from_fn(|_| streams.next_stream())
    }

    #[test]
    fn each_lane_is_its_own_stream() {
        let mut lanes = lanes(9);
        let mut source = BoxMuller::new(&lanes);
        for _ in 0..100 {
            let pairs = draws(&mut lanes).map(|(a, b)| pair(a, b, 1.0));
            for cosine in pairs.map(|pair| pair.0) {
                assert_eq!(source.normal(), cosine);
            }
            for sine in pairs.map(|pair| pair.1) {
                assert_eq!(source.normal(), sine);
            }
        }
    }

    #[test]
    fn a_jump_moves_every_lane_as_its_stream_jumps() {
        let mut lanes = lanes(12);
        let mut jumped = Lanes::new(lanes.clone());
        for _ in 0..3 {
            jumped.jump();
            lanes.iter_mut().for_each(Stream::jump);
            assert_eq!(jumped, Lanes::new(lanes.clone()));
        }
    }

    #[test]
    fn pairs_are_the_transform_in_double_precision() {
        let mut stream = Stream::new(4);
        // A quarter of the draws as they come; in others the radius is far out (a few low bits) or near 0 (a near an end).
        let spread = |a: u32, k: u32| match k % 4 {
            0 => (a as i32 >> (k / 4 % 31)) as u32,
            1 => (u32::MAX >> 1) - (a >> (1 + k / 4 % 31)),
            2 => (1 << 31) + (a >> (1 + k / 4 % 31)),
            _ => a,
        };
        let mut worst = 0.0f64;
        for k in 0..400_000 {
            let (a, b) = (spread(stream.next_u32(), k), stream.next_u32());
            let (cosine, sine) = pair(a, b, 1.0);
            // The u and x of the contract: the draws as f32, which is all that the rest sees.
            let v = f64::from(a as i32 as f32 + 0.5);
            let radius = (-2.0 * (v.abs() / 2f64.powi(31)).ln()).sqrt();
            let angle = std::f64::consts::PI * f64::from(b as i32 as f32) / 2f64.powi(32);
            for (got, truth) in [(cosine, v.signum() * radius * angle.cos()), (sine, radius * angle.sin())] {
                worst = worst.max((f64::from(got) - truth).abs() / radius.max(1.0));
            }
        }
        assert!(worst < 2.5e-7, "{worst}");
    }

    #[test]
    fn the_logarithm_is_not_negative_over_the_top_octave() {
        // Below it the exponent's part is at least 2 ln 2 and the mantissa's at least -ln 2.
        let step = if cfg!(debug_assertions) { 101 } else { 1 };
        let (from, to) = (2f32.powi(30).to_bits(), 2f32.powi(31).to_bits());
        for bits in (from..=to).rev().step_by(step) {
            assert!(minus_two_ln(f32::from_bits(bits)) >= 0.0, "{bits:x}");
        }
    }

    #[test]
    fn the_ends_of_the_draws_give_finite_normals() {
        for a in [0, 1, 2, u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1] {
            for b in [0, 1, u32::MAX, 1 << 31, (1 << 31) - 1, 1 << 30, 3 << 30] {
                let (cosine, sine) = pair(a, b, 1.0);
                assert!(cosine.is_finite() && sine.is_finite(), "{a:x} {b:x}: {cosine} {sine}");
                assert!(cosine.hypot(sine) < 6.661);
            }
        }
        // The largest radius has u = 2^-32, at a = 0 and at a = -1.
        let farthest = (64.0 * LN_2).sqrt();
        assert!((pair(0, 0, 1.0).0 - farthest).abs() < 1e-6 && (pair(u32::MAX, 0, 1.0).0 + farthest).abs() < 1e-6);
    }

    #[test]
    fn outputs_are_stable() {
        // The same bits came from the contract above followed word by word in numpy's float32. They change only with it.
        let mut normals = [0.0; 16];
        source(0).fill(&mut normals);
        let expected = [
            0x3e2a_457a,
            0x3f00_9f32,
            0xbf49_019e,
            0xc002_5235,
            0x3fc2_3142,
            0xbf8f_a2aa,
            0x3ea8_4f70,
            0x3ea9_6ceb,
            0xbe94_e345,
            0xbf59_8a43,
            0xbd9c_afd4,
            0x3ebb_7e15,
            0x3f8b_fa6b,
            0xbfa6_3bdc,
            0x3f55_4750,
            0xbf9c_488a,
        ];
        assert_eq!(normals.map(f32::to_bits), expected);
    }

    #[test]
    fn numbers_do_not_depend_on_how_they_are_asked_for() {
        let mut all = [0.0; 100];
        source(3).fill(&mut all);
        let mut pieces = source(3);
        let mut got = Vec::new();
        for length in [1, 15, 3, 32, 17, 20, 12] {
            let mut part = std::vec![0.0; length];
            pieces.fill(&mut part);
            got.extend(part);
        }
        assert_eq!(got, all);
        let mut one = source(3);
        assert_eq!(all.map(|_| one.normal()), all);
        let mut scaled = [0.0; 100];
        source(3).fill_scaled(0.3, &mut scaled);
        assert_eq!(scaled, all.map(|z| z * 0.3));
    }
}
