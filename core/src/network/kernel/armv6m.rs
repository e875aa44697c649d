//! Cortex-M0: one product an instruction, with eight registers that multiply.
//!
//! Two words of weights and two lanes come by LDM; each weight of a word takes one instruction to come out of it, one to multiply and one to add, 26
//! for eight products. A byte by LDRB would take as many instructions but two cycles where an extraction takes one. As on the cores with DSP
//! instructions, the upper byte of a half-word is never separated from the lower: `256 B x + A' x` less `A' x` gives B.

use super::tiles::{Constants, Job, Routine};
use super::words::sum;
use crate::network::Activation;
use crate::network::silu_table::SILU_GAP;
use core::arch::naked_asm;

/// The first pre-activation whose gap is past the table.
const TABLE_END: u32 = (SILU_GAP.len() as u32) << 4;

/// SiLU compares before it shifts: with the first pre-activation that leaves the table or may leave the codes, `min(2^14, highest << code_shift)`.
pub(super) const ROUTINE: Routine = Routine {
    rows,
    sum,
    pairs: true,
    unrolled: 8,
    tail: |plain| {
        let (code_shift, highest) = (plain.code_shift, plain.highest as u32);
        let (tail, other) = match plain.activation {
            Activation::Silu => (2, TABLE_END.min(highest << (code_shift & 31))),
            _ => (1, 0),
        };
        Some((tail, Constants { code_shift, highest, table: SILU_GAP.as_ptr(), other }))
    },
};

