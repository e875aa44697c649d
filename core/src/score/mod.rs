//! Scores and denoisers: what a model says about a noisy state.
//!
//! [`Denoiser`] is what a sampler runs: the raw output `F` of a network at a stored noise level. [`ScoreModel`] is what
//! the laboratory runs: `grad ln p_t(x)`. [`Prediction`] is the one place that converts between what networks predict, [`tweedie`] the one that
//! leads from the score to the data, and [`Posterior`] the law of a cleaner state given the data.

mod mixture;
mod posterior;
mod prediction;
pub mod tweedie;

pub use mixture::{Component, GaussianMixture, MixtureDenoiser};
pub use posterior::Posterior;
pub use prediction::{Linear, Prediction, Target};

/// A model of the score, the gradient of the log density of the noisy state at diffusion time `t`.
pub trait ScoreModel {
    /// Number of components of a state.
    fn dim(&self) -> usize;
    /// Writes `grad_x ln p_t(x)` to `out`; `x` and `out` have [`dim`](Self::dim) components.
    fn score(&mut self, x: &[f32], t: f32, out: &mut [f32]);
}

/// A network, exact or trained, float or quantised, at the noise levels of its table.
pub trait Denoiser {
    /// Writes the raw output `F(x, level)` to `out`.
    ///
    /// `class` is `None` for the unconditional output. An index past the end of the level table means its last level. A NaN in `x` is a value that is
    /// missing, and a network takes 0 for it.
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]);
}

/// A one-dimensional score for each of `dim` independent components: an ensemble of scalar paths as one state.
#[derive(Clone, Copy, Debug)]
pub struct PerComponent<M> {
    /// The score of one component.
    pub score: M,
    /// Number of components.
    pub dim: usize,
}

impl<M: ScoreModel> ScoreModel for PerComponent<M> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn score(&mut self, x: &[f32], t: f32, out: &mut [f32]) {
        for (x, out) in x.chunks_exact(1).zip(out.chunks_exact_mut(1)) {
            self.score.score(x, t, out);
        }
    }
}
