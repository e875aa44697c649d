//! What trained models are for: jobs on data that are there.

mod denoise;
mod detect;
mod draws;
mod gaps;
mod impute;
mod noise_estimate;
mod quality;
mod restore;
mod signals;

pub use denoise::{Denoised, denoise};
pub use detect::{Judging, auroc};
pub use draws::{ImputationQuality, crps, imputation_quality, mean, quantile};
pub use gaps::{FilledSignal, autoregression_quality, calibrated_start, draw_gap, draw_gaps};
pub use impute::{Drawing, draw_of, impute, ladder};
pub use noise_estimate::estimate_noise;
pub use quality::{DenoisingQuality, denoising_quality};
pub use restore::Restore;
pub use signals::{SignalError, SignalOptions, Signals};
