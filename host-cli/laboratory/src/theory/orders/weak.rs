//! Weak orders, without chance: expectations of a function on the circle, `u(t, x) = E[phi(X_t) | X_0 = x]`.
//!
//! Drift and diffusion have period 2 pi, and so has u, which is then known by its values at [`POINTS`] places. One step of a stepper,
//! with the average over its noise by quadrature, is a matrix on these values, and n steps are its n-th power. The truth is the
//! solution of Kolmogorov's backward equation `du/dt = f u' + g^2 u'' / 2` by Fourier collocation. Quadrature and collocation are exact to
//! 1e-9, so that the difference is the stepper's weak error and the rounding of its step.

use std::f64::consts::PI;

use mote_core::random::{Increment, Span};
use mote_core::sde::{OrnsteinUhlenbeck, Sde, StratonovichForm};
use mote_core::stepper::{
    EulerMaruyama, ExactOu, Milstein, MilsteinDerivativeFree, NoiseUse, Sea, Shark, Sra1, Sriw1, Stepper,
    StochasticHeun,
};

use super::equations::{Pendulum, RattledPendulum};
use super::slope::{Measured, order};
use crate::theory::{Laboratory, Row};

/// Places on the circle, an odd number.
const POINTS: usize = 41;
type Values = [f64; POINTS];
type Matrix = Vec<Values>;

fn place(i: usize) -> f64 {
    (i as f64 - (POINTS / 2) as f64) * 2.0 * PI / POINTS as f64
}

/// The function whose expectation is taken.
fn phi() -> Values {
    std::array::from_fn(|i| place(i).sin() + place(i).cos())
}

fn times(matrix: &Matrix, values: &Values) -> Values {
    std::array::from_fn(|i| matrix[i].iter().zip(values).map(|(m, v)| m * v).sum())
}

/// The trigonometric polynomial that is 1 at 0 and 0 at the other places, at `y`.
fn cardinal(y: f64) -> f64 {
    let half = 0.5 * y;
    let n = POINTS as f64;
    if half.sin().abs() < 1e-9 { 1.0 } else { (n * half).sin() / (n * half.sin()) }
}

/// Drift and diffusion at a place.
fn coefficients(sde: &mut impl Sde, x: f64) -> (f64, f64) {
    let (mut f, mut g) = ([0.0], [0.0]);
    sde.drift(0.0, &[x as f32], &mut f);
    sde.diffusion(0.0, &[x as f32], &mut g);
    (f64::from(f[0]), f64::from(g[0]))
}

/// u at time `t` by Kolmogorov's equation of an Itô process: classical Runge-Kutta steps short enough for the fastest mode.
fn kolmogorov(sde: &mut impl Sde, t: f64) -> Values {
    // The derivative of `cardinal` at the places (Trefethen 2000, "Spectral methods in MATLAB").
    let first: Matrix = (0..POINTS)
        .map(|i| {
            std::array::from_fn(|j| {
                let sign = if (i + j) % 2 == 0 { 0.5 } else { -0.5 };
                if i == j { 0.0 } else { sign / (0.5 * (place(i) - place(j))).sin() }
            })
        })
        .collect();
    let at: Vec<_> = (0..POINTS).map(|i| coefficients(sde, place(i))).collect();
    let rate = |u: &Values| -> Values {
        let slope = times(&first, u);
        let bend = times(&first, &slope);
        std::array::from_fn(|i| at[i].0 * slope[i] + 0.5 * at[i].1 * at[i].1 * bend[i])
    };
    let steps = (2000.0 * t).ceil();
    let dt = t / steps;
    let mut u = phi();
    for _ in 0..steps as u32 {
        let shifted = |k: &Values, share: f64| -> Values { std::array::from_fn(|i| u[i] + share * dt * k[i]) };
        let k1 = rate(&u);
        let k2 = rate(&shifted(&k1, 0.5));
        let k3 = rate(&shifted(&k2, 0.5));
        let k4 = rate(&shifted(&k3, 1.0));
        u = std::array::from_fn(|i| u[i] + dt / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]));
    }
    u
}

