use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::AdditiveNoise;

/// Weights of the two stages.
const WEIGHTS: [f32; 2] = [0.4, 0.6];
/// The second stage's share of the first slope and of the increment, and its place in time.
const A: f32 = 5.0 / 6.0;

/// ShARK, the shifted additive-noise Runge-Kutta step.
///
/// `k1 = f(t, x + g h)`, `k2 = f(t + 5dt/6, x + 5/6 k1 dt + g (5/6 w + h))`, and the step is
/// `x + (0.4 k1 + 0.6 k2) dt + g w + (g(t + dt) - g) (w/2 - h)`, with g at the start.
///
/// Strong order 1.5, weak order 2, with a smaller error than SRA1 at the same cost: two evaluations each.
///
/// Source: Foster, dos Reis and Strange 2024, "High order splitting methods for SDEs satisfying a commutativity condition".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shark;

impl<S: AdditiveNoise + ?Sized> Stepper<S> for Shark {
    const SCRATCH_PER_DIM: usize = 5;
    const NOISE: NoiseUse = NoiseUse::Area;
    const ORDER: f32 = 1.5;
    const WEAK_ORDER: f32 = 2.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, h, [point, k1, k2, start, end])) = lend(NoiseUse::Area, noise, x, scratch) else { return };
        let dt = span.length();
        sde.diffusion(span.t0, x, start);
        sde.diffusion(span.t1, x, end);
        for (((point, x), g), h) in point.iter_mut().zip(x.iter()).zip(start.iter()).zip(h) {
            *point = x + g * h;
        }
        sde.drift(span.t0, point, k1);
        let noise = w.iter().zip(h);
        for ((((point, x), k1), g), (w, h)) in
            point.iter_mut().zip(x.iter()).zip(k1.iter()).zip(start.iter()).zip(noise)
        {
            *point = x + A * k1 * dt + g * (A * w + h);
        }
        sde.drift(span.t0 + A * dt, point, k2);
        let slopes = k1.iter().zip(k2.iter());
        let factors = start.iter().zip(end.iter());
        for (((x, (k1, k2)), (start, end)), (w, h)) in x.iter_mut().zip(slopes).zip(factors).zip(w.iter().zip(h)) {
            *x += (WEIGHTS[0] * k1 + WEIGHTS[1] * k2) * dt + start * w + (end - start) * (0.5 * w - h);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tableau_matches_the_path_to_order_three_halves() {
        // The weighted stages must reproduce, over a step of length 1: the length; its mean time 1/2; the mean of the path,
        // w/2 + h; and the expected mean square of the path, 1/2, where Var w = 1 and Var h = 1/12.
        let [b1, b2] = WEIGHTS.map(f64::from);
        let a = f64::from(A);
        let mean_square = b1 / 12.0 + b2 * (a * a + 1.0 / 12.0);
        for (value, expected) in [(b1 + b2, 1.0), (b2 * a, 0.5), (mean_square, 0.5)] {
            assert!((value - expected).abs() < 1e-7, "{value} for {expected}");
        }
    }
}
