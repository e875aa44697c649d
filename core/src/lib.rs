#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

pub mod math;
pub mod schedule;
pub mod score;

#[cfg(test)]
extern crate std;
