//! Normal variates in bulk, for training only.
//!
//! Nothing that a board must repeat is drawn here; `mote-core` has those generators.

use mote_laboratory::ensemble::{InstructionSet, Work};

use crate::network::hash;

/// Independent generators that run side by side, as wide as two or four vector registers.
const LANES: usize = 8;

/// xoshiro128++ (Blackman and Vigna 2021), one in each lane, seeded by a hash.
struct Lanes {
    state: [[u32; LANES]; 4],
}

impl Lanes {
    fn new(key: u64) -> Self {
        let mut state = [[0; LANES]; 4];
        for (word, lanes) in state.iter_mut().enumerate() {
            for (lane, value) in lanes.iter_mut().enumerate() {
                *value = (hash(&[key, (word * LANES + lane) as u64]) >> 32) as u32;
            }
        }
        // The one state that xoshiro may not have is all zeros.
        state[0].iter_mut().for_each(|value| *value |= 1);
        Self { state }
    }

    #[inline(always)]
    fn next(&mut self) -> [u32; LANES] {
        let [s0, s1, s2, s3] = &mut self.state;
        let mut out = [0; LANES];
        for lane in 0..LANES {
            let sum = s0[lane].wrapping_add(s3[lane]);
            out[lane] = sum.rotate_left(7).wrapping_add(s0[lane]);
            let t = s1[lane] << 9;
            s2[lane] ^= s0[lane];
            s3[lane] ^= s1[lane];
            s1[lane] ^= s2[lane];
            s0[lane] ^= s3[lane];
            s2[lane] ^= t;
            s3[lane] = s3[lane].rotate_left(11);
        }
        out
    }
}

/// Fills `out` with independent N(0, 1) variates, a pure function of `key`.
///
/// Box and Muller (1958), without branches so that it vectorises; ln, sin and cos are the
/// polynomials of Cephes (Moshier), good to about 2e-7. The radius comes from 24 bits, so no variate is
/// beyond 5.9.
pub(crate) fn fill_normals(key: u64, out: &mut [f32]) {
    InstructionSet::widest().run(Fill { lanes: Lanes::new(key), out });
}

struct Fill<'a> {
    lanes: Lanes,
    out: &'a mut [f32],
}

impl Work for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for chunk in self.out.chunks_mut(2 * LANES) {
            let (radius, angle) = (self.lanes.next(), self.lanes.next());
            let mut block = [0.0; 2 * LANES];
            for lane in 0..LANES {
                let (a, b) = pair(radius[lane], angle[lane]);
                block[lane] = a;
                block[LANES + lane] = b;
            }
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// Two normals from two words.
#[inline(always)]
fn pair(radius: u32, angle: u32) -> (f32, f32) {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    // (radius >> 8) fits in 24 bits: the detour by i32 is exact, and one instruction.
    let u = ((radius >> 8) as i32 as f32 + 0.5) * STEP;
    let r = (-2.0 * ln(u)).sqrt();
    // An angle within an eighth of a turn, then one of four quarter turns by the two lowest bits.
    let x = ((angle >> 8) as i32 as f32 + 0.5) * STEP - 0.5;
    let (s, c) = sin_cos(x * std::f32::consts::FRAC_PI_2);
    let (s, c) = if angle & 1 == 0 { (s, c) } else { (c, -s) };
    let sign = (angle & 2) << 30;
    let turned = |v: f32| r * f32::from_bits(v.to_bits() ^ sign);
    (turned(s), turned(c))
}

/// ln x for a normal positive x.
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = 2^e m with m in [sqrt(1/2), sqrt(2)).
    const HALF_ROOT: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(HALF_ROOT);
    let e = (shifted as i32 >> 23) as f32;
    let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(HALF_ROOT)) - 1.0;
    let z = m * m;
    let mut p = 7.037_683_6e-2;
    for c in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_7e-1,
        2.000_071_4e-1,
        -2.499_999_3e-1,
        1.0 / 3.0,
    ] {
        p = p * m + c;
    }
    let tail = p * m * z - 2.121_944_4e-4 * e - 0.5 * z;
    // ln 2 = 355/512 - 2.12e-4: the first product is exact.
    m + tail + 355.0 / 512.0 * e
}

