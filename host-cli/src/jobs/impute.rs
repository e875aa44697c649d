//! Missing values from what is there: draws of what they may have been, their mean and an interval.

use mote_core::job::{ConditionalDraw, Evidence, Level};
use mote_core::model::{Arena, Model};
use mote_core::random::{Stream, StreamSequence, Ziggurat};
use rayon::prelude::*;

use crate::pool::bind;
use crate::run::WindowSummary;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    /// Draws of each signal.
    pub draws: u32,
    /// Times that each level is repeated.
    pub repeats: usize,
    /// Seed of the noise: draw k of signal j has the stream with the number `j * draws + k`.
    pub seed: u64,
}

/// The levels of a model from the noisiest to the cleanest.
#[must_use]
pub fn ladder(model: &Model<'_>) -> Vec<Level> {
    let mut room = vec![model.nearest_level(1.0); model.network().levels().len()];
    model.ladder(&mut room).to_vec()
}

/// Draws what the missing values of signals may have been, in the scale of training: for each signal, its draws one after another. A signal in
/// which nothing is missing is given back as it is.
///
/// A network that does not slide sees windows; a longer signal is drawn window after window.
#[must_use]
pub fn impute(
    model: &Model<'_>,
    window: &WindowSummary,
    levels: &[Level],
    pieces: &[Vec<f32>],
    drawing: Drawing,
) -> Vec<Vec<Vec<f32>>> {
    let mut sequence = StreamSequence::new(drawing.seed);
    let pairs = (0..pieces.len()).flat_map(|piece| (0..drawing.draws).map(move |_| piece));
    let work: Vec<(usize, Stream)> = pairs.map(|piece| (piece, sequence.next_stream())).collect();
    let mut drawn = work
        .par_iter()
        .map(|(piece, stream)| draw_of(model, window, levels, &pieces[*piece], drawing.repeats, stream.clone()))
        .collect::<Vec<_>>()
        .into_iter();
    pieces.iter().map(|_| drawn.by_ref().take(drawing.draws as usize).collect()).collect()
}

/// One draw of one signal, with a stream of its own.
#[must_use]
pub fn draw_of(
    model: &Model<'_>,
    window: &WindowSummary,
    levels: &[Level],
    piece: &[f32],
    repeats: usize,
    stream: Stream,
) -> Vec<f32> {
    if !piece.iter().any(|x| x.is_nan()) {
        return piece.to_vec();
    }
    let length = window.length * window.channels.len();
    let mut arena = Box::new(Arena::new());
    let mut bound = bind(model, &mut arena);
    let mut estimator = bound.estimator();
    let mut noise = Ziggurat::new(stream);
    let mut out = vec![0.0; piece.len()];
    let mut first = 0;
    while first < piece.len() {
        // One window, the last ending with the signal; or the whole signal, where the network slides.
        let start = if window.sliding { 0 } else { first.min(piece.len() - length) };
        let end = if window.sliding { piece.len() } else { start + length };
        let (known, state) = (&piece[start..end], &mut out[start..end]);
        let mut estimate = vec![0.0; known.len()];
        let evidence = Evidence::Known(known);
        let mut draw = ConditionalDraw::start(levels, repeats, evidence, None, &mut noise, state);
        while draw.step(&mut estimator, &mut noise, state, &mut estimate) {}
        first = end;
    }
    out
}
