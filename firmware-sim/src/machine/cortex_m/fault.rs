use crate::{BOARD, fault};
use core::arch::naked_asm;

/// Takes a hard fault. The stack may be what failed, so the report starts on a fresh one.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn HardFault() {
    naked_asm!(
        "mrs r0, msp",
        "ldr r1, =_stack_start",
        "msr msp, r1",
        // Never returns; a plain branch would not reach far enough on an Armv6-M core.
        "bl {report}",
        report = sym report,
    )
}

/// `frame` is the stack pointer with the registers that the processor pushed.
extern "C" fn report(frame: usize) -> ! {
    let bottom = BOARD.ram.origin as usize;
    // The processor pushes r0 to r3, r12, lr, and then the address of the instruction.
    let inside = frame >= bottom && frame + 28 <= bottom + BOARD.stack_bytes as usize;
    let address = core::ptr::with_exposed_provenance::<u32>(frame.wrapping_add(24));
    // SAFETY: the address lies in the stack's memory and is a multiple of 4, as stack pointers are; nobody else runs.
    let address = inside.then(|| unsafe { address.read_volatile() });
    fault::report(frame, address)
}

/// Runs into an instruction that is undefined for good.
pub fn undefined() -> ! {
    cortex_m::asm::udf()
}

/// Faults with a stack pointer that has left the stack's place, as one does that pushed too much.
#[unsafe(naked)]
pub extern "C" fn overflow() -> ! {
    naked_asm!("ldr r0, =_stack_end", "subs r0, #64", "mov sp, r0", "udf #0")
}
