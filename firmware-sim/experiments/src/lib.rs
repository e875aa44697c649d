//! Experiments: an ensemble of a scalar process, as the image `mote-ensembles` is asked to run it.
//!
//! The image reads a [`Request`] from words, the runner on the host writes it, and both run its [`Experiment`] by the
//! same code: what differs is the machine alone.
//!
//! | module | holds |
//! |---|---|
//! | `process` | [`Process`]: processes and their parameters, by name |
//! | `pairing` | [`Method`]: steppers by name, and [`Pairing`]: what to do with a stepper and a process that fit |
//! | `noise` | [`Noise`]: where the increments come from, by name, and [`BlockNoise`] |
//! | `experiment` | [`Experiment`]: process, stepper, noise and grid, and how a block of it is run |
//! | `request` | [`Request`]: an experiment and what to do with it, as words |
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

#[cfg(test)]
extern crate std;

mod experiment;
mod noise;
mod pairing;
mod process;
mod request;

pub use experiment::{Blocks, Experiment, ROOM, Unfit};
pub use noise::{BlockNoise, Noise};
pub use pairing::{Method, Pairing};
pub use process::{Process, UnknownParameter};
pub use request::{Request, RequestError, Task};
