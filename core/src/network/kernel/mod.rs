//! Matrix-vector products of 8-bit weights and 16-bit lanes, behind one function.
//!
//! Every kernel gives the sums of [`portable`], which are exact: `parse` proves that they stay within 24 bits. A kernel is one
//! file and one line in the choice below.

#[cfg(any(test, not(target_os = "none")))]
mod portable;
mod row_pairs;
#[cfg(any(test, target_os = "none"))]
mod unrolled;

use super::layer::Layer;
use super::layout::WeightLayout;

#[cfg(not(target_os = "none"))]
use portable::dense as chosen;
#[cfg(target_os = "none")]
use unrolled::dense as chosen;

/// Calls `each` with the sum of every row of the layer, in order. `codes` holds the layer's inputs, and may go on past them.
#[inline]
pub(super) fn dense(layer: &Layer<'_>, codes: &[i16], each: impl FnMut(i32)) {
    match layer.layout() {
        WeightLayout::Rows => chosen(layer.weights(), layer.rows(), layer.cols(), codes, each),
        WeightLayout::RowPairs => row_pairs::dense(layer.weights(), layer.rows(), layer.cols(), codes, each),
    }
}

#[inline]
fn product(weight: u8, code: i16) -> i32 {
    i32::from(weight as i8) * i32::from(code)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::random::Stream;
    use rand_core::Rng;
    use std::vec::Vec;

    type Kernel = fn(&[u8], usize, usize, &[i16], &mut dyn FnMut(i32));

    const KERNELS: [(&str, WeightLayout, Kernel); 3] = [
        ("row pairs", WeightLayout::RowPairs, |w, rows, cols, x, each| row_pairs::dense(w, rows, cols, x, each)),
        ("portable", WeightLayout::Rows, |w, rows, cols, x, each| portable::dense(w, rows, cols, x, each)),
        ("unrolled", WeightLayout::Rows, |w, rows, cols, x, each| unrolled::dense(w, rows, cols, x, each)),
    ];

    #[test]
    fn every_kernel_equals_sums_in_wide_integers() {
        let mut stream = Stream::new(7);
        for (rows, cols) in [(1, 1), (3, 7), (33, 100), (128, 64), (2, 512)] {
            let weights: Vec<u8> = (0..rows * cols).map(|_| stream.next_u32() as u8).collect();
            // A buffer that goes on past the layer's inputs, as in a network whose layers differ in width.
            let codes: Vec<i16> = (0..cols + 5).map(|_| (stream.next_u32() % 255) as i16 - 127).collect();
            let expected: Vec<i32> = (0..rows)
                .map(|r| (0..cols).map(|c| i64::from(weights[r * cols + c] as i8) * i64::from(codes[c])).sum::<i64>())
                .map(|sum| i32::try_from(sum).unwrap())
                .collect();
            let arranged = |layout: WeightLayout| -> Vec<u8> {
                layout.arrange(rows, cols, |row, col| weights[row * cols + col] as i8).collect()
            };
            for (name, layout, kernel) in KERNELS {
                let mut sums = Vec::new();
                kernel(&arranged(layout), rows, cols, &codes, &mut |sum| sums.push(sum));
                assert_eq!(sums, expected, "{name}: {rows} x {cols}");
            }
        }
    }
}
