use core::fmt;

use super::{NormalSource, Stream};
use crate::math;

/// Streams that advance side by side in a [`BoxMuller`].
pub const LANES: usize = 8;
/// Normals of one round, two a lane.
const ROUND: usize = 2 * LANES;

/// Standard normals by Box and Muller's transform over [`LANES`] streams side by side: no branch and no table, so that
/// compilers vectorise it. The generator of ensembles; on a chip the [`Ziggurat`](super::Ziggurat) takes less work.
///
/// The bit contract: a round takes two draws `a`, `b` of each lane's stream and gives 16 normals, `r cos` of lanes 0 to 7
/// and then `r sin` of lanes 0 to 7. The radius is `r = sqrt(-2 ln u)` with `u = ((a >> 1) + 1/2) / 2^31`, the angle is
/// `pi x` with `x = s(2b) / 2^32` in [-1/2, 1/2), s reading 32 bits as a signed number, and bit 31 of b turns the sign
/// of the cosine. Logarithm, sine and cosine are polynomials in `f32`, right to 2e-7 of their largest value, with
/// multiplications and additions in one fixed order, so that any vector width gives the same bits.
///
/// A normal reaches 6.6 (the true share beyond is 4e-11). Cost: 60 arithmetic instructions a normal where nothing is
/// vectorised. Source: Box and Muller 1958, "A note on the generation of random normal deviates".
#[derive(Clone)]
pub struct BoxMuller {
    /// Word k of the state of every lane's generator.
    state: [[u32; LANES]; 4],
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
    /// Normals from eight streams, one a lane.
    #[must_use]
    pub fn new(streams: &[Stream; LANES]) -> Self {
        let mut state = [[0; LANES]; 4];
        for (lane, stream) in streams.iter().enumerate() {
            for (word, value) in state.iter_mut().zip(stream.words()) {
                if let Some(slot) = word.get_mut(lane) {
                    *slot = value;
                }
            }
        }
        Self { state, round: [0.0; ROUND], left: 0 }
    }

    /// Whole rounds, times `deviation`.
    #[inline(always)]
    fn rounds(&mut self, deviation: f32, out: &mut [[f32; ROUND]]) {
        let mut state = self.state;
        for round in out {
            let radii = draw(&mut state);
            let angles = draw(&mut state);
            let (cosines, sines) = round.split_at_mut(LANES);
            for (((a, b), cosine), sine) in radii.into_iter().zip(angles).zip(cosines).zip(sines) {
                (*cosine, *sine) = pair(a, b, deviation);
            }
        }
        self.state = state;
    }
}

impl NormalSource for BoxMuller {
    #[inline]
    fn normal(&mut self) -> f32 {
        if self.left == 0 {
            let mut round = [[0.0; ROUND]];
            self.rounds(1.0, &mut round);
            [self.round] = round;
            self.left = ROUND;
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
        self.rounds(deviation, rounds);
        tail.iter_mut().for_each(|z| *z = self.normal() * deviation);
    }
}

/// A draw of every lane's xoshiro128++ (Blackman and Vigna 2021).
#[inline(always)]
fn draw(state: &mut [[u32; LANES]; 4]) -> [u32; LANES] {
    let [s0, s1, s2, s3] = state;
    let mut out = [0; LANES];
    for ((((out, s0), s1), s2), s3) in out.iter_mut().zip(s0).zip(s1).zip(s2).zip(s3) {
        *out = s0.wrapping_add(*s3).rotate_left(7).wrapping_add(*s0);
        let t = *s1 << 9;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= t;
        *s3 = s3.rotate_left(11);
    }
    out
}

/// Two normals of two draws, times `deviation`.
#[inline(always)]
fn pair(a: u32, b: u32, deviation: f32) -> (f32, f32) {
    let u = ((a >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    // Near u = 1 the rounded logarithm could be above 0.
    let radius = math::sqrt((-2.0 * ln(u)).max(0.0));
    let x = (b << 1) as i32 as f32 * (1.0 / 4_294_967_296.0);
    let y = x * x;
    let sine =
        x * (core::f32::consts::PI + y * (-5.167_707 + y * (2.550_031_4 + y * (-0.598_045_2 + y * 0.077_220_13))));
    let cosine = 0.999_999_95 + y * (-4.934_793 + y * (4.058_412 + y * (-1.331_880_2 + y * 0.219_696_79)));
    let cosine = f32::from_bits(cosine.to_bits() ^ (b & 0x8000_0000));
    (radius * cosine * deviation, radius * sine * deviation)
}

/// The logarithm of a positive normal number without a branch, by the polynomial of FreeBSD's `logf`.
#[inline(always)]
fn ln(x: f32) -> f32 {
    /// The bits of sqrt(1/2), the lower end of the mantissas.
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(ROOT_HALF);
    let exponent = (shifted as i32) >> 23;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(ROOT_HALF));
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let r = z * (0.666_666_6 + w * 0.284_987_87) + w * (0.400_009_72 + w * 0.242_790_79);
    let half = 0.5 * f * f;
    s * (half + r) - half + f + exponent as f32 * core::f32::consts::LN_2
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use rand_core::Rng as _;

    use super::super::StreamSequence;
    use super::super::normality::*;
    use super::*;

    fn source(seed: u64) -> BoxMuller {
        let mut streams = StreamSequence::new(seed);
        BoxMuller::new(&core::array::from_fn(|_| streams.next_stream()))
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

    #[test]
    fn each_lane_is_its_own_stream() {
        let mut streams = StreamSequence::new(9);
        let mut lanes: [Stream; LANES] = core::array::from_fn(|_| streams.next_stream());
        let mut state = BoxMuller::new(&lanes).state;
        for _ in 0..100 {
            let together = super::draw(&mut state);
            let alone: Vec<_> = lanes.iter_mut().map(|stream| stream.next_u32()).collect();
            assert_eq!(together[..], alone);
        }
    }

    #[test]
    fn pairs_are_the_transform_in_double_precision() {
        let mut stream = Stream::new(4);
        for _ in 0..100_000 {
            let (a, b) = (stream.next_u32(), stream.next_u32());
            let (cosine, sine) = pair(a, b, 1.0);
            let u = (f64::from(a >> 1) + 0.5) / 2f64.powi(31);
            let radius = (-2.0 * u.ln()).sqrt();
            let angle = std::f64::consts::PI * f64::from((b << 1) as i32) / 2f64.powi(32);
            let sign = if b >> 31 == 1 { -1.0 } else { 1.0 };
            // 24 bits of u leave 2^-25 / radius of it, more than the polynomials' 2e-7 of the radius.
            let error = 5e-7 * (1.0 + radius) + 6e-8 / radius.max(1e-3);
            assert!((f64::from(cosine) - sign * radius * angle.cos()).abs() < error, "{a:x} {b:x}");
            assert!((f64::from(sine) - radius * angle.sin()).abs() < error, "{a:x} {b:x}");
        }
    }

    #[test]
    fn the_ends_of_the_draws_give_finite_normals() {
        for a in [0, 1, 2, u32::MAX, u32::MAX - 1, 1 << 31] {
            for b in [0, 1, u32::MAX, 1 << 31, 1 << 30, 3 << 30] {
                let (cosine, sine) = pair(a, b, 1.0);
                assert!(cosine.is_finite() && sine.is_finite(), "{a:x} {b:x}: {cosine} {sine}");
                assert!(cosine.hypot(sine) < 6.67);
            }
        }
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
