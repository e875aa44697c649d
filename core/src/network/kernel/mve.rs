//! Cortex-M55: sixteen 8-bit products, or eight of 16 bits, an instruction; weights row after row.
//!
//! Four rows a pass share the codes that are loaded, and the first four vectors of codes stay in registers for the whole layer, so that sixteen columns
//! take two instructions a row there and 2.25 after them. ReLU layers are finished four rows at once. Vectors of integers alone: those of floats
//! would flush subnormals (Armv8-M Architecture Reference Manual, DDI 0553, chapter C2).

use super::Plain;
use crate::network::layer::Layer;
use crate::network::{Activation, TILE, WIDTH_MAX};
use core::arch::naked_asm;
use core::mem::MaybeUninit;

/// Columns of a vector of 8-bit codes, and of one of 16-bit codes.
const BYTES: usize = 16;
const HALF_WORDS: usize = 8;

/// Rows whose sums are handed over at once.
const BLOCK: usize = 16;

/// Vectors of 8-bit codes that [`short_relu`] takes at most, and bytes before the codes that it may read.
const SHORT: usize = 8;
const BEFORE: usize = (SHORT - 1) * BYTES;

/// Where 8-bit codes are put.
type Room = [MaybeUninit<u8>; BEFORE + WIDTH_MAX];

/// What a routine is asked for; it reads this by offset, so the order is part of its contract.
#[repr(C)]
struct Job {
    /// 0: from a row's first weight to that of the next.
    stride: usize,
    /// 4: the codes, filled up with zeros to whole vectors.
    codes: *const u8,
    /// 8: vectors that stay in registers, 1 to 4, and how often four more follow them.
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
    /// 36: the shifts to the left that requantisation takes, neither above 0, and the largest code.
    sum_shift: i32,
    code_shift: i32,
    highest: i32,
}

/// A routine that adds up rows, four after four, and what follows.
type Routine = unsafe extern "C" fn(weights: *const u8, job: &Job);

/// The codes of a layer as a routine reads them.
struct Vectors<'a> {
    job: Job,
    /// Codes cut to bytes; what `job` points at must live as long.
    _codes: &'a [MaybeUninit<u8>],
    wide: bool,
    /// Rows from the first on whose vectors of weights end inside the weights.
    rows: usize,
}

impl<'a> Vectors<'a> {
    /// Prepares a layer's rows from `first` on; `None` where these kernels cannot: fewer than four rows, or wide codes that do not fill their vectors.
    fn new(layer: &Layer<'_>, first: usize, codes: &'a [i16], room: &'a mut Room) -> Option<Self> {
        let cols = layer.cols();
        let codes = codes.get(..cols).filter(|codes| !codes.is_empty())?;
        let wide = layer.input_max() > 127;
        let width = if wide { HALF_WORDS } else { BYTES };
        let vectors = cols.div_ceil(width);
        let span = vectors * width;
        if span > WIDTH_MAX || (wide && span != cols) {
            return None;
        }
        // As with every kernel, a blob at an odd address is left to portable code, which thereby runs on the same core.
        let aligned = layer.weights().as_ptr().addr().is_multiple_of(4);
        let rest = layer.weights().len().checked_sub(first * cols).filter(|_| aligned)?;
        // The last row whose vectors fit ends where the weights end, or before.
        let rows = (rest.checked_sub(span)? / cols + 1).min(layer.rows() - first) & !(TILE - 1);
        if rows == 0 {
            return None;
        }
        let start = if wide {
            codes.as_ptr().cast()
        } else {
            let start = room.as_mut_ptr().wrapping_add(BEFORE).cast();
            // SAFETY: `span` is a whole number of vectors above 0, no more than the room has from there, and `codes` reaches into the last of them.
            unsafe { narrow(codes.as_ptr(), cols, start, span) };
            start.cast_const()
        };
        let held = (vectors - 1) % 4 + 1;
        let job = Job {
            stride: cols,
            codes: start,
            held,
            turns: (vectors - held) / 4,
            span,
            multipliers: core::ptr::null(),
            biases: core::ptr::null(),
            out: core::ptr::null_mut(),
            out_end: core::ptr::null_mut(),
            sum_shift: 0,
            code_shift: 0,
            highest: 0,
        };
        Some(Self { job, _codes: room, wide, rows })
    }
}

