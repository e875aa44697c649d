//! What differs between processors. Both folders hold the same names, and the target chooses.
//!
//! | name | is |
//! |---|---|
//! | `Timer` | counts instructions between `start` and `stop` |
//! | `PAINT` | what the start-up code fills the stack with |
//! | `float_trouble` | the floating-point unit's status, if it rounds otherwise than IEEE 754 |
//! | `known_loop` | a loop of two instructions a turn, to check the timer against |
//! | `undefined`, `overflow` | fault on purpose |
//!
//! Each also holds the processor's fault handler, which ends in [`crate::fault::report`].

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv;

#[cfg(target_arch = "arm")]
pub use cortex_m::*;
#[cfg(target_arch = "riscv32")]
pub use riscv::*;
