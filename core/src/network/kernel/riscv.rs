//! RV32IMC: four rows a pass, a byte load, a product and a sum for each weight.
//!
//! A lane is loaded once for the four rows that share it, so a column takes 13 instructions for 4 products; no instruction of this set both
//! multiplies and adds, and none takes a byte out of a word together with anything else, so 3.25 a product is the floor. Instructions in
//! the loop are not compressed (`.option norvc`), which lets the first turn start in its middle: a group of four columns takes 208 bytes.

use super::tiles::{Constants, Job, Routine};
use crate::network::Activation;
use crate::network::silu_table::SILU_GAP;
use core::arch::naked_asm;

/// SiLU compares with the first pre-activation that leaves the table or may leave the codes, `min(2^14, highest << code_shift)`.
pub(super) const ROUTINE: Routine = Routine {
    rows,
    sum,
    pairs: false,
    unrolled: 4,
    tail: |plain| {
        let (code_shift, highest) = (plain.code_shift, plain.highest as u32);
        let tail = if plain.activation == Activation::Silu { 2 } else { 1 };
        let other = (1 << 14).min(highest << (code_shift & 31));
        Some((tail, Constants { code_shift, highest, table: SILU_GAP.as_ptr(), other }))
    },
};

/// Adds up lanes, a multiple of four of them.
#[unsafe(naked)]
unsafe extern "C" fn sum(codes: *const i16, end: *const i16) -> i32 {
    naked_asm!(
        "mv a2, a0",
        "li a0, 0",
        "2:",
        "lh a3, 0(a2)",
        "lh a4, 2(a2)",
        "lh a5, 4(a2)",
        "lh a6, 6(a2)",
        "addi a2, a2, 8",
        "add a3, a3, a4",
        "add a5, a5, a6",
        "add a0, a0, a3",
        "add a0, a0, a5",
        "bne a2, a1, 2b",
        "ret",
    )
}

/// One column of four rows: where its lane lies, and its weights of rows A, B, C and D. A and C are stored with 128 added.
macro_rules! column {
    ($lane:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "lh a6, ",
            $lane,
            "(t1)\n lbu a7, ",
            $a,
            "(a0)\n lb t0, ",
            $b,
            "(a0)\n",
            "mul a7, a7, a6\n mul t0, t0, a6\n add a2, a2, a7\n add a3, a3, t0\n",
            "lbu a7, ",
            $c,
            "(a0)\n lb t0, ",
            $d,
            "(a0)\n",
            "mul a7, a7, a6\n mul t0, t0, a6\n add a4, a4, a7\n add a5, a5, t0",
        )
    };
}

/// The pre-activation of a row, from its sum in a register: `(sum * multiplier >> 8) + before >> shift`, and the bias.
macro_rules! pre_activation {
    ($sum:literal, $at:literal) => {
        concat!(
            "slli ",
            $sum,
            ", ",
            $sum,
            ", 8\n lh a7, ",
            $at,
            "(s0)\n lh t0, ",
            $at,
            "(s1)\n slli a7, a7, 16\n",
            "mulh ",
            $sum,
            ", ",
            $sum,
            ", a7\n add ",
            $sum,
            ", ",
            $sum,
            ", s2\n sra ",
            $sum,
            ", ",
            $sum,
            ", s3\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t0\n",
        )
    };
}

/// The code of a row by ReLU.
macro_rules! relu {
    ($sum:literal, $at:literal) => {
        concat!(
            pre_activation!($sum, $at),
            "sra ",
            $sum,
            ", ",
            $sum,
            ", s4\n bgez ",
            $sum,
            ", 7f\n li ",
            $sum,
            ", 0\n 7:\n ble ",
            $sum,
            ", s5, 8f\n mv ",
            $sum,
            ", s5\n 8: sh ",
            $sum,
            ", ",
            $at,
            "(t4)\n",
        )
    };
}

/// `G(p)` of a pre-activation within the table, into a7.
macro_rules! gap {
    ($pre:literal) => {
        concat!("srli a7, ", $pre, ", 4\n slli a7, a7, 1\n add a7, a7, s6\n lhu a7, 0(a7)\n")
    };
}

/// The code of a row by SiLU: `p - G(p)`, or `-G(-p)` below 0, rounded to the code's unit.
///
/// What is past s11 goes by 5, and takes the table only where its largest entry, 285, makes a difference; what is as far below 0 as the table goes has no gap.
macro_rules! silu {
    ($sum:literal, $at:literal) => {
        concat!(
            pre_activation!($sum, $at),
            "bgez ",
            $sum,
            ", 7f\n ble ",
            $sum,
            ", s10, 6f\n neg a7, ",
            $sum,
            "\n",
            gap!("a7"),
            "sub ",
            $sum,
            ", s8, a7\n sra ",
            $sum,
            ", ",
            $sum,
            ", s4\n j 8f\n",
            "6: li ",
            $sum,
            ", 0\n j 8f\n",
            "5: addi a7, ",
            $sum,
            ", -285\n bge a7, s11, 4f\n srli a7, ",
            $sum,
            ", 14\n bnez a7, 4f\n",
            gap!($sum),
            "sub ",
            $sum,
            ", ",
            $sum,
            ", a7\n",
            "4: add ",
            $sum,
            ", ",
            $sum,
            ", s8\n sra ",
            $sum,
            ", ",
            $sum,
            ", s4\n ble ",
            $sum,
            ", s5, 8f\n mv ",
            $sum,
            ", s5\n j 8f\n",
            "7: bge ",
            $sum,
            ", s11, 5b\n",
            gap!($sum),
            "sub ",
            $sum,
            ", ",
            $sum,
            ", a7\n add ",
            $sum,
            ", ",
            $sum,
            ", s8\n sra ",
            $sum,
            ", ",
            $sum,
            ", s4\n",
            "8: sh ",
            $sum,
            ", ",
            $at,
            "(t4)\n",
        )
    };
}

