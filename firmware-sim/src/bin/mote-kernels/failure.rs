//! Every way of its own in which the image can end otherwise than well, with its exit code and its words.

use core::fmt;
use mote_core::model::ParseError;
use mote_firmware::failure::Refusal;

/// Why the image gives up.
#[derive(Debug)]
pub enum Failure {
    /// The bytes in the partition are not a model, twice.
    Model(ParseError),
    /// A kernel gives another code or output than plain Rust.
    Differs { layer: usize, row: usize, level: usize },
}

impl Refusal for Failure {
    fn code(&self) -> u32 {
        match self {
            Self::Model(_) => 2,
            Self::Differs { .. } => 10,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Model(_) => "model",
            Self::Differs { .. } => "kernel",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => write!(f, "the model partition is refused: {error}"),
            Self::Differs { layer, row, level } => {
                write!(f, "layer {layer}, row {row}, level {level}: the kernel differs from the portable code")
            }
        }
    }
}
