//! Cortex-M55: sixteen 8-bit products, or eight of 16 bits, an instruction.
//!
//! Of weights row after row, four rows a pass share the codes that are loaded, and the first four vectors of codes stay in registers for the whole layer, so
//! that sixteen columns take two instructions a row there and 2.25 after them; codes up to 255 take three, as weights become unsigned for them. Row pairs
//! come apart as they are loaded, see [`pairs`]. Hidden layers are finished four rows at once. Vectors of integers alone: those of floats
//! would flush subnormals (Armv8-M Architecture Reference Manual, DDI 0553, chapter C2).

mod pairs;
mod rows;
mod short;
mod tails;

use super::Plain;
use crate::network::layer::Layer;
use crate::network::silu_table::SILU_GAP;
use crate::network::{Activation, TILE, WIDTH_MAX, WeightLayout};
use core::mem::MaybeUninit;

/// Columns of a vector of 8-bit codes, and of one of 16-bit codes.
const BYTES: usize = 16;
const HALF_WORDS: usize = 8;

/// Vectors in a turn of a loop.
const UNROLLED: usize = 4;

/// Rows whose sums are handed over at once.
const BLOCK: usize = 16;

/// Vectors of 8-bit codes that [`short`] takes at most, and bytes before the codes that it may read.
const SHORT: usize = 8;
const BEFORE: usize = (SHORT - 1) * BYTES;

/// What a routine is asked for; it reads this by offset, so the order is part of its contract.
#[repr(C)]
struct Job {
    /// 0: from a row's first weight to that of the next.
    stride: usize,
    /// 4: the codes, filled up with zeros to whole vectors.
    codes: *const u8,
    /// 8: vectors that stay in registers, 1 to 4, and how often four more follow them; for row pairs what the first turn leaves out, and turns.
    held: usize,
    turns: usize,
    /// 16: bytes of weights that all vectors of a row span.
    span: usize,
    /// 20: the first row's multiplier and bias.
    multipliers: *const i16,
    biases: *const i16,
    /// 28: where the first sum or code goes, and past the last; a multiple of four rows above 0.
    out: *mut u8,
    out_end: *mut u8,
    /// 36: the shifts to the left that requantisation takes, neither above 0, the largest code, and the table of SiLU.
    sum_shift: i32,
    code_shift: i32,
    highest: i32,
    table: *const u16,
    /// 52: what sums start at where weights have 128 added.
    starts: [i32; TILE],
}

/// A routine that adds up rows, four after four, and what follows.
type Routine = unsafe extern "C" fn(weights: *const u8, job: &Job);

/// The routines of one kind of weights and codes: to sums, and to codes by ReLU and by SiLU.
struct Routines {
    sums: Routine,
    relu: Routine,
    silu: Routine,
}

/// Codes from -127 to 127.
static NARROW: Routines = Routines { sums: rows::narrow_sums, relu: rows::narrow_relu, silu: rows::narrow_silu };
/// The same, few columns.
static SHORT_ROWS: Routines = Routines { sums: rows::narrow_sums, relu: short::relu, silu: short::silu };
/// Codes from 0 to 255.
static UNSIGNED: Routines =
    Routines { sums: rows::unsigned_sums, relu: rows::unsigned_relu, silu: rows::unsigned_silu };
/// Codes of 16 bits.
static WIDE: Routines = Routines { sums: rows::wide_sums, relu: rows::wide_relu, silu: rows::wide_silu };
/// Row pairs and codes from 0 to 255.
static PAIRS_BYTE: Routines = Routines { sums: pairs::byte_sums, relu: pairs::byte_relu, silu: pairs::byte_silu };
/// Row pairs and any codes.
static PAIRS: Routines =
    Routines { sums: pairs::half_word_sums, relu: pairs::half_word_relu, silu: pairs::half_word_silu };

