//! Every way of its own in which the image can end otherwise than well, with its exit code and its words.

use core::fmt;
use mote_experiments::RequestError;
use mote_firmware::failure::{REQUEST_CODE, REQUEST_KIND, Refusal};

/// Why the image gives up.
#[derive(Debug)]
pub enum Failure<'r> {
    /// The request makes no sense.
    Request(RequestError<'r>),
    /// A path left the finite numbers.
    Exploded { block: u32, path: usize },
}

impl Refusal for Failure<'_> {
    fn code(&self) -> u32 {
        match self {
            Self::Request(_) => REQUEST_CODE,
            Self::Exploded { .. } => 9,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Request(_) => REQUEST_KIND,
            Self::Exploded { .. } => "exploded",
        }
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => write!(f, "{error}"),
            Self::Exploded { block, path } => {
                write!(f, "path {path} of block {block} left the finite numbers; take more steps")
            }
        }
    }
}
