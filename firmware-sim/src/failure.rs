//! The ways to end otherwise than well that every image has, with their exit codes and words.

use core::fmt;

/// Why an image gives up, with its place among the exit codes, which are part of an image's contract.
pub trait Refusal: fmt::Display {
    /// The exit code; 1 is left to the emulator.
    fn code(&self) -> u32;
    /// A word for programs.
    fn kind(&self) -> &'static str;
}

/// The exit code of a request that makes no sense, in every image.
pub const REQUEST_CODE: u32 = 5;
/// Its word.
pub const REQUEST_KIND: &str = "request";

/// What went wrong with the machine, whatever the image does.
#[derive(Debug)]
pub enum Trouble {
    /// Floats would be flushed to zero, or NaNs replaced: other bits than IEEE 754 gives.
    FloatMode(u32),
    /// The processor faulted.
    Fault {
        /// At which instruction, if the stack still says.
        address: Option<u32>,
    },
    /// The stack outgrew its place.
    Stack {
        /// The place.
        bytes: u32,
    },
    /// A check failed that an image in release form does not have.
    #[cfg(debug_assertions)]
    Panic {
        /// Where in its file.
        line: u32,
    },
}

impl Refusal for Trouble {
    fn code(&self) -> u32 {
        match self {
            Self::Fault { .. } | Self::Stack { .. } => 6,
            Self::FloatMode(_) => 7,
            #[cfg(debug_assertions)]
            Self::Panic { .. } => 8,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Fault { .. } => "fault",
            Self::Stack { .. } => "stack",
            Self::FloatMode(_) => "float-mode",
            #[cfg(debug_assertions)]
            Self::Panic { .. } => "panic",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FloatMode(fpscr) => {
                write!(f, "FPSCR is {fpscr:08x}: flush-to-zero or default-NaN is on, which changes bits")
            }
            Self::Fault { address: Some(address) } => write!(f, "hard fault at {address:#010x}"),
            Self::Fault { address: None } => f.write_str("hard fault"),
            Self::Stack { bytes } => write!(f, "the stack outgrew its {bytes} bytes"),
            #[cfg(debug_assertions)]
            Self::Panic { line } => write!(f, "panic at line {line}"),
        }
    }
}