impl Job {
    /// Nothing to do yet.
    const EMPTY: Self = Self {
        stride: 0,
        codes: core::ptr::null(),
        held: 0,
        turns: 0,
        span: 0,
        multipliers: core::ptr::null(),
        biases: core::ptr::null(),
        out: core::ptr::null_mut(),
        out_end: core::ptr::null_mut(),
        sum_shift: 0,
        code_shift: 0,
        highest: 0,
        table: core::ptr::null(),
        starts: [0; TILE],
    };

    /// Prepares a layer's rows from `first` on, a multiple of four: the routines for them, and for how many; `None` where these kernels cannot: no row, or
    /// codes that do not fill their vectors.
    ///
    /// What the job points at, `codes` or `room`, must live as long as it is used.
    fn prepare(
        &mut self,
        layer: &Layer<'_>,
        first: usize,
        codes: &[i16],
        room: &mut [MaybeUninit<u8>],
    ) -> Option<(&'static Routines, usize)> {
        let cols = layer.cols();
        let codes = codes.get(..cols).filter(|codes| !codes.is_empty())?;
        // As with every kernel, a blob at an odd address is left to portable code, which thereby runs on the same core.
        let aligned = layer.weights().as_ptr().addr().is_multiple_of(4);
        let rest = layer.weights().len().checked_sub(layer.layout().bytes(first, cols)).filter(|_| aligned)?;
        let left = layer.rows() - first;
        let bytes = layer.input_max() <= 255 && layer.input_non_negative();
        (self.stride, self.codes) = (cols, codes.as_ptr().cast());
        if layer.layout() == WeightLayout::RowPairs {
            let groups = cols / HALF_WORDS;
            if !cols.is_multiple_of(HALF_WORDS) || left == 0 || rest < left.next_multiple_of(TILE) * cols {
                return None;
            }
            (self.turns, self.held) = (groups.div_ceil(UNROLLED), groups.next_multiple_of(UNROLLED) - groups);
            self.starts = [start_of(codes); TILE];
            return Some((if bytes { &PAIRS_BYTE } else { &PAIRS }, left));
        }
        let routines = match layer.input_max() {
            ..=127 => &NARROW,
            _ if bytes => &UNSIGNED,
            _ => &WIDE,
        };
        let wide = layer.input_max() > 127 && !bytes;
        let width = if wide { HALF_WORDS } else { BYTES };
        let span = cols.next_multiple_of(width);
        if BEFORE + span > room.len() || (wide && span != cols) {
            return None;
        }
        if !wide {
            let start = room.as_mut_ptr().wrapping_add(BEFORE).cast();
            self.codes = start;
            // SAFETY: `span` is a whole number of vectors above 0, no more than the room has from `BEFORE` on, and `codes` reaches into the last of them.
            unsafe { rows::narrow(codes.as_ptr(), cols, start, span) };
            if layer.input_max() > 127 {
                self.starts = [start_of(codes); TILE];
            }
        }
        let vectors = span / width;
        (self.span, self.held, self.turns) = (span, (vectors - 1) % UNROLLED + 1, (vectors - 1) / UNROLLED);
        // The last row whose vectors fit ends where the weights end, or before.
        let rows = (rest.checked_sub(span)? / cols + 1).min(left) & !(TILE - 1);
        (rows > 0).then_some((routines, rows))
    }
}

/// What sums start at where weights have 128 added: -128 times the sum of the codes, of which there are some.
fn start_of(codes: &[i16]) -> i32 {
    // SAFETY: so many codes are there, and not none.
    unsafe { pairs::sum(codes.as_ptr(), codes.len()) }.wrapping_mul(-128)
}

/// Calls `each` with the sums of rows from `first` on, and tells how many; the others are left to other code.
///
/// Room for codes is on the stack where the layout needs it, and in a function of its own, as for [`plain`], so that it is given back.
pub(super) fn dense(layer: &Layer<'_>, first: usize, codes: &[i16], each: &mut dyn FnMut(&[i32])) -> usize {
    #[inline(never)]
    fn with_room(layer: &Layer<'_>, first: usize, codes: &[i16], each: &mut dyn FnMut(&[i32])) -> usize {
        dense_in(layer, first, codes, each, &mut [MaybeUninit::uninit(); BEFORE + WIDTH_MAX])
    }
    match layer.layout() {
        WeightLayout::Rows => with_room(layer, first, codes, each),
        WeightLayout::RowPairs => dense_in(layer, first, codes, each, &mut []),
    }
}

