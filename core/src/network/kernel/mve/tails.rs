//! What follows the sums of four rows, which are in r0, r2, r4 and r6.
//!
//! On the stack of a routine lie: the next row's multiplier, its bias, where the next code goes, the second and the first shift, turns and codes for
//! its loop, the table of SiLU, and what sums start at. r8, r12, lr and q0 to q2 are free, but for r12, the end of what is written; q3 is the largest code.

/// Fills a routine's stack from the job in r1, but for the codes, which are in r8; uses r4 to r6, and leaves r11 where the next sum goes, r12 and q3.
macro_rules! prepared {
    () => {
        "ldr r4, [r1, #12]
         strd r4, r8, [sp, #20]
         ldrd r4, r5, [r1, #20]
         strd r4, r5, [sp]
         ldrd r11, r12, [r1, #28]
         ldrd r5, r6, [r1, #36]
         strd r11, r6, [sp, #8]
         str r5, [sp, #16]
         ldrd r4, r5, [r1, #44]
         vdup.32 q3, r4
         ldr r4, [r1, #52]
         strd r5, r4, [sp, #28]"
    };
}

/// Sums as they are, shifted to the top of their words by `shifted`; sets the flags by whether they are the last.
macro_rules! store_sums {
    ($shifted:ident) => {
        concat!(
            $shifted!(scalar),
            "strd r0, r2, [r11], #8
             strd r4, r6, [r11], #8
             cmp r11, r12\n"
        )
    };
}

/// Sums into pre-activations in q0. VMULH takes the upper words of `256 sum` times `65536 multiplier`, VRSHL shifts to the right by a negative number
/// and rounds half up. Leaves r4 where codes go, r6 the second shift.
macro_rules! pre_activations {
    ($shifted:ident) => {
        concat!(
            $shifted!(before),
            "vmov q0[2], q0[0], r0, r4
             vmov q0[3], q0[1], r2, r6\n",
            $shifted!(vector),
            "ldm.w sp, {{r0, r2, r4, r6, r8}}
             vldrh.u32 q1, [r0], #8
             vshl.i32 q1, q1, #16
             vmulh.s32 q0, q0, q1
             vldrh.s32 q1, [r2], #8
             vrshl.s32 q0, r8
             vadd.i32 q0, q0, q1\n"
        )
    };
}

/// Codes by ReLU, and the flags as above; VQMOVUN takes the negative ones to 0.
macro_rules! store_relu {
    ($shifted:ident) => {
        concat!(
            pre_activations!($shifted),
            "vrshl.s32 q0, r6
             vqmovunb.s32 q1, q0
             vmin.u16 q1, q1, q3
             vstrh.32 q1, [r4], #8
             stm.w sp, {{r0, r2, r4}}
             cmp r4, r12\n"
        )
    };
}

/// SiLU of pre-activations in q0, with the table in a register: half of `p + |p|` is `max(p, 0)`, and VQSHL clamps the index to the table.
macro_rules! silu {
    ($table:literal, $gap:literal) => {
        concat!(
            "vabs.s32 q1, q0
             vhadd.s32 q0, q0, q1
             vqshl.u32 q1, q1, #18
             vshr.u32 q1, q1, #22
             vldrh.u32 ",
            $gap,
            ", [",
            $table,
            ", q1, uxtw #1]
             vsub.i32 q0, q0, ",
            $gap,
            "\n"
        )
    };
}

/// Codes by SiLU, and the flags as above.
macro_rules! store_silu {
    ($shifted:ident) => {
        concat!(
            "ldr lr, [sp, #28]\n",
            pre_activations!($shifted),
            silu!("lr", "q2"),
            "vrshl.s32 q0, r6
             vmin.s32 q0, q0, q3
             vstrh.32 q0, [r4], #8
             stm.w sp, {{r0, r2, r4}}
             cmp r4, r12\n"
        )
    };
}

pub(super) use {pre_activations, prepared, silu, store_relu, store_silu, store_sums};
