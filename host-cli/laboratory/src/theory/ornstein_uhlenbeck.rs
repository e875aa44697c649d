//! The Ornstein-Uhlenbeck process: its law in time and at rest, its solution on a given noise, and what steppers do to it.

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{IndependentNoise, RecordedNoise, Span};
use mote_core::sde::OrnsteinUhlenbeck;
use mote_core::stepper::{EulerMaruyama, ExactOu, Stepper, integrate, integrate_scratch};
use rayon::prelude::*;
use statrs::distribution::Normal;

use super::{Chapter, Experiment, Laboratory, Row};
use crate::ensemble::{Ensemble, at, blocks_of};
use crate::statistics::{covariance, kolmogorov_smirnov, mean, mean_square, variance};

/// The Ornstein-Uhlenbeck process.
pub const CHAPTER: Chapter = Chapter {
    name: "ornstein-uhlenbeck",
    title: "The Ornstein-Uhlenbeck process",
    experiments: &[
        Experiment { rows: &["ou-mean", "ou-variance", "ou-covariance"], run: law },
        Experiment {
            rows: &["ou-stationary-law", "ou-exact-step-stationary-variance", "euler-maruyama-stationary-variance"],
            run: stationary,
        },
        Experiment { rows: &["ou-pathwise-euler-maruyama", "ou-pathwise-exact-step"], run: pathwise },
    ],
};

const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: RATE as f32, mean: MEAN as f32, diffusion: DIFFUSION as f32 };
const RATE: f64 = 2.0;
const MEAN: f64 = 0.5;
const DIFFUSION: f64 = 1.5;
const START: f64 = 2.0;
const PATHS: usize = 1 << 18;

/// The variance at time t of a path from a known point.
fn variance_at(t: f64) -> f64 {
    -DIFFUSION * DIFFUSION * (-2.0 * RATE * t).exp_m1() / (2.0 * RATE)
}

/// The law at s = 1/4 and t = 1.
fn law(laboratory: &Laboratory) -> Vec<Row> {
    let ensemble = Ensemble {
        stepper: ExactOu,
        sde: OU,
        dim: 1,
        span: Span { t0: 0.0, t1: 1.0 },
        steps: 4,
        seed: laboratory.seed_of("ou-law"),
    };
    let keep = |out: &mut [Vec<f64>; 2], k: usize, x: &[f32]| out[k].extend(x.iter().map(|x| f64::from(*x)));
    let blocks = ensemble.map(blocks_of(PATHS), at(START as f32), &[1, 4], Default::default, keep);
    let [at_s, at_t] = [0, 1].map(|k| blocks.iter().flat_map(|block| &block[k]).copied().collect::<Vec<_>>());
    vec![
        Row::estimate(
            "ou-mean",
            "dX = r (m - X) dt + g dW has the mean m + (x0 - m) e^(-r t): r = 2, m = 1/2, x0 = 2, t = 1 (262,144 paths)",
            MEAN + (START - MEAN) * (-RATE).exp(),
            mean(at_t.iter().copied()),
        ),
        Row::estimate(
            "ou-variance",
            "Var X_t = g^2 (1 - e^(-2 r t)) / 2r, g = 3/2, t = 1",
            variance_at(1.0),
            variance(at_t.iter().copied()),
        ),
        Row::estimate(
            "ou-covariance",
            "Cov(X_s, X_t) = Var X_s e^(-r (t - s)), s = 1/4, t = 1",
            variance_at(0.25) * (-RATE * 0.75).exp(),
            covariance(at_s.iter().copied().zip(at_t.iter().copied())),
        ),
    ]
}

/// At rest, by the exact step and by Euler and Maruyama's, both of length 1/4 (r h = 1/2).
fn stationary(laboratory: &Laboratory) -> Vec<Row> {
    fn finals<P: Stepper<OrnsteinUhlenbeck> + Sync>(stepper: P, seed: u64) -> Vec<f64> {
        // What is left of the start is below e^-32.
        let ensemble = Ensemble { stepper, sde: OU, dim: 1, span: Span { t0: 0.0, t1: 16.0 }, steps: 64, seed };
        ensemble.finals(PATHS, at(START as f32)).into_iter().map(f64::from).collect()
    }
    let exact = finals(ExactOu, laboratory.seed_of("ou-stationary"));
    let euler = finals(EulerMaruyama, laboratory.seed_of("euler-maruyama-stationary"));
    let at_rest = DIFFUSION * DIFFUSION / (2.0 * RATE);
    let fit =
        kolmogorov_smirnov(exact.iter().copied(), &Normal::new(MEAN, at_rest.sqrt()).expect("a deviation above 0"));
    vec![
        Row::p_value(
            "ou-stationary-law",
            "X_t tends to N(m, g^2 / 2r) in law: t = 16 (largest gap of distribution functions, 262,144 paths)",
            fit.expected,
            fit.statistic,
            fit.p,
        ),
        Row::estimate(
            "ou-exact-step-stationary-variance",
            "the exact step keeps the variance g^2 / 2r at any length, r h = 1/2",
            at_rest,
            variance(exact.iter().copied()),
        ),
        Row::estimate(
            "euler-maruyama-stationary-variance",
            "Euler-Maruyama's own is g^2 / (r (2 - r h)), here a third more, r h = 1/2",
            DIFFUSION * DIFFUSION / (RATE * (2.0 - RATE * 0.25)),
            variance(euler.iter().copied()),
        ),
    ]
}

