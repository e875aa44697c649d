//! What may be behind the noise: draws from the law of the clean signal given the noisy one.

use mote_core::job::{ConditionalDraw, Evidence, Level};
use mote_core::model::{Arena, Model};
use mote_core::random::{Stream, StreamSequence, Ziggurat};
use rayon::prelude::*;

use super::impute::ladder;
use crate::pool::bind;
use crate::run::WindowSummary;

/// The levels of a draw: from the one nearest to the noise of the signal down to the cleanest.
#[must_use]
pub fn levels_below(model: &Model<'_>, sigma: f32) -> Vec<Level> {
    let start = model.nearest_level(sigma).noise.relative_sigma();
    ladder(model).into_iter().filter(|level| level.noise.relative_sigma() <= start).collect()
}

/// Draws signals behind noisy ones, in the scale of training: for each signal its draws one after another, draw k of signal j with the stream of the number
/// `j * draws + k` of the seed.
///
/// The noisy signal is taken for the state at the first of the levels, and the draw comes down from there ([`Evidence::Noisy`]). What is missing stays so. A
/// network that slides gives each sample given its neighbours in the state, so that the draws of neighbours agree only as far as the levels between
/// bring them together.
///
/// Cost: an evaluation of each signal for each level and draw.
#[must_use]
pub fn noisy_draws(
    model: &Model<'_>,
    window: &WindowSummary,
    levels: &[Level],
    pieces: &[Vec<f32>],
    (draws, seed): (u32, u64),
) -> Vec<Vec<Vec<f32>>> {
    let mut sequence = StreamSequence::new(seed);
    let pairs = (0..pieces.len()).flat_map(|piece| (0..draws).map(move |_| piece));
    let work: Vec<(usize, Stream)> = pairs.map(|piece| (piece, sequence.next_stream())).collect();
    let draw =
        |(piece, stream): &(usize, Stream)| noisy_draw_of(model, window, levels, &pieces[*piece], stream.clone());
    let mut drawn = work.par_iter().map(draw).collect::<Vec<_>>().into_iter();
    pieces.iter().map(|_| drawn.by_ref().take(draws as usize).collect()).collect()
}

/// One draw of one signal, with a stream of its own; window after window where the network does not slide, the last one ending with the signal.
#[must_use]
pub fn noisy_draw_of(
    model: &Model<'_>,
    window: &WindowSummary,
    levels: &[Level],
    piece: &[f32],
    stream: Stream,
) -> Vec<f32> {
    let length = window.length * window.channels.len();
    let mut arena = Box::new(Arena::new());
    let mut bound = bind(model, &mut arena);
    let mut estimator = bound.estimator();
    let mut noise = Ziggurat::new(stream);
    let (mut out, mut estimate) = (vec![0.0; piece.len()], vec![0.0; piece.len()]);
    let mut first = 0;
    while first < piece.len() {
        let start = if window.sliding { 0 } else { first.min(piece.len() - length) };
        let end = if window.sliding { piece.len() } else { start + length };
        let (state, estimate) = (&mut out[start..end], &mut estimate[start..end]);
        let evidence = Evidence::Noisy(&piece[start..end]);
        let mut draw = ConditionalDraw::start(levels, 1, evidence, None, &mut noise, state);
        while draw.step(&mut estimator, &mut noise, state, estimate) {}
        first = end;
    }
    out
}
