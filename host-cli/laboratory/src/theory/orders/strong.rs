//! Strong orders: root mean square errors at time 1 on nested grids that share one path.

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{IndependentNoise, RecordedNoise, Span};
use mote_core::sde::{GeometricBrownian, OrnsteinUhlenbeck, Sde, StratonovichForm};
use mote_core::stepper::{
    EulerMaruyama, ExactOu, Milstein, MilsteinDerivativeFree, Sea, Shark, Sra1, Sriw1, Stepper, StochasticHeun,
    integrate, integrate_scratch,
};
use rayon::prelude::*;

use super::equations::Pendulum;
use super::slope::{Measured, order, rounding};
use crate::theory::{Laboratory, Row};

const UNIT: Span = Span { t0: 0.0, t1: 1.0 };
/// Cells of the stored paths, and steps of the finest grid.
const FINEST: u32 = 1024;
/// The coarsest grid.
const COARSEST: u32 = 8;
/// Blocks of paths: 4096 paths.
const BLOCKS: u32 = 16;

/// A block of stored paths: increments and areas, cell by cell.
struct Paths {
    w: Vec<f32>,
    h: Vec<f32>,
}

impl Paths {
    fn new(seed: u64, block: u32) -> Self {
        let numbers = BLOCK * FINEST as usize;
        let mut paths = Self { w: vec![0.0; numbers], h: vec![0.0; numbers] };
        let mut fresh = IndependentNoise::new(BlockSequence::starting_at(seed, block).next_normals());
        let stored = RecordedNoise::record(&mut fresh, UNIT, BLOCK, &mut paths.w, &mut paths.h);
        assert!(stored.is_some(), "the path is made of whole cells");
        paths
    }

    /// The cells: increments and areas of all paths.
    fn cells(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        self.w.chunks(BLOCK).zip(self.h.chunks(BLOCK))
    }

    /// End states from `x0` in so many steps.
    fn ends<S: Sde, P: Stepper<S>>(&self, stepper: &P, sde: &mut S, steps: u32, x0: f32) -> Vec<f32> {
        let mut x = vec![x0; BLOCK];
        let mut scratch = vec![0.0; integrate_scratch::<P, S>(BLOCK)];
        let mut noise = RecordedNoise::new(UNIT, BLOCK, &self.w, &self.h).expect("whole cells");
        integrate(stepper, sde, UNIT, steps, &mut noise, &mut x, &mut scratch);
        x
    }
}

/// The errors of `stepper` from `x0` on each grid, coarsest first, against `truth`, which gives the end states of a block of paths to more than f32's precision
/// or by a grid `beyond` times as fine as the finest that is measured.
fn errors<S: Sde, P: Stepper<S> + Sync>(
    seed: u64,
    (stepper, x0): (&P, f32),
    sde: impl Fn() -> S + Sync,
    beyond: u32,
    truth: impl Fn(&Paths) -> Vec<f64> + Sync,
) -> Vec<Measured> {
    let grids: Vec<_> = (0..).map(|k| COARSEST << k).take_while(|steps| *steps <= FINEST / beyond).collect();
    let blocks: Vec<_> = (0..BLOCKS)
        .into_par_iter()
        .map(|block| {
            let paths = Paths::new(seed, block);
            let truth = truth(&paths);
            let size: f64 = truth.iter().map(|x| x * x).sum();
            let squares: Vec<f64> = grids
                .iter()
                .map(|&steps| {
                    let ends = paths.ends(stepper, &mut sde(), steps, x0);
                    ends.iter().zip(&truth).map(|(x, truth)| (f64::from(*x) - truth).powi(2)).sum()
                })
                .collect();
            (size, squares)
        })
        .collect();
    let n = (BLOCK * BLOCKS as usize) as f64;
    let size = (blocks.iter().map(|block| block.0).sum::<f64>() / n).sqrt();
    let measured = grids.iter().enumerate().map(|(i, &steps)| Measured {
        steps,
        error: (blocks.iter().map(|block| block.1[i]).sum::<f64>() / n).sqrt(),
        floor: rounding(size, steps),
    });
    measured.collect()
}

/// The multiplicative noise that strong orders are measured on.
pub(crate) const GBM: GeometricBrownian = GeometricBrownian { growth: 0.5, volatility: 0.5 };

/// The solution from 1 by Itô's lemma, `exp((growth - volatility^2 / 2) + volatility W)`.
fn gbm_truth(paths: &Paths) -> Vec<f64> {
    let (growth, volatility) = (f64::from(GBM.growth), f64::from(GBM.volatility));
    let mut total = vec![0.0; BLOCK];
    for (w, _) in paths.cells() {
        total.iter_mut().zip(w).for_each(|(total, w)| *total += f64::from(*w));
    }
    total.iter().map(|w| (growth - 0.5 * volatility * volatility + volatility * w).exp()).collect()
}

/// The strong errors of a stepper on [`GBM`], or its other form, against the closed form.
pub(crate) fn errors_on_gbm<S: Sde, P: Stepper<S> + Sync>(
    seed: u64,
    stepper: &P,
    sde: impl Fn() -> S + Sync,
) -> Vec<Measured> {
    errors(seed, (stepper, 1.0), sde, 1, gbm_truth)
}

fn on_gbm<S: Sde, P: Stepper<S> + Sync>(
    laboratory: &Laboratory,
    name: &'static str,
    stepper: &P,
    sde: impl Fn() -> S + Sync,
    what: &str,
) -> Vec<Row> {
    let measured = order(&errors_on_gbm(laboratory.seed_of(name), stepper, sde));
    let statement = format!("strong order of {what} on geometric Brownian motion");
    vec![Row::order(name, statement, f64::from(P::ORDER), measured)]
}