/// Registers: a0 weights, a1 the job, a2 to a5 sums, a6 a lane, a7 and t0 weights, t1 lanes, t2 their end, t3 the way into the loop, t4 where the next
/// sum or code goes, t5 and t6 where lanes and weights start less what the first turn leaves out; s0 multipliers, s1 biases, s2 to s5, s8, s10
/// and s11 constants of the tail, s6 the table, s7 the tail, s9 the end of what is written.
#[unsafe(naked)]
unsafe extern "C" fn rows(weights: *const u8, job: &mut Job) {
    naked_asm!(
        // The target has the instructions; the assembler of a whole program at once does not know it.
        ".option push",
        ".option arch, +m",
        "addi sp, sp, -48",
        "sw s0, 0(sp)",
        "sw s1, 4(sp)",
        "sw s2, 8(sp)",
        "sw s3, 12(sp)",
        "sw s4, 16(sp)",
        "sw s5, 20(sp)",
        "sw s6, 24(sp)",
        "sw s7, 28(sp)",
        "sw s8, 32(sp)",
        "sw s9, 36(sp)",
        "sw s10, 40(sp)",
        "sw s11, 44(sp)",
        "lw s4, 0(a1)",
        "lw s5, 4(a1)",
        "lw s6, 8(a1)",
        "lw t5, 16(a1)",
        "lw t2, 36(a1)",
        "lw a6, 40(a1)",
        "lw a7, 44(a1)",
        "lw t4, 48(a1)",
        "lw s9, 52(a1)",
        "lw s0, 56(a1)",
        "lw s1, 60(a1)",
        "lw s2, 64(a1)",
        "lw s3, 68(a1)",
        "lw s11, 12(a1)",
        // Half a unit of a code, and the first pre-activation below 0 that the table has nothing for.
        "li s8, 1",
        "sll s8, s8, s4",
        "srli s8, s8, 1",
        "li s10, -16384",
        "li t0, 208",
        "mul t0, t0, a6",
        "lla t3, 3f",
        "add t3, t3, t0",
        "slli t6, a6, 4",
        "slli t0, a6, 3",
        "sub t5, t5, t0",
        "lla s7, 14f",
        "beqz a7, 2f",
        "lla s7, 15f",
        "addi a7, a7, -1",
        "beqz a7, 2f",
        "lla s7, 16f",
        "2:",
        "sub a0, a0, t6",
        "mv t1, t5",
        "lw a2, 20(a1)",
        "li a3, 0",
        "mv a4, a2",
        "li a5, 0",
        "jr t3",
        ".option push",
        ".option norvc",
        ".p2align 2",
        "3:",
        column!("0", "0", "1", "4", "5"),
        column!("2", "2", "3", "6", "7"),
        column!("4", "8", "9", "12", "13"),
        column!("6", "10", "11", "14", "15"),
        column!("8", "16", "17", "20", "21"),
        column!("10", "18", "19", "22", "23"),
        column!("12", "24", "25", "28", "29"),
        column!("14", "26", "27", "30", "31"),
        column!("16", "32", "33", "36", "37"),
        column!("18", "34", "35", "38", "39"),
        column!("20", "40", "41", "44", "45"),
        column!("22", "42", "43", "46", "47"),
        column!("24", "48", "49", "52", "53"),
        column!("26", "50", "51", "54", "55"),
        column!("28", "56", "57", "60", "61"),
        column!("30", "58", "59", "62", "63"),
        ".option pop",
        "addi a0, a0, 64",
        "addi t1, t1, 32",
        "bne t1, t2, 3b",
        "jr s7",
        // The sums as they are, shifted to the top of their words.
        "14:",
        "slli a2, a2, 8",
        "slli a3, a3, 8",
        "slli a4, a4, 8",
        "slli a5, a5, 8",
        "sw a2, 0(t4)",
        "sw a3, 4(t4)",
        "sw a4, 8(t4)",
        "sw a5, 12(t4)",
        "addi t4, t4, 16",
        "bne t4, s9, 2b",
        "j 17f",
        "15:",
        relu!("a2", "0"),
        relu!("a3", "2"),
        relu!("a4", "4"),
        relu!("a5", "6"),
        "addi s0, s0, 8",
        "addi s1, s1, 8",
        "addi t4, t4, 8",
        "bne t4, s9, 2b",
        "j 17f",
        "16:",
        silu!("a2", "0"),
        silu!("a3", "2"),
        silu!("a4", "4"),
        silu!("a5", "6"),
        "addi s0, s0, 8",
        "addi s1, s1, 8",
        "addi t4, t4, 8",
        "bne t4, s9, 2b",
        "17:",
        "lw s0, 0(sp)",
        "lw s1, 4(sp)",
        "lw s2, 8(sp)",
        "lw s3, 12(sp)",
        "lw s4, 16(sp)",
        "lw s5, 20(sp)",
        "lw s6, 24(sp)",
        "lw s7, 28(sp)",
        "lw s8, 32(sp)",
        "lw s9, 36(sp)",
        "lw s10, 40(sp)",
        "lw s11, 44(sp)",
        "addi sp, sp, 48",
        "ret",
        ".option pop",
    )
}
