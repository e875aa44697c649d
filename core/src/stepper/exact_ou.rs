use super::{NoiseUse, Stepper, lend};
use crate::math;
use crate::random::{Increment, Span};
use crate::sde::OrnsteinUhlenbeck;

/// The exact transition of the Ornstein-Uhlenbeck process, `mean + (x - mean) e^(-rate dt) + sqrt(variance(dt)) w / sqrt|dt|`.
///
/// Exact in law for any step. Along a shared path it has strong order 1: the increment alone does not say where in the step
/// the noise fell. Source: Gillespie 1996, "Exact numerical simulation of the Ornstein-Uhlenbeck process and its integral".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactOu;

impl Stepper<OrnsteinUhlenbeck> for ExactOu {
    const SCRATCH_PER_DIM: usize = 0;
    const NOISE: NoiseUse = NoiseUse::Increment;
    const ORDER: f32 = 1.0;
    const WEAK_ORDER: f32 = f32::INFINITY;

    #[inline(always)]
    fn step(&self, sde: &mut OrnsteinUhlenbeck, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, _, [])) = lend(NoiseUse::Increment, noise, x, scratch) else { return };
        let dt = span.length();
        if dt == 0.0 {
            return;
        }
        let decay = math::exp(-sde.rate * dt);
        let gain = math::sqrt(sde.variance(dt) / dt.abs());
        for (x, w) in x.iter_mut().zip(w) {
            *x = sde.mean + (*x - sde.mean) * decay + gain * w;
        }
    }
}
