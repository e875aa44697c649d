//! Every way of its own in which the image can end otherwise than well, with its exit code and its words.

use core::fmt;
use mote_core::job::{DetectorError, GapTooLong};
use mote_core::model::{ArenaTooSmall, ParseError, SelfTestError};
use mote_firmware::failure::{REQUEST_CODE, REQUEST_KIND, Refusal};

/// Why the image gives up.
#[derive(Debug)]
pub enum Failure {
    /// The bytes in the partition are not a model.
    Model(ParseError),
    /// The model needs more memory than the image has for it.
    Arena(ArenaTooSmall),
    /// The model gives other bits here.
    SelfTest(SelfTestError),
    /// What lies behind the model is no job.
    Job,
    /// The calibration does not fit the model.
    Calibration(DetectorError),
    /// A gap takes more memory than the model's arena has.
    Gap(GapTooLong),
    /// A signal is too long for what a draw works on.
    TooLong { values: usize, room: usize },
}

impl Refusal for Failure {
    fn code(&self) -> u32 {
        match self {
            Self::Model(_) => 2,
            Self::Arena(_) => 3,
            Self::SelfTest(_) => 4,
            Self::Job | Self::Calibration(_) | Self::Gap(_) | Self::TooLong { .. } => REQUEST_CODE,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Model(_) => "model",
            Self::Arena(_) => "arena",
            Self::SelfTest(_) => "self-test",
            Self::Job | Self::Calibration(_) | Self::Gap(_) | Self::TooLong { .. } => REQUEST_KIND,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => write!(f, "the model partition is refused: {error}"),
            Self::Arena(error) => write!(f, "{error}"),
            Self::SelfTest(error) => write!(f, "{error}"),
            Self::Job => f.write_str("what follows the model in its partition is no job"),
            Self::Calibration(error) => write!(f, "{error}"),
            Self::Gap(error) => write!(f, "{error}; build the image with a larger arena"),
            Self::TooLong { values, room } => {
                write!(f, "a signal of {values} values, and this image draws or scores at most {room}")
            }
        }
    }
}
