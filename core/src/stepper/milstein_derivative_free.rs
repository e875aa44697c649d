use super::{NoiseUse, Stepper, lend};
use crate::math;
use crate::random::{Increment, Span};
use crate::sde::DiagonalNoise;

/// Milstein's step with the slope of the diffusion by a difference, for an Itô equation:
/// `x + f dt + g w + (g(x + f dt + g r) - g) (w^2 - |dt|) / (2 r)` with `r = sqrt|dt|`.
///
/// Strong and weak order 1. One evaluation of the drift, two of the diffusion. Source: Kloeden and Platen 1992, section 11.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MilsteinDerivativeFree;

impl<S: DiagonalNoise + ?Sized> Stepper<S> for MilsteinDerivativeFree {
    const SCRATCH_PER_DIM: usize = 4;
    const NOISE: NoiseUse = NoiseUse::Increment;
    const ORDER: f32 = 1.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, _, [f, g, point, shifted])) = lend(NoiseUse::Increment, noise, x, scratch) else { return };
        let dt = span.length();
        if dt == 0.0 {
            return;
        }
        let root = math::sqrt(dt.abs());
        sde.drift(span.t0, x, f);
        sde.diffusion(span.t0, x, g);
        for (((point, x), f), g) in point.iter_mut().zip(x.iter()).zip(f.iter()).zip(g.iter()) {
            *point = x + f * dt + g * root;
        }
        sde.diffusion(span.t0, point, shifted);
        for ((((x, f), g), shifted), w) in x.iter_mut().zip(f.iter()).zip(g.iter()).zip(shifted.iter()).zip(w) {
            *x += f * dt + g * w + (shifted - g) * (w * w - dt.abs()) / (2.0 * root);
        }
    }
}
