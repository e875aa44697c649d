//! From a float network to a blob: calibration on the sampler's own trajectories, integer weights and scales, export.
//!
//! Weights are 8-bit and symmetric with one scale a row. Activation codes have a scale of a power of two for each level and
//! layer, so that a level changes shifts and never multipliers. A row's multiplier is rounded first and its weights after
//! it, against the multiplier as it is, so the rounding of the multiplier costs nothing. The errors of rounding are spread over their row so that
//! they cancel where inputs are alike. Weights of 4 bits lie in the same layout, and fine-tuning goes on from there.

mod calibration;
mod codes;
mod compensation;
mod correction;
mod cost;
mod export;
mod fine_tune;
mod format;
mod integers;
mod signal;
mod trail;
mod weights;

#[cfg(test)]
mod against_emulation;
#[cfg(test)]
mod against_float;

pub use calibration::{Calibration, CalibrationOptions};
pub use correction::{Correction, LevelCorrection};
pub use cost::{Candidate, FormatCost, Yardstick, choose, to_text as costs_to_text};
pub use export::{BlobDetails, ExportError, Quantized, export, quantize};
pub use fine_tune::{FineTuneError, FineTuning, fine_tune};
pub use format::{ActivationBits, Format, WeightBits};
pub use integers::Integers;
pub use signal::{SignalRow, SignalTable};
pub use trail::{Evaluation, Trail};
