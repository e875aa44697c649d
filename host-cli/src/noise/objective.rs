//! The objectives by name.

use mote_core::score::Prediction;
use serde::{Deserialize, Serialize};

use crate::train::{Loss, Slices};

/// What a network is trained to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Predict the velocity of the angular form (Salimans and Ho 2022).
    #[default]
    V,
    /// Predict the noise (Ho et al. 2020).
    Epsilon,
    /// Predict the clean data.
    X0,
    /// Predict the score, by denoising (Vincent 2011).
    Score,
    /// Predict the velocity of a straight flow (Lipman et al. 2023).
    Flow,
    /// Predict the preconditioned output of EDM (Karras et al. 2022).
    EdmF,
    /// Predict the score, by random directional derivatives (Song et al. 2019).
    Sliced,
    /// Predict the score, by the trace of its derivative; up to 16 dimensions (Hyvärinen 2005).
    Explicit,
}

impl Objective {
    /// The name that recipes and flags have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V => "v",
            Self::Epsilon => "epsilon",
            Self::X0 => "x0",
            Self::Score => "score",
            Self::Flow => "flow",
            Self::EdmF => "edm-f",
            Self::Sliced => "sliced",
            Self::Explicit => "explicit",
        }
    }

    /// What the network's output stands for after training.
    #[must_use]
    pub fn prediction(self, sigma_data: f32) -> Prediction {
        match self {
            Self::V => Prediction::V,
            Self::Epsilon => Prediction::Epsilon,
            Self::X0 => Prediction::X0,
            Self::Flow => Prediction::Flow,
            Self::EdmF => Prediction::EdmF { sigma_data },
            Self::Score | Self::Sliced | Self::Explicit => Prediction::Score,
        }
    }

    /// What a step minimises.
    #[must_use]
    pub fn loss(self, slices: Slices) -> Loss {
        match self {
            Self::Sliced => Loss::Sliced(slices),
            Self::Explicit => Loss::Explicit,
            _ => Loss::SquaredError,
        }
    }
}
