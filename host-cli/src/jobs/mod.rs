//! What trained models are for: jobs on data that are there.

mod denoise;
mod noise_estimate;
mod quality;
mod restore;
mod signals;

pub use denoise::{Denoised, denoise};
pub use noise_estimate::estimate_noise;
pub use quality::{DenoisingQuality, denoising_quality};
pub use restore::Restore;
pub use signals::{SignalError, SignalOptions, Signals};
