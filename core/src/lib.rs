//! Diffusion models on microcontrollers: `no_std`, no heap, no panic, the same bits on every target.
//!
//! The layers, each of which knows only those above it:
//!
//! | module | holds |
//! |---|---|
//! | [`math`] | elementary functions; the only file that names libm |
//! | [`random`] | seeded streams, normal numbers, Brownian increments |
//! | [`fokker_planck`] | the density of a one-dimensional diffusion over time |
//! | [`schedule`] | noise levels, schedules and grids |
//! | [`score`] | score models, denoisers, conversions between predictions, the exact mixture |
//! | [`sde`] | stochastic processes with their closed forms; reverse time and probability flow |
//! | [`stepper`] | one step of a process along given noise, orders as constants |
//! | [`ensemble`] | many independent paths, in blocks with streams of their own |
//! | [`network`] | the quantised network: layers in place, integer kernels, forward pass |
//! | [`sampler`] | plans (samplers as rows of coefficients) and the loop that runs them |
//! | [`model`] | the blob: parse, memory, self-test |
//! | [`job`] | what is behind noise, what is missing, what does not belong |
//!
//! Linking a model into firmware takes four calls:
//!
//! ```
//! use mote_core::model::{Arena, Model, arena_bytes};
//! use mote_core::sampler::SampleOptions;
//!
//! const BLOB: &[u8] = include_bytes!("../tests/golden/v1-digits-random.mote");
//!
//! let mut arena = Arena::<{ arena_bytes(BLOB) }>::new();
//! let model = Model::parse(BLOB)?;
//! let mut bound = model.bind(&mut arena)?;
//! bound.self_test()?;
//!
//! let plan = model.plan(0).ok_or("no plan")?;
//! let mut sample = [0.0; 64];
//! bound.sample(&plan, SampleOptions::default(), 42, 0, &mut sample);
//! model.unscale(&mut sample);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

#[cfg(test)]
extern crate std;

pub mod ensemble;
pub mod fokker_planck;
pub mod job;
pub mod math;
pub mod model;
pub mod network;
pub mod random;
pub mod sampler;
pub mod schedule;
pub mod score;
pub mod sde;
pub mod stepper;
