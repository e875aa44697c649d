//! Matrix-vector products of 8-bit weights and activation codes, behind one function.
//!
//! Every kernel gives the sums of the portable ones, which are exact: `parse` proves that they stay within 24 bits. Each is one file, one line in
//! the choice below, and one line in `core/build.rs`, which tells the target's name for it.

mod portable;
#[cfg(mote_tiles)]
mod tiles;

#[cfg(mote_kernel = "armv6m")]
#[allow(unsafe_code)]
mod armv6m;
#[cfg(mote_kernel = "armv7m")]
#[allow(unsafe_code)]
mod armv7m;
#[cfg(mote_dsp)]
#[allow(unsafe_code)]
mod dsp;
#[cfg(mote_wide_lanes)]
#[allow(unsafe_code)]
mod words;
#[cfg(mote_kernel = "x86")]
#[allow(unsafe_code)]
mod x86;

#[cfg(mote_kernel = "mve")]
#[allow(unsafe_code)]
mod mve;
#[cfg(mote_kernel = "riscv")]
#[allow(unsafe_code)]
mod riscv;

#[cfg(mote_dsp)]
pub(in crate::network) use dsp::scaled;

use super::layer::Layer;
use super::{Activation, Lane, WeightLayout};

#[cfg(mote_kernel = "armv6m")]
use armv6m::ROUTINE;
#[cfg(mote_kernel = "armv7m")]
use armv7m::ROUTINE;
#[cfg(mote_dsp)]
use dsp::ROUTINE;
#[cfg(mote_kernel = "riscv")]
use riscv::ROUTINE;

/// The weights of a layer.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    weights: &'a [u8],
    rows: usize,
    cols: usize,
    /// Whether two weights share a byte.
    #[cfg_attr(not(any(mote_tiles, feature = "packed")), expect(dead_code, reason = "asked by kernels for tiles"))]
    packed: bool,
}

/// What follows the sums of a layer of the common kind: no class, no residual, parameters where a core can load them.
#[derive(Clone, Copy)]
#[cfg_attr(not(mote_tiles), expect(dead_code, reason = "only kernels for tiles compute codes"))]
pub(super) struct Plain<'a> {
    pub multipliers: &'a [i16],
    pub biases: &'a [i16],
    /// ReLU or SiLU.
    pub activation: Activation,
    /// Added to the scaled sum before the first shift: its half, and for ReLU that of the second one too.
    pub before: i32,
    pub sum_shift: u32,
    pub code_shift: u32,
    /// The largest code.
    pub highest: i32,
}

/// Calls `each` with the sums of consecutive rows, shifted left by [`SUM_SHIFT`], from row `first` to the last; `first` is a multiple of a tile.
///
/// `codes` holds the layer's inputs, and may go on past them.
pub(super) fn dense(layer: &Layer<'_>, first: usize, codes: &[Lane], each: &mut dyn FnMut(&[i32])) {
    #[cfg(all(feature = "packed", not(mote_kernel = "dsp")))]
    if layer.storage.is_packed() {
        return portable::packed(layer.layout(), &Matrix::from_row(layer, first), codes, each);
    }
    #[cfg(mote_kernel = "mve")]
    let first = first + mve::dense(layer, first, codes, each);
    let matrix = Matrix::from_row(layer, first);
    match layer.layout() {
        #[cfg(not(mote_kernel = "dsp"))]
        WeightLayout::Rows => {
            #[cfg(mote_kernel = "x86")]
            if x86::rows(&matrix, codes, each) {
                return;
            }
            portable::rows(&matrix, codes, each);
        }
        // A kernel refuses what lies where it cannot read it, and then the portable one takes over.
        #[cfg(mote_tiles)]
        layout => {
            if layout != WeightLayout::RowPairs || !ROUTINE.dense(&matrix, codes, each) {
                portable::one_by_one(layer.storage, &matrix, codes, each);
            }
        }
        #[cfg(not(mote_tiles))]
        WeightLayout::RowPairs => {
            #[cfg(mote_kernel = "x86")]
            if x86::row_pairs(&matrix, codes, each) {
                return;
            }
            portable::row_pairs(&matrix, codes, each);
        }
    }
}

/// Computes the codes of a layer's first rows in one go, where the target has a kernel for it, and tells how many rows those are.
#[inline]
pub(super) fn plain(layer: &Layer<'_>, codes: &[Lane], next: &mut [Lane], plain: &Plain<'_>) -> usize {
    #[cfg(all(feature = "packed", not(mote_kernel = "dsp")))]
    if layer.storage.is_packed() {
        return 0;
    }
    #[cfg(mote_kernel = "mve")]
    let vectors = mve::plain(layer, codes, next, plain);
    #[cfg(mote_kernel = "mve")]
    if vectors > 0 || layer.layout() == WeightLayout::Rows {
        return vectors;
    }
    #[cfg(mote_tiles)]
    if layer.layout() == WeightLayout::RowPairs {
        return ROUTINE.plain(&Matrix::whole(layer), codes, next, plain);
    }
    let _ = (layer, codes, next, plain);
    0
}

impl<'a> Matrix<'a> {
    #[cfg(mote_tiles)]
    fn whole(layer: &Layer<'a>) -> Self {
        Self { weights: layer.weights(), rows: layer.rows(), cols: layer.cols(), packed: layer.storage.is_packed() }
    }

