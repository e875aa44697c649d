use core::arch::naked_asm;
// Its start-up code is linked in by its name alone.
use riscv_rt as _;

/// What the stack is painted with.
pub const PAINT: u32 = 0xcccc_cccc;

/// Runs before statics have their values: paints the stack, which is still empty, and forbids the page below it.
///
/// The guard is entry 0 of physical memory protection (RISC-V Privileged Architecture, section "Physical Memory Protection"): 4096 bytes,
/// naturally aligned, locked so that it holds in machine mode too, and without any permission.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn __pre_init() {
    naked_asm!(
        "la t0, _stack_end",
        "la t1, _stack_start",
        "li t2, {paint}",
        "0:",
        "sw t2, 0(t0)",
        "addi t0, t0, 4",
        "bltu t0, t1, 0b",
        "la t0, _stack_end",
        "li t1, 4096",
        "sub t0, t0, t1",
        "srli t0, t0, 2",
        // Nine ones below the address say 2^(9 + 3) bytes.
        "ori t0, t0, 0x1ff",
        "csrw pmpaddr0, t0",
        // Locked (bit 7), a power of two naturally aligned (bits 3 and 4).
        "li t0, 0x98",
        "csrw pmpcfg0, t0",
        "ret",
        paint = const PAINT,
    )
}
