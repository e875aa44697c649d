use super::{AdditiveNoise, DiagonalNoise, DiffusionSlope, Ito, NoiseFree, Sde};
use crate::score::ScoreModel;

/// `f - share (g^2 score + 2 g g')`, the drift of both ways back to the data; `room` holds two numbers a component.
#[inline(always)]
fn drift_with_score<S: DiffusionSlope, M: ScoreModel>(
    (sde, score): (&mut S, &mut M),
    share: f32,
    t: f32,
    x: &[f32],
    out: &mut [f32],
    room: &mut [f32],
) {
    let Some((g, slope)) = room.split_at_mut_checked(x.len()) else { return out.fill(f32::NAN) };
    let Some(slope) = slope.get_mut(..x.len()) else { return out.fill(f32::NAN) };
    sde.drift(t, x, out);
    sde.diffusion(t, x, g);
    sde.diffusion_slope(t, x, slope);
    for ((out, g), slope) in out.iter_mut().zip(g.iter()).zip(slope.iter()) {
        *out -= share * 2.0 * g * slope;
    }
    score.score(x, t, slope);
    for ((out, g), score) in out.iter_mut().zip(g.iter()).zip(slope.iter()) {
        *out -= share * g * g * score;
    }
}

/// The process that brings the noise of another back to its data: `dX = (f - g^2 score - 2 g g') dt + g dW` (Itô), run over
/// spans of negative length; for additive noise `g' = 0` (Anderson 1982, "Reverse-time diffusion equation models").
#[derive(Clone, Copy, Debug)]
pub struct ReverseTime<S, M, R> {
    sde: S,
    score: M,
    room: R,
}

impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> ReverseTime<S, M, R> {
    /// Numbers to lend for each component of the state.
    pub const ROOM_PER_DIM: usize = 2;

    /// The reverse of `sde`, whose score at every time is `score`, or `None` when `room` (a slice that is lent, or an array) has fewer than
    /// [`ROOM_PER_DIM`](Self::ROOM_PER_DIM) numbers for each of the score's components. A longer state drifts to NaN.
    #[must_use]
    pub fn new(sde: S, score: M, mut room: R) -> Option<Self> {
        let fits = room.as_mut().len() / Self::ROOM_PER_DIM >= score.dim();
        fits.then_some(Self { sde, score, room })
    }
}

impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> Sde for ReverseTime<S, M, R> {
    #[inline(always)]
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        drift_with_score((&mut self.sde, &mut self.score), 1.0, t, x, out, self.room.as_mut());
    }

    #[inline(always)]
    fn diffusion(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        self.sde.diffusion(t, x, out);
    }
}

impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> Ito for ReverseTime<S, M, R> {}
impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> DiagonalNoise for ReverseTime<S, M, R> {}
impl<S: AdditiveNoise, M: ScoreModel, R: AsMut<[f32]>> AdditiveNoise for ReverseTime<S, M, R> {}

/// The equation without noise that has the laws of another with it: `dX = (f - g^2 score / 2 - g g') dt`, in either direction
/// of time (Song et al. 2021, section 4.3 and appendix D.1).
#[derive(Clone, Copy, Debug)]
pub struct ProbabilityFlow<S, M, R> {
    sde: S,
    score: M,
    room: R,
}

impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> ProbabilityFlow<S, M, R> {
    /// Numbers to lend for each component of the state.
    pub const ROOM_PER_DIM: usize = 2;

    /// The flow of `sde`, whose score at every time is `score`; conditions as in [`ReverseTime::new`].
    #[must_use]
    pub fn new(sde: S, score: M, mut room: R) -> Option<Self> {
        let fits = room.as_mut().len() / Self::ROOM_PER_DIM >= score.dim();
        fits.then_some(Self { sde, score, room })
    }
}

impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> Sde for ProbabilityFlow<S, M, R> {
    #[inline(always)]
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        drift_with_score((&mut self.sde, &mut self.score), 0.5, t, x, out, self.room.as_mut());
    }

    #[inline(always)]
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}

impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> Ito for ProbabilityFlow<S, M, R> {}
impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> DiagonalNoise for ProbabilityFlow<S, M, R> {}
impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> AdditiveNoise for ProbabilityFlow<S, M, R> {}
impl<S: DiffusionSlope, M: ScoreModel, R: AsMut<[f32]>> NoiseFree for ProbabilityFlow<S, M, R> {}
