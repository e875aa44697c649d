//! When a solution exists and is the only one: Lipschitz coefficients, a root that is not Lipschitz, a cube that explodes.

use mote_core::random::{IndependentNoise, RecordedNoise, Span, StreamSequence, Ziggurat};
use mote_core::sde::{AdditiveNoise, DiagonalNoise, GeometricBrownian, Ito, NoiseFree, Sde};
use mote_core::stepper::{EulerMaruyama, EulerOde, Exploded, RungeKutta4, Stepper, integrate_watched};

use super::{Chapter, Experiment, Laboratory, Row};
use crate::ensemble::{Ensemble, at};
use crate::statistics::mean_square;

/// Existence and uniqueness.
pub const CHAPTER: Chapter = Chapter {
    name: "existence",
    title: "Existence and uniqueness",
    experiments: &[
        Experiment { rows: &["lipschitz-bound", "lipschitz-bound-in-mean-square"], run: lipschitz },
        Experiment { rows: &["root-stays", "root-departs", "root-solutions-meet"], run: root },
        Experiment { rows: &["explosion-is-reported", "no-explosion-is-reported", "explosion-time"], run: explosion },
    ],
};

/// An equation with additive noise by its drift, a function of the state.
#[derive(Clone, Copy)]
struct Additive<F> {
    drift: F,
    noise: f32,
}

impl<F: Fn(f32) -> f32> Sde for Additive<F> {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = (self.drift)(*x);
        }
    }

    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.noise);
    }
}

impl<F: Fn(f32) -> f32> Ito for Additive<F> {}
impl<F: Fn(f32) -> f32> DiagonalNoise for Additive<F> {}
impl<F: Fn(f32) -> f32> AdditiveNoise for Additive<F> {}

/// An ordinary differential equation by its right-hand side.
#[derive(Clone, Copy)]
struct Ordinary<F>(F);

impl<F: Fn(f32) -> f32> Sde for Ordinary<F> {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = (self.0)(*x);
        }
    }

    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}

impl<F: Fn(f32) -> f32> Ito for Ordinary<F> {}
impl<F: Fn(f32) -> f32> DiagonalNoise for Ordinary<F> {}
impl<F: Fn(f32) -> f32> AdditiveNoise for Ordinary<F> {}
impl<F: Fn(f32) -> f32> NoiseFree for Ordinary<F> {}

/// Two paths that share their noise.
fn lipschitz(laboratory: &Laboratory) -> Vec<Row> {
    let sine = Additive { drift: f32::sin, noise: 0.25 };
    let pair = Ensemble {
        stepper: EulerMaruyama,
        sde: sine,
        dim: 1,
        span: Span { t0: 0.0, t1: 2.0 },
        steps: 128,
        seed: laboratory.seed_of("lipschitz-bound"),
    };
    // The same seed draws the same noise for either start.
    let (one, other) = (pair.finals(4096, at(0.0)), pair.finals(4096, at(0.125)));
    let widest = one.iter().zip(&other).map(|(x, y)| f64::from((y - x).abs())).fold(0.0, f64::max);

    const PATHS: usize = 1 << 18;
    let (growth, volatility, steps) = (0.25f64, 0.5f64, 16);
    let pair = Ensemble {
        stepper: EulerMaruyama,
        sde: GeometricBrownian { growth: 0.25, volatility: 0.5 },
        dim: 1,
        span: Span { t0: 0.0, t1: 1.0 },
        steps,
        seed: laboratory.seed_of("lipschitz-bound-in-mean-square"),
    };
    let (one, other) = (pair.finals(PATHS, at(1.0)), pair.finals(PATHS, at(1.5)));
    let gaps = one.iter().zip(&other).map(|(x, y)| 2.0 * (f64::from(*y) - f64::from(*x)));
    let h = 1.0 / f64::from(steps);
    vec![
        Row::at_most(
            "lipschitz-bound",
            "dX = sin X dt + dW / 4 on one noise: |X_t - Y_t| <= |x0 - y0| e^(L t), L = 1, t = 2 (worst of 4,096 pairs)",
            0.125 * 2f64.exp(),
            widest,
        ),
        Row::estimate(
            "lipschitz-bound-in-mean-square",
            "E|X_t - Y_t|^2 <= |x0 - y0|^2 e^((2a + b^2) t) is reached by dX = a X dt + b X dW; in 16 Euler-Maruyama steps \
             ((1 + a h)^2 + b^2 h)^16, a = 1/4, b = 1/2, t = 1 (262,144 pairs)",
            ((1.0 + growth * h).powi(2) + volatility * volatility * h).powi(steps as i32),
            mean_square(gaps),
        ),
    ]
}

