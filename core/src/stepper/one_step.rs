//! The order conditions of the steppers whose coefficients stand in the step itself, read off single steps on polynomials.
//!
//! The tableaux of RungeKutta4, SRA1, ShARK and SRIW1 are tested beside them.

use super::*;
use crate::sde::{AdditiveNoise, DiagonalNoise, DiffusionSlope, GeometricBrownian, Ito, NoiseFree, Stratonovich};

/// One step over [0, dt] from `x`.
fn step<S: Sde, P: Stepper<S>>(stepper: &P, mut sde: S, dt: f32, (w, h): (f32, f32), x: f32) -> f32 {
    let (mut x, mut scratch) = ([x], [0.0; 8]);
    stepper.step(&mut sde, Span { t0: 0.0, t1: dt }, &Increment { w: &[w], h: &[h] }, &mut x, &mut scratch);
    x[0]
}

fn close(value: f32, expected: f32) {
    assert!((value - expected).abs() <= 4.0 * f32::EPSILON * expected.abs().max(1.0), "{value} for {expected}");
}

/// `x' = t^power + rate x`.
#[derive(Clone, Copy)]
struct Polynomial {
    power: i32,
    rate: f32,
}

impl Sde for Polynomial {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = if self.rate == 0.0 { t.powi(self.power) } else { self.rate * x };
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}
impl Ito for Polynomial {}
impl DiagonalNoise for Polynomial {}
impl AdditiveNoise for Polynomial {}
impl NoiseFree for Polynomial {}

#[test]
fn ordinary_steps_meet_butchers_conditions_of_their_order_and_not_of_the_next() {
    // sum b = 1, sum b c = 1/2, sum b c^2 = 1/3 are int_0^1 t^k dt; sum b a c = 1/6 and its like are the series of e^z.
    let quadrature = |power| Polynomial { power, rate: 0.0 };
    let growth = Polynomial { power: 0, rate: 1.0 };
    let z = 0.5;
    close(step(&EulerOde, quadrature(0), 1.0, (0.0, 0.0), 0.0), 1.0);
    assert_eq!(step(&EulerOde, quadrature(1), 1.0, (0.0, 0.0), 0.0), 0.0);
    close(step(&EulerOde, growth, z, (0.0, 0.0), 1.0), 1.0 + z);
    close(step(&Heun, quadrature(0), 1.0, (0.0, 0.0), 0.0), 1.0);
    close(step(&Heun, quadrature(1), 1.0, (0.0, 0.0), 0.0), 0.5);
    assert!((step(&Heun, quadrature(2), 1.0, (0.0, 0.0), 0.0) - 1.0 / 3.0).abs() > 0.1);
    close(step(&Heun, growth, z, (0.0, 0.0), 1.0), 1.0 + z + z * z / 2.0);
    let fourth = 1.0 + z + z * z / 2.0 + z * z * z / 6.0 + z * z * z * z / 24.0;
    close(step(&RungeKutta4, growth, z, (0.0, 0.0), 1.0), fourth);
}

#[test]
fn steps_on_pure_noise_have_the_series_of_their_order() {
    // dX = X dW from 1: e^(w - dt/2), whose Itô-Taylor series is 1 + w + (w^2 - dt)/2 + (w^3 - 3 dt w)/6 (Kloeden and Platen
    // 1992): to w for order 1/2, to the second term for order 1, to the third for order 3/2.
    let noise = GeometricBrownian { growth: 0.0, volatility: 1.0 };
    let dt = 0.25;
    for w in [-1.0f32, -0.25, 0.5, 1.5] {
        let h = 0.125;
        let first = 1.0 + w;
        let second = first + 0.5 * (w * w - dt);
        close(step(&EulerMaruyama, noise, dt, (w, h), 1.0), first);
        close(step(&Milstein, noise, dt, (w, h), 1.0), second);
        close(step(&MilsteinDerivativeFree, noise, dt, (w, h), 1.0), second);
        let third = second + (w * w - 3.0 * dt) * w / 6.0;
        close(step(&Sriw1, noise, dt, (w, h), 1.0), third);
    }
}

/// `dX = X o dW` in Stratonovich's sense: `X = e^W`.
struct Exponential;

impl Sde for Exponential {
    fn drift(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
    fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
}
impl Stratonovich for Exponential {}

#[test]
fn stochastic_heun_has_the_stratonovich_series_to_its_second_term() {
    for w in [-1.0f32, -0.25, 0.5, 1.5] {
        close(step(&StochasticHeun, Exponential, 0.25, (w, 0.0), 1.0), 1.0 + w + 0.5 * w * w);
    }
}

/// `dX = (X + t) dt + dW`.
struct Ramp;

impl Sde for Ramp {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = x + t;
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(1.0);
    }
}
impl Ito for Ramp {}
impl DiagonalNoise for Ramp {}
impl AdditiveNoise for Ramp {}

#[test]
fn steps_for_additive_noise_see_the_mean_of_the_path() {
    // The drift's mean over a step from 0 is that of the path, w/2 + h, plus that of the time, dt/2, up to terms of order dt^2.
    // Euler's step sees neither, SEA both; SRA1 and ShARK add the drift's share of the path, f f' dt^2 / 2.
    let (dt, w, h) = (0.25, 0.5, -0.125);
    close(step(&EulerMaruyama, Ramp, dt, (w, h), 0.0), w);
    close(step(&Sea, Ramp, dt, (w, h), 0.0), w + dt * (0.5 * w + h + 0.5 * dt));
    // From 1 the first slope is 1 for SRA1 and 1 + h for ShARK.
    let mean_of_path = 1.0 + 0.5 * w + h + 0.5 * dt;
    close(step(&Sra1, Ramp, dt, (w, h), 1.0), 1.0 + w + dt * (mean_of_path + 0.5 * dt));
    close(step(&Shark, Ramp, dt, (w, h), 1.0), 1.0 + w + dt * (mean_of_path + 0.5 * dt * (1.0 + h)));
}

#[test]
fn milstein_without_a_derivative_takes_the_slope_at_order_one() {
    // For g = x^2, g(x + r g) - g = 2 x g r + (r g)^2, so that the slope is off by r g^2 / 2: at x = 1, r = 1/2,
    // (w^2 - dt) (1 + r/2) in place of (w^2 - dt).
    #[derive(Clone, Copy)]
    struct Square;
    impl Sde for Square {
        fn drift(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
            out.fill(0.0);
        }
        fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
            for (out, x) in out.iter_mut().zip(x) {
                *out = x * x;
            }
        }
    }
    impl Ito for Square {}
    impl DiagonalNoise for Square {}
    impl DiffusionSlope for Square {
        fn diffusion_slope(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
            for (out, x) in out.iter_mut().zip(x) {
                *out = 2.0 * x;
            }
        }
    }
    let (dt, w) = (0.25, 1.0);
    close(step(&Milstein, Square, dt, (w, 0.0), 1.0), 1.0 + w + (w * w - dt));
    close(step(&MilsteinDerivativeFree, Square, dt, (w, 0.0), 1.0), 1.0 + w + (w * w - dt) * 1.25);
}
