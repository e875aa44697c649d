//! Why a network cannot be taken over.

use std::path::PathBuf;

use safetensors::{Dtype, SafeTensorError};
use thiserror::Error;

use super::BOUND;

/// Why a network cannot be taken over.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are not a whole safetensors file.
    #[error("{path} is not a whole safetensors file ({source}); export it again")]
    Container {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: SafeTensorError,
    },
    /// The `[import]` section contradicts itself or the network.
    #[error("the recipe's [import]: {reason}")]
    Convention {
        /// What is wrong.
        reason: String,
    },
    /// A tensor is missing.
    #[error(
        "{path}: there is no tensor {tensor}; {}; [import] in the recipe says how tensors are named",
        proposal(near)
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// The most similar names in the file.
        near: Vec<String>,
    },
    /// One of several tensors that belong together is missing.
    #[error("{path}: there is {there} but no {tensor}; leave both out or give both")]
    Half {
        /// The file.
        path: PathBuf,
        /// The tensor that is there.
        there: String,
        /// The tensor that is not.
        tensor: String,
    },
    /// A tensor is of another shape than the network asks for.
    #[error("{path}: tensor {tensor}: expected {want}, got {got:?}")]
    Misshapen {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Shape expected, and of what it is made.
        want: String,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// A tensor holds other numbers than it should.
    #[error("{path}: tensor {tensor} holds {got:?}; it must hold {want}")]
    Kind {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Its type.
        got: Dtype,
        /// Types that are taken.
        want: &'static str,
    },
    /// A number is NaN, infinite as an f32, or out of its range.
    #[error("{path}: tensor {tensor} holds {value} at index {index}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Position in the tensor, row by row.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The outputs are not the ones that the file promises.
    #[error(
        "{path}: the network's outputs are not test_output: the largest difference is {largest:.1e} of the largest output (row {row}, output {column}), more than {allowed:.1e} (the bound is {BOUND:.0e}); check activation, residual and conditioning under [network], and order, time_features and time_scale under [import]"
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// Largest difference, relative to the largest output.
        largest: f64,
        /// What would have been allowed.
        allowed: f64,
        /// Row of the test, from 0.
        row: usize,
        /// Component of the output, from 0.
        column: usize,
    },
}

fn proposal(names: &[String]) -> String {
    if names.is_empty() { "the file holds none".into() } else { format!("the nearest are {}", names.join(", ")) }
}
