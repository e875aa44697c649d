//! What happens when something goes wrong that no check saw: one line, and a non-zero exit.

use crate::console::Console;
use crate::failure::{Refusal, Trouble};
use crate::{BOARD, semihosting};

/// Prints where a fault was, or that the stack outgrew its place; the stack pointer is that of the fault.
pub(crate) fn report(stack_pointer: usize, address: Option<u32>) -> ! {
    if stack_pointer < BOARD.ram.origin as usize {
        end(&Trouble::Stack { bytes: BOARD.stack_bytes })
    }
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
