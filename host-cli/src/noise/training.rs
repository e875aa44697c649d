//! Everything that the loss of a step depends on besides the data: levels, targets, weights.

use mote_core::score::Prediction;
use thiserror::Error;

use super::{LevelDistribution, NoiseRange, Noising, Objective, Weighting};
use crate::network::Shape;
use crate::train::{Loss, NoiseLevels, Slices, TrainError, TrainingLevel};

/// How a network is trained under a [`Noising`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingNoise {
    /// What training and sampling agree on; its prediction is the objective's.
    pub noising: Noising,
    /// The objective.
    pub objective: Objective,
    /// How much each level counts.
    pub weighting: Weighting,
    /// Which levels are visited how often.
    pub levels: LevelDistribution,
    /// The range of [`LevelDistribution::LogUniform`].
    pub range: NoiseRange,
    /// The slices of [`Objective::Sliced`].
    pub slices: Slices,
}

/// Why a way of training cannot work.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrainingNoiseError {
    /// The weight has no bound on what the objective predicts.
    #[error("weighting {weighting} has no bound under objective {objective}; those that fit it are {fitting}")]
    Weighting {
        /// The weighting's name.
        weighting: &'static str,
        /// The objective's name.
        objective: &'static str,
        /// The weightings that fit the objective.
        fitting: String,
    },
    /// The range of noise makes no sense.
    #[error("noise.range: {low} to {high}; the least must be above 0, the most larger than that and at most 1000")]
    Range {
        /// The least.
        low: f32,
        /// The most.
        high: f32,
    },
    /// The likelihood's weight is one for times drawn uniformly.
    #[error("weighting likelihood is for uniform noise levels, not {0}; give --noise-levels uniform")]
    Likelihood(&'static str),
    /// The network cannot learn by the loss.
    #[error(transparent)]
    Network(#[from] TrainError),
}

impl TrainingNoise {
    /// The usual way to train an objective under a noising.
    #[must_use]
    pub fn usual(noising: Noising, objective: Objective) -> Self {
        Self {
            noising: Noising { prediction: objective.prediction(noising.sigma_data), ..noising },
            objective,
            weighting: Weighting::usual(objective),
            levels: LevelDistribution::usual(noising.schedule),
            range: NoiseRange::default(),
            slices: Slices::default(),
        }
    }

    /// Checks that objective, weighting, levels and a network's shape go together.
    ///
    /// # Errors
    /// [`TrainingNoiseError`] with the way out.
    pub fn check(&self, shape: &Shape) -> Result<(), TrainingNoiseError> {
        let (weighting, objective) = (self.weighting, self.objective);
        if !weighting.fits(objective) {
            return Err(TrainingNoiseError::Weighting {
                weighting: weighting.name(),
                objective: objective.name(),
                fitting: Weighting::names_for(objective),
            });
        }
        if !self.range.is_valid() {
            return Err(TrainingNoiseError::Range { low: self.range.low, high: self.range.high });
        }
        if weighting == Weighting::Likelihood && self.levels != LevelDistribution::Uniform {
            return Err(TrainingNoiseError::Likelihood(self.levels.name()));
        }
        Ok(self.loss().check(shape)?)
    }
}

impl NoiseLevels for TrainingNoise {
    fn draw(&self, u: f32) -> TrainingLevel {
        let (level, t, told) = self.levels.level(&self.noising, self.range, u);
        let target = self.noising.prediction.target(level);
        TrainingLevel {
            alpha: level.alpha,
            sigma: level.sigma,
            time: told,
            input_scale: self.noising.input_scale(level),
            target_x0: target.x0,
            target_eps: target.epsilon,
            weight: self.weighting.weight(&self.noising, level, t),
        }
    }

    fn loss(&self) -> Loss {
        debug_assert!(
            self.objective.loss(self.slices) == Loss::SquaredError || self.noising.prediction == Prediction::Score
        );
        self.objective.loss(self.slices)
    }
}

#[cfg(test)]
mod tests;
