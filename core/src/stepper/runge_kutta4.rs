use super::{NoiseUse, Stepper, lend};
use crate::random::{Increment, Span};
use crate::sde::NoiseFree;

/// Weights of the four slopes.
const WEIGHTS: [f32; 4] = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
/// Where each slope is taken: share of the slope before it, and place in time.
const PLACES: [f32; 4] = [0.0, 0.5, 0.5, 1.0];

/// The classical Runge-Kutta step of order 4, four evaluations (Kutta 1901).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RungeKutta4;

impl<S: NoiseFree + ?Sized> Stepper<S> for RungeKutta4 {
    const SCRATCH_PER_DIM: usize = 3;
    const NOISE: NoiseUse = NoiseUse::None;
    const ORDER: f32 = 4.0;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((_, _, [point, f, sum])) = lend(NoiseUse::None, noise, x, scratch) else { return };
        let dt = span.length();
        f.fill(0.0);
        sum.fill(0.0);
        for (weight, place) in WEIGHTS.into_iter().zip(PLACES) {
            for ((point, x), f) in point.iter_mut().zip(x.iter()).zip(f.iter()) {
                *point = x + place * f * dt;
            }
            sde.drift(span.t0 + place * dt, point, f);
            for (sum, f) in sum.iter_mut().zip(f.iter()) {
                *sum += weight * f;
            }
        }
        for (x, sum) in x.iter_mut().zip(sum.iter()) {
            *x += sum * dt;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tableau_meets_the_eight_conditions_of_order_four() {
        // Butcher's trees to order 4; each slope is taken at x + c_i k_(i-1) dt, so a_ij = c_i for j = i - 1.
        let (b, c) = (WEIGHTS.map(f64::from), PLACES.map(f64::from));
        let shifted = |v: [f64; 4]| [0.0, c[1] * v[0], c[2] * v[1], c[3] * v[2]];
        let power = |p: i32| c.map(|c| c.powi(p));
        let sum = |v: [f64; 4]| b.iter().zip(v).map(|(b, v)| b * v).sum::<f64>();
        let product = |u: [f64; 4], v: [f64; 4]| [u[0] * v[0], u[1] * v[1], u[2] * v[2], u[3] * v[3]];
        for (value, expected) in [
            (sum([1.0; 4]), 1.0),
            (sum(c), 1.0 / 2.0),
            (sum(power(2)), 1.0 / 3.0),
            (sum(shifted(c)), 1.0 / 6.0),
            (sum(power(3)), 1.0 / 4.0),
            (sum(product(c, shifted(c))), 1.0 / 8.0),
            (sum(shifted(power(2))), 1.0 / 12.0),
            (sum(shifted(shifted(c))), 1.0 / 24.0),
        ] {
            assert!((value - expected).abs() < 1e-7, "{value} for {expected}");
        }
    }
}