/// Calls `each` with the sums of rows from `first` on, and tells how many; the others are left to portable code.
///
/// A function of its own, like [`plain`], so that its room is given back.
#[inline(never)]
pub(super) fn dense(layer: &Layer<'_>, first: usize, codes: &[i16], each: &mut dyn FnMut(&[i32])) -> usize {
    let mut room = [MaybeUninit::uninit(); BEFORE + WIDTH_MAX];
    let Some(mut vectors) = Vectors::new(layer, first, codes, &mut room) else { return 0 };
    let routine: Routine = if vectors.wide { wide_sums } else { narrow_sums };
    let mut sums = [0i32; BLOCK];
    let mut done = 0;
    while done < vectors.rows {
        let count = (vectors.rows - done).min(BLOCK);
        let Some(weights) = layer.weights().get((first + done) * layer.cols()..) else { return done };
        let out = sums.as_mut_ptr_range();
        (vectors.job.out, vectors.job.out_end) = (out.start.cast(), out.start.wrapping_add(count).cast());
        // SAFETY: `Vectors` vouches for the codes, and that the vectors of these rows end inside the weights; `sums` has room for `BLOCK`, and
        // `count` is a multiple of four above 0.
        unsafe { routine(weights.as_ptr(), &vectors.job) };
        each(sums.get(..count).unwrap_or_default());
        done += count;
    }
    done
}

/// Computes the codes of a ReLU layer's first rows, and tells how many.
#[inline(never)]
pub(super) fn plain(layer: &Layer<'_>, codes: &[i16], next: &mut [i16], plain: &Plain<'_>) -> usize {
    if plain.activation != Activation::Relu {
        return 0;
    }
    let mut room = [MaybeUninit::uninit(); BEFORE + WIDTH_MAX];
    let Some(mut vectors) = Vectors::new(layer, 0, codes, &mut room) else { return 0 };
    let rows = vectors.rows;
    let enough = plain.multipliers.len() >= rows && plain.biases.len() >= rows;
    let Some(next) = next.get_mut(..rows).filter(|_| enough) else { return 0 };
    let out = next.as_mut_ptr_range();
    let job = &mut vectors.job;
    (job.out, job.out_end) = (out.start.cast(), out.end.cast());
    (job.multipliers, job.biases) = (plain.multipliers.as_ptr(), plain.biases.as_ptr());
    (job.sum_shift, job.code_shift) = (-(plain.sum_shift as i32), -(plain.code_shift as i32));
    job.highest = plain.highest;
    let routine: Routine = if vectors.wide {
        wide_relu
    } else if job.span <= SHORT * BYTES && plain.sum_shift >= 8 {
        (job.turns, job.sum_shift) = (rows / TILE, 7 - plain.sum_shift as i32);
        short_relu
    } else {
        narrow_relu
    };
    // SAFETY: `Vectors` vouches for weights and codes; multipliers, biases and `next` are there for `rows` rows, a multiple of four above 0.
    unsafe { routine(layer.weights().as_ptr(), &vectors.job) };
    rows
}

/// Cuts `count` codes to bytes, and fills them up with zeros to `span` bytes, a whole number of vectors of which `count` reaches into the last.
#[unsafe(naked)]
unsafe extern "C" fn narrow(codes: *const i16, count: usize, to: *mut u8, span: usize) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "add r3, r2, r3",
        "vmov.i32 q0, #0",
        "vstrb.8 q0, [r3, #-16]",
        "dlstp.16 lr, r1",
        "2:",
        "vldrh.u16 q0, [r0], #16",
        "vstrb.16 q0, [r2], #8",
        "letp lr, 2b",
        "pop {{r7, pc}}",
    )
}