#[inline(never)]
fn dense_in(
    layer: &Layer<'_>,
    first: usize,
    codes: &[i16],
    each: &mut dyn FnMut(&[i32]),
    room: &mut [MaybeUninit<u8>],
) -> usize {
    let mut job = Job::EMPTY;
    let Some((routines, rows)) = job.prepare(layer, first, codes, room) else { return 0 };
    let mut sums = [0i32; BLOCK];
    let mut done = 0;
    while done < rows {
        let count = (rows - done).min(BLOCK);
        let start = layer.layout().bytes(first + done, layer.cols());
        let Some(weights) = layer.weights().get(start..) else { return done };
        let out = sums.as_mut_ptr_range();
        (job.out, job.out_end) = (out.start.cast(), out.start.wrapping_add(count.next_multiple_of(TILE)).cast());
        // SAFETY: `prepare` vouches for the codes, and that the weights of these rows are there, to whole tiles; `sums` has room for `BLOCK` rows,
        // and so for `count` filled up to a multiple of four, which is above 0.
        unsafe { (routines.sums)(weights.as_ptr(), &job) };
        each(sums.get(..count).unwrap_or_default());
        done += count;
    }
    done
}

/// Computes the codes of a layer's first rows, and tells how many.
pub(super) fn plain(layer: &Layer<'_>, codes: &[i16], next: &mut [i16], plain: &Plain<'_>) -> usize {
    #[inline(never)]
    fn with_room(layer: &Layer<'_>, codes: &[i16], next: &mut [i16], plain: &Plain<'_>) -> usize {
        plain_in(layer, codes, next, plain, &mut [MaybeUninit::uninit(); BEFORE + WIDTH_MAX])
    }
    match layer.layout() {
        WeightLayout::Rows => with_room(layer, codes, next, plain),
        WeightLayout::RowPairs => plain_in(layer, codes, next, plain, &mut []),
    }
}

#[inline(never)]
fn plain_in(
    layer: &Layer<'_>,
    codes: &[i16],
    next: &mut [i16],
    plain: &Plain<'_>,
    room: &mut [MaybeUninit<u8>],
) -> usize {
    let mut job = Job::EMPTY;
    let Some((routines, rows)) = job.prepare(layer, 0, codes, room) else { return 0 };
    let rows = rows & !(TILE - 1);
    let enough = rows > 0 && plain.multipliers.len() >= rows && plain.biases.len() >= rows;
    let Some(next) = next.get_mut(..rows).filter(|_| enough) else { return 0 };
    let out = next.as_mut_ptr_range();
    (job.out, job.out_end) = (out.start.cast(), out.end.cast());
    (job.multipliers, job.biases) = (plain.multipliers.as_ptr(), plain.biases.as_ptr());
    (job.sum_shift, job.code_shift) = (-(plain.sum_shift as i32), -(plain.code_shift as i32));
    (job.highest, job.table) = (plain.highest, SILU_GAP.as_ptr());
    let short = core::ptr::eq(routines, &NARROW) && job.span <= SHORT * BYTES && plain.sum_shift >= 8;
    let routines = if short {
        (job.turns, job.sum_shift) = (rows / TILE, 7 - plain.sum_shift as i32);
        &SHORT_ROWS
    } else {
        routines
    };
    let routine = if plain.activation == Activation::Relu { routines.relu } else { routines.silu };
    // SAFETY: `prepare` vouches for weights and codes; multipliers, biases and `next` are there for `rows` rows, a multiple of four above 0, and the
    // table has 1024 entries.
    unsafe { routine(layer.weights().as_ptr(), &job) };
    rows
}
