//! Every way of its own in which the image can end otherwise than well, with its exit code and its words.

use crate::request::RequestError;
use core::fmt;
use mote_core::model::{ArenaTooSmall, Model, ParseError, SelfTestError};
use mote_firmware::failure::{REQUEST_CODE, REQUEST_KIND, Refusal};

/// Why the image gives up.
#[derive(Debug)]
pub enum Failure<'r> {
    /// The bytes in the partition are not a model.
    Model(ParseError),
    /// The model needs more memory than the image has for it.
    Arena(ArenaTooSmall),
    /// The model's self-test gave other bits.
    SelfTest(SelfTestError),
    /// The request makes no sense.
    Request(RequestError<'r>),
    /// The model has no such plan.
    Plan { asked: &'r str, model: &'r Model<'r> },
    /// The model has no such class.
    Class { asked: u16, classes: usize },
}

impl Refusal for Failure<'_> {
    fn code(&self) -> u32 {
        match self {
            Self::Model(_) => 2,
            Self::Arena(_) => 3,
            Self::SelfTest(_) => 4,
            Self::Request(_) | Self::Plan { .. } | Self::Class { .. } => REQUEST_CODE,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Model(_) => "model",
            Self::Arena(_) => "arena",
            Self::SelfTest(_) => "self-test",
            Self::Request(_) | Self::Plan { .. } | Self::Class { .. } => REQUEST_KIND,
        }
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => write!(f, "the model partition is refused: {error}"),
            Self::Arena(error) => write!(f, "{error}; build the image with MOTE_ARENA_BYTES={}", error.needed),
            Self::SelfTest(error) => write!(f, "{error}"),
            Self::Request(error) => write!(f, "{error}"),
            Self::Plan { asked, model } => {
                write!(f, "the model has no plan {asked:.20}; it has")?;
                for (plan, number) in model.plans().zip(0u32..) {
                    write!(f, "{} {}", if number == 0 { "" } else { "," }, plan.name)?;
                }
                if model.plan_count() == 0 { f.write_str(" none: it denoises") } else { Ok(()) }
            }
            Self::Class { asked, classes: 0 } => write!(f, "class={asked}: the model has no classes"),
            Self::Class { asked, classes } => write!(f, "class={asked}: the model has classes 0 to {}", classes - 1),
        }
    }
}
