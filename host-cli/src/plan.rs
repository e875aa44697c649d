//! Samplers by name, and the table of noise levels that they share.

mod angle;
mod error;
mod grid;
mod level_set;
mod spec;

pub use error::PlanError;
pub use grid::Grid;
pub use level_set::{BuiltPlan, GapFilling, LevelSet, Probe};
pub use spec::{MAX_STEPS, PlanSpec};
