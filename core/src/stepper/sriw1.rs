use super::{NoiseUse, Stepper, lend};
use crate::math;
use crate::random::{Increment, Span};
use crate::sde::DiagonalNoise;

/// Weights of the drift's two stages.
const ALPHA: [f32; 2] = [1.0 / 3.0, 2.0 / 3.0];
/// The drift's second stage: share of the first slope (and place in time), share of the noise's integral.
const A0: f32 = 0.75;
const B0: f32 = 1.5;
/// The diffusion's stages 2, 3 and 4: share of the drift's first slope (and place in time).
const A1: [f32; 3] = [0.25, 1.0, 0.25];
/// The diffusion's stages 2, 3 and 4: shares of the diffusions before them.
const B1: [[f32; 3]; 3] = [[0.5, 0.0, 0.0], [-1.0, 0.0, 0.0], [-5.0, 3.0, 0.5]];
/// Weights of the diffusion's four stages, for w and for c1, c2, c3.
const BETA: [[f32; 4]; 4] = [
    [-1.0, 4.0 / 3.0, 2.0 / 3.0, 0.0],
    [-1.0, 4.0 / 3.0, -1.0 / 3.0, 0.0],
    [2.0, -4.0 / 3.0, -2.0 / 3.0, 0.0],
    [-2.0, 5.0 / 3.0, -2.0 / 3.0, 1.0],
];

/// Rößler's SRIW1 for an Itô equation with diagonal noise.
///
/// With `r = sqrt|dt|`, `c1 = (w^2 - |dt|) / (2r)`, `c2 = w/2 + h` and `c3 = (w^3 - 3 |dt| w) / (6 |dt|)`: two stages of
/// the drift f, four of the diffusion g,
/// `x + sum_i alpha_i f_i dt + sum_i (beta1_i w + beta2_i c1 + beta3_i c2 + beta4_i c3) g_i`.
///
/// Strong and weak order 1.5; weak order 2 where the diffusion is linear in the state. (The diffusion's stages lie to one side of
/// x, at odd powers of r, so that the second moment of a step is off by `|dt|^(5/2) g (g'' f g + g''' g^3 / 6) / 2`.) Two
/// evaluations of the drift, four of the diffusion. Source: Rößler 2010, "Runge-Kutta methods for the
/// strong approximation of solutions of stochastic differential equations".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sriw1;

impl<S: DiagonalNoise + ?Sized> Stepper<S> for Sriw1 {
    const SCRATCH_PER_DIM: usize = 7;
    const NOISE: NoiseUse = NoiseUse::Area;
    const ORDER: f32 = 1.5;

