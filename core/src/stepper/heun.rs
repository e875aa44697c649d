use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::NoiseFree;

/// Heun's step, `x + (f + f(t + dt, x + f dt)) dt / 2`: order 2, two evaluations (Heun 1900).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heun;

impl<S: NoiseFree + ?Sized> Stepper<S> for Heun {
    const SCRATCH_PER_DIM: usize = 3;
    const NOISE: NoiseUse = NoiseUse::None;
    const ORDER: f32 = 2.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((_, _, [point, f, f2])) = lend(NoiseUse::None, noise, x, scratch) else { return };
        let dt = span.length();
        sde.drift(span.t0, x, f);
        for ((point, x), f) in point.iter_mut().zip(x.iter()).zip(f.iter()) {
            *point = x + f * dt;
        }
        sde.drift(span.t1, point, f2);
        for ((x, f), f2) in x.iter_mut().zip(f.iter()).zip(f2.iter()) {
            *x += 0.5 * (f + f2) * dt;
        }
    }
}
