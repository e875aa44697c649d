//! Cortex-M3: one product an instruction, two cycles each by MLA.
//!
//! A tile of four rows and four columns comes by one LDM, five cycles for sixteen weights, and each weight out of its word by one instruction of one
//! cycle: a load for each byte would take as many instructions and more cycles. Lanes are whole words, so that they come by LDRD.

use super::tiles::{Constants, Job, Routine};
use super::words::sum;
use crate::network::Activation;
use crate::network::requantise::half;
use crate::network::silu_table::SILU_GAP;
use core::arch::naked_asm;

pub(super) const ROUTINE: Routine = Routine {
    rows,
    sum,
    pairs: false,
    unrolled: 8,
    tail: |plain| {
        // A saturating instruction clamps to what is one less than a power of two, as the largest 8-bit codes are.
        let tail = match (plain.activation, plain.highest) {
            (Activation::Silu, 127) => 5,
            (Activation::Silu, _) => 4,
            (_, 255) => 3,
            (_, 127) => 2,
            _ => 1,
        };
        let (code_shift, highest) = (plain.code_shift, plain.highest as u32);
        Some((tail, Constants { code_shift, highest, table: SILU_GAP.as_ptr(), other: half(code_shift) as u32 }))
    },
};

/// Four rows by four columns; 140 bytes, which the first jump into the loop counts on.
macro_rules! group {
    () => {
        concat!(
            "ldmia.w r0!, {{r4-r7}}\n",
            group!("r4", "r8", "r9", "ldrd r2, r3, [r1], #8\n"),
            group!("r5", "r10", "r11", ""),
            group!("r6", "r8", "r9", "ldrd r2, r3, [r1], #8\n"),
            group!("r7", "r10", "r11", ""),
        )
    };
    ($word:literal, $first:literal, $second:literal, $lanes:literal) => {
        concat!(
            $lanes,
            "uxtb r12, ",
            $word,
            "\n mla ",
            $first,
            ", r12, r2, ",
            $first,
            "\n",
            "sxtb r12, ",
            $word,
            ", ror #8\n mla ",
            $second,
            ", r12, r2, ",
            $second,
            "\n",
            "uxtb r12, ",
            $word,
            ", ror #16\n mla ",
            $first,
            ", r12, r3, ",
            $first,
            "\n",
            "asr.w ",
            $word,
            ", ",
            $word,
            ", #24\n mla ",
            $second,
            ", ",
            $word,
            ", r3, ",
            $second,
            "\n",
        )
    };
}

/// A quarter of a turn of the loop.
macro_rules! two {
    () => {
        concat!(group!(), group!())
    };
}

/// One sum into a pre-activation, but for what is added before: the upper word of its product with the multiplier at the top of a word.
macro_rules! requantised {
    ($sum:literal, $take:literal, $multiplier:literal) => {
        concat!(
            $take,
            "\n",
            "lsl ",
            $sum,
            ", ",
            $sum,
            ", #8\n",
            "smull r6, ",
            $sum,
            ", ",
            $multiplier,
            ", ",
            $sum,
            "\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "asr ",
            $sum,
            ", ",
            $sum,
            ", lr\n",
            "ldrsh r5, [r2], #2\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r5\n",
        )
    };
}

/// The second shift, ReLU, and the largest code, of r4 or as many bits.
macro_rules! relu {
    ($sum:literal, $bits:literal) => {
        concat!("asr ", $sum, ", ", $sum, ", r3\n usat ", $sum, ", #", $bits, ", ", $sum, "\n")
    };
    ($sum:literal) => {
        concat!(
            "asr ",
            $sum,
            ", ",
            $sum,
            ", r3\n",
            "bic ",
            $sum,
            ", ",
            $sum,
            ", ",
            $sum,
            ", asr #31\n",
            "cmp ",
            $sum,
            ", r4\n it gt\n movgt ",
            $sum,
            ", r4\n",
        )
    };
}

/// SiLU, the second shift, and the largest code, of r2 or as many bits: `q = max(p, 0)`, and `2 q - p` is `|p|`; USAT shifts the index and clamps it to
/// the table. With as many bits the lower end does not show, as no code of SiLU lies below it.
macro_rules! silu {
    (@ $sum:literal, $clamp:expr) => {
        concat!(
            "bic r5, ",
            $sum,
            ", ",
            $sum,
            ", asr #31\n",
            "rsb r6, ",
            $sum,
            ", r5, lsl #1\n",
            "usat r6, #10, r6, asr #4\n",
            "ldrh r6, [r3, r6, lsl #1]\n",
            "sub ",
            $sum,
            ", r5, r6\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r4\n",
            "asr ",
            $sum,
            ", ",
            $sum,
            ", r1\n",
            $clamp,
        )
    };
    ($sum:literal) => {
        silu!(@ $sum, concat!("cmp ", $sum, ", r2\n it gt\n movgt ", $sum, ", r2\n"))
    };
    (8 $sum:literal) => {
        silu!(@ $sum, concat!("ssat ", $sum, ", #8, ", $sum, "\n"))
    };
}