/// Normal quadrature by the trapezoid rule to 8 deviations, exact to rounding for smooth functions.
fn normal_points(spacing: f64) -> Vec<(f64, f64)> {
    let last = (8.0 / spacing).ceil() as i32;
    let weight = |z: f64| spacing * (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    (-last..=last).map(|i| spacing * f64::from(i)).map(|z| (z, weight(z))).collect()
}

/// One step of length `dt` as a matrix on values at the places.
fn transition<S: Sde, P: Stepper<S>>(stepper: &P, sde: &mut S, dt: f64) -> Matrix {
    // A rounded length, so that the noise is as long as the step.
    let span = Span { t0: 0.0, t1: dt as f32 };
    let dt = f64::from(span.t1);
    let increments = normal_points(0.5);
    let areas = if P::NOISE == NoiseUse::Area { normal_points(0.75) } else { vec![(0.0, 1.0)] };
    let row = |i: usize| {
        let mut row = [0.0; POINTS];
        for (z, on_w) in &increments {
            for (y, on_h) in &areas {
                let (w, h) = ((z * dt.sqrt()) as f32, (y * (dt / 12.0).sqrt()) as f32);
                let (mut x, mut scratch) = ([place(i) as f32], [0.0; 8]);
                stepper.step(sde, span, &Increment { w: &[w], h: &[h] }, &mut x, &mut scratch);
                for (j, entry) in row.iter_mut().enumerate() {
                    *entry += on_w * on_h * cardinal(f64::from(x[0]) - place(j));
                }
            }
        }
        row
    };
    (0..POINTS).map(row).collect()
}

/// The weak order over time 1: root mean square error of u over the places.
fn measure<S: Sde, P: Stepper<S>>(stepper: &P, mut sde: S, truth: &Values) -> f64 {
    let grids = (2..=8).map(|k| 1u32 << k).map(|steps| {
        let matrix = transition(stepper, &mut sde, 1.0 / f64::from(steps));
        let u = (0..steps).fold(phi(), |u, _| times(&matrix, &u));
        let squares: f64 = u.iter().zip(truth).map(|(u, truth)| (u - truth).powi(2)).sum();
        // Rounded coefficients and states shift every step alike: up to 2^-25 each, added up.
        let floor = f64::from(steps) / f64::from(1u32 << 25);
        Measured { steps, error: (squares / POINTS as f64).sqrt(), floor }
    });
    order(&grids.collect::<Vec<_>>())
}

fn multiplicative<S: Sde, P: Stepper<S>>(name: &'static str, stepper: &P, sde: S, what: &str) -> Vec<Row> {
    let measured = measure(stepper, sde, &kolmogorov(&mut RattledPendulum, 1.0));
    let statement = format!("weak order of {what} on dX = -sin X dt + (1 + sin X / 2) dW");
    vec![Row::order(name, statement, f64::from(P::WEAK_ORDER), measured)]
}

fn additive<P: Stepper<Pendulum>>(name: &'static str, stepper: &P, what: &str) -> Vec<Row> {
    let pendulum = Pendulum { noise: 1.0 };
    let measured = measure(stepper, pendulum, &kolmogorov(&mut { pendulum }, 1.0));
    let statement = format!("weak order of {what} on dX = -sin X dt + dW");
    vec![Row::order(name, statement, f64::from(P::WEAK_ORDER), measured)]
}

pub(super) fn euler_maruyama(_: &Laboratory) -> Vec<Row> {
    multiplicative("weak-euler-maruyama", &EulerMaruyama, RattledPendulum, "Euler-Maruyama")
}

pub(super) fn milstein(_: &Laboratory) -> Vec<Row> {
    multiplicative("weak-milstein", &Milstein, RattledPendulum, "Milstein's step")
}

pub(super) fn milstein_derivative_free(_: &Laboratory) -> Vec<Row> {
    let what = "Milstein's step without derivative";
    multiplicative("weak-milstein-derivative-free", &MilsteinDerivativeFree, RattledPendulum, what)
}

pub(super) fn stochastic_heun(_: &Laboratory) -> Vec<Row> {
    let sde = StratonovichForm::new(RattledPendulum, [0.0; 2]);
    multiplicative("weak-stochastic-heun", &StochasticHeun, sde, "stochastic Heun, given the Stratonovich drift,")
}

pub(super) fn sriw1(_: &Laboratory) -> Vec<Row> {
    multiplicative("weak-sriw1", &Sriw1, RattledPendulum, "SRIW1")
}

pub(super) fn sea(_: &Laboratory) -> Vec<Row> {
    additive("weak-sea", &Sea, "SEA")
}

pub(super) fn sra1(_: &Laboratory) -> Vec<Row> {
    additive("weak-sra1", &Sra1, "SRA1")
}

pub(super) fn shark(_: &Laboratory) -> Vec<Row> {
    additive("weak-shark", &Shark, "ShARK")
}

/// Mean and variance of the exact step after two steps of length 1.5 from 2; the step is linear in x and w, so that four of its
/// values give its law.
pub(super) fn exact_ou(_: &Laboratory) -> Vec<Row> {
    let mut ou = OrnsteinUhlenbeck { rate: 0.5, mean: -1.0, diffusion: 1.5 };
    let (dt, steps) = (1.5f32, 2);
    let mut at = |x: f32, w: f32| {
        let mut x = [x];
        ExactOu.step(&mut ou, Span { t0: 0.0, t1: dt }, &Increment { w: &[w], h: &[] }, &mut x, &mut []);
        f64::from(x[0])
    };
    let rest = at(0.0, 0.0);
    let (decay, on_w) = (at(1.0, 0.0) - rest, at(0.0, 1.0) - rest);
    let (mean, variance) = (0..steps).fold((2.0, 0.0), |(mean, variance), _| {
        (rest + decay * mean, decay * decay * variance + on_w * on_w * f64::from(dt))
    });
    let t = f64::from(dt) * f64::from(steps);
    // Differences of numbers of size 1 to 2, rounded to f32, a few a step.
    let tolerance = 2e-6;
    let of_mean = Row::exact(
        "exact-ou-mean",
        "the exact Ornstein-Uhlenbeck step has the mean m + (x - m) e^(-rate t) after two long steps",
        -1.0 + 3.0 * (-0.5 * t).exp(),
        mean,
        tolerance,
    );
    let of_variance = Row::exact(
        "exact-ou-variance",
        "the exact Ornstein-Uhlenbeck step has the variance g^2 (1 - e^(-2 rate t)) / (2 rate) after two long steps",
        2.25 * (1.0 - (-t).exp()),
        variance,
        tolerance,
    );
    vec![of_mean, of_variance]
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::sde::Brownian;

    struct Even;
    impl Sde for Even {
        fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
            RattledPendulum.drift(t, x, out);
        }
        fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
            for (out, x) in out.iter_mut().zip(x) {
                *out = 1.0 + 0.5 * mote_core::math::cos(*x);
            }
        }
    }

    #[test]
    fn kolmogorovs_equation_gives_brownian_motion_its_heat_kernel() {
        // E[sin(x + W) + cos(x + W)] = e^(-t/2) (sin x + cos x).
        let u = kolmogorov(&mut Brownian { scale: 1.0 }, 0.7);
        for (i, u) in u.iter().enumerate() {
            let expected = (-0.35f64).exp() * (place(i).sin() + place(i).cos());
            assert!((u - expected).abs() < 1e-9, "{u} for {expected}");
        }
    }

    #[test]
    fn kolmogorovs_equation_relaxes_to_the_stationary_law() {
        // Without a current the density is e^(2 int f / g^2) / g^2 up to a constant: for the pendulum e^(2 cos x / noise^2), and
        // for dX = -sin X dt + (1 + cos X / 2) dW e^(-4 / g) / g^2, as d(1/g) = sin x / (2 g^2) dx. Means by the trapezoid rule
        // on the circle.
        fn check(sde: &mut impl Sde, density: impl Fn(f64) -> f64) {
            let places = || (0..400).map(|i| f64::from(i) * PI / 200.0);
            let total: f64 = places().map(&density).sum();
            let mean: f64 = places().map(|x| density(x) * (x.sin() + x.cos())).sum::<f64>() / total;
            for u in kolmogorov(sde, 40.0) {
                assert!((u - mean).abs() < 1e-6, "{u} for {mean}");
            }
        }
        check(&mut Pendulum { noise: 1.5 }, |x| (2.0 * x.cos() / 2.25).exp());
        check(&mut Even, |x| {
            let g = 1.0 + 0.5 * x.cos();
            (-4.0 / g).exp() / (g * g)
        });
    }

    #[test]
    fn a_step_of_brownian_motion_is_exact() {
        let u = times(&transition(&EulerMaruyama, &mut Brownian { scale: 1.0 }, 0.5), &phi());
        for (i, u) in u.iter().enumerate() {
            // One rounding of numbers up to 4.
            let expected = (-0.25f64).exp() * (place(i).sin() + place(i).cos());
            assert!((u - expected).abs() < 3e-7, "{u} for {expected}");
        }
    }
}
