use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::AdditiveNoise;

/// The shifted Euler step for additive noise: `x + f(x + g (w/2 + h)) dt + g w`.
///
/// The shift is the mean of the path over the step, so that the error is about half of Euler's at the same cost: strong
/// and weak order 1, one evaluation each. The drift is taken at the middle of the span, the diffusion at its start.
///
/// Source: Foster, dos Reis and Strange 2024, "High order splitting methods for SDEs satisfying a commutativity condition".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sea;

impl<S: AdditiveNoise + ?Sized> Stepper<S> for Sea {
    const SCRATCH_PER_DIM: usize = 3;
    const NOISE: NoiseUse = NoiseUse::Area;
    const ORDER: f32 = 1.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, h, [point, f, g])) = lend(NoiseUse::Area, noise, x, scratch) else { return };
        let dt = span.length();
        sde.diffusion(span.t0, x, g);
        for ((((point, x), g), w), h) in point.iter_mut().zip(x.iter()).zip(g.iter()).zip(w).zip(h) {
            *point = x + g * (0.5 * w + h);
        }
        sde.drift(span.t0 + 0.5 * dt, point, f);
        for (((x, f), g), w) in x.iter_mut().zip(f.iter()).zip(g.iter()).zip(w) {
            *x += f * dt + g * w;
        }
    }
}
