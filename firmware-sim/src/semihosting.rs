//! The debugger's services: write, read the request, exit.

use core::ffi::CStr;
use semihosting::sys::arm_compat::syscall::{OperationNumber, ParamRegW, syscall};
use semihosting::sys::arm_compat::{ExitReason, sys_exit_extended, sys_write0};

/// Writes text that ends in a zero byte to the debugger's console.
pub fn write(text: &CStr) {
    sys_write0(text);
}

/// The command line, or `None` if it is longer than `buffer`, or not UTF-8.
pub fn command_line(buffer: &mut [u8]) -> Option<&str> {
    // Not by the crate's own function: it takes the debugger's length as it is, and a length that is wrong would be a panic.
    let mut block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: SYS_GET_CMDLINE takes the address and the length of a buffer, both true, and writes no further; it puts the
    // length of the text into the block.
    let status = unsafe { syscall(OperationNumber::SYS_GET_CMDLINE, ParamRegW::ref_(&mut block)) };
    if status.usize() != 0 {
        return None;
    }
    let [_, length] = block;
    core::str::from_utf8(buffer.get(..length)?).ok()
}

/// Ends the emulation with this code.
pub fn exit(code: u32) -> ! {
    loop {
        sys_exit_extended(ExitReason::ADP_Stopped_ApplicationExit, code as usize);
    }
}
