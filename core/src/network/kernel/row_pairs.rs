//! Four rows at a time, for weights whose rows lie in pairs: the yardstick of every other kernel of that layout.

use crate::network::{TILE, row_pairs};

#[inline]
pub(super) fn dense(weights: &[u8], rows: usize, cols: usize, codes: &[i16], mut each: impl FnMut(i32)) {
    let Some(codes) = codes.get(..cols) else { return };
    let block = TILE * cols.next_multiple_of(TILE).max(1);
    for (first, block) in (0..rows).step_by(TILE).zip(weights.chunks_exact(block)) {
        let mut sums = [0i32; TILE];
        for (group, codes) in block.as_chunks().0.iter().zip(codes.chunks(2)) {
            for (sum, weights) in sums.iter_mut().zip(row_pairs(*group)) {
                for (weight, code) in weights.into_iter().zip(codes) {
                    *sum = sum.wrapping_add(i32::from(weight) * i32::from(*code));
                }
            }
        }
        sums.into_iter().take(rows - first).for_each(&mut each);
    }
}
