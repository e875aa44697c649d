//! Rows of any length, weights row after row.

use super::Job;
use super::tails::{pre_activations, prepared, silu, store_relu, store_silu, store_sums};
use core::arch::naked_asm;

/// The products of four rows with a vector of codes. Weights come by `load` and advance by `step`; the first vector of a row sets its sum.
macro_rules! products {
    ($load:literal, $step:literal, $multiply:literal, $codes:literal) => {
        concat!(
            products!(@ $load, $step, $multiply, $codes, "r1", "r0"),
            products!(@ $load, $step, $multiply, $codes, "r3", "r2"),
            products!(@ $load, $step, $multiply, $codes, "r5", "r4"),
            products!(@ $load, $step, $multiply, $codes, "r7", "r6"),
        )
    };
    (@ $load:literal, $step:literal, $multiply:literal, $codes:literal, $weights:literal, $sum:literal) => {
        concat!("vldrb.", $load, " q0, [", $weights, "], #", $step, "\n", $multiply, " ", $sum, ", q0, ", $codes, "\n")
    };
}

/// Sums shifted left by 8, while they are in r0, r2, r4 and r6, before that in q0, or in q0.
macro_rules! as_they_are {
    (scalar) => {
        "lsl.w r0, r0, #8
         lsl.w r2, r2, #8
         lsl.w r4, r4, #8
         lsl.w r6, r6, #8\n"
    };
    (before) => {
        ""
    };
    (vector) => {
        "vshl.i32 q0, q0, #8\n"
    };
}

/// The same of weights that had 128 added, which start at -128 times the sum of the codes.
macro_rules! with_start {
    (scalar) => {
        concat!(
            "ldr r8, [sp, #32]
             add r0, r0, r8
             add r2, r2, r8
             add r4, r4, r8
             add r6, r6, r8\n",
            as_they_are!(scalar)
        )
    };
    (before) => {
        "ldr r8, [sp, #32]\n"
    };
    (vector) => {
        "vadd.i32 q0, q0, r8
         vshl.i32 q0, q0, #8\n"
    };
}

/// Registers: r0, r2, r4, r6 sums; r1, r3, r5, r7 the rows' weights; r8 codes, r9 from a row's end to its place four rows on, r10 the way in, r11 where the
/// next sum goes, r12 the end of what is written, lr turns; q0 weights, q1 codes, q2 what `each` puts there, q3 the largest code, q4 to q7 the codes
/// that stay.
macro_rules! routine {
    ($name:ident, $each:literal, $load:literal, $step:literal, $first:literal, $multiply:literal, $store:ident, $shifted:ident) => {
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(weights: *const u8, job: &Job) {
            naked_asm!(
                ".cpu cortex-m55",
                "push {{r3-r11, lr}}",
                "vpush {{d8-d15}}",
                "sub sp, sp, #40",
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
                prepared!(),
                "ldr r4, [r1, #16]",
                "rsb r9, r4, r2, lsl #2",
                "mov r1, r0",
                "add r3, r1, r2",
                "add r5, r3, r2",
                "add r7, r5, r2",
                "3:",
                $each,
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
                "ldrd lr, r8, [sp, #20]",
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
                $store!($shifted),
                "add r1, r1, r9",
                "add r3, r3, r9",
                "add r5, r5, r9",
                "add r7, r7, r9",
                "bne.w 3b",
                "add sp, sp, #40",
                "vpop {{d8-d15}}",
                "pop {{r3-r11, pc}}",
            )
        }
    };
}

routine!(narrow_sums, "", "u8", "16", "vmladav.s8", "vmladava.s8", store_sums, as_they_are);
routine!(narrow_relu, "", "u8", "16", "vmladav.s8", "vmladava.s8", store_relu, as_they_are);
routine!(narrow_silu, "", "u8", "16", "vmladav.s8", "vmladava.s8", store_silu, as_they_are);
routine!(wide_sums, "", "s16", "8", "vmladav.s16", "vmladava.s16", store_sums, as_they_are);
routine!(wide_relu, "", "s16", "8", "vmladav.s16", "vmladava.s16", store_relu, as_they_are);
routine!(wide_silu, "", "s16", "8", "vmladav.s16", "vmladava.s16", store_silu, as_they_are);

/// What adds 128 to sixteen weights, so that they and codes up to 255 are both unsigned.
macro_rules! unsigned {
    ($name:ident, $store:ident) => {
        routine!(
            $name,
            "vmov.i8 q2, #128",
            "u8",
            "16",
            "veor q0, q0, q2\n vmladav.u8",
            "veor q0, q0, q2\n vmladava.u8",
            $store,
            with_start
        );
    };
}

unsigned!(unsigned_sums, store_sums);
unsigned!(unsigned_relu, store_relu);
unsigned!(unsigned_silu, store_silu);

/// Cuts `count` codes to bytes, and fills them up with zeros to `span` bytes, a whole number of vectors of which `count` reaches into the last.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn narrow(codes: *const i16, count: usize, to: *mut u8, span: usize) {
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
