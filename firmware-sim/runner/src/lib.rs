//! Builds the firmware image and runs it in QEMU, always under a time limit.
//!
//! | module | holds |
//! |---|---|
//! | `image` | [`Image`]: the image of a board, built from the sources beside this crate |
//! | `request` | [`Request`]: what the image is asked to do |
//! | `emulator` | [`run`]: the emulator's command line, its time limit, its exit |
//! | `report` | [`Report`]: the records that the image printed |
//! | `error` | [`Error`]: what can go wrong, with the way out |
//!
//! ```no_run
//! use mote_qemu::{BOARDS, Image, Request, run};
//! use std::{path::Path, time::Duration};
//!
//! let image = Image::build(&BOARDS[0], None)?;
//! let request = Request { seed: 42, count: 4, ..Request::default() };
//! let report = run(&image, Some(Path::new("model.mote")), &request, Duration::from_secs(60))?;
//! println!("{:016x}", report.digest);
//! # Ok::<(), mote_qemu::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

mod emulator;
mod error;
mod image;
mod report;
mod request;

pub use emulator::{emulator_version, run, run_words};
pub use error::Error;
pub use image::{Image, ImageSize};
pub use mote_boards::{BOARDS, Board, Region, find};
pub use report::{Count, Memory, ModelRecord, PlanRecord, Report, Sample, Source};
pub use request::{Request, Task};
