//! Cortex-M: started by cortex-m-rt, counted by the system timer.

mod fault;
mod float_mode;
mod timer;

pub use cortex_m_rt::STACK_PAINT_VALUE as PAINT;
pub use fault::{overflow, undefined};
pub use float_mode::float_trouble;
pub use timer::{Timer, known_loop};
