use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::AdditiveNoise;

/// Weights of the drift's two stages.
const ALPHA: [f32; 2] = [1.0 / 3.0, 2.0 / 3.0];
/// The second stage's share of the first slope, and its place in time.
const A: f32 = 0.75;
/// The second stage's share of the noise's integral.
const B: f32 = 1.5;

/// Rößler's SRA1 for additive noise.
///
/// With `i = w/2 + h`, the time integral of the path over the length: `k1 = f(t, x)`,
/// `k2 = f(t + 3dt/4, x + 3/4 k1 dt + 3/2 g(t + dt) i)`, and the step is
/// `x + (k1 + 2 k2) dt / 3 + g(t + dt) w + (g(t) - g(t + dt)) i`.
///
/// Strong order 1.5, weak order 2. Two evaluations each. Source: Rößler 2010, "Runge-Kutta methods for the strong approximation of solutions of
/// stochastic differential equations".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sra1;

impl<S: AdditiveNoise + ?Sized> Stepper<S> for Sra1 {
    const SCRATCH_PER_DIM: usize = 5;
    const NOISE: NoiseUse = NoiseUse::Area;
    const ORDER: f32 = 1.5;
    const WEAK_ORDER: f32 = 2.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, h, [point, k1, k2, start, end])) = lend(NoiseUse::Area, noise, x, scratch) else { return };
        let dt = span.length();
        sde.drift(span.t0, x, k1);
        sde.diffusion(span.t0, x, start);
        sde.diffusion(span.t1, x, end);
        let noise = w.iter().zip(h);
        for ((((point, x), k1), end), (w, h)) in
            point.iter_mut().zip(x.iter()).zip(k1.iter()).zip(end.iter()).zip(noise)
        {
            *point = x + A * k1 * dt + B * end * (0.5 * w + h);
        }
        sde.drift(span.t0 + A * dt, point, k2);
        let slopes = k1.iter().zip(k2.iter());
        let factors = start.iter().zip(end.iter());
        for (((x, (k1, k2)), (start, end)), (w, h)) in x.iter_mut().zip(slopes).zip(factors).zip(w.iter().zip(h)) {
            *x += (ALPHA[0] * k1 + ALPHA[1] * k2) * dt + end * w + (start - end) * (0.5 * w + h);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tableau_meets_the_conditions_of_order_three_halves() {
        // The conditions of Rößler 2010 for strong order 1.5 and additive noise, with c1 = (1, 0), beta1 = (1, 0) and beta2 = (-1, 1) as the step spells them out.
        let alpha = ALPHA.map(f64::from);
        let (a, b) = (f64::from(A), f64::from(B));
        for (value, expected) in
            [(alpha[0] + alpha[1], 1.0), (alpha[1] * a, 0.5), (alpha[1] * b, 1.0), (alpha[1] * b * b, 1.5)]
        {
            assert!((value - expected).abs() < 1e-7, "{value} for {expected}");
        }
    }
}
