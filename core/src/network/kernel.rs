//! Matrix-vector products of 8-bit weights and 16-bit lanes, behind one function.
//!
//! Every kernel gives the sums of [`portable`], which are exact: `parse` proves that they stay within 24 bits.

use super::layer::Layer;

/// Calls `each` with the sum of every row of the layer, in order. `codes` holds the layer's inputs.
#[inline]
pub(super) fn dense(layer: &Layer<'_>, codes: &[i16], each: impl FnMut(i32)) {
    portable(layer.weights(), layer.rows(), layer.cols(), codes, each);
}

/// One row after another, one product after another, in safe Rust.
#[inline]
fn portable(weights: &[u8], rows: usize, cols: usize, codes: &[i16], mut each: impl FnMut(i32)) {
    let mut rest = weights;
    for _ in 0..rows {
        let Some((row, after)) = rest.split_at_checked(cols) else { return };
        let mut sum = 0i32;
        for (weight, code) in row.iter().zip(codes) {
            sum = sum.wrapping_add(i32::from(*weight as i8).wrapping_mul(i32::from(*code)));
        }
        each(sum);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::random::Stream;
    use rand_core::Rng;
    use std::vec::Vec;

    #[test]
    fn the_portable_kernel_equals_sums_in_wide_integers() {
        let mut stream = Stream::new(7);
        for (rows, cols) in [(1, 1), (3, 7), (33, 100), (128, 64), (2, 512)] {
            let weights: Vec<u8> = (0..rows * cols).map(|_| stream.next_u32() as u8).collect();
            let codes: Vec<i16> = (0..cols).map(|_| (stream.next_u32() % 255) as i16 - 127).collect();
            let mut sums = Vec::new();
            portable(&weights, rows, cols, &codes, |sum| sums.push(sum));
            let expected: Vec<i32> = (0..rows)
                .map(|r| (0..cols).map(|c| i64::from(weights[r * cols + c] as i8) * i64::from(codes[c])).sum::<i64>())
                .map(|sum| i32::try_from(sum).unwrap())
                .collect();
            assert_eq!(sums, expected, "{rows} x {cols}");
        }
    }
}
