//! Jobs on data that are there: what is behind noise, what is missing, what does not belong.
//!
//! An [`Estimator`] gives the mean of the data behind a noisy signal, in one evaluation or, for a network that slides over a signal, one a
//! sample; a [`SignalDenoiser`] does so sample by sample, for a signal that never ends. A [`ConditionalDraw`] draws what may have been, where
//! values are missing or noisy; where a model has an [`Autoregression`], an [`ImputationDraw`] draws what it leaves open. A [`Variation`] of data that are there
//! makes more like them. A [`Detector`] tells what does not look like normal data.
//!
//! Signals are rows of one value a channel, in the scale of the training data ([`Model::scale`](crate::model::Model::scale)). A value that
//! is missing is a NaN: the network sees 0 in its place, which is the mean, and it stays missing in what is estimated.
//!
//! ```
//! use mote_core::job::SignalDenoiser;
//! use mote_core::model::{Arena, Model, arena_bytes};
//!
//! const BLOB: &[u8] = include_bytes!("../../tests/golden/v1-slide-random.mote");
//!
//! let mut arena = Arena::<{ arena_bytes(BLOB) }>::new();
//! let model = Model::parse(BLOB)?;
//! let mut bound = model.bind(&mut arena)?;
//!
//! let level = model.nearest_level(0.2);
//! let mut denoiser = SignalDenoiser::new(bound.estimator(), level, None);
//! let mut clean = [0.0; 2];
//! for reading in [[0.1, 0.2], [0.3, f32::NAN], [0.2, 0.1]] {
//!     let mut sample = reading;
//!     model.scale(&mut sample);
//!     if denoiser.push(&sample, &mut clean) {
//!         model.unscale(&mut clean); // what was read some samples ago
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anomaly;
mod autoregression;
mod conditional;
mod estimator;
mod imputer;
mod scoring;
mod signal;
mod variation;

pub use anomaly::{
    CALIBRATION_NUMBERS, Detector, DetectorError, ERROR_FEATURES, Judgement, calibration_number_fits, feature_log,
};
pub use autoregression::{Autoregression, GapTooLong, ORDER_MAX};
pub use conditional::{ConditionalDraw, Evidence};
pub use estimator::{Estimator, Level};
pub use imputer::{Filled, ImputationDraw, Imputer};
pub use scoring::Scoring;
pub use signal::SignalDenoiser;
pub use variation::Variation;
