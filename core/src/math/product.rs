//! An integer times a float, for cores whose floats are software.

/// `value as f32 * scale`, to the bit: one rounding to nearest, ties to even, in integers.
///
/// For `0 < |value| < 2^24` and a scale and a product that are normal numbers; others give other bits. A float library converts, unpacks both
/// factors, multiplies and packs again in some 190 instructions on a Cortex-M0; this takes a third of them.
#[inline]
pub(super) fn product(value: i32, scale: f32) -> f32 {
    let bits = scale.to_bits();
    let sign = (value as u32 ^ bits) & 0x8000_0000;
    let magnitude = value.unsigned_abs();
    let mantissa = (bits & 0x007f_ffff) | 0x0080_0000;
    // The product's 48 bits as `high * 2^32 + low`, shifted left by 8 so that `high` has 24 bits and the rest lies below.
    let (mut high, mut low) = wide(magnitude, mantissa);
    let mut exponent = (bits >> 23 & 0xff).wrapping_add(24);
    // One turn in two on average for uniform values, and at most 23.
    while high < 0x0080_0000 {
        high = high << 1 | low >> 31;
        low <<= 1;
        exponent = exponent.wrapping_sub(1);
    }
    // Half of the last place or more rounds up, but exactly half of an even one does not; a carry runs into the exponent, as it should.
    let up = (low >> 31) & u32::from(low << 1 != 0 || high & 1 == 1);
    let packed = (exponent.wrapping_sub(1) << 23).wrapping_add(high).wrapping_add(up);
    f32::from_bits(sign | packed)
}

/// `(a b >> 24, a b << 8)` for factors of 24 bits.
#[cfg(not(mote_kernel = "armv6m"))]
#[inline]
fn wide(a: u32, b: u32) -> (u32, u32) {
    let product = (u64::from(a) * u64::from(b)) << 8;
    ((product >> 32) as u32, product as u32)
}

/// The same from four products of 12 bits each, where a core multiplies to 32 bits alone.
#[cfg(any(mote_kernel = "armv6m", test))]
#[inline]
fn in_parts(a: u32, b: u32) -> (u32, u32) {
    let (a1, a0, b1, b0) = (a >> 12, a & 0xfff, b >> 12, b & 0xfff);
    let middle = a1 * b0 + a0 * b1;
    let low = a0 * b0 + ((middle & 0xfff) << 12);
    (a1 * b1 + (middle >> 12) + (low >> 24), low << 8)
}

#[cfg(mote_kernel = "armv6m")]
use in_parts as wide;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use rand_core::Rng;

    #[test]
    fn products_are_those_of_the_float_unit() {
        let same = |value: i32, scale: f32| {
            let expected = value as f32 * scale;
            assert_eq!(product(value, scale).to_bits(), expected.to_bits(), "{value} {scale:e}");
            let (high, low) = wide(value.unsigned_abs(), scale.to_bits() & 0x007f_ffff | 0x0080_0000);
            assert_eq!(in_parts(value.unsigned_abs(), scale.to_bits() & 0x007f_ffff | 0x0080_0000), (high, low));
        };
        // Ends of the range, powers of two, and mantissas of ones, whose products carry or tie.
        let ends = [1, 2, 3, 5, 0x0055_5555, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x00ff_fffe, 0x00ff_ffff];
        for value in ends {
            for scale in [1.0, 1.5, f32::from_bits(0x3f7f_ffff), f32::from_bits(0x3f80_0001), 2.3e-7, 0.1, 3e20] {
                same(value, scale);
                same(-value, scale);
                same(value, -scale);
            }
        }
        let mut stream = Stream::new(9);
        for _ in 0..1_000_000 {
            let value = ((stream.next_u32() as i32) >> 7) | 1;
            // Exponents from 2^-60 to 2^67: neither subnormal nor infinite.
            let exponent = 67 + stream.next_u32() % 128;
            same(value, f32::from_bits(exponent << 23 | stream.next_u32() >> 9));
            // Short factors meet ties.
            same(value >> 12 | 1, f32::from_bits(exponent << 23 | (stream.next_u32() >> 9) & 0x007f_f800));
        }
    }
}