/// The products of four rows with a vector of codes. Weights come by `load` and advance by `step`; the first vector of a row sets its sum.
macro_rules! products {
    ($load:literal, $step:literal, $multiply:literal, $codes:literal) => {
        concat!(
            "vldrb.",
            $load,
            " q0, [r1], #",
            $step,
            "\n",
            $multiply,
            " r0, q0, ",
            $codes,
            "\n",
            "vldrb.",
            $load,
            " q0, [r3], #",
            $step,
            "\n",
            $multiply,
            " r2, q0, ",
            $codes,
            "\n",
            "vldrb.",
            $load,
            " q0, [r5], #",
            $step,
            "\n",
            $multiply,
            " r4, q0, ",
            $codes,
            "\n",
            "vldrb.",
            $load,
            " q0, [r7], #",
            $step,
            "\n",
            $multiply,
            " r6, q0, ",
            $codes,
            "\n",
        )
    };
}

/// The same for [`short_relu`], which keeps its sums elsewhere: 32 bytes, which its jump counts on.
macro_rules! short_products {
    ($multiply:literal, $codes:literal) => {
        concat!(
            "vldrb.u8 q0, [r1], #16\n",
            $multiply,
            " r6, q0, ",
            $codes,
            "\n",
            "vldrb.u8 q0, [r3], #16\n",
            $multiply,
            " r8, q0, ",
            $codes,
            "\n",
            "vldrb.u8 q0, [r5], #16\n",
            $multiply,
            " r10, q0, ",
            $codes,
            "\n",
            "vldrb.u8 q0, [r7], #16\n",
            $multiply,
            " r12, q0, ",
            $codes,
            "\n",
        )
    };
}

/// Sums as they are, shifted to the top of their words; sets the flags by whether they are the last.
macro_rules! store_sums {
    () => {
        "lsl.w r0, r0, #8
         lsl.w r2, r2, #8
         lsl.w r4, r4, #8
         lsl.w r6, r6, #8
         strd r0, r2, [r11], #8
         strd r4, r6, [r11], #8
         cmp r11, r12"
    };
}

/// Codes by ReLU, and the flags as above. VMULH takes the upper words of `256 sum` times `65536 multiplier`, VRSHL shifts to the right by a negative
/// number and rounds half up, and VQMOVUN takes the negative ones to 0.
macro_rules! store_relu {
    () => {
        "vmov q0[2], q0[0], r0, r4
         vmov q0[3], q0[1], r2, r6
         ldm.w sp, {{r0, r2, r4, r6}}
         vshl.i32 q0, q0, #8
         vldrh.u32 q1, [r0], #8
         vshl.i32 q1, q1, #16
         vmulh.s32 q0, q0, q1
         vldrh.s32 q1, [r2], #8
         vrshl.s32 q0, q0, q2
         vadd.i32 q0, q0, q1
         vrshl.s32 q0, r6
         vqmovunb.s32 q1, q0
         vmin.u16 q1, q1, q3
         vstrh.32 q1, [r4], #8
         stm.w sp, {{r0, r2, r4}}
         cmp r4, r12"
    };
}

