//! The floating-point unit's mode: only IEEE 754 as it stands gives the same bits everywhere.

use crate::console::Console;
use crate::failure::Trouble;
use crate::fault;

/// Ends the image unless floats are rounded as they are everywhere.
pub fn insist(console: &mut Console) {
    if let Some(fpscr) = forbidden() {
        fault::finish(console, &Trouble::FloatMode(fpscr));
    }
}

/// FPSCR if flush-to-zero (bit 24) or default-NaN (bit 25) is on.
#[cfg(target_abi = "eabihf")]
fn forbidden() -> Option<u32> {
    const FLUSH_TO_ZERO: u32 = 1 << 24;
    const DEFAULT_NAN: u32 = 1 << 25;
    let fpscr: u32;
    // SAFETY: the target has the unit, which the start-up code switched on; reading its status touches nothing else.
    unsafe { core::arch::asm!("vmrs {}, fpscr", out(reg) fpscr, options(nomem, nostack, preserves_flags)) };
    (fpscr & (FLUSH_TO_ZERO | DEFAULT_NAN) != 0).then_some(fpscr)
}

/// No unit, no mode.
#[cfg(not(target_abi = "eabihf"))]
fn forbidden() -> Option<u32> {
    None
}
