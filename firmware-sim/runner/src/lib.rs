//! Builds the firmware images and runs them in QEMU, always under a time limit.
//!
//! | module | holds |
//! |---|---|
//! | `image` | [`Image`]: an image of a board, built from the sources beside this crate |
//! | `request` | [`Request`]: what the image that runs models is asked to do |
//! | `emulator` | [`run`], [`run_ensemble`]: the emulator's command line, its time limit, its exit |
//! | `live` | [`Live`]: a board that runs on and is spoken to over its serial port |
//! | `record` | a line of what an image prints |
//! | `report` | [`Report`]: the records of the image that runs models |
//! | `ensemble` | [`EnsembleReport`]: the records of the image that runs ensembles |
//! | `job` | [`Job`]: a signal behind a model, and the records of the image that works on it |
//! | `kernels` | [`LayerCount`]: the records of the image that counts layers |
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
//!
//! An ensemble is asked for by a request of [`experiments`]:
//!
//! ```no_run
//! use mote_qemu::experiments::{Experiment, Request};
//! use mote_qemu::{BOARDS, Image, Program, run_ensemble};
//! use std::time::Duration;
//!
//! let image = Image::of(Program::Ensembles, &BOARDS[0])?;
//! let request = Request { experiment: Experiment { seed: 7, ..Experiment::default() }, ..Request::default() };
//! println!("{:016x}", run_ensemble(&image, &request, Duration::from_secs(60))?.digest);
//! # Ok::<(), mote_qemu::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

mod emulator;
mod ensemble;
mod error;
mod image;
mod job;
mod kernels;
mod live;
mod record;
mod report;
mod request;

pub use emulator::{
    emulator_version, run, run_ensemble, run_ensemble_words, run_job, run_kernels, run_words, trace_kernels,
};
pub use ensemble::EnsembleReport;
pub use error::Error;
pub use image::{Image, ImageSize, Program};
pub use job::{Job, JobReport, JobTask};
pub use kernels::{LayerCount, doubled};
pub use live::Live;
pub use mote_boards::{BOARDS, Board, Emulator, Region, Timer, find};
pub use mote_experiments as experiments;
pub use report::{Count, Memory, ModelRecord, PlanRecord, Report, Sample, Source};
pub use request::{Request, Task};
