//! One product after another: what every other kernel is measured against.

use super::{Matrix, SUM_SHIFT};
#[cfg(any(mote_tiles, feature = "packed"))]
use crate::network::Storage;
#[cfg(any(not(mote_tiles), all(feature = "packed", not(mote_kernel = "dsp"))))]
use crate::network::TILE;
use crate::network::{Lane, widened};
#[cfg(all(feature = "packed", not(mote_kernel = "dsp")))]
use crate::network::{WeightFormat, WeightLayout};

#[inline]
fn product(weight: i8, code: Lane) -> i32 {
    i32::from(weight).wrapping_mul(widened(code))
}

/// Row after row, four products a turn: an image built for size does not unroll by itself.
#[cfg(not(mote_kernel = "dsp"))]
pub(super) fn rows(matrix: &Matrix<'_>, codes: &[Lane], each: &mut dyn FnMut(&[i32])) {
    let Matrix { weights, rows, cols, .. } = *matrix;
    let Some(codes) = codes.get(..cols) else { return };
    let (lanes, last_lanes) = codes.as_chunks::<4>();
    let mut rest = weights;
    for _ in 0..rows {
        let Some((row, after)) = rest.split_at_checked(cols) else { return };
        let (fours, last) = row.as_chunks::<4>();
        let mut sum = 0i32;
        for (weights, codes) in fours.iter().zip(lanes) {
            let [w0, w1, w2, w3] = weights.map(|byte| byte as i8);
            let [c0, c1, c2, c3] = *codes;
            let four = product(w0, c0).wrapping_add(product(w1, c1)).wrapping_add(product(w2, c2));
            sum = sum.wrapping_add(four.wrapping_add(product(w3, c3)));
        }
        for (weight, code) in last.iter().zip(last_lanes) {
            sum = sum.wrapping_add(product(*weight as i8, *code));
        }
        each(&[sum << SUM_SHIFT]);
        rest = after;
    }
}

/// One weight after another in any layout, for targets whose kernel leaves only what lies at odd addresses or was laid out for another core: small
/// rather than quick.
#[cfg(any(mote_tiles, feature = "packed"))]
pub(super) fn one_by_one(storage: Storage, matrix: &Matrix<'_>, codes: &[Lane], each: &mut dyn FnMut(&[i32])) {
    let Matrix { weights, rows, cols, .. } = *matrix;
    let Some(codes) = codes.get(..cols) else { return };
    for row in 0..rows {
        let products = storage.row(weights, row, cols).zip(codes).map(|(weight, code)| product(weight, *code));
        each(&[products.fold(0, i32::wrapping_add) << SUM_SHIFT]);
    }
}

/// Four rows at a time, by pairs of columns.
#[cfg(not(mote_tiles))]
pub(super) fn row_pairs(matrix: &Matrix<'_>, codes: &[Lane], each: &mut dyn FnMut(&[i32])) {
    let Matrix { weights, rows, cols, .. } = *matrix;
    let Some(codes) = codes.get(..cols) else { return };
    let sum = codes.iter().fold(0i32, |sum, code| sum.wrapping_add(i32::from(*code)));
    // A and C are stored with 128 added.
    let start = sum.wrapping_mul(-128);
    let (pairs, last) = codes.as_chunks::<2>();
    let block = (TILE * cols.next_multiple_of(TILE)).max(1);
    for (first, block) in (0..rows).step_by(TILE).zip(weights.chunks_exact(block)) {
        let (mut a, mut b, mut c, mut d) = (start, 0i32, start, 0i32);
        let mut add = |[a0, b0, a1, b1, c0, d0, c1, d1]: [u8; 8], [x0, x1]: [Lane; 2]| {
            let (x0, x1) = (i32::from(x0), i32::from(x1));
            let unsigned = |w0: u8, w1: u8| i32::from(w0).wrapping_mul(x0).wrapping_add(i32::from(w1).wrapping_mul(x1));
            let signed = |w0: u8, w1: u8| {
                i32::from(w0 as i8).wrapping_mul(x0).wrapping_add(i32::from(w1 as i8).wrapping_mul(x1))
            };
            a = a.wrapping_add(unsigned(a0, a1));
            b = b.wrapping_add(signed(b0, b1));
            c = c.wrapping_add(unsigned(c0, c1));
            d = d.wrapping_add(signed(d0, d1));
        };
        let mut groups = block.as_chunks().0.iter();
        for (codes, group) in pairs.iter().zip(&mut groups) {
            add(*group, *codes);
        }
        if let ([code], Some(group)) = (last, groups.next()) {
            add(*group, [*code, 0]);
        }
        let sums = [a, b, c, d].map(|sum| sum << SUM_SHIFT);
        each(sums.get(..rows - first).unwrap_or(&sums));
    }
}

/// Weights of 4 bits: four rows at a time in row pairs, and one weight after another in rows.
#[cfg(all(feature = "packed", not(mote_kernel = "dsp")))]
pub(super) fn packed(layout: WeightLayout, matrix: &Matrix<'_>, codes: &[Lane], each: &mut dyn FnMut(&[i32])) {
    if layout == WeightLayout::Rows {
        return one_by_one(Storage { layout, format: WeightFormat::Bits4 }, matrix, codes, each);
    }
    let Matrix { weights, rows, cols, .. } = *matrix;
    let Some(codes) = codes.get(..cols) else { return };
    // All are stored with 8 added.
    let start = codes.iter().fold(0i32, |sum, code| sum.wrapping_add(widened(*code))).wrapping_mul(-8);
    for (first, tile) in (0..rows).step_by(TILE).zip(weights.chunks_exact(matrix.tile_bytes().max(1))) {
        let [mut a, mut b, mut c, mut d] = [start; TILE];
        for ([ab, cd], code) in tile.as_chunks().0.iter().zip(codes) {
            let (ab, cd, code) = (i32::from(*ab), i32::from(*cd), widened(*code));
            a = a.wrapping_add((ab & 15).wrapping_mul(code));
            b = b.wrapping_add((ab >> 4).wrapping_mul(code));
            c = c.wrapping_add((cd & 15).wrapping_mul(code));
            d = d.wrapping_add((cd >> 4).wrapping_mul(code));
        }
        let sums = [a, b, c, d].map(|sum| sum << SUM_SHIFT);
        each(sums.get(..rows - first).unwrap_or(&sums));
    }
}