/// sin x and cos x for |x| <= pi/4.
#[inline(always)]
fn sin_cos(x: f32) -> (f32, f32) {
    let z = x * x;
    let s = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_665_5e-1) * z * x + x;
    let c = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - 0.5 * z + 1.0;
    (s, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lane_is_xoshiro128_plus_plus() {
        // Reference vector of rand_xoshiro for the state 1, 2, 3, 4.
        let mut lanes = Lanes { state: [[1; LANES], [2; LANES], [3; LANES], [4; LANES]] };
        let got: Vec<u32> = (0..10).map(|_| lanes.next()[3]).collect();
        let want = [
            641,
            1_573_767,
            3_222_811_527,
            3_517_856_514,
            836_907_274,
            4_247_214_768,
            3_867_114_732,
            1_355_841_295,
            495_546_011,
            621_204_420,
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn the_polynomials_agree_with_the_standard_library() {
        for k in 0..100_000 {
            let u = (k as f32 + 0.5) / 1e5;
            let want = f64::from(u).ln();
            assert!((f64::from(ln(u)) - want).abs() <= 2e-7 * want.abs().max(0.3), "{u}");
            let x = (2.0 * u - 1.0) * std::f32::consts::FRAC_PI_4;
            let (s, c) = sin_cos(x);
            assert!((f64::from(s) - f64::from(x).sin()).abs() < 1.2e-7);
            assert!((f64::from(c) - f64::from(x).cos()).abs() < 1.2e-7);
        }
    }

    #[test]
    fn variates_follow_the_normal_distribution() {
        let n = 1_000_000;
        let mut z = vec![0.0; n];
        fill_normals(5, &mut z);
        // Kolmogorov-Smirnov against the exact distribution; 1.95/sqrt(n) is exceeded with probability 1e-3
        // (Kolmogorov's limit 2 exp(-2 d^2)). The seed is fixed.
        let mut sorted: Vec<f64> = z.iter().map(|v| f64::from(*v)).collect();
        sorted.sort_by(f64::total_cmp);
        let distance = sorted.iter().enumerate().fold(0_f64, |d, (i, v)| {
            let p = normal_cdf(*v);
            let i = i as f64;
            d.max((p - i / n as f64).abs()).max((p - (i + 1.0) / n as f64).abs())
        });
        assert!(distance < 1.95 / (n as f64).sqrt(), "{distance}");
        // Products of neighbours at the distances where lanes or halves would show: mean 0, variance 1.
        for lag in [1, 8, 16] {
            let sum: f64 = (lag..n).map(|i| f64::from(z[i] * z[i - lag])).sum();
            assert!(sum.abs() < 4.5 * (n as f64).sqrt(), "{lag}: {sum}"); // false alarm 7e-6
        }
    }

    /// Phi by the series of Marsaglia (2004), exact to double precision for |x| < 7.
    fn normal_cdf(x: f64) -> f64 {
        let (mut sum, mut term, mut k) = (x, x, 1.0);
        while sum + term != sum {
            k += 2.0;
            term *= x * x / k;
            sum += term;
        }
        0.5 + sum * (-0.5 * x * x - 0.918_938_533_204_672_7).exp()
    }

    #[test]
    fn a_key_gives_the_same_variates_however_many_are_asked() {
        let (mut long, mut short) = ([0.0; 40], [0.0; 19]);
        fill_normals(9, &mut long);
        fill_normals(9, &mut short);
        assert_eq!(long[..19], short);
        fill_normals(10, &mut short);
        assert_ne!(long[..19], short);
    }
}
