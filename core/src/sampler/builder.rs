use super::Row;
use crate::schedule::{NoiseLevel, NoiseSchedule};
use crate::score::Prediction;

/// Turns a solver into rows over a table of noise levels.
///
/// A grid runs from the noisiest level to the cleanest; after its last one the sampler steps to the data (sigma = 0). A solver may look at
/// more levels than the grid's: [`levels`](Self::levels) and [`level`](Self::level) list them all, and [`row`](Self::row) is given that list.
/// Levels have alpha above 0; a grid that begins with pure noise is for [`Sampler`](super::Sampler), which takes that step itself.
pub trait PlanBuilder {
    /// How many predictions the rows look back on, their own included.
    fn history(&self) -> usize;

    /// How many levels the solver looks at over a grid.
    fn levels(&self, grid: &[NoiseLevel]) -> usize {
        grid.len()
    }

    /// Level `k` of those, or `None` past the end; levels between the grid's lie on `schedule`.
    fn level(&self, k: usize, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Option<NoiseLevel> {
        let _ = schedule;
        grid.get(k).copied()
    }

    /// How many rows, each one evaluation, the solver takes over its levels.
    fn rows(&self, levels: &[NoiseLevel]) -> usize {
        levels.len()
    }

    /// Row `i`, or `None` past the end. The row's level is an index into `levels`.
    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row>;

    /// Sets the share of fresh noise, from 0 to 1; gives `false`, and does nothing, in a solver that has none to set.
    fn set_eta(&mut self, eta: f32) -> bool {
        let _ = eta;
        false
    }
}

/// The scale of the starting noise: the deviation of a noisy state at the noisiest level.
#[must_use]
pub fn start_scale(levels: &[NoiseLevel], sigma_data: f32) -> f32 {
    levels.first().map_or(1.0, |level| level.state_deviation(sigma_data))
}

/// The row that steps to the data: the state becomes the predicted clean data.
pub(super) fn last_row(level: u16, level_values: NoiseLevel, prediction: Prediction) -> Row {
    let x0 = prediction.x0(level_values);
    Row { level, p: x0.x, q: x0.f, a: 0.0, b: [1.0, 0.0, 0.0, 0.0], e: 0.0 }
}

/// The step from one level to the next cleaner one, `h = lambda_to - lambda_from > 0`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub to: NoiseLevel,
    pub h: f32,
}

impl Step {
    /// Step `i` of the table, or `None` when it would leave the table.
    pub fn of(i: usize, levels: &[NoiseLevel]) -> Option<Self> {
        let (from, to) = (*levels.get(i)?, *levels.get(i + 1)?);
        Some(Self { to, h: crate::math::ln(from.relative_sigma() / to.relative_sigma()) })
    }
}
