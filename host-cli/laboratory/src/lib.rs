//! The laboratory: the mathematics of diffusion, simulated, checked against closed forms, and drawn.
//!
//! | module | holds |
//! |---|---|
//! | [`ensemble`] | many paths on all cores with the vector instructions at hand, the same bits on any machine |
//! | [`gallery`] | pictures of the theory, as figures that become SVG or PNG |
//! | [`simulation`] | the processes by name, from flags to a table of moments beside the closed forms |
//! | [`statistics`] | estimates with their standard errors |
//! | [`theory`] | the identities of the theory as rows of one table, each put to the test |

pub mod ensemble;
pub mod gallery;
pub mod simulation;
pub mod statistics;
pub mod theory;
