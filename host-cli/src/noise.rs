//! What training and sampling agree on: a core schedule and a prediction; and how the network is trained under them.

mod distribution;
mod objective;
mod training;
mod weighting;

pub use distribution::{LevelDistribution, NoiseRange};
pub use objective::Objective;
pub use training::{TrainingNoise, TrainingNoiseError};
pub use weighting::Weighting;

use mote_core::schedule::{NoiseLevel, NoiseSchedule, Schedule};
use mote_core::score::Prediction;
use thiserror::Error;

/// A schedule with what the network predicts under it: everything that training and sampling must agree on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noising {
    /// How signal and noise depend on time.
    pub schedule: Schedule,
    /// What the network's output stands for.
    pub prediction: Prediction,
    /// Standard deviation of the data after scaling.
    pub sigma_data: f32,
}

impl Noising {
    /// The network's input scale at a level: `c_in = 1 / sqrt(alpha^2 sigma_data^2 + sigma^2)`, which gives every level's
    /// input unit variance.
    #[must_use]
    pub fn input_scale(&self, level: NoiseLevel) -> f32 {
        1.0 / level.state_deviation(self.sigma_data)
    }

    /// What the network is told about a level.
    #[must_use]
    pub fn conditioning(&self, level: NoiseLevel) -> f32 {
        self.schedule.conditioning(level.lambda())
    }

    /// Checks that the network's output leads to the data at every level of the schedule.
    ///
    /// # Errors
    /// [`NoiseError`] with the way out. Source: Lin et al. 2024, section 3.2.
    pub fn check(&self) -> Result<(), NoiseError> {
        let ends_in_noise = self.schedule.level(1.0).alpha == 0.0;
        match self.prediction {
            Prediction::Epsilon if ends_in_noise => Err(NoiseError::PureNoise("epsilon")),
            Prediction::Score if ends_in_noise => Err(NoiseError::PureNoise("the score")),
            Prediction::EdmF { .. } if ends_in_noise => Err(NoiseError::PureNoise("edm-f")),
            _ => Ok(()),
        }
    }
}

/// Why a schedule and a prediction do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// The schedule ends at alpha = 0, where the prediction has no x0.
    #[error(
        "{0} cannot be learned on a schedule that ends in pure noise: x0 = (x - sigma eps) / alpha has no value at alpha = 0; \
        predict v, x0 or flow, or take another schedule"
    )]
    PureNoise(&'static str),
}
