//! The host's side of a live device: a line to it, a conversation over it that survives what lines do to frames, and an update of its model.
//!
//! | module | holds |
//! |---|---|
//! | `line` | [`Line`]: bytes to a device and back, over a serial port, a socket, or to an emulated board |
//! | `client` | [`Client`]: one question at a time, asked again until it is answered |
//! | `calls` | what can be asked, as methods of a client |
//! | `calibration` | [`Calibration`]: what a detector knows of normal windows, as a file |
//! | `command` | `mote device`, the verbs |
//! | [`command`] | `mote device`, the verbs |
//! | `update` | a model written to a device, and the slot as a file |
//! | `tally` | [`Tally`]: what was sent again, and why |
//! | `error` | [`Error`]: what can go wrong, with the way out |
//!
//! ```no_run
//! use mote_device::{Client, Draw, Patience, Place};
//!
//! let (line, _board) = Place::Tcp("127.0.0.1:7000".into()).open()?;
//! let mut device = Client::greet(line, "127.0.0.1:7000", Patience::default())?;
//! let sample = device.sample(&Draw { seed: 7, ..Draw::default() })?;
//! println!("{sample:?}");
//! # Ok::<(), mote_device::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

mod calibration;
mod calls;
mod client;
pub mod command;
mod error;
mod line;
mod tally;
mod update;

pub use calibration::{By, Calibration, CalibrationError};
pub use calls::{Detection, Draw, Plan};
pub use client::{Client, Patience};
pub use error::Error;
pub use line::{EmulatedBoard, Line, Place};
pub use mote_link::frame::checksum;
pub use mote_link::message::{BootReport, Counters, ModelInfo, Progress, SlotReport, State};
pub use mote_link::status::{Fault, Status, Verdict};
pub use tally::Tally;
pub use update::{Written, slot_image};