/// Four sums into pre-activations, but for what is added before, and the constants of a tail into registers.
macro_rules! all_requantised {
    ($constants:literal) => {
        concat!(
            "ldrd r1, r2, [r12, #40]\n ldrd r3, r4, [r1], #8\n ldrd r7, lr, [r12, #48]\n",
            requantised!("r8", "lsl r5, r3, #16", "r5"),
            requantised!("r9", "bfc r3, #0, #16", "r3"),
            requantised!("r10", "lsl r5, r4, #16", "r5"),
            requantised!("r11", "bfc r4, #0, #16", "r4"),
            "strd r1, r2, [r12, #40]\n",
            $constants,
            "\n",
        )
    };
}

/// The second shift and the largest code into r3 and r4.
macro_rules! requantised_for_relu {
    () => {
        all_requantised!("ldrd r3, r4, [r12, #-16]")
    };
}

/// The second shift, the largest code, the table and half a unit of a code into r1 to r4.
macro_rules! requantised_for_silu {
    () => {
        all_requantised!("ldmdb r12, {{r1-r4}}")
    };
}

/// Four codes to where they go, and on to the next four rows.
macro_rules! stored {
    () => {
        "ldrd r1, r2, [r12, #32]
         stmia r1!, {{r8-r11}}
         str r1, [r12, #32]
         ldr lr, [r12, #20]
         cmp r1, r2
         bne.w 2b
         pop {{r1, r4-r11, pc}}"
    };
}

/// Registers: r0 weights, r1 lanes, r2 and r3 two lanes, r4 to r7 a tile, r8 to r11 sums, r12 a weight, lr the end of the lanes; on the stack the job.
#[unsafe(naked)]
unsafe extern "C" fn rows(weights: *const u8, job: &mut Job) {
    naked_asm!(
        "adds r1, r1, #16",
        "push {{r1, r4-r11, lr}}",
        "ldrd lr, r2, [r1, #20]",
        "movs r3, #140",
        "adr.w r4, 3f",
        "mla r4, r2, r3, r4",
        "orr r4, r4, #1",
        "ldr r2, [r1, #28]",
        "adr.w r5, 4f",
        "ldr r2, [r5, r2, lsl #2]",
        "add r5, r5, r2",
        "strd r4, r5, [r1, #24]",
        "2:",
        "ldr r12, [sp]",
        "ldm r12, {{r1, r8-r11}}",
        "ldr pc, [r12, #24]",
        ".p2align 2",
        "3:",
        two!(),
        two!(),
        two!(),
        two!(),
        "cmp r1, lr",
        "bne.w 3b",
        "ldr r12, [sp]",
        "ldr pc, [r12, #28]",
        "5:", // the sums themselves, shifted left by 8
        "lsl r8, r8, #8",
        "lsl r9, r9, #8",
        "lsl r10, r10, #8",
        "lsl r11, r11, #8",
        "ldrd r3, r4, [r12, #32]",
        "stmia r3!, {{r8-r11}}",
        "str r3, [r12, #32]",
        "cmp r3, r4",
        "bne.w 2b",
        "pop {{r1, r4-r11, pc}}",
        "6:", // ReLU
        requantised_for_relu!(),
        relu!("r8"),
        relu!("r9"),
        relu!("r10"),
        relu!("r11"),
        stored!(),
        "7:", // ReLU with codes up to 127
        requantised_for_relu!(),
        relu!("r8", "7"),
        relu!("r9", "7"),
        relu!("r10", "7"),
        relu!("r11", "7"),
        stored!(),
        "8:", // ReLU with codes up to 255
        requantised_for_relu!(),
        relu!("r8", "8"),
        relu!("r9", "8"),
        relu!("r10", "8"),
        relu!("r11", "8"),
        stored!(),
        "9:", // SiLU
        requantised_for_silu!(),
        silu!("r8"),
        silu!("r9"),
        silu!("r10"),
        silu!("r11"),
        stored!(),
        "10:", // SiLU with codes up to 127
        requantised_for_silu!(),
        silu!(8 "r8"),
        silu!(8 "r9"),
        silu!(8 "r10"),
        silu!(8 "r11"),
        stored!(),
        // Where the tails start, from here.
        ".p2align 2",
        "4:",
        ".word 5b - 4b + 1, 6b - 4b + 1, 7b - 4b + 1, 8b - 4b + 1, 9b - 4b + 1, 10b - 4b + 1",
    )
}
