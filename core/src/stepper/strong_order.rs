//! Strong orders, measured on nested grids that share one path, against closed forms.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::math;
use crate::random::{IndependentNoise, RecordedNoise, Stream, Ziggurat};
use crate::sde::{
    AdditiveNoise, DiagonalNoise, GeometricBrownian, Ito, NoiseFree, OrnsteinUhlenbeck, Stratonovich, StratonovichForm,
};

const UNIT: Span = Span { t0: 0.0, t1: 1.0 };
/// Independent paths, one a component.
const PATHS: usize = 1000;
const FINEST: u32 = 128;

struct Paths {
    w: Vec<f32>,
    h: Vec<f32>,
}

impl Paths {
    fn new(seed: u64) -> Self {
        let numbers = PATHS * FINEST as usize;
        let mut paths = Self { w: vec![0.0; numbers], h: vec![0.0; numbers] };
        let mut fresh = IndependentNoise::new(Ziggurat::new(Stream::new(seed)));
        RecordedNoise::record(&mut fresh, UNIT, PATHS, &mut paths.w, &mut paths.h).unwrap();
        paths
    }

    fn noise(&self) -> RecordedNoise<'_> {
        RecordedNoise::new(UNIT, PATHS, &self.w, &self.h).unwrap()
    }

    fn total(&self) -> Vec<f32> {
        let mut w = vec![0.0; PATHS];
        self.noise().increment(UNIT, &mut w, None);
        w
    }
}

/// End states from `x0` in so many steps.
fn ends<S: Sde, P: Stepper<S>>(
    stepper: &P,
    sde: &mut S,
    paths: &Paths,
    span: Span,
    steps: u32,
    x0: &[f32],
) -> Vec<f32> {
    let mut x = x0.to_vec();
    let mut scratch = vec![0.0; integrate_scratch::<P, S>(x.len())];
    integrate(stepper, sde, span, steps, &mut paths.noise(), &mut x, &mut scratch);
    x
}

fn root_mean_square(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    (sum / a.len() as f64).sqrt()
}

/// Least-squares slope of log2(error) over halvings of the step.
fn slope(errors: &[f64]) -> f64 {
    let middle = (errors.len() - 1) as f64 / 2.0;
    let (mut top, mut bottom) = (0.0, 0.0);
    for (i, e) in errors.iter().enumerate() {
        top -= (i as f64 - middle) * e.log2();
        bottom += (i as f64 - middle).powi(2);
    }
    top / bottom
}

fn check(name: &str, order: f32, errors: &[f64]) {
    let measured = slope(errors);
    std::println!("{name}: {measured:.3} {errors:?}");
    let order = f64::from(order);
    assert!((order - 0.1..=order + 0.25).contains(&measured), "{name}: {measured} for {order}; {errors:?}");
}

const GBM: GeometricBrownian = GeometricBrownian { growth: 0.5, volatility: 0.7 };

fn gbm_errors<S: Sde, P: Stepper<S>>(stepper: &P, sde: &mut S, paths: &Paths) -> Vec<f64> {
    let exact: Vec<_> = paths.total().into_iter().map(|w| GBM.path(1.0, 1.0, w)).collect();
    [16, 32, 64, 128]
        .map(|steps| root_mean_square(&ends(stepper, sde, paths, UNIT, steps, &[1.0; PATHS]), &exact))
        .to_vec()
}

#[test]
fn steppers_reach_their_order_on_geometric_brownian_motion() {
    fn one<P: Stepper<GeometricBrownian>>(name: &str, stepper: &P, paths: &Paths) {
        check(name, P::ORDER, &gbm_errors(stepper, &mut { GBM }, paths));
    }
    let paths = Paths::new(2024);
    one("Euler-Maruyama", &EulerMaruyama, &paths);
    one("Milstein", &Milstein, &paths);
    one("Milstein without derivative", &MilsteinDerivativeFree, &paths);
    one("SRIW1", &Sriw1, &paths);
}

