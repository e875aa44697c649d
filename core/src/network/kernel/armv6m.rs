//! Cortex-M0: one product an instruction, with eight registers that multiply.
//!
//! Two words of weights and two lanes come by LDM; each weight of a word takes one instruction to come out of it, one to multiply and one to add, 26
//! for eight products. A byte by LDRB would take as many instructions but two cycles where an extraction takes one. As on the cores with DSP
//! instructions, the upper byte of a half-word is never separated from the lower: `256 B x + A' x` less `A' x` gives B.

use super::tiles::{Job, Routine};
use super::words::sum;
use crate::network::Activation;
use core::arch::naked_asm;

/// There is a tail for ReLU, which takes shift and largest code as they are.
pub(super) const ROUTINE: Routine = Routine {
    rows,
    sum,
    pairs: true,
    unrolled: 8,
    tail: |plain| (plain.activation == Activation::Relu).then_some((1, plain.code_shift)),
    highest: |highest| highest as u32,
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

/// The sum in r2, shifted left by 8, into a code, and that to where it goes: the product with the multiplier in two short ones, before it is added, two
/// shifts, the bias between them, ReLU, and the largest code.
macro_rules! relu {
    ($row:literal) => {
        concat!(
            "uxth r3, r2\n asrs r2, r2, #16\n ldrh r4, [r1, #2*",
            $row,
            "]\n",
            "muls r2, r4, r2\n muls r3, r4, r3\n lsrs r3, r3, #16\n adds r2, r2, r3\n",
            "add r2, lr\n asrs r2, r5\n",
            "ldrh r4, [r6, #2*",
            $row,
            "]\n sxth r4, r4\n adds r2, r2, r4\n asrs r2, r7\n",
            "asrs r3, r2, #31\n bics r2, r3\n",
            "cmp r2, r8\n ble 8f\n mov r2, r8\n 8:\n",
            "stmia r0!, {{r2}}\n",
        )
    };
}

/// Registers: r0 weights, r1 lanes, r2 and r3 weights, r4 and r5 lanes, r6 a product, r7 the job, r8 and r10 the sums of A and C, r9 and r11 of the
/// pairs, r12 the end of the lanes. In the tail: r0 where codes go, r1 multipliers, r2 to r4 a code in the making, r5 and r7 the shifts, r6 biases, r8
/// the largest code, r12 the job, lr what is added.
#[unsafe(naked)]
unsafe extern "C" fn rows(weights: *const u8, job: &mut Job) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r0, r4-r7}}",
        "mov r7, r1",
        "ldr r2, [r7, #40]",
        "movs r3, #104",
        "muls r2, r3, r2",
        "ldr r3, =3f + 1",
        "adds r3, r3, r2",
        "str r3, [r7, #40]",
        "ldr r3, =5f + 1",
        "ldr r2, [r7, #44]",
        "cmp r2, #0",
        "beq 4f",
        "ldr r3, =6f + 1",
        "4:",
        "str r3, [r7, #44]",
        "2:",
        "ldr r2, [r7, #36]",
        "mov r12, r2",
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
        "cmp r1, r12",
        "beq 4f",
        "b 3b",
        ".p2align 2",
        ".pool",
        "4:",
        "ldr r2, [r7, #44]",
        "bx r2",
        "5:", // the sums themselves, shifted left by 8
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
        "6:", // ReLU
        "str r0, [sp]",
        "mov r2, r8",
        "mov r3, r9",
        "subs r3, r3, r2",
        "mov r9, r3",
        "lsls r2, r2, #8",
        "ldr r4, [r7, #4]",
        "mov r8, r4",
        "ldr r4, [r7, #64]",
        "mov lr, r4",
        "ldr r0, [r7, #48]",
        "ldr r1, [r7, #56]",
        "ldr r5, [r7, #68]",
        "ldr r6, [r7, #60]",
        "mov r12, r7",
        "ldr r7, [r7]",
        relu!("0"),
        "mov r2, r9",
        relu!("1"),
        "mov r2, r10",
        "mov r3, r11",
        "subs r3, r3, r2",
        "mov r11, r3",
        "lsls r2, r2, #8",
        relu!("2"),
        "mov r2, r11",
        relu!("3"),
        "mov r7, r12",
        "adds r1, #8",
        "adds r6, #8",
        "str r1, [r7, #56]",
        "str r6, [r7, #60]",
        "str r0, [r7, #48]",
        "ldr r2, [r7, #52]",
        "cmp r0, r2",
        "ldr r0, [sp]",
        "beq 9f",
        "b 2b",
        "9:",
        "pop {{r0, r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
