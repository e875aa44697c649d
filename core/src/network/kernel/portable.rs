//! One row after another, one product after another: what every other kernel is measured against, and what a compiler with vector
//! registers does best with.

use super::product;

#[inline]
pub(super) fn dense(weights: &[u8], rows: usize, cols: usize, codes: &[i16], mut each: impl FnMut(i32)) {
    let mut rest = weights;
    for _ in 0..rows {
        let Some((row, after)) = rest.split_at_checked(cols) else { return };
        let mut sum = 0i32;
        for (weight, code) in row.iter().zip(codes) {
            sum = sum.wrapping_add(product(*weight, *code));
        }
        each(sum);
        rest = after;
    }
}