const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: 2.0, mean: 1.0, diffusion: 1.0 };

/// The solution from 0, `mean (1 - e^-rate) + int e^(-rate (1 - s)) dW`, the integral cell by cell as its mean given w and h: the
/// regression of `int phi dW` on `w = int dW` and `h = int (1/2 - s/dt) dW`. What is left is of order dt^2 at the finest grid.
fn ou_truth(paths: &Paths) -> Vec<f64> {
    let (rate, mean) = (f64::from(OU.rate), f64::from(OU.mean));
    let y = rate / f64::from(FINEST);
    let decay = (-y).exp();
    let on_w = (1.0 - decay) / y;
    // 12/dt int e^(-rate (dt - s)) (1/2 - s/dt) ds, in closed form.
    let on_h = 12.0 * ((1.0 - decay) / (2.0 * y) - (y - 1.0 + decay) / (y * y));
    let mut x = vec![-mean; BLOCK];
    for (w, h) in paths.cells() {
        for ((x, w), h) in x.iter_mut().zip(w).zip(h) {
            *x = *x * decay + f64::from(OU.diffusion) * (on_w * f64::from(*w) + on_h * f64::from(*h));
        }
    }
    x.into_iter().map(|x| mean + x).collect()
}

fn on_ou<P: Stepper<OrnsteinUhlenbeck> + Sync>(
    laboratory: &Laboratory,
    name: &'static str,
    stepper: &P,
    what: &str,
) -> Vec<Row> {
    let measured = order(&errors(laboratory.seed_of(name), (stepper, 0.0), || OU, 1, ou_truth));
    let statement = format!("strong order of {what} on the Ornstein-Uhlenbeck process");
    vec![Row::order(name, statement, f64::from(P::ADDITIVE_ORDER), measured)]
}

/// Noise so strong that the bend of the drift is where the errors come from.
const PENDULUM: Pendulum = Pendulum { noise: 3.0 };
/// How much finer the other stepper's grid is, that stands for the truth: at order 1.5 its error is 1/22 of the smallest measured.
const BEYOND: u32 = 8;

/// The strong errors of a stepper on `dX = -sin X dt + 3 dW`, against another on a grid finer than all that are measured.
pub(crate) fn errors_on_pendulum<P: Stepper<Pendulum> + Sync, Q: Stepper<Pendulum> + Sync>(
    seed: u64,
    stepper: &P,
    other: &Q,
) -> Vec<Measured> {
    let truth = |paths: &Paths| {
        let ends = paths.ends(other, &mut { PENDULUM }, FINEST, 1.0);
        ends.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    errors(seed, (stepper, 1.0), || PENDULUM, BEYOND, truth)
}

fn on_pendulum<P: Stepper<Pendulum> + Sync, Q: Stepper<Pendulum> + Sync>(
    laboratory: &Laboratory,
    name: &'static str,
    (stepper, what): (&P, &str),
    (other, whose): (&Q, &str),
) -> Vec<Row> {
    let measured = order(&errors_on_pendulum(laboratory.seed_of(name), stepper, other));
    let statement = format!("strong order of {what} on dX = -sin X dt + 3 dW, against {whose} on a fine grid");
    vec![Row::order(name, statement, f64::from(P::ADDITIVE_ORDER), measured)]
}

pub(super) fn euler_maruyama(laboratory: &Laboratory) -> Vec<Row> {
    on_gbm(laboratory, "strong-euler-maruyama", &EulerMaruyama, || GBM, "Euler-Maruyama")
}

pub(super) fn euler_maruyama_additive(laboratory: &Laboratory) -> Vec<Row> {
    on_ou(laboratory, "strong-euler-maruyama-additive", &EulerMaruyama, "Euler-Maruyama")
}

pub(super) fn milstein(laboratory: &Laboratory) -> Vec<Row> {
    on_gbm(laboratory, "strong-milstein", &Milstein, || GBM, "Milstein's step")
}

pub(super) fn milstein_derivative_free(laboratory: &Laboratory) -> Vec<Row> {
    let what = "Milstein's step without derivative";
    on_gbm(laboratory, "strong-milstein-derivative-free", &MilsteinDerivativeFree, || GBM, what)
}

/// [`GBM`] for a block of paths, as stochastic Heun wants it.
pub(crate) fn stratonovich() -> StratonovichForm<GeometricBrownian, [f32; 2 * BLOCK]> {
    StratonovichForm::new(GBM, [0.0; 2 * BLOCK])
}

pub(super) fn stochastic_heun(laboratory: &Laboratory) -> Vec<Row> {
    let what = "stochastic Heun, given the Stratonovich drift,";
    on_gbm(laboratory, "strong-stochastic-heun", &StochasticHeun, stratonovich, what)
}

pub(super) fn sriw1(laboratory: &Laboratory) -> Vec<Row> {
    on_gbm(laboratory, "strong-sriw1", &Sriw1, || GBM, "SRIW1")
}

pub(super) fn exact_ou(laboratory: &Laboratory) -> Vec<Row> {
    on_ou(laboratory, "strong-exact-ou", &ExactOu, "the step that is exact in law")
}

pub(super) fn sea(laboratory: &Laboratory) -> Vec<Row> {
    on_pendulum(laboratory, "strong-sea", (&Sea, "SEA"), (&Sra1, "SRA1"))
}

pub(super) fn sra1(laboratory: &Laboratory) -> Vec<Row> {
    on_pendulum(laboratory, "strong-sra1", (&Sra1, "SRA1"), (&Shark, "ShARK"))
}

pub(super) fn shark(laboratory: &Laboratory) -> Vec<Row> {
    on_pendulum(laboratory, "strong-shark", (&Shark, "ShARK"), (&Sra1, "SRA1"))
}
