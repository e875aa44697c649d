//! The debugger's services: write, read the request, exit. The only file that knows their numbers.

use cortex_m_semihosting::{nr, syscall, syscall1};

/// Ends the program with a code of its own; `SYS_EXIT` of a 32-bit core knows only success and failure.
const SYS_EXIT_EXTENDED: usize = 0x20;
/// The reason of an exit that the program itself asked for.
const APPLICATION_EXIT: usize = 0x2_0026;

/// Writes text that ends in a zero byte to the debugger's console.
pub fn write(text: &core::ffi::CStr) {
    // SAFETY: SYS_WRITE0 takes the address of a zero-terminated text, which `CStr` is, and only reads it.
    unsafe { syscall1(nr::WRITE0, text.as_ptr() as usize) };
}

/// The command line, or `None` if it is longer than `buffer`, or not UTF-8.
pub fn command_line(buffer: &mut [u8]) -> Option<&str> {
    let mut block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: SYS_GET_CMDLINE takes the address and the length of a buffer, both true, and writes no further; it puts the
    // length of the text into the block.
    let status = unsafe { syscall1(nr::GET_CMDLINE, (&raw mut block) as usize) };
    if status != 0 {
        return None;
    }
    let [_, length] = block;
    core::str::from_utf8(buffer.get(..length)?).ok()
}

/// Ends the emulation with this code.
pub fn exit(code: u32) -> ! {
    let block = [APPLICATION_EXIT, code as usize];
    loop {
        // SAFETY: SYS_EXIT_EXTENDED takes a block of reason and code, and only reads it.
        unsafe { syscall(SYS_EXIT_EXTENDED, &block) };
    }
}
