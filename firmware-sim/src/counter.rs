//! Instructions, counted by the board's timer: under QEMU's `-icount` every instruction takes the same time.
//!
//! These are instructions, not cycles: the emulator models no pipeline and no memory that waits.

use crate::console::Console;
use crate::machine::{Timer, known_loop};
use core::hint::black_box;
use core::sync::atomic::{Ordering, compiler_fence};

/// Counts the instructions of a call.
pub struct Counter {
    timer: Timer,
    /// What a measurement of nothing gives.
    overhead: u64,
}

impl Counter {
    /// A counter over the board's timer, with its own overhead measured and taken off.
    pub fn new() -> Self {
        let mut counter = Self { timer: Timer::new(), overhead: 0 };
        (_, counter.overhead) = counter.measure(|| ());
        counter
    }

    /// Runs a call and tells how many instructions it took.
    pub fn measure<T>(&mut self, call: impl FnOnce() -> T) -> (T, u64) {
        self.timer.start();
        // The compiler may move work past a volatile access, but not past a fence.
        compiler_fence(Ordering::SeqCst);
        let result = call();
        compiler_fence(Ordering::SeqCst);
        let instructions = self.timer.stop();
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
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}
