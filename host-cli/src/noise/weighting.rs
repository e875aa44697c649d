//! How much each noise level counts in the loss.

use mote_core::schedule::{NoiseLevel, NoiseSchedule};
use mote_core::score::Prediction;
use serde::{Deserialize, Serialize};

use super::{Noising, Objective};

/// Gamma of [`Weighting::MinSnr`], as published.
const MIN_SNR_GAMMA: f32 = 5.0;
/// Half of the step by which the rate of lambda is measured, as a share of the time to the nearer end.
const RATE_STEP: f32 = 1e-2;

/// The weights of noise levels by name, each of the squared error of one quantity and carried over to what the network
/// predicts, `x0 = a x + c F`: an error of F is c times as large in x0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1 on what the network predicts; the default of all but the score (Ho et al. 2020, equation 14; Lipman et al. 2023).
    #[value(alias = "unit")]
    Simple,
    /// sigma^2 on the score, which is 1 on the noise; the default of the score (Song and Ermon 2019, equation 6).
    SigmaSquared,
    /// g^2 = -2 sigma^2 d lambda / dt on the score: the likelihood's bound (Song et al. 2021, theorem 1).
    Likelihood,
    /// (s^2 + sd^2) / (s sd)^2 on x0 at s = sigma / alpha: 1 on EDM's F (Karras et al. 2022, table 1).
    Edm,
    /// min(SNR, 5) on x0 (Hang et al. 2023, equation 8).
    MinSnr,
}

impl Weighting {
    const ALL: [Self; 5] = [Self::Simple, Self::SigmaSquared, Self::Likelihood, Self::Edm, Self::MinSnr];

    /// The name that recipes and flags have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::SigmaSquared => "sigma-squared",
            Self::Likelihood => "likelihood",
            Self::Edm => "edm",
            Self::MinSnr => "min-snr",
        }
    }

    /// The weighting of an objective for which none is asked.
    #[must_use]
    pub fn usual(objective: Objective) -> Self {
        match objective {
            Objective::Score | Objective::Sliced | Objective::Explicit => Self::SigmaSquared,
            _ => Self::Simple,
        }
    }

    /// Whether the weight stays bounded, at the data and at pure noise, on what the objective predicts.
    #[must_use]
    pub fn fits(self, objective: Objective) -> bool {
        use Objective::{EdmF, Explicit, Flow, Score, Sliced, V, X0};
        match self {
            // Without a weight the score's own target, eps / sigma, has no bound.
            Self::Simple => !matches!(objective, Score | Sliced | Explicit),
            // An error of x0 is SNR times as much in the noise.
            Self::SigmaSquared | Self::Likelihood => objective != X0,
            Self::Edm => matches!(objective, V | Flow | EdmF),
            Self::MinSnr => true,
        }
    }

    /// The names of those that fit an objective.
    pub(super) fn names_for(objective: Objective) -> String {
        Self::ALL.iter().filter(|w| w.fits(objective)).map(|w| w.name()).collect::<Vec<_>>().join(", ")
    }

    /// The weight of the squared error of F at a level that the schedule reaches at time `t`.
    pub(super) fn weight(self, noising: &Noising, level: NoiseLevel, t: f32) -> f32 {
        let (NoiseLevel { alpha, sigma }, prediction) = (level, noising.prediction);
        let square = |x: f32| x * x;
        match self {
            Self::Simple => 1.0,
            Self::SigmaSquared => square(noise_per_output(prediction, level)),
            // g^2 / sigma^2 on the noise.
            Self::Likelihood => 2.0 * falling_rate(noising, t) * square(noise_per_output(prediction, level)),
            // As 1 / sd^2 + 1 / s^2, which is finite where alpha is 0.
            Self::Edm => square(prediction.x0(level).f) * (1.0 / square(noising.sigma_data) + square(alpha / sigma)),
            Self::MinSnr => square(alpha / sigma).min(MIN_SNR_GAMMA) * square(prediction.x0(level).f),
        }
    }
}

/// The error of the predicted noise for each unit of error of the output.
fn noise_per_output(prediction: Prediction, level: NoiseLevel) -> f32 {
    prediction.epsilon(level).f
}

/// `-d lambda / dt` by a central difference, at the nearest time that a sampler visits: it has no bound at the ends.
fn falling_rate(noising: &Noising, t: f32) -> f32 {
    let schedule = noising.schedule;
    let (noisiest, cleanest) = schedule.lambda_range();
    let (first, last) = (schedule.time(cleanest), schedule.time(noisiest));
    let t = t.clamp(first, last);
    let step = RATE_STEP * t.min(1.0 - t).max(1e-4);
    let (before, after) = ((t - step).max(first), (t + step).min(last));
    let fall = schedule.level(before).lambda() - schedule.level(after).lambda();
    fall / (after - before)
}
