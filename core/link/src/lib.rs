//! The live device: what a board and a host say to each other, and how a board keeps its models.
//!
//! The layers, each of which knows only those above it:
//!
//! | module | holds |
//! |---|---|
//! | [`frame`] | bytes of a line as checked frames, and what is wrong with those that are none |
//! | [`message`] | requests and answers; their bytes are in `docs/protocol.md` |
//! | [`status`] | every refusal, by number and by name |
//! | [`slots`] | two models in flash, and an update that leaves a whole one wherever the power is cut |
//! | [`device`] | the device itself: takes frames, runs jobs a step at a time, answers |
//!
//! There is no heap and no panic here, as in `mote-core`; the bytes that arrive are checked once, and nothing that arrives can hang a device.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

#[cfg(test)]
extern crate std;

pub mod device;
pub mod frame;
pub mod message;
pub mod slots;
pub mod status;

/// The version of the protocol; a device and a host of different versions refuse each other in the greeting, by name.
pub const VERSION: u16 = 1;
