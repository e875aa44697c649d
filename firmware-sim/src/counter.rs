//! Instructions, counted by the system timer: under QEMU's `-icount` every instruction takes the same time.
//!
//! These are instructions, not cycles: the emulator models no pipeline and no memory that waits.

use crate::console::Console;
use core::arch::naked_asm;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};
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

/// Counts the instructions of a call.
pub struct Counter {
    timer: SYST,
    /// What a measurement of nothing gives.
    overhead: u64,
    /// Instructions of a wrap that was seen before its interrupt ran.
    late: u64,
}

impl Counter {
    /// A counter over the system timer, with its own overhead measured and taken off.
    pub fn new(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(RELOAD);
        timer.enable_interrupt();
        let mut counter = Self { timer, overhead: 0, late: 0 };
        (_, counter.overhead) = counter.measure(|| ());
        counter
    }

    /// Runs a call and tells how many instructions it took.
    pub fn measure<T>(&mut self, call: impl FnOnce() -> T) -> (T, u64) {
        self.start();
        // The compiler may move work past a volatile access, but not past a fence.
        compiler_fence(Ordering::SeqCst);
        let result = call();
        compiler_fence(Ordering::SeqCst);
        let instructions = self.stop();
        (result, instructions.saturating_sub(self.overhead))
    }

    /// Prints the record of a count: so many instructions for so many things.
    pub fn print(console: &mut Console, what: &str, instructions: u64, of: u64) {
        console.record(format_args!("count what={what} instructions={instructions} of={of}"));
    }

    /// Prints the count of a loop of known length: these many turns of two instructions, past a wrap of the timer.
    pub fn check(&mut self, console: &mut Console) {
        const SHORT: u32 = 1_000;
        const TURNS: u32 = 6_000_000;
        // Out of the compiler's sight, so that both calls are the same instructions.
        let [short, long] = black_box([SHORT, SHORT + TURNS]);
        let ((), short) = self.measure(|| known_loop(short));
        let ((), long) = self.measure(|| known_loop(long));
        Self::print(console, "loop-turn", long - short, TURNS.into());
    }

    #[inline(never)]
    fn start(&mut self) {
        self.late = 0;
        WRAPS.store(0, Ordering::SeqCst);
        self.timer.clear_current();
        self.timer.enable_counter();
    }

    #[inline(never)]
    fn stop(&mut self) -> u64 {
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
        self.timer.disable_counter();
        let wraps = u64::from(WRAPS.load(Ordering::SeqCst));
        // The timer starts one tick after 0.
        let ticks = (wraps * ROUND + u64::from(phase)).saturating_sub(1);
        (crate::BOARD.instructions(ticks) + self.late).saturating_sub(INSTRUCTIONS_A_WRAP * wraps)
    }
}

/// A loop of exactly `2 * turns + 1` instructions with its return, to check the counter against.
#[unsafe(naked)]
extern "C" fn known_loop(turns: u32) {
    naked_asm!("0:", "subs r0, #1", "bne 0b", "bx lr")
}