    fn from_row(layer: &Layer<'a>, first: usize) -> Self {
        let storage = layer.storage;
        let weights = layer.weights().get(storage.bytes(first, layer.cols())..).unwrap_or_default();
        Self { weights, rows: layer.rows().saturating_sub(first), cols: layer.cols(), packed: storage.is_packed() }
    }

    /// Bytes of a tile of row pairs, four whole rows.
    #[cfg(any(mote_tiles, feature = "packed"))]
    fn tile_bytes(&self) -> usize {
        let weights = super::TILE * self.cols.next_multiple_of(super::TILE);
        if self.is_packed() { weights / 2 } else { weights }
    }

    #[cfg(any(mote_tiles, feature = "packed"))]
    fn is_packed(&self) -> bool {
        cfg!(feature = "packed") && self.packed
    }
}

/// Sums are handed over shifted left by this: 24 bits leave room for it in a word, and requantisation wants them at its top.
pub(super) const SUM_SHIFT: u32 = 8;

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::network::{Storage, WeightFormat};
    use crate::random::Stream;
    use rand_core::Rng;
    use std::vec::Vec;

    type Kernel = fn(&Matrix<'_>, &[Lane], &mut dyn FnMut(&[i32])) -> bool;

    const KERNELS: &[(&str, WeightLayout, Kernel)] = &[
        ("portable rows", WeightLayout::Rows, |matrix, codes, each| {
            portable::rows(matrix, codes, each);
            true
        }),
        ("portable row pairs", WeightLayout::RowPairs, |matrix, codes, each| {
            portable::row_pairs(matrix, codes, each);
            true
        }),
        #[cfg(mote_kernel = "x86")]
        ("x86 rows", WeightLayout::Rows, |matrix, codes, each| x86::rows(matrix, codes, each)),
        #[cfg(mote_kernel = "x86")]
        ("x86 row pairs", WeightLayout::RowPairs, |matrix, codes, each| x86::row_pairs(matrix, codes, each)),
    ];

    fn whole(layout: WeightLayout) -> Storage {
        Storage { layout, format: WeightFormat::Bits8 }
    }

    #[cfg(feature = "packed")]
    #[test]
    fn packed_weights_give_sums_in_wide_integers() {
        let mut stream = Stream::new(8);
        for (rows, cols, limit) in
            [(1, 1, 127), (3, 7, 255), (33, 100, 127), (128, 64, 127), (2, 512, 127), (5, 12, 32767)]
        {
            let weights: Vec<i8> = (0..rows * cols).map(|_| (stream.next_u32() % 16) as i8 - 8).collect();
            let code = |bits: u32| (bits % (2 * limit + 1)) as i32 - limit as i32;
            let codes: Vec<Lane> = (0..cols + 5).map(|_| code(stream.next_u32()) as Lane).collect();
            let sum =
                |row: usize| (0..cols).map(|c| i64::from(weights[row * cols + c]) * i64::from(codes[c])).sum::<i64>();
            let expected: Vec<i64> = (0..rows).map(|row| sum(row) << SUM_SHIFT).collect();
            for (name, layout) in WeightLayout::ALL {
                let storage = Storage { layout, format: WeightFormat::Bits4 };
                let packed: Vec<u8> = storage.arrange(rows, cols, |row, col| weights[row * cols + col]).collect();
                let matrix = Matrix { weights: &packed, rows, cols, packed: true };
                let mut sums = Vec::new();
                portable::packed(layout, &matrix, &codes, &mut |some| sums.extend(some.iter().copied().map(i64::from)));
                assert_eq!(sums, expected, "{name}: {rows} x {cols}");
            }
        }
    }

    #[test]
    fn every_kernel_equals_sums_in_wide_integers() {
        let mut stream = Stream::new(7);
        for (rows, cols, limit) in
            [(1, 1, 127), (3, 7, 255), (33, 100, 127), (128, 64, 127), (2, 512, 127), (5, 12, 5000)]
        {
            // A row of 512 full weights leaves 127 for codes; a short one more, and any two of them may be at their ends.
            let weights: Vec<i8> = (0..rows * cols).map(|_| stream.next_u32() as i8).collect();
            // A buffer that goes on past the layer's inputs, as in a network whose layers differ in width.
            let code = |bits: u32| (bits % (2 * limit + 1)) as i32 - limit as i32;
            let codes: Vec<Lane> = (0..cols + 5).map(|_| code(stream.next_u32()) as Lane).collect();
            let sum =
                |row: usize| (0..cols).map(|c| i64::from(weights[row * cols + c]) * i64::from(codes[c])).sum::<i64>();
            let expected: Vec<i64> = (0..rows).map(|row| sum(row) << SUM_SHIFT).collect();
            for (name, layout, kernel) in KERNELS {
                let arranged: Vec<u8> =
                    whole(*layout).arrange(rows, cols, |row, col| weights[row * cols + col]).collect();
                let mut sums = Vec::new();
                let matrix = Matrix { weights: &arranged, rows, cols, packed: false };
                let done = kernel(&matrix, &codes, &mut |some| sums.extend(some.iter().copied().map(i64::from)));
                if done {
                    assert_eq!(sums, expected, "{name}: {rows} x {cols}");
                } else {
                    std::eprintln!("*** NOT TESTED: {name}: this processor does not have what it needs ***");
                }
            }
        }
    }
}
