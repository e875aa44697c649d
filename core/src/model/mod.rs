//! The model blob: bytes checked once into a type that proves them, and the memory a model runs in.
//!
//! [`Model::parse`] checks everything that `docs/blob-format.md` asks for. After that nothing can fail: a [`Bound`]
//! model samples without a `Result`. [`arena_bytes`] tells at compile time how much memory that takes.

mod arena;
mod build;
mod error;
mod header;
#[cfg(feature = "imputation")]
mod imputation;
mod number;
mod parse;
mod relayout;
mod utf8;
mod view;
mod write;

pub use arena::{Arena, ArenaTooSmall, Bound, SelfTestError};
pub use build::{BuildError, PlanBuffer};
pub use error::{ParseError, Part};
pub use header::{ARENA_BYTES_MAX, HEADER_BYTES, Role, SelfTest, arena_bytes, arena_bytes_of};
#[cfg(feature = "imputation")]
pub use imputation::{Imputation, ImputationParts};
pub use view::{Model, NamedPlan};
pub use write::{LayerParts, LevelParts, ModelParts, Parameters, PlanParts, WriteError};

/// Sections start at multiples of this many bytes.
pub const ALIGNMENT: usize = 16;

/// The largest number of bytes of a plan's name.
pub const PLAN_NAME_MAX: usize = 20;
