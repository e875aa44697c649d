//! What the assembly kernels of row pairs have in common: what a routine is asked for, and the checks that make asking it safe.

use super::{Matrix, Plain};
use crate::network::{Lane, TILE};

/// What a routine is asked for; it reads this by offset, so order and sizes are part of its contract.
#[repr(C)]
pub(super) struct Job {
    /// -16: what a tail needs last.
    constants: Constants,
    /// 0, where a routine keeps its pointer: the first lane, at a multiple of 4 bytes.
    codes: *const Lane,
    /// 4: what four sums start at. Rows that are stored with 128 added start at -128 times the sum of the lanes, and so do those that hold them too.
    starts: [i32; TILE],
    /// 20: past the last lane; a multiple of [`TILE`] lanes from the first, and not the first.
    codes_end: *const Lane,
    /// 24: how many groups of four columns the routine's unrolled loop leaves out in its first turn, or [`PACKED`]. The routine puts the address there.
    way_in: u32,
    /// 28: what follows four sums: 0 stores them, else see [`Routine::tail`]. The routine puts the address there.
    tail: u32,
    /// 32: where the next sum or lane goes, at a multiple of 4 bytes; the routine moves it on.
    out: *mut u8,
    /// 36: past the last one; a multiple of [`TILE`] from the first, and not the first.
    out_end: *mut u8,
    /// 40: the next row's multiplier, at a multiple of 4 bytes, and its bias; the routine moves them on.
    multipliers: *const i16,
    biases: *const i16,
    /// 48: what is added before the first shift, and how far that is.
    before: i32,
    sum_shift: u32,
}

/// In place of a number of groups: two weights share a byte.
const PACKED: u32 = u32::MAX;

impl Job {
    /// Nothing to do yet.
    const EMPTY: Self = Self {
        constants: Constants { code_shift: 0, highest: 0, table: core::ptr::null(), other: 0 },
        codes: core::ptr::null(),
        starts: [0; TILE],
        codes_end: core::ptr::null(),
        way_in: 0,
        tail: 0,
        out: core::ptr::null_mut(),
        out_end: core::ptr::null_mut(),
        multipliers: core::ptr::null(),
        biases: core::ptr::null(),
        before: 0,
        sum_shift: 0,
    };
}

/// The start of a [`Job`]: the second shift and the largest code in the form that a routine has for them, the table of SiLU, and what else there is.
#[repr(C)]
pub(super) struct Constants {
    pub code_shift: u32,
    pub highest: u32,
    pub table: *const u16,
    pub other: u32,
}

/// The assembly of one kind of core.
pub(super) struct Routine {
    /// Works through rows from those whose weights start at the first argument, four after four, until `out_end`.
    pub rows: unsafe extern "C" fn(weights: *const u8, job: &mut Job),
    /// Adds up lanes from the first address to the second.
    pub sum: unsafe extern "C" fn(codes: *const Lane, end: *const Lane) -> i32,
    /// Whether rows B and D are added up together with A and C.
    pub pairs: bool,
    /// Groups of four columns in a turn of the loop.
    pub unrolled: usize,
    /// What follows four sums: the number of the tail, 1 or above, and its constants, the table with all its entries or null. `None` where there is
    /// no tail for it.
    pub tail: fn(&Plain<'_>) -> Option<(u32, Constants)>,
}

impl Routine {
    /// Calls `each` with the sums of consecutive rows; false if a kernel cannot read weights or codes where they lie, and nothing was done.
    #[allow(unsafe_code)]
    pub fn dense(&self, matrix: &Matrix<'_>, codes: &[Lane], each: &mut dyn FnMut(&[i32])) -> bool {
        let mut job = Job::EMPTY;
        if !self.prepare(&mut job, matrix, codes) {
            return false;
        }
        let way_in = job.way_in;
        // A tile at a time, so that little lies on the stack.
        let mut sums = [0i32; TILE];
        let mut left = matrix.rows;
        for weights in matrix.weights.chunks_exact(matrix.tile_bytes().max(1)) {
            let out = sums.as_mut_ptr_range();
            (job.way_in, job.tail, job.out, job.out_end) = (way_in, 0, out.start.cast(), out.end.cast());
            // SAFETY: `job` vouches for weights and lanes; `weights` holds the four rows of a tile, and `sums` has room for their sums.
            unsafe { (self.rows)(weights.as_ptr(), &mut job) };
            each(sums.get(..left).unwrap_or(&sums));
            left = left.saturating_sub(TILE);
        }
        true
    }

    /// Computes the first rows of a layer, as many as whole tiles have, and tells how many; 0 if this kernel cannot.
    ///
    /// A function of its own, so that its job lies on the stack for no other kind of layer.
    #[allow(unsafe_code)]
    #[inline(never)]
    pub fn plain(&self, matrix: &Matrix<'_>, codes: &[Lane], next: &mut [Lane], plain: &Plain<'_>) -> usize {
        let rows = matrix.rows - matrix.rows % TILE;
        let enough = plain.multipliers.len() >= rows && plain.biases.len() >= rows;
        let Some(next) = next.get_mut(..rows).filter(|next| enough && !next.is_empty()) else { return 0 };
        let out = next.as_mut_ptr_range();
        if !(out.start.addr() | plain.multipliers.as_ptr().addr()).is_multiple_of(4) {
            return 0;
        }
        let mut job = Job::EMPTY;
        if !self.prepare(&mut job, matrix, codes) {
            return 0;
        }
        // Not before: its numbers would be kept through the call.
        let Some((tail, constants)) = (self.tail)(plain) else { return 0 };
        (job.constants, job.tail) = (constants, tail);
        (job.out, job.out_end) = (out.start.cast(), out.end.cast());
        (job.multipliers, job.biases) = (plain.multipliers.as_ptr(), plain.biases.as_ptr());
        (job.before, job.sum_shift) = (plain.before, plain.sum_shift);
        // SAFETY: `job` vouches for weights and lanes; multipliers, biases and `next` are there for `rows` rows, a multiple of four above 0, and
        // lie where words can be loaded; the table has 1024 entries.
        unsafe { (self.rows)(matrix.weights.as_ptr(), &mut job) };
        rows
    }

    /// Fills in what every job shares; false if weights and lanes are not there, or not at multiples of 4 bytes.
    #[allow(unsafe_code)]
    fn prepare(&self, job: &mut Job, matrix: &Matrix<'_>, codes: &[Lane]) -> bool {
        let cols = matrix.cols.next_multiple_of(TILE);
        let whole = matrix.weights.len() >= matrix.rows.div_ceil(TILE) * matrix.tile_bytes();
        // What lies in the lanes past the columns is multiplied by zeros.
        let Some(lanes) = codes.get(..cols).filter(|codes| whole && !codes.is_empty()) else { return false };
        let lanes = lanes.as_ptr_range();
        if !(matrix.weights.as_ptr().addr() | lanes.start.addr()).is_multiple_of(4) {
            return false;
        }
        // SAFETY: the range is that of a slice, a multiple of four lanes long and not empty, and starts at a multiple of 4 bytes.
        let sum = unsafe { (self.sum)(lanes.start, lanes.end) };
        let groups = cols / TILE;
        let packed = matrix.is_packed();
        let start = sum.wrapping_mul(if packed { -8 } else { -128 });
        (job.codes, job.codes_end) = (lanes.start, lanes.end);
        job.starts = if self.pairs || packed { [start; TILE] } else { [start, 0, start, 0] };
        job.way_in = if packed { PACKED } else { (groups.next_multiple_of(self.unrolled) - groups) as u32 };
        true
    }
}
