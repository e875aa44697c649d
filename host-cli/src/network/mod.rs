//! The float score network: a multilayer perceptron whose sizes are known at run time.
//!
//! It knows nothing of training or of files; [`crate::train`] fits its weights and
//! [`crate::checkpoint`] stores them.

mod dense;
mod float;
mod initial;
mod shape;

pub use dense::Dense;
pub use float::{FloatNetwork, Workspace};
pub(crate) use initial::{hash, spread, unit};
pub(crate) use shape::write_time_features;
pub use shape::{
    Activation, Conditioning, MAX_CLASSES, MAX_DIM, MAX_FEATURES, MAX_HIDDEN_LAYERS, MAX_WIDTH, MIN_WIDTH, Shape,
    ShapeError,
};
