//! Weights in row pairs, for columns in whole vectors of eight.
//!
//! VLD2 takes the words of rows A and B and those of C and D apart, as half-words `256 B + A'` with `A' = A + 128`. One VMLADAV with eight codes adds
//! up `256 B x + A' x`, and a second one `A' x` alone: of bytes where codes are 0 to 255, as the upper byte of such a code is zero, or of
//! half-words without their upper bytes. All of it wraps at 32 bits, as on the cores with DSP instructions.

use super::Job;
use super::tails::{pre_activations, prepared, silu, store_relu, store_silu, store_sums};
use core::arch::naked_asm;

/// Adds up `count` codes.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn sum(codes: *const i16, count: usize) -> i32 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "mov r2, #0",
        "dlstp.16 lr, r1",
        "2:",
        "vldrh.u16 q0, [r0], #16",
        "vaddva.s16 r2, q0",
        "letp lr, 2b",
        "mov r0, r2",
        "pop {{r7, pc}}",
    )
}

/// Four rows by eight columns with codes from 0 to 255; 28 bytes, which the first jump into the loop counts on.
macro_rules! bytes {
    () => {
        "vld20.32 {{q0, q1}}, [r1]
         vld21.32 {{q0, q1}}, [r1]!
         vldrh.u16 q4, [r3], #16
         vmladava.s16 r2, q0, q4
         vmladava.u8 r0, q0, q4
         vmladava.s16 r6, q1, q4
         vmladava.u8 r4, q1, q4\n"
    };
}

/// The same with any codes; 36 bytes.
macro_rules! half_words {
    () => {
        "vld20.32 {{q0, q1}}, [r1]
         vld21.32 {{q0, q1}}, [r1]!
         vldrh.u16 q4, [r3], #16
         vmladava.s16 r2, q0, q4
         vmovlb.u8 q0, q0
         vmladava.s16 r0, q0, q4
         vmladava.s16 r6, q1, q4
         vmovlb.u8 q1, q1
         vmladava.s16 r4, q1, q4\n"
    };
}

/// Sums shifted left by 8: those of the pairs are, as soon as the others are taken off.
macro_rules! apart {
    (scalar) => {
        "sub r2, r2, r0
         sub r6, r6, r4
         lsl r0, r0, #8
         lsl r4, r4, #8\n"
    };
    (before) => {
        apart!(scalar)
    };
    (vector) => {
        ""
    };
}

/// Registers: r0, r2, r4, r6 sums of A, of the first pair, of C and of the second pair; r1 weights, r3 codes, r5 the way in, r9 what sums start at, r11 where
/// the next sum goes, r12 the end of what is written, lr turns; q0 and q1 weights, q3 the largest code, q4 codes. The job's `held` counts the groups of
/// eight columns that the first turn leaves out.
macro_rules! routine {
    ($name:ident, $group:ident, $bytes:literal, $store:ident) => {
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(weights: *const u8, job: &Job) {
            naked_asm!(
                ".cpu cortex-m55",
                "push {{r3-r11, lr}}",
                "vpush {{d8-d9}}",
                "sub sp, sp, #40",
                "ldr r8, [r1, #4]",
                "ldr r2, [r1, #8]",
                prepared!(),
                concat!("movs r3, #", $bytes),
                "adr.w r5, 3f",
                "mla r5, r2, r3, r5",
                "orr r5, r5, #1",
                "add r9, r1, #52",
                "mov r1, r0",
                "2:",
                "ldm r9, {{r0, r2, r4, r6}}",
                "ldrd lr, r3, [sp, #20]",
                "bx r5",
                ".p2align 2",
                "3:",
                $group!(),
                $group!(),
                $group!(),
                $group!(),
                "le lr, 3b",
                $store!(apart),
                "bne.w 2b",
                "add sp, sp, #40",
                "vpop {{d8-d9}}",
                "pop {{r3-r11, pc}}",
            )
        }
    };
}

routine!(byte_sums, bytes, "28", store_sums);
routine!(byte_relu, bytes, "28", store_relu);
routine!(byte_silu, bytes, "28", store_silu);
routine!(half_word_sums, half_words, "36", store_sums);
routine!(half_word_relu, half_words, "36", store_relu);
routine!(half_word_silu, half_words, "36", store_silu);