/// Steps an ordinary differential equation; its steppers ask for no noise.
fn solve<F: Fn(f32) -> f32, P: Stepper<Ordinary<F>>>(
    stepper: &P,
    rate: F,
    (span, steps): (Span, u32),
    x0: f32,
) -> (f32, Result<(), Exploded>) {
    let mut silence = RecordedNoise::new(Span { t0: 0.0, t1: 1.0 }, 1, &[0.0], &[0.0]).expect("one cell");
    let (mut x, mut scratch) = ([x0], [0.0; 16]);
    let result = integrate_watched(stepper, &mut Ordinary(rate), span, steps, &mut silence, &mut x, &mut scratch);
    (x[0], result)
}

/// x' = sqrt|x|, whose slope at 0 has no bound.
fn root(_: &Laboratory) -> Vec<Row> {
    let rate = |x: f32| x.abs().sqrt();
    let run = |t0, t1, steps, x0| f64::from(solve(&RungeKutta4, rate, (Span { t0, t1 }, steps), x0).0);
    vec![
        Row::exact(
            "root-stays",
            "x' = sqrt|x|, x(0) = 0 is solved by x = 0: x(2) by Runge-Kutta from 0",
            0.0,
            run(0.0, 2.0, 1000, 0.0),
            0.0,
        ),
        Row::exact(
            "root-departs",
            "and by x = t^2 / 4 as well: x(3) by Runge-Kutta from x(1) = 1/4",
            2.25,
            run(1.0, 3.0, 200, 0.25),
            // Half an ulp of 2 a step at the worst; the steps' own error is below 1e-9.
            200.0 * f64::from(f32::EPSILON),
        ),
        Row::at_most(
            "root-solutions-meet",
            "the second, traced back from x(2) = 1, meets the first: |x(0)| by 1,000 steps of Euler, at most (h ln h)^2 / 4",
            // With s = sqrt x a step gives sqrt(s^2 - h s), below s - h/2 by h^2 / 8s to leading order: over all steps by
            // (h / 4) ln(1 / h). So x passes 0 too early by (h / 2) ln(1 / h), for which twice that is allowed, and leaves it as t^2 / 4.
            0.25 * (2e-3 * 2e-3f64.ln()).powi(2),
            f64::from(solve(&EulerOde, rate, (Span { t0: 2.0, t1: 0.0 }, 1000), 1.0).0.abs()),
        ),
    ]
}

/// Solutions that leave the numbers in finite time.
fn explosion(laboratory: &Laboratory) -> Vec<Row> {
    const PATHS: u32 = 500;
    let watched = |drift: fn(f32) -> f32, seed: u64, t1: f32| {
        let mut streams = StreamSequence::new(seed);
        let reported = (0..PATHS).filter(|_| {
            let mut noise = IndependentNoise::new(Ziggurat::new(streams.next_stream()));
            let (mut x, mut scratch) = ([0.0], [0.0; 8]);
            let mut sde = Additive { drift, noise: 1.0 };
            let steps = (64.0 * t1) as u32;
            let result = integrate_watched(
                &EulerMaruyama,
                &mut sde,
                Span { t0: 0.0, t1 },
                steps,
                &mut noise,
                &mut x,
                &mut scratch,
            );
            // Reported as soon as it is infinite, before infinities cancel to what is not a number.
            result.is_err_and(|exploded| exploded.t.is_finite()) && x[0].is_infinite()
        });
        reported.count() as f64 / f64::from(PATHS)
    };
    let steps = 1 << 14;
    let (_, result) = solve(&EulerOde, |x| x * x, (Span { t0: 0.0, t1: 2.0 }, steps), 1.0);
    let h = 2.0 / f64::from(steps);
    vec![
        Row::exact(
            "explosion-is-reported",
            "dX = X^3 dt + dW explodes: share of 500 paths from 0 reported infinite, and not a NaN, before t = 100",
            1.0,
            watched(|x| x * x * x, laboratory.seed_of("explosion-is-reported"), 100.0),
            0.0,
        ),
        Row::exact(
            "no-explosion-is-reported",
            "dX = -X^3 dt + dW does not: share of 500 paths from 0 reported before t = 100",
            0.0,
            watched(|x| -x * x * x, laboratory.seed_of("no-explosion-is-reported"), 100.0),
            0.0,
        ),
        Row::exact(
            "explosion-time",
            "x' = x^2, x(0) = 1 explodes at t = 1: the time reported for Euler's steps of 1/8,192, late by h (ln(1/h) + 10) at most",
            1.0,
            result.map_or_else(|exploded| f64::from(exploded.t), |()| f64::NAN),
            // y = 1/x loses h - h^2 / (y + h) a step, which delays it by h ln(1/h) until y < h; from there y / h is squared
            // in each step, and 8 of them pass the largest f32.
            h * ((1.0 / h).ln() + 10.0),
        ),
    ]
}
