//! Why a checkpoint cannot be written or read.

use std::path::PathBuf;

use safetensors::SafeTensorError;
use thiserror::Error;

use crate::files::WriteError;

/// Why a checkpoint cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read checkpoint {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The state cannot be laid out as safetensors.
    #[error("cannot lay out the checkpoint: {0}")]
    Layout(#[from] SafeTensorError),
    /// The bytes are not a whole safetensors file.
    #[error("{path} is cut short or damaged ({source}); bring back a copy, or train again with --force")]
    Container {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: SafeTensorError,
    },
    /// The numbers are not the ones that were saved.
    #[error("{path} is damaged: its checksum does not match; bring back a copy, or train again with --force")]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// The description in the header is missing, of another version or out of range.
    #[error("{path} is not a checkpoint of this version of mote: {reason}")]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A tensor is missing.
    #[error("{path}: tensor {tensor} is missing")]
    Missing {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor has another type or shape than the network's.
    #[error("{path}: tensor {tensor} is {got}; the network's shape asks for {want}")]
    Misshapen {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Type and shape in the file.
        got: String,
        /// Type and shape expected.
        want: String,
    },
    /// A number is NaN, infinite, or negative where it is a mean of squares.
    #[error("{path}: tensor {tensor} holds {value} at index {index}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Position in the tensor, row by row.
        index: usize,
        /// The value.
        value: f32,
    },
}
