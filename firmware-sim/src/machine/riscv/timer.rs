use core::arch::naked_asm;
use riscv::register::instret::read64 as now;

/// The counter of retired instructions.
pub struct Timer {
    start: u64,
}

impl Timer {
    /// The counter runs by itself.
    pub fn new() -> Self {
        Self { start: 0 }
    }

    /// Starts to count from 0.
    #[inline(never)]
    pub fn start(&mut self) {
        self.start = now();
    }

    /// The instructions since `start`.
    #[inline(never)]
    pub fn stop(&mut self) -> u64 {
        crate::BOARD.instructions(now().wrapping_sub(self.start))
    }
}

impl Default for Timer {
    fn default() -> Self {
        Self::new()
    }
}

/// A loop of exactly `2 * turns + 1` instructions with its return, to check the counter against.
#[unsafe(naked)]
pub extern "C" fn known_loop(turns: u32) {
    naked_asm!("0:", "addi a0, a0, -1", "bnez a0, 0b", "ret")
}
