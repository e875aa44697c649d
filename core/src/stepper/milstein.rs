use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::DiffusionSlope;

/// Milstein's step, `x + f dt + g w + g g' (w^2 - |dt|) / 2`, for an Itô equation whose diffusion has a known slope
/// (Milstein 1975).
///
/// Strong and weak order 1. One evaluation each of drift, diffusion and slope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Milstein;

impl<S: DiffusionSlope + ?Sized> Stepper<S> for Milstein {
    const SCRATCH_PER_DIM: usize = 3;
    const NOISE: NoiseUse = NoiseUse::Increment;
    const ORDER: f32 = 1.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, _, [f, g, slope])) = lend(NoiseUse::Increment, noise, x, scratch) else { return };
        let dt = span.length();
        sde.drift(span.t0, x, f);
        sde.diffusion(span.t0, x, g);
        sde.diffusion_slope(span.t0, x, slope);
        for ((((x, f), g), slope), w) in x.iter_mut().zip(f.iter()).zip(g.iter()).zip(slope.iter()).zip(w) {
            *x += f * dt + g * w + 0.5 * g * slope * (w * w - dt.abs());
        }
    }
}