#[test]
fn stochastic_heun_needs_the_stratonovich_drift() {
    struct Mistaken(GeometricBrownian);
    impl Sde for Mistaken {
        fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
            self.0.drift(t, x, out);
        }
        fn diffusion(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
            self.0.diffusion(t, x, out);
        }
    }
    impl Stratonovich for Mistaken {}

    let paths = Paths::new(7);
    let mut room = vec![0.0; 2 * PATHS];
    let mut right = StratonovichForm::new(GBM, &mut room);
    check("stochastic Heun", 1.0, &gbm_errors(&StochasticHeun, &mut right, &paths));
    // The Itô drift read as a Stratonovich one is another process: growth larger by volatility^2 / 2.
    let wrong_limit = GeometricBrownian { growth: GBM.growth + 0.5 * 0.7 * 0.7, ..GBM };
    let limit: Vec<_> = paths.total().into_iter().map(|w| wrong_limit.path(1.0, 1.0, w)).collect();
    let errors = [16, 32, 64, 128].map(|steps| {
        root_mean_square(&ends(&StochasticHeun, &mut Mistaken(GBM), &paths, UNIT, steps, &[1.0; PATHS]), &limit)
    });
    check("stochastic Heun, Itô drift, to the wrong limit", 1.0, &errors);
    let off = gbm_errors(&StochasticHeun, &mut Mistaken(GBM), &paths);
    assert!(off[3] > 0.25 && slope(&off).abs() < 0.2, "{off:?}");
}

/// `dX = -X dt + e^-t dW`, whose solution is `e^-t (x0 + W(t))`.
struct Fading;

impl Sde for Fading {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = -x;
        }
    }
    fn diffusion(&mut self, t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(math::exp(-t));
    }
}
impl Ito for Fading {}
impl DiagonalNoise for Fading {}
impl AdditiveNoise for Fading {}

#[test]
fn a_diffusion_that_changes_in_time_is_followed() {
    // The solution knows the path by its end alone, so that some steppers do better here than their order.
    fn one<P: Stepper<Fading>>(name: &str, stepper: &P, paths: &Paths) {
        let exact: Vec<_> = paths.total().into_iter().map(|w| (-1.0f32).exp() * (1.0 + w)).collect();
        let errors = [4, 8, 16, 32]
            .map(|steps| root_mean_square(&ends(stepper, &mut Fading, paths, UNIT, steps, &[1.0; PATHS]), &exact));
        let measured = slope(&errors);
        assert!(measured > f64::from(P::ADDITIVE_ORDER) - 0.1, "{name}: {measured}; {errors:?}");
    }
    let paths = Paths::new(99);
    one("Euler-Maruyama", &EulerMaruyama, &paths);
    one("stochastic Heun", &StochasticHeun, &paths);
    one("SEA", &Sea, &paths);
    one("SRA1", &Sra1, &paths);
    one("ShARK", &Shark, &paths);
    one("SRIW1", &Sriw1, &paths);
}

const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: 2.0, mean: 1.0, diffusion: 1.0 };

/// The solution at time 1 from 0, `1 - e^-2 + int e^(-2 (1 - s)) dW`, the integral cell by cell as its mean given w and h:
/// the regression of `int phi dW` on `w = int dW` and `h = int (1/2 - s/dt) dW`. What is left is of order dt^2 at 1/128.
fn ou_solution(paths: &Paths) -> Vec<f32> {
    let (rate, dt) = (2.0f64, 1.0 / f64::from(FINEST));
    let on_w = (1.0 - (-rate * dt).exp()) / (rate * dt);
    // 12/dt int e^(-rate (dt - s)) (1/2 - s/dt) ds, in closed form.
    let (y, decay) = (rate * dt, (-rate * dt).exp());
    let on_h = 12.0 * ((1.0 - decay) / (2.0 * y) - (y - 1.0 + decay) / (y * y));
    let mut x = vec![-1.0f64; PATHS];
    for (w, h) in paths.w.chunks(PATHS).zip(paths.h.chunks(PATHS)) {
        for ((x, w), h) in x.iter_mut().zip(w).zip(h) {
            *x = *x * decay + on_w * f64::from(*w) + on_h * f64::from(*h);
        }
    }
    x.into_iter().map(|x| (1.0 + x) as f32).collect()
}

