//! `libmote.a`: the functions of `mote_c`, and what happens to a panic.
#![no_std]

// Nothing here names it, and without this line its functions would not be in the archive.
extern crate mote_c;

/// An archive in release form has no panic left: this calls a function that does not exist, so a program with a call of it does not link.
#[cfg(not(debug_assertions))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn mote_library_can_panic() -> !;
    }
    // SAFETY: never linked, so never called.
    unsafe { mote_library_can_panic() }
}

/// An archive in debug form stops where a debugger finds it.
#[cfg(debug_assertions)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
