//! Cortex-M3 and M0, which keep codes as words: what their kernels share.

use core::arch::naked_asm;

/// Adds up lanes from the first address to the second, a multiple of four of them and at least four, in instructions that both cores have.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn sum(codes: *const i32, end: *const i32) -> i32 {
    naked_asm!(
        "push {{r4, r5, r6, lr}}",
        "movs r6, #0",
        "2:",
        "ldmia r0!, {{r2-r5}}",
        "adds r6, r6, r2",
        "adds r6, r6, r3",
        "adds r6, r6, r4",
        "adds r6, r6, r5",
        "cmp r0, r1",
        "bne 2b",
        "mov r0, r6",
        "pop {{r4, r5, r6, pc}}",
    )
}