    #[inline(always)]
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]) {
        let Some((w, h, [point, f1, f2, g1, g2, g3, g4])) = lend(NoiseUse::Area, noise, x, scratch) else { return };
        let (t, dt) = (span.t0, span.length());
        if dt == 0.0 {
            return;
        }
        let length = dt.abs();
        let root = math::sqrt(length);
        sde.drift(t, x, f1);
        sde.diffusion(t, x, g1);
        let base = || x.iter().zip(f1.iter()).zip(g1.iter());
        for ((point, ((x, f), g)), (w, h)) in point.iter_mut().zip(base()).zip(w.iter().zip(h)) {
            *point = x + A0 * f * dt + B0 * g * (0.5 * w + h);
        }
        sde.drift(t + A0 * dt, point, f2);
        for (point, ((x, f), g)) in point.iter_mut().zip(base()) {
            *point = x + A1[0] * f * dt + root * (B1[0][0] * g);
        }
        sde.diffusion(t + A1[0] * dt, point, g2);
        for ((point, ((x, f), g)), g2) in point.iter_mut().zip(base()).zip(g2.iter()) {
            *point = x + A1[1] * f * dt + root * (B1[1][0] * g + B1[1][1] * g2);
        }
        sde.diffusion(t + A1[1] * dt, point, g3);
        for ((point, ((x, f), g)), (g2, g3)) in point.iter_mut().zip(base()).zip(g2.iter().zip(g3.iter())) {
            *point = x + A1[2] * f * dt + root * (B1[2][0] * g + B1[2][1] * g2 + B1[2][2] * g3);
        }
        sde.diffusion(t + A1[2] * dt, point, g4);
        let drifts = f1.iter().zip(f2.iter());
        let diffusions = g1.iter().zip(g2.iter()).zip(g3.iter().zip(g4.iter()));
        let noise = w.iter().zip(h);
        for (((x, (f1, f2)), ((g1, g2), (g3, g4))), (w, h)) in x.iter_mut().zip(drifts).zip(diffusions).zip(noise) {
            let c = [*w, (w * w - length) / (2.0 * root), 0.5 * w + h, (w * w - 3.0 * length) * w / (6.0 * length)];
            *x += (ALPHA[0] * f1 + ALPHA[1] * f2) * dt;
            for (c, beta) in c.iter().zip(BETA) {
                *x += c * (beta[0] * g1 + beta[1] * g2 + beta[2] * g3 + beta[3] * g4);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Vector = [f64; 4];
    type Matrix = [Vector; 4];

    fn times(m: Matrix, v: Vector) -> Vector {
        m.map(|row| dot(row, v))
    }

    fn dot(a: Vector, b: Vector) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn the_tableau_meets_the_conditions_of_order_three_halves() {
        // The 25 conditions of Rößler 2010 for strong order 1.5 with scalar or diagonal noise.
        let widen = |row: &[f32; 3]| [f64::from(row[0]), f64::from(row[1]), f64::from(row[2]), 0.0];
        let e = [1.0; 4];
        let alpha = [f64::from(ALPHA[0]), f64::from(ALPHA[1]), 0.0, 0.0];
        let [b1, b2, b3, b4] = BETA.map(|row| row.map(f64::from));
        let zero = [0.0; 4];
        let a0 = [zero, [f64::from(A0), 0.0, 0.0, 0.0], zero, zero];
        let bb0 = [zero, [f64::from(B0), 0.0, 0.0, 0.0], zero, zero];
        // Every stage of the diffusion takes the drift's first slope: a stage at x itself in the published table.
        let a1 = [zero, widen(&[A1[0], 0.0, 0.0]), widen(&[A1[1], 0.0, 0.0]), widen(&[A1[2], 0.0, 0.0])];
        let bb1 = [zero, widen(&B1[0]), widen(&B1[1]), widen(&B1[2])];
        let square = |v: Vector| v.map(|x| x * x);
        let (n0, n1) = (times(bb0, e), times(bb1, e));
        let (s1, twice, mixed) = (times(a1, e), times(bb1, n1), times(a1, n0));
        let conditions = [
            (dot(alpha, e), 1.0),
            (dot(b1, e), 1.0),
            (dot(b2, e), 0.0),
            (dot(b3, e), 0.0),
            (dot(b4, e), 0.0),
            (dot(b1, n1), 0.0),
            (dot(b2, n1), 1.0),
            (dot(b3, n1), 0.0),
            (dot(b4, n1), 0.0),
            (dot(alpha, times(a0, e)), 0.5),
            (dot(alpha, n0), 1.0),
            (dot(alpha, square(n0)), 1.5),
            (dot(b1, s1), 1.0),
            (dot(b2, s1), 0.0),
            (dot(b3, s1), -1.0),
            (dot(b4, s1), 0.0),
            (dot(b1, square(n1)), 1.0),
            (dot(b2, square(n1)), 0.0),
            (dot(b3, square(n1)), -1.0),
            (dot(b4, square(n1)), 2.0),
            (dot(b1, twice), 0.0),
            (dot(b2, twice), 0.0),
            (dot(b3, twice), 0.0),
            (dot(b4, twice), 1.0),
            (dot(b1, mixed) / 2.0 + dot(b3, mixed) / 3.0, 0.0),
        ];
        for (i, (value, expected)) in conditions.into_iter().enumerate() {
            assert!((value - expected).abs() < 1e-6, "condition {}: {value} for {expected}", i + 1);
        }
    }
}
