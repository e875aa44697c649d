//! The smallest complete diffusion model: two modes on a line, a network of 4,417 weights, annealed Langevin dynamics.
//!
//! Read it in this order: [`law`] is what is to be learned, [`learn`] learns its score at every noise level, [`walk`]
//! turns noise into samples by following that score, [`quality`] holds the samples against the exact law, and [`picture`]
//! shows it all. `docs/score-1d.md` has the mathematics.

pub mod law;
pub mod learn;
pub mod picture;
pub mod quality;
pub mod walk;
