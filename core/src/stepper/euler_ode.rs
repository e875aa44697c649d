use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::NoiseFree;

/// Euler's step, `x + f dt`: order 1, one evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EulerOde;

impl<S: NoiseFree + ?Sized> Stepper<S> for EulerOde {
    const SCRATCH_PER_DIM: usize = 1;
    const NOISE: NoiseUse = NoiseUse::None;
    const ORDER: f32 = 1.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((_, _, [f])) = lend(NoiseUse::None, noise, x, scratch) else { return };
        sde.drift(span.t0, x, f);
        for (x, f) in x.iter_mut().zip(f.iter()) {
            *x += f * span.length();
        }
    }
}
