//! What happens when something goes wrong that no check saw: one line, and a non-zero exit.

use crate::console::Console;
use crate::failure::{Refusal, Trouble};
use crate::{BOARD, semihosting};
use core::arch::naked_asm;

/// Takes a hard fault. The stack may be what failed, so the report starts on a fresh one.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn HardFault() {
    naked_asm!(
        "mrs r0, msp",
        "ldr r1, =_stack_start",
        "msr msp, r1",
        "b {report}",
        report = sym report,
    )
}

/// Prints where the fault was; `frame` is the stack pointer with the registers that the processor pushed.
extern "C" fn report(frame: usize) -> ! {
    let bottom = BOARD.ram.origin as usize;
    if frame < bottom {
        end(&Trouble::Stack { bytes: BOARD.stack_bytes })
    }
    // The processor pushes r0 to r3, r12, lr, and then the address of the instruction.
    let address = core::ptr::with_exposed_provenance::<u32>(frame + 24);
    let inside = frame + 28 <= bottom + BOARD.stack_bytes as usize;
    // SAFETY: the address lies in the stack's memory and is a multiple of 4, as stack pointers are; nobody else runs.
    let address = inside.then(|| unsafe { address.read_volatile() });
    end(&Trouble::Fault { address })
}

fn end(failure: &Trouble) -> ! {
    let mut console = Console::new();
    // Whatever was being printed stops here.
    console.end();
    finish(&mut console, failure)
}

/// Prints the failure and exits with its code.
pub fn finish(console: &mut Console, failure: &impl Refusal) -> ! {
    console.record(format_args!("error code={} kind={} text={failure}", failure.code(), failure.kind()));
    semihosting::exit(failure.code())
}

/// Faults with a stack pointer that has left the stack's place, as one does that pushed too much.
#[unsafe(naked)]
pub extern "C" fn overflow() -> ! {
    naked_asm!("ldr r0, =_stack_end", "subs r0, #64", "mov sp, r0", "udf #0")
}

/// An image in release form has no panic left: this calls a function that does not exist, so a call of it does not link.
#[cfg(not(debug_assertions))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn mote_firmware_can_panic() -> !;
    }
    // SAFETY: never linked, so never called.
    unsafe { mote_firmware_can_panic() }
}

/// An image in debug form says where.
#[cfg(debug_assertions)]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    end(&Trouble::Panic { line: info.location().map_or(0, core::panic::Location::line) })
}
