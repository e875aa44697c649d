//! Signals without their noise: Tweedie's formula in one evaluation.

use mote_core::job::{Estimator, Level};
use mote_core::model::{Arena, Model};
use mote_core::score::Denoiser;
use rayon::prelude::*;

use crate::pool::bind;
use crate::run::WindowSummary;

/// Denoised signals, in the scale of training.
#[derive(Clone, Debug)]
pub struct Denoised {
    /// The level that was taken.
    pub level: Level,
    /// The estimates, piece by piece.
    pub pieces: Vec<Vec<f32>>,
}

/// Denoises signals of any length, in the scale of training, with the bits that a device gives. `sigma` is the noise's deviation in that scale.
#[must_use]
pub fn denoise(model: &Model<'_>, window: &WindowSummary, pieces: &[Vec<f32>], sigma: f32) -> Denoised {
    let level = model.nearest_level(sigma);
    let pieces = pieces
        .par_iter()
        .map(|piece| {
            let mut arena = Box::new(Arena::new());
            let mut bound = bind(model, &mut arena);
            let state: Vec<f32> = piece.iter().map(|x| level.noise.alpha * x).collect();
            let mut out = vec![0.0; piece.len()];
            estimate_piece(&mut bound.estimator(), window, level, &state, &mut out);
            out
        })
        .collect();
    Denoised { level, pieces }
}

/// Estimates a piece of any length: at once by a network that slides, window after window by another, the last window ending with the piece.
pub(super) fn estimate_piece<D: Denoiser>(
    estimator: &mut Estimator<'_, D>,
    window: &WindowSummary,
    level: Level,
    state: &[f32],
    out: &mut [f32],
) {
    if window.sliding {
        return estimator.estimate(level, None, state, out);
    }
    let length = window.length * window.channels.len();
    let mut start = 0;
    while start < state.len() {
        let first = start.min(state.len() - length);
        estimator.estimate(level, None, &state[first..first + length], &mut out[first..first + length]);
        start = first + length;
    }
}
