//! Cortex-M4, M7 and M33: two products an instruction.
//!
//! A pair of rows A and B lies in half-words `256 B + A'` with `A' = A + 128`, so SMLAD with two lanes adds `256 B x + A' x` of two columns; a second
//! SMLAD, with the low bytes by UXTB16, adds `A' x` alone. For four rows and four columns that is LDM, LDRD, 4 UXTB16 and 8 SMLAD: 14 instructions for
//! 16 products. All of it wraps at 32 bits, and comes right since both sums fit in 24 (Arm v7-M Architecture Reference Manual, A7.7.138).

use super::tiles::{Constants, Job, Routine};
use crate::network::Activation;
use crate::network::silu_table::SILU_GAP;
use core::arch::naked_asm;

/// What tells the assembler that the core has the instructions: ARMv7E-M always has, ARMv8-M need not.
#[cfg(not(mote_armv8m))]
macro_rules! extension {
    () => {
        ""
    };
}
#[cfg(mote_armv8m)]
macro_rules! extension {
    () => {
        ".cpu cortex-m33"
    };
}

/// The second shift is a multiplication whose upper word is taken, by a power of two that must fit, and the upper clamp a saturation.
pub(super) const ROUTINE: Routine = Routine {
    rows,
    sum,
    pairs: true,
    unrolled: 11,
    tail: |plain| {
        let shift = plain.code_shift;
        // Without a table it is ReLU.
        let table = if plain.activation == Activation::Silu { SILU_GAP.as_ptr() } else { core::ptr::null() };
        let highest = (0x7fff - plain.highest as u32) * 0x0001_0001;
        let code_shift = 1 << (shift.wrapping_neg() & 31);
        (shift >= 2).then_some((1, Constants { code_shift, highest, table, other: highest & 0xffff }))
    },
};

/// `sum * multiplier >> 16`: the upper 32 of the product's 48 bits, by one instruction.
#[inline]
pub(in crate::network) fn scaled(sum: i32, multiplier: i16) -> i32 {
    let product: i32;
    // SAFETY: arithmetic on registers.
    unsafe {
        core::arch::asm!(
            extension!(),
            "smulwb {product}, {sum}, {multiplier}",
            product = lateout(reg) product,
            sum = in(reg) sum,
            multiplier = in(reg) i32::from(multiplier),
            options(pure, nomem, nostack, preserves_flags)
        )
    };
    product
}

/// Adds up lanes, a multiple of four of them: two an instruction.
#[unsafe(naked)]
unsafe extern "C" fn sum(codes: *const i16, end: *const i16) -> i32 {
    naked_asm!(
        extension!(),
        "push {{r4, r5, r6, lr}}",
        "mov r12, #0",
        "mov lr, #0x00010001",
        "subs r4, r1, r0",
        "lsls r4, r4, #28", // bit 3 of the length in bytes: an odd number of groups
        "bpl 2f",
        "ldrd r2, r3, [r0], #8",
        "smlad r12, r2, lr, r12",
        "smlad r12, r3, lr, r12",
        "cmp r0, r1",
        "beq 3f",
        "2:",
        "ldmia r0!, {{r2-r5}}",
        "smlad r12, r2, lr, r12",
        "smlad r12, r3, lr, r12",
        "smlad r12, r4, lr, r12",
        "smlad r12, r5, lr, r12",
        "cmp r0, r1",
        "bne 2b",
        "3:",
        "mov r0, r12",
        "pop {{r4, r5, r6, pc}}",
    )
}

/// Four rows by four columns; 56 bytes, which the first jump into the loop counts on.
macro_rules! group {
    () => {
        "ldmia.w r0!, {{r4-r7}}
         ldrd r2, r3, [r1], #8
         smlad r9, r4, r2, r9
         uxtb16 r4, r4
         smlad r11, r5, r2, r11
         uxtb16 r5, r5
         smlad r8, r4, r2, r8
         smlad r10, r5, r2, r10
         smlad r9, r6, r3, r9
         uxtb16 r6, r6
         smlad r11, r7, r3, r11
         uxtb16 r7, r7
         smlad r8, r6, r3, r8
         smlad r10, r7, r3, r10"
    };
}

