//! Rows of at most [`SHORT`] vectors of 8-bit codes, weights row after row, without a loop over the vectors.

use super::Job;
use super::tails::silu as silu_of;
use core::arch::naked_asm;

/// The products of four rows with a vector of codes: 32 bytes, which the jump below counts on.
macro_rules! products {
    ($multiply:literal, $codes:literal) => {
        concat!(
            products!(@ $multiply, $codes, "r1", "r6"),
            products!(@ $multiply, $codes, "r3", "r8"),
            products!(@ $multiply, $codes, "r5", "r10"),
            products!(@ $multiply, $codes, "r7", "r12"),
        )
    };
    (@ $multiply:literal, $codes:literal, $weights:literal, $sum:literal) => {
        concat!("vldrb.u8 q0, [", $weights, "], #16\n", $multiply, " ", $sum, ", q0, ", $codes, "\n")
    };
}

/// Codes of pre-activations in q0 by ReLU, and the largest code in q3.
macro_rules! relu_codes {
    () => {
        "vrshl.s32 q0, r8
         vqmovunb.s32 q1, q0
         vmin.u16 q1, q1, q3
         vstrh.32 q1, [r4], #8"
    };
}

/// Codes of pre-activations in q0 by SiLU; the gap takes the place of the largest code.
macro_rules! silu_codes {
    () => {
        concat!(
            "ldrd r10, r12, [sp, #16]\n",
            silu_of!("r10", "q3"),
            "vrshl.s32 q0, r8
             vdup.32 q3, r12
             vmin.s32 q0, q0, q3
             vstrh.32 q0, [r4], #8"
        )
    };
}

/// The first vector sets the sums, and a jump then leaves out those that are not there of the seven that follow; the codes of three of these are loaded each
/// time, and all others stay in registers.
///
/// VQDMULH takes the upper words of `2 sum * 65536 multiplier`, the product without its lowest 15 bits, so `sum_shift` is 7 less than the layer's; one of 8
/// and more rounds above those bits. `turns` counts passes of four rows, and [`BEFORE`](super::BEFORE) bytes before the codes are readable, whatever they hold.
///
/// Registers: r0 multipliers, r2 biases, r4 where the next code goes; r1, r3, r5, r7 the rows' weights; r6, r8, r10, r12 sums; r9 codes, r11 from a row's end to its
/// place four rows on, lr passes; q2 the first codes, q3 the largest code, q4 to q7 the last codes. On the stack: the way on, the two shifts, the
/// table of SiLU and the largest code.
macro_rules! routine {
    ($name:ident, $codes:ident) => {
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(weights: *const u8, job: &Job) {
            naked_asm!(
                ".cpu cortex-m55",
                "push {{r3-r11, lr}}",
                "vpush {{d8-d15}}",
                "sub sp, sp, #24",
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
                "ldrd r6, r8, [r1, #44]",
                "strd r8, r6, [sp, #16]",
                "vdup.32 q3, r6",
                "mov r12, r2",
                "ldr r4, [r1, #28]",
                "ldrd r6, r2, [r1, #20]",
                "mov r1, r0",
                "mov r0, r6",
                "add r3, r1, r12",
                "add r5, r3, r12",
                "add r7, r5, r12",
                "3:",
                products!("vmladav.s8", "q2"),
                "ldr pc, [sp]",
                ".p2align 2",
                "vldrb.u8 q1, [r9]",
                products!("vmladava.s8", "q1"),
                "vldrb.u8 q1, [r9, #16]",
                products!("vmladava.s8", "q1"),
                "vldrb.u8 q1, [r9, #32]",
                products!("vmladava.s8", "q1"),
                products!("vmladava.s8", "q4"),
                products!("vmladava.s8", "q5"),
                products!("vmladava.s8", "q6"),
                products!("vmladava.s8", "q7"),
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
                $codes!(),
                "add r1, r1, r11",
                "add r3, r3, r11",
                "add r5, r5, r11",
                "add r7, r7, r11",
                "le lr, 3b",
                "add sp, sp, #24",
                "vpop {{d8-d15}}",
                "pop {{r3-r11, pc}}",
            )
        }
    };
}

routine!(relu, relu_codes);
routine!(silu, silu_codes);
