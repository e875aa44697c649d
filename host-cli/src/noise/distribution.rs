//! Which noise levels training visits how often.

use mote_core::schedule::{NoiseLevel, NoiseSchedule, Schedule};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::Noising;

/// Mean and deviation of ln(sigma / alpha) in EDM's training (Karras et al. 2022, table 1).
const EDM_LOG_SIGMA: (f64, f64) = (-1.2, 1.2);
/// The same where the time of a straight flow, sigma / (alpha + sigma), is logit-normal (Esser et al. 2024, equation 19).
const FLOW_LOG_SIGMA: (f64, f64) = (0.0, 1.0);

/// A range of noise, as the ratio sigma / alpha: deviations of noise in units of the scaled data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseRange {
    /// The least.
    pub low: f32,
    /// The most.
    pub high: f32,
}

impl Default for NoiseRange {
    /// From noise that is hardly seen to noise that leaves little of a signal.
    fn default() -> Self {
        Self { low: 0.05, high: 1.0 }
    }
}

impl NoiseRange {
    /// The usual range of a network that learns residuals: from a fifth of what is left open to noise that hides them.
    pub const OF_RESIDUALS: Self = Self { low: 0.1, high: 5.0 };

    /// Whether both ends make sense.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.low > 0.0 && self.low < self.high && self.high <= 1e3
    }
}

/// A distribution of noise levels by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LevelDistribution {
    /// Uniform in the schedule's time; the default of all schedules but edm.
    Uniform,
    /// ln(sigma / alpha) ~ N(-1.2, 1.2^2), EDM's and the default of edm (Karras et al. 2022).
    LogNormal,
    /// ln(sigma / alpha) uniform over the range of `noise.range`; the default where one is given.
    LogUniform,
    /// ln(sigma / alpha) ~ N(0, 1): a straight flow's logit-normal time (Esser et al. 2024).
    LogitNormal,
}

impl LevelDistribution {
    /// The distribution of a schedule for which none is asked.
    #[must_use]
    pub fn usual(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Edm(_) => Self::LogNormal,
            _ => Self::Uniform,
        }
    }

    /// The name that recipes and flags have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::LogNormal => "log-normal",
            Self::LogUniform => "log-uniform",
            Self::LogitNormal => "logit-normal",
        }
    }

    /// The level at the quantile `u`, strictly between 0 and 1, its time, and the number that the network is told.
    pub(super) fn level(self, noising: &Noising, range: NoiseRange, u: f32) -> (NoiseLevel, f32, f32) {
        let schedule = noising.schedule;
        let (mean, deviation) = match self {
            Self::Uniform => {
                let level = schedule.level(u);
                // Schedules told by their time are told u itself: lambda would lose digits at the ends.
                let told = match schedule {
                    Schedule::Edm(_) => noising.conditioning(level),
                    _ => u,
                };
                return (level, u, told);
            }
            Self::LogUniform => {
                let lambda = -(range.low.ln() + u * (range.high / range.low).ln());
                return (schedule.level_at_lambda(lambda), schedule.time(lambda), schedule.conditioning(lambda));
            }
            Self::LogNormal => EDM_LOG_SIGMA,
            Self::LogitNormal => FLOW_LOG_SIGMA,
        };
        let normal = Normal::new(mean, deviation).expect("a positive deviation");
        let lambda = -normal.inverse_cdf(f64::from(u)) as f32;
        (schedule.level_at_lambda(lambda), schedule.time(lambda), schedule.conditioning(lambda))
    }
}