/// Four sums of r8 to r11, shifted left by 8, into pre-activations, but for what is added before.
///
/// One SMLAW multiplies, takes the upper word and adds; multipliers and biases come by two, and SXTAH adds the upper or the lower. Where codes go and
/// where they end is left in r1 and r2.
macro_rules! requantised {
    () => {
        "sub r9, r9, r8
         lsl r8, r8, #8
         sub r11, r11, r10
         lsl r10, r10, #8
         add r7, lr, #32
         ldm r7, {{r1-r6}}
         ldrd r7, r12, [r3], #8
         smlawb r8, r8, r7, r5
         smlawt r9, r9, r7, r5
         smlawb r10, r10, r12, r5
         smlawt r11, r11, r12, r5
         asr r8, r8, r6
         asr r9, r9, r6
         asr r10, r10, r6
         asr r11, r11, r6
         ldr r7, [r4], #4
         ldr r12, [r4], #4
         strd r3, r4, [lr, #40]
         sxtah r8, r8, r7
         sxtah r9, r9, r7, ror #16
         sxtah r10, r10, r12
         sxtah r11, r11, r12, ror #16
         ldmdb lr, {{r3-r5, r7}}"
    };
}

/// SiLU of a pre-activation, divided by the codes' unit, and `32767 - highest` added: `max(p, 0) - G(|p|)`, where USAT shifts the index and clamps it
/// to the table, SMMLAR divides, rounds and adds, and SSAT is the upper clamp.
macro_rules! silu {
    ($pre:literal) => {
        concat!(
            "eor r6, ",
            $pre,
            ", ",
            $pre,
            ", asr #31\n",
            "sub r6, r6, ",
            $pre,
            ", asr #31\n",
            "usat r6, #10, r6, asr #4\n",
            "ldrh r6, [r5, r6, lsl #1]\n",
            "bic ",
            $pre,
            ", ",
            $pre,
            ", ",
            $pre,
            ", asr #31\n",
            "sub ",
            $pre,
            ", ",
            $pre,
            ", r6\n",
            "smmlar ",
            $pre,
            ", ",
            $pre,
            ", r3, r7\n",
            "ssat ",
            $pre,
            ", #16, ",
            $pre,
            "\n",
        )
    };
}

/// ReLU: the floor of the quotient by SMMLA, `32767 - highest` added; USAT is the upper clamp, and what comes off again brings the lower one.
macro_rules! relu {
    ($pre:literal) => {
        concat!("smmla ", $pre, ", ", $pre, ", r3, r7\n usat ", $pre, ", #15, ", $pre, "\n")
    };
}

/// Two pairs of codes to where they go, and on to the next four rows.
macro_rules! stored {
    () => {
        "strd r8, r9, [r1], #8
         str r1, [lr, #32]
         cmp r1, r2
         bne.w 2b
         pop {{r4-r11, pc}}"
    };
}

/// Where the way in is when it leaves out -1 groups: one group before the loop.
#[cfg(feature = "packed")]
macro_rules! packed_way_in {
    () => {
        "b.w 8f\n.space 52"
    };
}

/// Two weights a byte: half-words `A' + 16 B' + 256 C' + 4096 D'` of two columns, all with 8 added, so that a mask of the word shifted takes one row's
/// pair of weights for one SMLAD: for four rows and four columns LDM, LDRD, 8 AND and 8 SMLAD. 72 bytes a group, two groups a turn.
#[cfg(feature = "packed")]
macro_rules! packed_columns {
    ($weights:literal, $lanes:literal) => {
        concat!(
            "and r6, r7, ",
            $weights,
            "\n smlad r8, r6, ",
            $lanes,
            ", r8\n",
            "and r6, r7, ",
            $weights,
            ", lsr #4\n smlad r9, r6, ",
            $lanes,
            ", r9\n",
            "and r6, r7, ",
            $weights,
            ", lsr #8\n smlad r10, r6, ",
            $lanes,
            ", r10\n",
            "and r6, r7, ",
            $weights,
            ", lsr #12\n smlad r11, r6, ",
            $lanes,
            ", r11\n",
        )
    };
}
#[cfg(feature = "packed")]
macro_rules! packed_group {
    () => {
        concat!(
            "ldmia r0!, {{r4, r5}}\n ldrd r2, r3, [r1], #8\n",
            packed_columns!("r4", "r2"),
            packed_columns!("r5", "r3")
        )
    };
}
#[cfg(feature = "packed")]
macro_rules! packed_loop {
    () => {
        concat!(
            "8:\n mov.w r7, #0x000f000f\n subs r2, r12, r1\n lsls r2, r2, #28\n bmi 12f\n", // bit 3 of the length in bytes: an odd number of groups
            "9:\n",
            packed_group!(),
            "12:\n",
            packed_group!(),
            "cmp r1, r12\n bne.w 9b\n",
            // The tails want what the other loop leaves of B and D.
            "add r9, r8, r9, lsl #8\n add r11, r10, r11, lsl #8\n ldr pc, [lr, #28]\n",
        )
    };
}
#[cfg(not(feature = "packed"))]
macro_rules! packed_way_in {
    () => {
        ""
    };
}
#[cfg(not(feature = "packed"))]
macro_rules! packed_loop {
    () => {
        ""
    };
}

/// Registers: r0 weights, r1 lanes, r2 and r3 four lanes, r4 to r7 a tile, r8 and r10 the sums of A and C, r9 and r11 of the pairs, r12 the end of
/// the lanes, lr the job.
///
/// Eleven groups a turn are the fewest that take 128 columns in three.
#[unsafe(naked)]
unsafe extern "C" fn rows(weights: *const u8, job: &mut Job) {
    naked_asm!(
        extension!(),
        "push {{r4-r11, lr}}",
        "add lr, r1, #16",
        "ldrd r2, r3, [lr, #24]",
        "movs r4, #56",
        "adr.w r5, 3f",
        "mla r2, r2, r4, r5",
        "adr.w r4, 5f",
        "cbz r3, 4f",
        "adr.w r4, 6f",
        "4:",
        "orr r2, r2, #1",
        "orr r4, r4, #1",
        "strd r2, r4, [lr, #24]",
        "2:",
        "ldm lr, {{r1, r8-r12, pc}}",
        ".p2align 2",
        packed_way_in!(),
        "3:",
        ".rept 11",
        group!(),
        ".endr",
        "cmp r1, r12",
        "bne 3b",
        "ldr pc, [lr, #28]",
        "5:", // the sums themselves, shifted left by 8
        "sub r9, r9, r8",
        "sub r11, r11, r10",
        "lsl r8, r8, #8",
        "lsl r10, r10, #8",
        "ldrd r3, r4, [lr, #32]",
        "stmia r3!, {{r8-r11}}",
        "str r3, [lr, #32]",
        "cmp r3, r4",
        "bne.w 2b",
        "pop {{r4-r11, pc}}",
        "6:",
        requantised!(),
        "cbnz r5, 7f",
        relu!("r8"),
        relu!("r9"),
        relu!("r10"),
        relu!("r11"),
        "pkhbt r8, r8, r9, lsl #16",
        "pkhbt r9, r10, r11, lsl #16",
        "uqsub16 r8, r8, r4",
        "uqsub16 r9, r9, r4",
        stored!(),
        "7:", // SiLU
        silu!("r8"),
        silu!("r9"),
        silu!("r10"),
        silu!("r11"),
        "pkhbt r8, r8, r9, lsl #16",
        "pkhbt r9, r10, r11, lsl #16",
        "ssub16 r8, r8, r4",
        "ssub16 r9, r9, r4",
        stored!(),
        packed_loop!(),
    )
}
