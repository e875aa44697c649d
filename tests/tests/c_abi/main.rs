//! The functions of `mote.h`, called as C calls them: the bits of Rust, and every misuse a status with a name.

mod program;
mod refusals;
mod samples;
