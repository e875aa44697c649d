//! Fitting a float network to data by score matching, denoising (Vincent 2011), sliced or explicit, with dfdx.
//!
//! Every draw of step k is a function of the seed and k alone, and a batch is always cut into the same blocks,
//! whose gradients are added in the same order. So a run that stops and resumes ends in the same
//! weights as one that does not, and so does a run on another number of threads (one machine;
//! another instruction set may round its sums differently).

mod batch;
mod fit;
mod layout;
mod levels;
mod loss;
mod normals;
mod optimizer;
mod options;
mod pools;
mod straight_through;
mod tape;
mod trainer;
mod validation;

pub use fit::Fit;
pub use levels::{NoiseLevels, TrainingLevel};
pub use loss::{Directions, EXPLICIT_DIM_MAX, Loss, SLICES_MAX, SliceNorm, Slices};
pub use options::{TrainError, TrainingOptions, TrainingSet, Windows};
pub use straight_through::{Examples, Grid, NearestStep, StraightThrough};
pub(crate) use tape::silu_in_place as silu;
pub use trainer::{Trainer, TrainingState};
pub use validation::validation_loss;

#[cfg(test)]
pub(crate) mod tests;
