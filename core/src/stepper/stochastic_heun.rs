use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::Stratonovich;

/// Heun's step for a Stratonovich equation: with `p = x + f dt + g w`, `x + (f + f(p)) dt / 2 + (g + g(p)) w / 2`.
///
/// Strong and weak order 1 for diagonal noise. Two evaluations each of drift and diffusion. Source: Rümelin 1982, "Numerical treatment
/// of stochastic differential equations".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StochasticHeun;

impl<S: Stratonovich + ?Sized> Stepper<S> for StochasticHeun {
    const SCRATCH_PER_DIM: usize = 5;
    const NOISE: NoiseUse = NoiseUse::Increment;
    const ORDER: f32 = 1.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, _, [point, f, g, f2, g2])) = lend(NoiseUse::Increment, noise, x, scratch) else { return };
        let dt = span.length();
        sde.drift(span.t0, x, f);
        sde.diffusion(span.t0, x, g);
        for ((((point, x), f), g), w) in point.iter_mut().zip(x.iter()).zip(f.iter()).zip(g.iter()).zip(w) {
            *point = x + f * dt + g * w;
        }
        sde.drift(span.t1, point, f2);
        sde.diffusion(span.t1, point, g2);
        let first = f.iter().zip(g.iter());
        let second = f2.iter().zip(g2.iter());
        for (((x, (f, g)), (f2, g2)), w) in x.iter_mut().zip(first).zip(second).zip(w) {
            *x += 0.5 * ((f + f2) * dt + (g + g2) * w);
        }
    }
}
