//! Closed forms that steppers must meet whatever their order.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::math;
use crate::random::{BrownianTree, IndependentNoise, NormalSource, Stream, Ziggurat};
use crate::schedule::{Schedule, VpLinear};
use crate::score::{Component, GaussianMixture, ScoreModel};
use crate::sde::{
    Brownian, Flat, GeometricBrownian, Ito, OrnsteinUhlenbeck, OverdampedLangevin, ProbabilityFlow, Quadratic,
    ReverseTime, UnderdampedLangevin, Vp,
};

fn fresh(seed: u64) -> IndependentNoise<Ziggurat<Stream>> {
    IndependentNoise::new(Ziggurat::new(Stream::new(seed)))
}

fn run<S: Sde, P: Stepper<S>, N: NoiseSource>(
    stepper: &P,
    sde: &mut S,
    span: Span,
    steps: u32,
    noise: &mut N,
    x: &mut [f32],
) {
    let mut scratch = vec![0.0; integrate_scratch::<P, S>(x.len())];
    integrate(stepper, sde, span, steps, noise, x, &mut scratch);
}

fn mean_and_variance(x: &[f32]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    (mean, x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n)
}

/// Holds a normal sample to a mean and a variance, whose standard errors are sqrt(v / n) and v sqrt(2 / n).
fn check_normal(x: &[f32], mean: f64, variance: f64) {
    let n = x.len() as f64;
    let (m, v) = mean_and_variance(x);
    // 5 standard errors: false alarm 6e-7 each.
    assert!((m - mean).abs() < 5.0 * (variance / n).sqrt(), "mean {m} for {mean}");
    assert!((v / variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {v} for {variance}");
}

#[test]
fn every_stepper_solves_brownian_motion_exactly_in_both_directions() {
    fn one<P: Stepper<Brownian>>(stepper: &P) {
        let root = Span { t0: 0.0, t1: 1.0 };
        let mut tree = BrownianTree::new(6, root, 4).unwrap();
        for span in [root, Span { t0: 1.0, t1: 0.0 }, Span { t0: 0.25, t1: 0.75 }] {
            let mut w = [0.0; 3];
            tree.increment(span, &mut w, None);
            let mut x = [1.0, 0.0, -1.0];
            run(stepper, &mut Brownian { scale: 2.0 }, span, 8, &mut tree, &mut x);
            for ((x, x0), w) in x.iter().zip([1.0, 0.0, -1.0]).zip(w) {
                assert!((x - (x0 + 2.0 * w)).abs() < 3e-6, "{x} {x0} {w}");
            }
        }
    }
    one(&EulerMaruyama);
    one(&Milstein);
    one(&MilsteinDerivativeFree);
    one(&StochasticHeun);
    one(&Sea);
    one(&Sra1);
    one(&Shark);
    one(&Sriw1);
}

#[test]
fn an_exact_ou_step_has_the_closed_mean_and_variance_in_both_directions() {
    let mut ou = OrnsteinUhlenbeck { rate: 1.5, mean: -1.0, diffusion: 0.8 };
    for (span, steps) in
        [(Span { t0: 0.0, t1: 2.0 }, 1), (Span { t0: 0.0, t1: 0.5 }, 3), (Span { t0: 0.5, t1: 0.0 }, 2)]
    {
        let mut x = vec![2.0; 20_000];
        run(&ExactOu, &mut ou, span, steps, &mut fresh(8), &mut x);
        let t = f64::from(span.length());
        let mean = -1.0 + 3.0 * (-1.5 * t).exp();
        let variance = 0.64 * (1.0 - (-3.0 * t).exp()).abs() / 3.0;
        check_normal(&x, mean, variance);
    }
}

#[test]
fn euler_maruyama_has_its_own_stationary_variance() {
    // g^2 / (rate (2 - rate dt)), the fixed point of v = (1 - rate dt)^2 v + g^2 dt: 4/3 of the true one at rate dt = 1/2.
    let mut ou = OrnsteinUhlenbeck { rate: 1.0, mean: 0.0, diffusion: 1.0 };
    let mut x = vec![0.0; 20_000];
    run(&EulerMaruyama, &mut ou, Span { t0: 0.0, t1: 12.0 }, 24, &mut fresh(4), &mut x);
    check_normal(&x, 0.0, 1.0 / 1.5);
}

#[test]
fn overdamped_langevin_in_a_spring_relaxes_to_boltzmanns_law() {
    // exp(-2 U / noise^2) with U = 2 x^2 / 2 is N(0, noise^2 / 4). The step's own bias is below a tenth of a standard error.
    let mut sde = OverdampedLangevin { potential: Quadratic { stiffness: 2.0 }, noise: 1.0 };
    let mut x = vec![1.0; 10_000];
    run(&Shark, &mut sde, Span { t0: 0.0, t1: 4.0 }, 40, &mut fresh(21), &mut x);
    check_normal(&x, (-8.0f64).exp(), 0.25);
}

#[test]
fn free_underdamped_velocities_reach_their_temperature_and_positions_diffuse() {
    // Var v = T (1 - e^(-2 c t)) and Var q = T / c^2 (2 c t - 3 + 4 e^(-c t) - e^(-2 c t)) from rest, with friction c
    // (Ornstein and Uhlenbeck 1930).
    let mut sde = UnderdampedLangevin { potential: Flat, friction: 2.0, noise: 1.0 };
    let n = 8000;
    let mut x = vec![0.0; 2 * n];
    run(&Sra1, &mut sde, Span { t0: 0.0, t1: 1.5 }, 30, &mut fresh(13), &mut x);
    let temperature = 0.25;
    check_normal(&x[n..], 0.0, temperature * (1.0 - (-6.0f64).exp()));
    let spread = 6.0 - 3.0 + 4.0 * (-3.0f64).exp() - (-6.0f64).exp();
    check_normal(&x[..n], 0.0, temperature / 4.0 * spread);
}

#[test]
fn vp_keeps_unit_variance() {
    let mut x = vec![0.0; 10_000];
    Ziggurat::new(Stream::new(50)).fill(&mut x);
    run(&Shark, &mut Vp { schedule: VpLinear::DEFAULT }, Span { t0: 0.0, t1: 1.0 }, 100, &mut fresh(51), &mut x);
    check_normal(&x, 0.0, 1.0);
}

const N: usize = 4000;

/// Mean, variance and the share between the modes of (N(-1, .1^2) + N(1, .1^2)) / 2.
fn check_bimodal(x: &[f32]) {
    let (mean, variance) = mean_and_variance(x);
    let n = x.len() as f64;
    // Standard errors sqrt(1.01 / n) and, as Var(x^2) = .0402, sqrt(.0402 / n); five of them, and .02 for the step.
    assert!(mean.abs() < 5.0 * (1.01 / n).sqrt(), "{mean}");
    assert!((variance - 1.01).abs() < 5.0 * (0.0402 / n).sqrt() + 0.02, "{variance}");
    assert!(x.iter().filter(|x| x.abs() < 0.5).count() <= x.len() / 500);
    let spread: Vec<_> = x.iter().map(|x| x.abs() - 1.0).collect();
    assert!((mean_and_variance(&spread).1.sqrt() - 0.1).abs() < 0.01, "{:?}", mean_and_variance(&spread));
}

/// Takes standard normal states along `path`, given the exact score of the bimodal law under VP.
fn from_noise(mut path: impl FnMut(Vp, (GaussianMixture<'_>, Schedule), &mut [f32])) -> Vec<f32> {
    let components = [
        Component { weight: 1.0, mean: &[-1.0], deviation: 0.1 },
        Component { weight: 1.0, mean: &[1.0], deviation: 0.1 },
    ];
    let mixture = GaussianMixture { components: &components };
    let vp = VpLinear::DEFAULT;
    let mut x = vec![0.0; N];
    Ziggurat::new(Stream::new(90)).fill(&mut x);
    for x in x.chunks_exact_mut(1) {
        path(Vp { schedule: vp }, (mixture, Schedule::VpLinear(vp)), x);
    }
    x
}

#[test]
fn reverse_time_brings_noise_back_to_a_bimodal_law() {
    let mut noise = fresh(91);
    let x = from_noise(|vp, score, x| {
        let mut room = [0.0; 2];
        let mut back = ReverseTime::new(vp, score, &mut room).unwrap();
        run(&EulerMaruyama, &mut back, Span { t0: 1.0, t1: 1e-3 }, 200, &mut noise, x);
    });
    check_bimodal(&x);
}

#[test]
fn the_probability_flow_brings_noise_back_to_a_bimodal_law() {
    let mut noise = fresh(92);
    let x = from_noise(|vp, score, x| {
        let mut room = [0.0; 2];
        let mut flow = ProbabilityFlow::new(vp, score, &mut room).unwrap();
        run(&RungeKutta4, &mut flow, Span { t0: 1.0, t1: 1e-3 }, 50, &mut noise, x);
    });
    check_bimodal(&x);
}

/// The score of geometric Brownian motion started from a log-normal law: `ln X(t) ~ N(centre + (growth - v^2/2) t, spread^2 + v^2 t)`
/// with v the volatility, and so `d ln p / dx = -(1 + (ln x - mean) / variance) / x`.
#[derive(Clone, Copy)]
struct LogNormalScore {
    process: GeometricBrownian,
    dim: usize,
}

const SPREAD: f32 = 0.3;

impl ScoreModel for LogNormalScore {
    fn dim(&self) -> usize {
        self.dim
    }

    fn score(&mut self, x: &[f32], t: f32, out: &mut [f32]) {
        let v = self.process.volatility * self.process.volatility;
        let (mean, variance) = ((self.process.growth - 0.5 * v) * t, SPREAD * SPREAD + v * t);
        for (out, x) in out.iter_mut().zip(x) {
            *out = -(1.0 + (math::ln(*x) - mean) / variance) / x;
        }
    }
}

#[test]
fn reverse_time_and_flow_know_a_diffusion_that_depends_on_the_state() {
    let process = GeometricBrownian { growth: 0.2, volatility: 0.6 };
    let score = LogNormalScore { process, dim: N };
    let back = Span { t0: 1.0, t1: 0.0 };
    let end = f64::from(SPREAD * SPREAD + 0.36);
    let mut late = vec![0.0; N];
    Ziggurat::new(Stream::new(70)).fill(&mut late);
    for x in &mut late {
        *x = math::exp(0.2 - 0.18 + end.sqrt() as f32 * *x);
    }
    let logarithms = |x: &[f32]| x.iter().map(|x| math::ln(*x)).collect::<Vec<_>>();
    let mut x = late.clone();
    let mut reverse = ReverseTime::new(process, score, vec![0.0; 2 * N]).unwrap();
    run(&Sriw1, &mut reverse, back, 200, &mut fresh(71), &mut x);
    check_normal(&logarithms(&x), 0.0, f64::from(SPREAD * SPREAD));
    // The flow moves each path on its quantile: ln x = spread / sqrt(spread^2 + v) (ln x_1 - mean_1).
    let mut x = late.clone();
    let mut flow = ProbabilityFlow::new(process, score, vec![0.0; 2 * N]).unwrap();
    run(&RungeKutta4, &mut flow, back, 100, &mut fresh(72), &mut x);
    for (x, late) in logarithms(&x).iter().zip(logarithms(&late)) {
        let expected = f64::from(SPREAD) / end.sqrt() * (f64::from(late) - 0.02);
        assert!((f64::from(*x) - expected).abs() < 2e-4, "{x} {expected}");
    }
}

/// Growth by 1 in each unit of time, up to a wall behind which the drift is no number.
struct Wall(f32);

impl Sde for Wall {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = if *x < 1.0 { 1.0 } else { self.0 };
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}
impl Ito for Wall {}

#[test]
fn a_watched_run_stops_at_the_first_state_that_is_no_finite_number() {
    // From 0 and 1/2 in steps of 1/4: component 1 is at 1 after two steps, and the third takes it behind the wall.
    let span = Span { t0: 0.0, t1: 2.0 };
    for behind in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mut x, mut scratch) = ([0.0, 0.5], [0.0; 8]);
        let end = integrate_watched(&EulerMaruyama, &mut Wall(behind), span, 8, &mut fresh(1), &mut x, &mut scratch);
        assert_eq!(end, Err(Exploded { step: 2, t: 0.75, component: 1 }), "{behind}");
        assert_eq!(x[0], 0.75);
    }
    let (mut x, mut scratch) = ([0.0, 0.5], [0.0; 8]);
    let end = integrate_watched(&EulerMaruyama, &mut Wall(0.0), span, 8, &mut fresh(1), &mut x, &mut scratch);
    assert_eq!((end, x), (Ok(()), [1.0, 1.0]));
}

#[test]
fn too_little_room_gives_nan_and_never_a_wrong_number() {
    let mut ou = OrnsteinUhlenbeck { rate: 1.0, mean: 0.0, diffusion: 1.0 };
    let span = Span { t0: 0.0, t1: 1.0 };
    let mut enough = [0.0; 10];
    for (w, h, scratch) in [(1, 2, 10), (2, 1, 10), (2, 2, 9)] {
        let mut x = [1.0, 1.0];
        let noise = Increment { w: &[0.0; 2][..w], h: &[0.0; 2][..h] };
        Sra1.step(&mut ou, span, &noise, &mut x, &mut enough[..scratch]);
        assert!(x.iter().all(|x| x.is_nan()), "{w} {h} {scratch}");
    }
    let mut x = [1.0, 1.0];
    EulerMaruyama.step(&mut ou, span, &Increment { w: &[0.0; 2], h: &[] }, &mut x, &mut enough[..4]);
    assert_eq!(x, [0.0, 0.0]);
    let mut short = [0.0; 3];
    integrate(&EulerMaruyama, &mut ou, span, 1, &mut fresh(1), &mut x, &mut short);
    assert!(x.iter().all(|x| x.is_nan()));
}