/// Four rows by four columns; 104 bytes, which the first jump into the loop counts on.
macro_rules! group {
    () => {
        concat!(group!(2), group!(2))
    };
    (2) => {
        concat!("ldmia r0!, {{r2, r3}}\n ldmia r1!, {{r4, r5}}\n", group!("r2", "r8", "r9"), group!("r3", "r10", "r11"))
    };
    ($word:literal, $first:literal, $pair:literal) => {
        concat!(
            "uxtb r6, ",
            $word,
            "\n muls r6, r4, r6\n add ",
            $first,
            ", r6\n",
            "sxth r6, ",
            $word,
            "\n muls r6, r4, r6\n add ",
            $pair,
            ", r6\n",
            "asrs ",
            $word,
            ", ",
            $word,
            ", #16\n",
            "uxtb r6, ",
            $word,
            "\n muls r6, r5, r6\n add ",
            $first,
            ", r6\n",
            "muls ",
            $word,
            ", r5, ",
            $word,
            "\n add ",
            $pair,
            ", ",
            $word,
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

/// The sum in r2, shifted left by 8, into a pre-activation, and the flags by it: the product with the multiplier in two short ones, what is added before
/// the first shift, that, and the bias.
macro_rules! requantised {
    ($row:literal) => {
        concat!(
            "uxth r3, r2\n asrs r2, r2, #16\n ldrh r4, [r1, #2*",
            $row,
            "]\n",
            "muls r2, r4, r2\n muls r3, r4, r3\n lsrs r3, r3, #16\n adds r2, r2, r3\n",
            "add r2, lr\n asrs r2, r5\n",
            "ldrh r4, [r6, #2*",
            $row,
            "]\n sxth r4, r4\n adds r2, r2, r4\n",
        )
    };
}

/// The code of r2 by ReLU to where it goes: a branch for what is negative, as for what is too large, costs less than a mask.
macro_rules! relu {
    ($row:literal) => {
        concat!(
            requantised!($row),
            "bpl 7f\n movs r2, #0\n b 8f\n",
            "7: asrs r2, r7\n cmp r2, r8\n ble 8f\n mov r2, r8\n",
            "8: stmia r0!, {{r2}}\n",
        )
    };
}

/// The code of r2 by SiLU to where it goes: `p - G(p)`, or `-G(-p)` below 0, rounded to the code's unit.
///
/// What is past r8 takes the long way by 5, with the end of the table and the largest code, and what is as far below 0 has no gap.
macro_rules! silu {
    ($row:literal) => {
        concat!(
            requantised!($row),
            "bpl 7f\n",
            "rsbs r3, r2, #0\n lsrs r4, r3, #14\n bne 6f\n",
            "lsrs r3, r3, #4\n lsls r3, r3, #1\n ldr r4, [sp, #8]\n ldrh r3, [r4, r3]\n",
            "mov r2, r12\n subs r2, r2, r3\n asrs r2, r7\n b 8f\n",
            "6: movs r2, #0\n b 8f\n",
            "5: lsrs r3, r2, #14\n bne 4f\n",
            "lsrs r3, r2, #4\n lsls r3, r3, #1\n ldr r4, [sp, #8]\n ldrh r3, [r4, r3]\n subs r2, r2, r3\n",
            "4: add r2, r12\n asrs r2, r7\n ldr r4, [sp, #4]\n ldr r4, [r4, #4]\n cmp r2, r4\n ble 8f\n movs r2, r4\n b 8f\n",
            "7: cmp r2, r8\n bge 5b\n",
            "lsrs r3, r2, #4\n lsls r3, r3, #1\n ldr r4, [sp, #8]\n ldrh r3, [r4, r3]\n",
            "subs r2, r2, r3\n add r2, r12\n asrs r2, r7\n",
            "8: stmia r0!, {{r2}}\n",
        )
    };
}

/// The tail of four rows, with the macro for one: the sums of the pairs apart, and on to the next four.
macro_rules! tail {
    ($code:ident) => {
        concat!(
            "str r0, [sp]\n mov r2, r8\n mov r3, r9\n subs r3, r3, r2\n mov r9, r3\n lsls r2, r2, #8\n",
            "ldr r4, [r7, #4*",
            tail!(@ $code),
            "]\n mov r8, r4\n ldr r4, [r7, #64]\n mov lr, r4\n",
            "ldr r0, [r7, #48]\n ldr r1, [r7, #56]\n ldr r5, [r7, #68]\n ldr r6, [r7, #60]\n ldr r7, [r7]\n",
            $code!("0"),
            "mov r2, r9\n",
            $code!("1"),
            "mov r2, r10\n mov r3, r11\n subs r3, r3, r2\n mov r11, r3\n lsls r2, r2, #8\n",
            $code!("2"),
            "mov r2, r11\n",
            $code!("3"),
            "ldr r7, [sp, #4]\n adds r1, #8\n adds r6, #8\n str r1, [r7, #56]\n str r6, [r7, #60]\n str r0, [r7, #48]\n",
            "ldr r2, [r7, #52]\n cmp r0, r2\n ldr r0, [sp]\n beq 9f\n b 2b\n",
            "9: b 18f\n",
        )
    };
    // Where r8's number lies in the job.
    (@ relu) => {
        "1"
    };
    (@ silu) => {
        "3"
    };
}

/// Registers: r0 weights, r1 lanes, r2 and r3 weights, r4 and r5 lanes, r6 a product, r7 the job, r8 and r10 the sums of A and C, r9 and r11 of the
/// pairs, r12 half a unit of a code, lr the end of the lanes. In the tails: r0 where codes go, r1 multipliers, r2 to r4 a code in the making, r5 and r7 the
/// shifts, r6 biases, r8 the largest code or what SiLU compares with, lr what is added. On the stack: the weights, the job, the table.
#[unsafe(naked)]
unsafe extern "C" fn rows(weights: *const u8, job: &mut Job) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "ldr r3, [r1]",
        "movs r2, #1",
        "lsls r2, r3",
        "lsrs r3, r2, #1",
        "mov r12, r3",
        "ldr r2, [r1, #8]",
        "push {{r0-r2, r4-r7}}",
        "mov r7, r1",
        "ldr r2, [r7, #40]",
        "movs r3, #104",
        "muls r2, r3, r2",
        "ldr r3, =3f + 1",
        "adds r3, r3, r2",
        "str r3, [r7, #40]",
        "ldr r3, =15f + 1",
        "ldr r2, [r7, #44]",
        "cmp r2, #0",
        "beq 4f",
        "ldr r3, =16f + 1",
        "cmp r2, #1",
        "beq 4f",
        "ldr r3, =17f + 1",
        "4:",
        "str r3, [r7, #44]",
        "2:",
        "ldr r2, [r7, #36]",
        "mov lr, r2",
        "ldr r1, [r7, #16]",
        "ldr r3, [r7, #20]",
        "mov r8, r3",
        "mov r9, r3",
        "mov r10, r3",
        "mov r11, r3",
        "ldr r2, [r7, #40]",
        "bx r2",
        ".p2align 2",
        "3:",
        two!(),
        two!(),
        two!(),
        two!(),
        "cmp r1, lr",
        "beq 4f",
        "b 3b",
        ".p2align 2",
        ".pool",
        "4:",
        "ldr r2, [r7, #44]",
        "bx r2",
        "15:", // the sums themselves, shifted left by 8
        "mov r2, r8",
        "mov r3, r9",
        "subs r3, r3, r2",
        "lsls r2, r2, #8",
        "mov r4, r10",
        "mov r5, r11",
        "subs r5, r5, r4",
        "lsls r4, r4, #8",
        "ldr r6, [r7, #48]",
        "stmia r6!, {{r2-r5}}",
        "str r6, [r7, #48]",
        "ldr r2, [r7, #52]",
        "cmp r6, r2",
        "beq 9f",
        "b 2b",
        "9: b 18f",
        "16:",
        tail!(relu),
        "17:",
        tail!(silu),
        "18:",
        "pop {{r0-r2, r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
