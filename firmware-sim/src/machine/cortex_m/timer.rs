use core::arch::naked_asm;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};

/// The timer counts down from here to 0 and starts again.
const RELOAD: u32 = 0x00ff_ffff;
/// Ticks of one round.
const ROUND: u64 = RELOAD as u64 + 1;
/// Instructions that [`SysTick`] runs.
const INSTRUCTIONS_A_WRAP: u64 = 5;

/// How often the timer started again since the measurement began.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// Counts a round of the timer, in a known number of instructions.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn SysTick() {
    naked_asm!(
        "ldr r0, ={wraps}",
        "ldr r1, [r0]",
        "adds r1, #1",
        "str r1, [r0]",
        "bx lr",
        wraps = sym WRAPS,
    )
}

/// The system timer as a counter of instructions.
pub struct Timer {
    registers: SYST,
    /// Instructions of a wrap that was seen before its interrupt ran.
    late: u64,
}

impl Timer {
    /// Sets the timer up; nothing else may use it.
    pub fn new() -> Self {
        // SAFETY: the images leave the timer to this type, and make one of it.
        let mut registers = unsafe { cortex_m::Peripherals::steal() }.SYST;
        registers.set_clock_source(SystClkSource::Core);
        registers.set_reload(RELOAD);
        registers.enable_interrupt();
        Self { registers, late: 0 }
    }

    /// Starts to count from 0.
    #[inline(never)]
    pub fn start(&mut self) {
        self.late = 0;
        WRAPS.store(0, Ordering::SeqCst);
        self.registers.clear_current();
        self.registers.enable_counter();
    }

    /// Stops, and gives the instructions since `start`.
    #[inline(never)]
    pub fn stop(&mut self) -> u64 {
        let phase = cortex_m::interrupt::free(|_| {
            // Ticks since the timer was last at 0, where a round ends.
            let phase = SYST::get_current().wrapping_neg() & RELOAD;
            // A round that ended just now still waits for its interrupt: it counts if the timer was read after it.
            if SCB::is_pendst_pending() && phase <= RELOAD / 2 {
                WRAPS.store(WRAPS.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
                self.late = INSTRUCTIONS_A_WRAP;
            }
            SCB::clear_pendst();
            phase
        });
        self.registers.disable_counter();
        let wraps = u64::from(WRAPS.load(Ordering::SeqCst));
        // The timer starts one tick after 0.
        let ticks = (wraps * ROUND + u64::from(phase)).saturating_sub(1);
        (crate::BOARD.instructions(ticks) + self.late).saturating_sub(INSTRUCTIONS_A_WRAP * wraps)
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
    naked_asm!("0:", "subs r0, #1", "bne 0b", "bx lr")
}
