//! What trained models are for: jobs on data that are there.

mod bars;
mod denoise;
mod detect;
mod draws;
mod gaps;
mod impute;
mod noise_estimate;
mod posterior;
mod quality;
mod restore;
mod signals;

pub use bars::{bounds, covering_factor, place_about};
pub use denoise::{Denoised, denoise};
pub use detect::{Judging, auroc};
pub use draws::{ImputationQuality, Pairing, crps, imputation_quality, mean, quantile};
pub use gaps::{FilledSignal, autoregression_quality, calibrated_start, draw_gap, draw_gaps};
pub use impute::{Drawing, draw_of, impute, ladder};
pub use noise_estimate::estimate_noise;
pub use posterior::{levels_below, noisy_draw_of, noisy_draws};
pub use quality::{DenoisingQuality, denoising_quality};
pub use restore::Restore;
pub use signals::{SignalError, SignalOptions, Signals};
