//! RISC-V: started by riscv-rt, counted by the counter of retired instructions.

mod fault;
mod start;
mod timer;

pub use fault::{overflow, undefined};
pub use start::PAINT;
pub use timer::{Timer, known_loop};

/// No floating-point unit, no mode.
pub fn float_trouble() -> Option<u32> {
    None
}
