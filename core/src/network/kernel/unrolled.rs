//! Four products a turn, for chips: an image built for size does not unroll by itself.

use super::product;

#[inline]
pub(super) fn dense(weights: &[u8], rows: usize, cols: usize, codes: &[i16], mut each: impl FnMut(i32)) {
    let Some(codes) = codes.get(..cols) else { return };
    let (lanes, last_lanes) = codes.as_chunks::<4>();
    let mut rest = weights;
    for _ in 0..rows {
        let Some((row, after)) = rest.split_at_checked(cols) else { return };
        let (fours, last) = row.as_chunks::<4>();
        let mut sum = 0i32;
        for ([w0, w1, w2, w3], [c0, c1, c2, c3]) in fours.iter().zip(lanes) {
            // Each product has 23 bits, so four of them fit.
            let four = product(*w0, *c0) + product(*w1, *c1) + product(*w2, *c2) + product(*w3, *c3);
            sum = sum.wrapping_add(four);
        }
        for (weight, code) in last.iter().zip(last_lanes) {
            sum = sum.wrapping_add(product(*weight, *code));
        }
        each(sum);
        rest = after;
    }
}
