use crate::fault;
use core::arch::naked_asm;

/// Takes every trap, in place of the one that riscv-rt brings. The stack may be what failed, so the report starts on a fresh one.
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".trap.start")]
extern "C" fn _start_trap() {
    naked_asm!(
        ".balign 4",
        "mv a0, sp",
        "csrr a1, mepc",
        "la sp, _stack_start",
        "j {report}",
        report = sym report,
    )
}

extern "C" fn report(stack_pointer: usize, address: u32) -> ! {
    fault::report(stack_pointer, Some(address))
}

/// Runs into an instruction that is undefined for good.
#[unsafe(naked)]
pub extern "C" fn undefined() -> ! {
    naked_asm!("unimp")
}

/// Stores below the stack's place, as a stack does that outgrows it.
#[unsafe(naked)]
pub extern "C" fn overflow() -> ! {
    naked_asm!("la sp, _stack_end", "addi sp, sp, -64", "sw zero, 0(sp)", "unimp")
}