#[test]
fn steppers_reach_order_one_on_ornstein_uhlenbeck() {
    fn one<P: Stepper<OrnsteinUhlenbeck>>(name: &str, stepper: &P, paths: &Paths) {
        let exact = ou_solution(paths);
        let errors = [16, 32, 64, 128]
            .map(|steps| root_mean_square(&ends(stepper, &mut { OU }, paths, UNIT, steps, &[0.0; PATHS]), &exact));
        check(name, P::ADDITIVE_ORDER, &errors);
    }
    let paths = Paths::new(31);
    one("Euler-Maruyama, additive", &EulerMaruyama, &paths);
    one("Milstein, additive", &Milstein, &paths);
    one("Milstein without derivative, additive", &MilsteinDerivativeFree, &paths);
    one("stochastic Heun, additive", &StochasticHeun, &paths);
    one("SEA", &Sea, &paths);
    one("exact Ornstein-Uhlenbeck", &ExactOu, &paths);
}

/// `dX = -sin X dt + 3 dW`: additive noise, strong enough that the bend of the drift is where the error comes from.
struct Pendulum;

impl Sde for Pendulum {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = -math::sin(*x);
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(3.0);
    }
}
impl Ito for Pendulum {}
impl DiagonalNoise for Pendulum {}
impl AdditiveNoise for Pendulum {}

#[test]
fn steppers_reach_their_order_on_a_nonlinear_drift() {
    // No closed form: the error is the change when the step is halved, which has the same slope.
    fn one<P: Stepper<Pendulum>>(name: &str, stepper: &P, paths: &Paths) -> f64 {
        let states = [8, 16, 32, 64, 128].map(|steps| ends(stepper, &mut Pendulum, paths, UNIT, steps, &[1.0; PATHS]));
        let errors: Vec<_> = states.windows(2).map(|pair| root_mean_square(&pair[0], &pair[1])).collect();
        check(name, P::ADDITIVE_ORDER, &errors);
        errors[3]
    }
    let paths = Paths::new(5);
    let euler = one("Euler-Maruyama, nonlinear", &EulerMaruyama, &paths);
    let sea = one("SEA, nonlinear", &Sea, &paths);
    let sra1 = one("SRA1, nonlinear", &Sra1, &paths);
    let shark = one("ShARK, nonlinear", &Shark, &paths);
    assert!(sea < euler && shark < sra1, "{euler} {sea} {sra1} {shark}");
}

/// `x' = 3/2 x cos t`, whose solution is `x0 e^(3/2 sin t)`.
struct Swing;

impl Sde for Swing {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = 1.5 * x * math::cos(t);
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}
impl Ito for Swing {}
impl DiagonalNoise for Swing {}
impl AdditiveNoise for Swing {}
impl NoiseFree for Swing {}

#[test]
fn ordinary_steppers_reach_their_order_forwards_and_backwards() {
    fn one<P: Stepper<Swing>>(name: &str, stepper: &P, steps: [u32; 3]) {
        let (now, then) = (1.0f64, (1.5 * 2.5f64.sin()).exp());
        for (span, from, to) in [(Span { t0: 0.0, t1: 2.5 }, now, then), (Span { t0: 2.5, t1: 0.0 }, then, now)] {
            let errors = steps.map(|steps| {
                let mut x = [from as f32];
                let mut scratch = [0.0; 8];
                let mut silence = RecordedNoise::new(UNIT, 1, &[0.0], &[0.0]).unwrap();
                integrate(stepper, &mut Swing, span, steps, &mut silence, &mut x, &mut scratch);
                (f64::from(x[0]) - to).abs()
            });
            check(name, P::ORDER, &errors);
        }
    }
    one("Euler", &EulerOde, [64, 128, 256]);
    one("Heun", &Heun, [32, 64, 128]);
    one("Runge-Kutta 4", &RungeKutta4, [6, 12, 24]);
}