/// Cells of the recorded noise, and coarse steps over it.
const CELLS: u32 = 512;
const STEPS: u32 = 16;

/// Stepping against `X_t = m + (x0 - m) e^(-r t) + g int e^(-r (t - s)) dW_s` on the same noise.
fn pathwise(laboratory: &Laboratory) -> Vec<Row> {
    let unit = Span { t0: 0.0, t1: 1.0 };
    let seed = laboratory.seed_of("ou-pathwise");
    let gaps: Vec<_> = (0..128u32)
        .into_par_iter()
        .flat_map_iter(|block| {
            let numbers = BLOCK * CELLS as usize;
            let (mut w, mut h) = (vec![0.0; numbers], vec![0.0; numbers]);
            let mut fresh = IndependentNoise::new(BlockSequence::starting_at(seed, block).next_normals());
            let noise = RecordedNoise::record(&mut fresh, unit, BLOCK, &mut w, &mut h).expect("whole cells");
            let (euler, exact) = (stepped(&EulerMaruyama, noise), stepped(&ExactOu, noise));
            solution(&w, &h)
                .into_iter()
                .zip(euler.into_iter().zip(exact))
                .map(|(x, (euler, exact))| (euler - x, exact - x))
        })
        .collect();
    let step = 1.0 / f64::from(STEPS);
    let decay = (-RATE * step).exp();
    let euler_decay = 1.0 - RATE * step;
    let drift = (START - MEAN) * (euler_decay.powi(STEPS as i32) - (-RATE).exp());
    vec![
        Row::estimate(
            "ou-pathwise-euler-maruyama",
            "Euler-Maruyama against the solution on its noise, 16 steps: E|gap|^2 at t = 1 (32,768 paths)",
            drift * drift + mean_square_gap(euler_decay, 1.0),
            mean_square(gaps.iter().map(|gap| gap.0)),
        ),
        Row::estimate(
            "ou-pathwise-exact-step",
            "the step exact in law against the solution on its noise, 16 steps: E|gap|^2 at t = 1",
            mean_square_gap(decay, (variance_at(step) / step).sqrt() / DIFFUSION),
            mean_square(gaps.iter().map(|gap| gap.1)),
        ),
    ]
}

fn stepped<P: Stepper<OrnsteinUhlenbeck>>(stepper: &P, mut noise: RecordedNoise<'_>) -> Vec<f64> {
    let mut x = [START as f32; BLOCK];
    let mut scratch = vec![0.0; integrate_scratch::<P, OrnsteinUhlenbeck>(BLOCK)];
    integrate(stepper, &mut { OU }, Span { t0: 0.0, t1: 1.0 }, STEPS, &mut noise, &mut x, &mut scratch);
    x.map(f64::from).to_vec()
}

/// The solution at time 1 of each path, `int e^(-r (t - s)) dW` cell by cell as its mean given the cell's w and h.
///
/// It is the regression of `int phi dW` on `w = int dW` and `h = int (1/2 - s/dt) dW`. What is left has a standard deviation
/// of order `(r dt)^2 sqrt(dt)` a cell, which is 1e-4 of the gaps here.
fn solution(w: &[f32], h: &[f32]) -> Vec<f64> {
    let y = RATE / f64::from(CELLS);
    let decay = (-y).exp();
    let on_w = (1.0 - decay) / y;
    // 12/dt int e^(-r (dt - s)) (1/2 - s/dt) ds.
    let on_h = 12.0 * ((1.0 - decay) / (2.0 * y) - (y - 1.0 + decay) / (y * y));
    let mut x = vec![START - MEAN; BLOCK];
    for (w, h) in w.chunks(BLOCK).zip(h.chunks(BLOCK)) {
        for ((x, w), h) in x.iter_mut().zip(w).zip(h) {
            *x = *x * decay + DIFFUSION * (on_w * f64::from(*w) + on_h * f64::from(*h));
        }
    }
    x.into_iter().map(|x| MEAN + x).collect()
}

/// `g^2 sum int (decay^(n-1-i) gain - e^(-r (1 - s)))^2 ds` over the steps: the variance of a linear scheme's gap.
fn mean_square_gap(decay: f64, gain: f64) -> f64 {
    let step = 1.0 / f64::from(STEPS);
    let of_step = |i: u32| {
        let weight = decay.powi((STEPS - 1 - i) as i32) * gain;
        let kernel = |s: f64| (-RATE * (1.0 - s)).exp();
        let (from, to) = (kernel(f64::from(i) * step), kernel(f64::from(i + 1) * step));
        weight * weight * step - 2.0 * weight * (to - from) / RATE + (to * to - from * from) / (2.0 * RATE)
    };
    DIFFUSION * DIFFUSION * (0..STEPS).map(of_step).sum::<f64>()
}
