use super::{Ancestral, AnnealedLangevin, Ddim, DpmSolver2M, Row};
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

/// Turns a solver into rows over a table of noise levels.
///
/// The levels run from the noisiest to the cleanest; after the last one the sampler steps to the data (sigma = 0).
pub trait PlanBuilder {
    /// How many predictions the rows look back on, their own included.
    fn history(&self) -> usize;

    /// How many rows the solver takes over so many levels.
    fn rows(&self, levels: usize) -> usize {
        levels
    }

    /// Row `i`, or `None` past the end. The row's level is an index into `levels`.
    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row>;
}

/// The samplers, as one closed list.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// [`Ancestral`].
    Ancestral(Ancestral),
    /// [`AnnealedLangevin`].
    AnnealedLangevin(AnnealedLangevin),
    /// [`Ddim`].
    Ddim(Ddim),
    /// [`DpmSolver2M`].
    DpmSolver2M(DpmSolver2M),
}

impl Sampler {
    fn inner(&self) -> &dyn PlanBuilder {
        match self {
            Self::Ancestral(s) => s,
            Self::AnnealedLangevin(s) => s,
            Self::Ddim(s) => s,
            Self::DpmSolver2M(s) => s,
        }
    }
}

impl PlanBuilder for Sampler {
    fn history(&self) -> usize {
        self.inner().history()
    }
    fn rows(&self, levels: usize) -> usize {
        self.inner().rows(levels)
    }
    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        self.inner().row(i, levels, prediction)
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

#[cfg(test)]
pub(super) mod moments {
    //! Exact moments of a sampler on Gaussian data, where every sampler is linear: no Monte Carlo.
    extern crate std;
    use super::*;
    use std::{vec, vec::Vec};

    /// The variance of the samples that `sampler` makes of N(0, s^2) data with the exact denoiser, started from the
    /// exact law at the first level. State and predictions are carried as coefficients over independent noises.
    pub fn final_variance(sampler: &dyn PlanBuilder, levels: &[NoiseLevel], s: f64) -> f64 {
        let prediction = Prediction::V;
        let start = f64::from(levels[0].alpha).powi(2) * s * s + f64::from(levels[0].sigma).powi(2);
        let mut x: Vec<f64> = vec![start.sqrt()];
        let mut history: Vec<Vec<f64>> = Vec::new();
        for i in 0..sampler.rows(levels.len()) {
            let row = sampler.row(i, levels, prediction).unwrap();
            let level = levels[usize::from(row.level)];
            let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
            // F of the exact denoiser: E[x0|x] = alpha s^2 x / v, v-prediction F = (alpha x - (alpha^2 + sigma^2) x0) / sigma.
            let gain = alpha * s * s / (alpha * alpha * s * s + sigma * sigma);
            let f = (alpha - (alpha * alpha + sigma * sigma) * gain) / sigma;
            let m: Vec<f64> = x.iter().map(|x| (f64::from(row.p) + f64::from(row.q) * f) * x).collect();
            history.insert(0, m);
            let mut next: Vec<f64> = x.iter().map(|x| f64::from(row.a) * x).collect();
            for (b, m) in row.b.iter().zip(&history) {
                for (next, m) in next.iter_mut().zip(m) {
                    *next += f64::from(*b) * m;
                }
            }
            next.push(f64::from(row.e));
            x = next;
        }
        x.iter().map(|c| c * c).sum()
    }

    /// Levels uniform in lambda from -3 to 3 with a variance-preserving law.
    pub fn uniform_levels(n: usize) -> Vec<NoiseLevel> {
        (0..n).map(|i| NoiseLevel::variance_preserving(-3.0 + 6.0 * i as f32 / (n - 1) as f32)).collect()
    }

    /// Order of convergence of the variance just before the last, exact-to-the-data row, by halving the step.
    pub fn order(sampler: &dyn PlanBuilder, s: f64, coarse: usize) -> f64 {
        let error = |steps: usize| {
            let levels = uniform_levels(steps + 1);
            let last = levels[steps];
            let truth = {
                // The last row turns a state at the last level into E[x0|x].
                let (alpha, sigma) = (f64::from(last.alpha), f64::from(last.sigma));
                let v = alpha * alpha * s * s + sigma * sigma;
                (alpha * s * s / v).powi(2) * v
            };
            (final_variance(sampler, &levels, s) - truth).abs()
        };
        (error(coarse) / error(2 * coarse)).log2()
    }
}
