/// FPSCR, if it says that subnormals are flushed (bit 24), NaNs replaced (bit 25), or, on a core with vectors, loops cut short: LTPSIZE (bits 16 to
/// 18) is 4 where no loop is tail-predicated (Armv8-M Architecture Reference Manual, DDI 0553).
#[cfg(target_abi = "eabihf")]
pub fn float_trouble() -> Option<u32> {
    const FLUSH_TO_ZERO: u32 = 1 << 24;
    const DEFAULT_NAN: u32 = 1 << 25;
    const LTPSIZE: u32 = 7 << 16;
    const NO_TAIL_PREDICATION: u32 = 4 << 16;
    /// The low-overhead-branch and vector instructions, by ID_ISAR0 bits 27 to 24 and MVFR1 bits 11 to 8.
    const MVFR1: *const u32 = core::ptr::with_exposed_provenance(0xe000_ef44);
    let fpscr: u32;
    // SAFETY: the target has the unit, which the start-up code switched on; reading its status touches nothing else.
    unsafe { core::arch::asm!("vmrs {}, fpscr", out(reg) fpscr, options(nomem, nostack, preserves_flags)) };
    // SAFETY: a register of the processor that every core with floating point has, and that only says what the core is.
    let vectors = unsafe { MVFR1.read_volatile() } >> 8 & 0xf != 0;
    let loops = vectors && fpscr & LTPSIZE != NO_TAIL_PREDICATION;
    (fpscr & (FLUSH_TO_ZERO | DEFAULT_NAN) != 0 || loops).then_some(fpscr)
}

/// No unit, no mode.
#[cfg(not(target_abi = "eabihf"))]
pub fn float_trouble() -> Option<u32> {
    None
}