/// Registers: r0, r2, r4, r6 sums; r1, r3, r5, r7 the rows' weights; r8 codes, r9 from a row's end to its place four rows on, r10 the way in, r11 where the
/// next sum goes, r12 the end of what is written, lr turns; q0 weights, q1 codes, q2 and q3 the first shift and the largest code, q4 to q7 the codes
/// that stay. On the stack: multipliers, biases, where the next code goes, the second shift, the turns, the codes after those that stay.
macro_rules! routine {
    ($name:ident, $load:literal, $step:literal, $first:literal, $multiply:literal, $store:ident) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(weights: *const u8, job: &Job) {
            naked_asm!(
                ".cpu cortex-m55",
                "push {{r3-r11, lr}}",
                "vpush {{d8-d15}}",
                "sub sp, sp, #24",
                "ldrd r2, r8, [r1]",
                "ldr r4, [r1, #8]",
                "vldrb.u8 q4, [r8], #16",
                "adr.w r5, 11f",
                "subs r4, r4, #1",
                "beq 2f",
                "vldrb.u8 q5, [r8], #16",
                "adr.w r5, 12f",
                "subs r4, r4, #1",
                "beq 2f",
                "vldrb.u8 q6, [r8], #16",
                "adr.w r5, 13f",
                "subs r4, r4, #1",
                "beq 2f",
                "vldrb.u8 q7, [r8], #16",
                "adr.w r5, 14f",
                "2:",
                "orr r10, r5, #1",
                "ldr r4, [r1, #12]",
                "strd r4, r8, [sp, #16]",
                "ldrd r4, r5, [r1, #20]",
                "strd r4, r5, [sp]",
                "ldrd r11, r12, [r1, #28]",
                "ldrd r5, r6, [r1, #36]",
                "strd r11, r6, [sp, #8]",
                "vdup.32 q2, r5",
                "ldr r5, [r1, #44]",
                "vdup.16 q3, r5",
                "ldr r4, [r1, #16]",
                "rsb r9, r4, r2, lsl #2",
                "mov r1, r0",
                "add r3, r1, r2",
                "add r5, r3, r2",
                "add r7, r5, r2",
                "3:",
                "bx r10",
                ".p2align 2",
                "11:",
                products!($load, $step, $first, "q4"),
                "b.w 4f",
                ".p2align 2",
                "12:",
                products!($load, $step, $first, "q4"),
                products!($load, $step, $multiply, "q5"),
                "b.w 4f",
                ".p2align 2",
                "13:",
                products!($load, $step, $first, "q4"),
                products!($load, $step, $multiply, "q5"),
                products!($load, $step, $multiply, "q6"),
                "b.w 4f",
                ".p2align 2",
                "14:",
                products!($load, $step, $first, "q4"),
                products!($load, $step, $multiply, "q5"),
                products!($load, $step, $multiply, "q6"),
                products!($load, $step, $multiply, "q7"),
                "4:",
                "ldrd lr, r8, [sp, #16]",
                "wls lr, lr, 6f",
                "5:",
                "vldrb.u8 q1, [r8], #16",
                products!($load, $step, $multiply, "q1"),
                "vldrb.u8 q1, [r8], #16",
                products!($load, $step, $multiply, "q1"),
                "vldrb.u8 q1, [r8], #16",
                products!($load, $step, $multiply, "q1"),
                "vldrb.u8 q1, [r8], #16",
                products!($load, $step, $multiply, "q1"),
                "le lr, 5b",
                "6:",
                $store!(),
                "add r1, r1, r9",
                "add r3, r3, r9",
                "add r5, r5, r9",
                "add r7, r7, r9",
                "bne.w 3b",
                "add sp, sp, #24",
                "vpop {{d8-d15}}",
                "pop {{r3-r11, pc}}",
            )
        }
    };
}

routine!(narrow_sums, "u8", "16", "vmladav.s8", "vmladava.s8", store_sums);
routine!(narrow_relu, "u8", "16", "vmladav.s8", "vmladava.s8", store_relu);
routine!(wide_sums, "s16", "8", "vmladav.s16", "vmladava.s16", store_sums);
routine!(wide_relu, "s16", "8", "vmladav.s16", "vmladava.s16", store_relu);

