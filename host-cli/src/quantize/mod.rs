//! From a float network to a blob: calibration on the sampler's own trajectories, integer weights and scales, export.
//!
//! Weights are 8-bit and symmetric with one scale a row. Activation codes have a scale of a power of two for each level and
//! layer, so that a level changes shifts and never multipliers. A row's multiplier is rounded first and its weights after
//! it, against the multiplier as it is, so the rounding of the multiplier costs nothing.

mod calibration;
mod codes;
mod export;
mod weights;

#[cfg(test)]
mod against_float;

pub use calibration::{Calibration, CalibrationOptions};
pub use export::{BlobDetails, ExportError, Quantized, quantize};

use serde::{Deserialize, Serialize};

/// How wide activation codes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ActivationBits {
    /// 8 bits: 0 to 255 after ReLU, -127 to 127 elsewhere.
    #[default]
    #[value(name = "8")]
    #[serde(rename = "8")]
    Eight,
    /// As many as the 24-bit sums of a packed kernel allow, up to 15 and a sign; about 11 at width 128.
    Auto,
}
