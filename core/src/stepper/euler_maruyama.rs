use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::Ito;

/// The Euler-Maruyama step, `x + f dt + g w` (Maruyama 1955).
///
/// Strong order 1/2, and 1 for additive noise; weak order 1 (Kloeden and Platen 1992, section 14.1). One evaluation each of
/// drift and diffusion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EulerMaruyama;

impl<S: Ito + ?Sized> Stepper<S> for EulerMaruyama {
    const SCRATCH_PER_DIM: usize = 2;
    const NOISE: NoiseUse = NoiseUse::Increment;
    const ORDER: f32 = 0.5;
    const ADDITIVE_ORDER: f32 = 1.0;
    const WEAK_ORDER: f32 = 1.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, _, [f, g])) = lend(NoiseUse::Increment, noise, x, scratch) else { return };
        let dt = span.length();
        sde.drift(span.t0, x, f);
        sde.diffusion(span.t0, x, g);
        for (((x, f), g), w) in x.iter_mut().zip(f.iter()).zip(g.iter()).zip(w) {
            *x += f * dt + g * w;
        }
    }
}
