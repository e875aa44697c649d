//! Gaps in signals, to learn from: the autoregression that fills them first, and signals with values taken out.
//!
//! A network that imputes learns the residuals of a Gaussian autoregression: what is left of the missing values once all that a linear model knows
//! is taken off, in units of the deviation that the model gives each of them. A network that says nothing then leaves the Gaussian's own law.

mod autoregression;
mod pattern;
mod pool;

use serde::{Deserialize, Serialize};

pub use autoregression::{FitError, FittedAutoregression};
pub use pattern::take_out;
pub use pool::{GapPool, Sight};

/// How a network learns to fill gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GapRecipe {
    /// Samples back that the autoregression looks, 1 to 8.
    pub order: usize,
    /// Samples of the residuals' state that the network sees, odd.
    pub around: usize,
}

impl Default for GapRecipe {
    fn default() -> Self {
        Self { order: 4, around: 13 }
    }
}