/// ReLU for at most [`SHORT`] vectors of 8-bit codes, without a loop over them. The first one sets the sums, and a jump then leaves out those that are
/// not there of the seven that follow; the codes of three of these are loaded each time, and all others stay in registers.
///
/// VQDMULH takes the upper words of `2 sum * 65536 multiplier`, the product without its lowest 15 bits, so `sum_shift` is 7 less than the layer's; one of 8 and more
/// rounds above those bits. `turns` counts passes of four rows, and [`BEFORE`] bytes before the codes are readable, whatever they hold.
///
/// Registers: r0 multipliers, r2 biases, r4 where the next code goes; r1, r3, r5, r7 the rows' weights; r6, r8, r10, r12 sums; r9 codes, r11 from a row's end to its
/// place four rows on, lr passes; q2 the first codes, q3 the largest code, q4 to q7 the last codes. On the stack: the way on, and the two shifts.
#[unsafe(naked)]
unsafe extern "C" fn short_relu(weights: *const u8, job: &Job) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r3-r11, lr}}",
        "vpush {{d8-d15}}",
        "sub sp, sp, #16",
        "ldrd r2, r9, [r1]",
        "ldrd r4, r5, [r1, #12]",
        "dls lr, r4",
        "rsb r11, r5, r2, lsl #2",
        "vldrb.u8 q2, [r9]",
        "add r9, r9, r5",
        "vldrb.u8 q4, [r9, #-64]",
        "vldrb.u8 q5, [r9, #-48]",
        "vldrb.u8 q6, [r9, #-32]",
        "vldrb.u8 q7, [r9, #-16]",
        "sub r9, r9, #112",
        // 36 bytes for a vector that is loaded, 32 for one that stays: from the end, 32 a vector and 4 more for each before the last four.
        "lsrs r6, r5, #4",
        "sub r6, r6, #1",
        "lsl r8, r6, #5",
        "subs r6, r6, #4",
        "it gt",
        "addgt r8, r8, r6, lsl #2",
        "adr.w r6, 4f",
        "sub r6, r6, r8",
        "orr r6, r6, #1",
        "str r6, [sp]",
        "ldrd r6, r8, [r1, #36]",
        "strd r6, r8, [sp, #8]",
        "ldr r6, [r1, #44]",
        "vdup.16 q3, r6",
        "mov r12, r2",
        "ldr r4, [r1, #28]",
        "ldrd r6, r2, [r1, #20]",
        "mov r1, r0",
        "mov r0, r6",
        "add r3, r1, r12",
        "add r5, r3, r12",
        "add r7, r5, r12",
        "3:",
        short_products!("vmladav.s8", "q2"),
        "ldr pc, [sp]",
        ".p2align 2",
        "vldrb.u8 q1, [r9]",
        short_products!("vmladava.s8", "q1"),
        "vldrb.u8 q1, [r9, #16]",
        short_products!("vmladava.s8", "q1"),
        "vldrb.u8 q1, [r9, #32]",
        short_products!("vmladava.s8", "q1"),
        short_products!("vmladava.s8", "q4"),
        short_products!("vmladava.s8", "q5"),
        short_products!("vmladava.s8", "q6"),
        short_products!("vmladava.s8", "q7"),
        ".p2align 2",
        "4:",
        "vmov q0[2], q0[0], r6, r10",
        "vmov q0[3], q0[1], r8, r12",
        "ldrd r6, r8, [sp, #8]",
        "vldrh.u32 q1, [r0], #8",
        "vshl.i32 q1, q1, #16",
        "vqdmulh.s32 q0, q0, q1",
        "vldrh.s32 q1, [r2], #8",
        "vrshl.s32 q0, r6",
        "vadd.i32 q0, q0, q1",
        "vrshl.s32 q0, r8",
        "vqmovunb.s32 q1, q0",
        "vmin.u16 q1, q1, q3",
        "vstrh.32 q1, [r4], #8",
        "add r1, r1, r11",
        "add r3, r3, r11",
        "add r5, r5, r11",
        "add r7, r7, r11",
        "le lr, 3b",
        "add sp, sp, #16",
        "vpop {{d8-d15}}",
        "pop {{r3-r11, pc}}",
    )
}
