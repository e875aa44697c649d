//! Where training draws its noise levels from: a core schedule and a prediction, joined.

use mote_core::schedule::{NoiseLevel, NoiseSchedule, Schedule};
use mote_core::score::Prediction;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::train::{NoiseLevels, TrainingLevel};

/// Mean and deviation of ln(sigma) in training (Karras et al. 2022, table 1).
const EDM_LOG_SIGMA: (f64, f64) = (-1.2, 1.2);

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
}

/// Times uniform in (0, 1) for schedules in time; ln(sigma) normal for EDM.
impl NoiseLevels for Noising {
    fn draw(&self, u: f32) -> TrainingLevel {
        let (level, time) = match self.schedule {
            Schedule::Edm(_) => {
                let (mean, deviation) = EDM_LOG_SIGMA;
                let normal = Normal::new(mean, deviation).expect("a positive deviation");
                let log_sigma = normal.inverse_cdf(f64::from(u)) as f32;
                (NoiseLevel { alpha: 1.0, sigma: log_sigma.exp() }, 0.25 * log_sigma)
            }
            schedule => (schedule.level(u), u),
        };
        let target = self.prediction.target(level);
        // The score's own target grows as 1 / sigma; sigma^2 is the weight of Song et al. 2021 that evens it out.
        let weight = if self.prediction == Prediction::Score { level.sigma * level.sigma } else { 1.0 };
        TrainingLevel {
            alpha: level.alpha,
            sigma: level.sigma,
            time,
            input_scale: self.input_scale(level),
            target_x0: target.x0,
            target_eps: target.epsilon,
            weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::schedule::{Cosine, Edm};

    #[test]
    fn training_and_sampling_tell_the_network_the_same_number() {
        for schedule in [Schedule::Cosine(Cosine::DEFAULT), Schedule::Edm(Edm::DEFAULT)] {
            let noising = Noising { schedule, prediction: Prediction::V, sigma_data: 1.0 };
            for u in [0.05, 0.3, 0.7, 0.95] {
                let drawn = noising.draw(u);
                let level = NoiseLevel { alpha: drawn.alpha, sigma: drawn.sigma };
                assert!((noising.conditioning(level) - drawn.time).abs() < 2e-5, "{schedule:?} at {u}");
                let power = (drawn.alpha * drawn.alpha + drawn.sigma * drawn.sigma).sqrt();
                assert!((drawn.input_scale * power - 1.0).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn edm_draws_the_published_log_normal() {
        // The quantiles of N(-1.2, 1.2^2) at 0.5 and at Phi(1) = 0.841345.
        let noising = Noising {
            schedule: Schedule::Edm(Edm::DEFAULT),
            prediction: Prediction::EdmF { sigma_data: 0.5 },
            sigma_data: 0.5,
        };
        assert!((noising.draw(0.5).sigma.ln() + 1.2).abs() < 1e-5);
        assert!(noising.draw(0.841_345).sigma.ln().abs() < 1e-4);
    }
}
