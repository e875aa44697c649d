use super::kernel::SUM_SHIFT;

/// Sums of products stay below this in absolute value; `parse` proves it for every row.
pub const SUM_LIMIT: i32 = 1 << 23;

/// The one rounding rule: `floor(sum * multiplier / 2^(8 + shift) + 1/2)`, half up, with a single rounding.
///
/// Computed as `((sum * multiplier >> 8) + 2^(shift - 1)) >> shift`: the floor of the first shift does not disturb the
/// second, since the half that is added is a whole number there. `|sum| < 2^23` and `0 < multiplier < 2^15`, so the
/// first shift leaves 30 bits and nothing overflows; `shift` is 1..=24. Sums come shifted left by 8, so that a core takes the upper word of one long
/// product, or two short ones (`scaled`).
#[inline]
#[must_use]
pub fn requantise(sum: i32, multiplier: i16, shift: u32) -> i32 {
    round_shift(scaled(sum << SUM_SHIFT, multiplier), shift)
}

/// `sum * multiplier >> 8` of `256 * sum`: the upper word of their product with the multiplier at the top of a word.
#[cfg(not(any(mote_dsp, mote_kernel = "armv6m")))]
#[inline]
pub(super) fn scaled(sum: i32, multiplier: i16) -> i32 {
    ((i64::from(sum) * (i64::from(multiplier) << 16)) >> 32) as i32
}

/// The same on a core without long products: two short ones.
#[cfg(mote_kernel = "armv6m")]
#[inline]
pub(super) fn scaled(sum: i32, multiplier: i16) -> i32 {
    short_products(sum, multiplier)
}

/// `256 * sum = 2^16 high + low`, so that the second product has 16 by 15 bits and no sign.
#[cfg(any(test, mote_kernel = "armv6m"))]
#[inline]
fn short_products(sum: i32, multiplier: i16) -> i32 {
    let (high, low, multiplier) = (sum >> 16, sum as u32 & 0xffff, i32::from(multiplier));
    high.wrapping_mul(multiplier).wrapping_add((low.wrapping_mul(multiplier as u32) >> 16) as i32)
}

#[cfg(mote_dsp)]
pub(super) use super::kernel::scaled;

/// `floor(value / 2^shift + 1/2)`: half of the last unit is rounded up.
#[inline]
pub(super) fn round_shift(value: i32, shift: u32) -> i32 {
    value.wrapping_add(half(shift)) >> (shift & 31)
}

#[inline]
pub(super) fn half(shift: u32) -> i32 {
    (1i32 << (shift & 31)) >> 1
}

/// The input quantiser: `floor(x * scale + 1/2)` clamped to `-limit..=limit`; a NaN gives 0.
#[inline]
#[must_use]
pub fn code_from_input(x: f32, scale: f32, limit: i16) -> i16 {
    let y = x * scale + 0.5;
    let truncated = y as i32;
    let floor = if truncated as f32 > y { truncated.saturating_sub(1) } else { truncated };
    let limit = i32::from(limit);
    floor.max(-limit).min(limit) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantisation_is_one_rounding_half_up_of_the_exact_quotient() {
        let sums = [0, 1, -1, 2, 3, -3, 12_345, -54_321, SUM_LIMIT - 1, 1 - SUM_LIMIT];
        for sum in sums {
            for multiplier in [1i16, 2, 3, 255, 16_384, 32_767] {
                for shift in 1..=24u32 {
                    // The exact quotient in 128 bits: floor((2 sum m + 2^t) / 2^(t + 1)).
                    let t = 8 + shift;
                    let exact =
                        ((2 * i128::from(sum) * i128::from(multiplier)) + (1i128 << t)).div_euclid(1i128 << (t + 1));
                    assert_eq!(i128::from(requantise(sum, multiplier, shift)), exact, "{sum} {multiplier} {shift}");
                }
            }
        }
    }

    #[test]
    fn both_ways_to_the_scaled_sum_are_the_exact_floor() {
        let edges = [0, 1, 127, 128, 255, 256, 257, 65_535, 65_536, 8_388_352, 8_388_480, SUM_LIMIT - 1];
        for sum in edges.into_iter().flat_map(|edge| [edge, -edge]) {
            for multiplier in [1i16, 2, 127, 128, 255, 256, 257, 16_383, 16_384, 32_766, 32_767] {
                let exact = (i128::from(sum) * i128::from(multiplier)).div_euclid(256);
                let shifted = sum << SUM_SHIFT;
                assert_eq!(i128::from(scaled(shifted, multiplier)), exact, "{sum} {multiplier}");
                assert_eq!(i128::from(short_products(shifted, multiplier)), exact, "{sum} {multiplier}");
            }
        }
    }

    #[test]
    fn halves_go_up_on_both_sides_of_zero() {
        assert_eq!([-3, -2, -1, 1, 2, 3].map(|v| round_shift(v, 1)), [-1, -1, 0, 1, 1, 2]);
        assert_eq!(round_shift(-7, 0), -7);
    }

    #[test]
    fn the_input_quantiser_rounds_half_up_and_saturates() {
        let code = |x: f32| code_from_input(x, 2.0, 127);
        assert_eq!([code(0.25), code(-0.25), code(-0.75), code(0.2), code(-0.3)], [1, 0, -1, 0, -1]);
        assert_eq!([code(1e30), code(-1e30), code(f32::NAN), code(f32::INFINITY)], [127, -127, 0, 127]);
    }
}
