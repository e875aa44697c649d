//! Samplers as data: a table of coefficients and the one loop that runs it.
//!
//! A [`Plan`] is a list of [`Row`]s. Row i evaluates the network once, at the row's noise level, and then
//!
//! ```text
//! m_i = p x + q F(x, level)
//! x  <- a x + b0 m_i + b1 m_(i-1) + b2 m_(i-2) + b3 m_(i-3) + e z        z ~ N(0, 1)
//! ```
//!
//! Schedule, solver and parameterisation are all inside the coefficients, so the loop ([`Run`]) knows none of them and
//! needs no exponential, logarithm or sine. A sampler is one file with one type that implements [`PlanBuilder`], and
//! one line in [`Sampler`].

mod ancestral;
mod annealed_langevin;
mod builder;
mod ddim;
mod digest;
mod dpm_solver;
mod plan;
mod run;

pub use ancestral::{Ancestral, AncestralVariance};
pub use annealed_langevin::AnnealedLangevin;
pub use builder::{PlanBuilder, Sampler, start_scale};
pub use ddim::Ddim;
pub use digest::Digest;
pub use dpm_solver::DpmSolver2M;
pub use plan::{HISTORY_MAX, Plan, ROW_BYTES, Row};
pub use run::{Run, SampleOptions, Workspace};
