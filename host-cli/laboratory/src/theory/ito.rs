//! Itô calculus: sums that tend to stochastic integrals, Itô's lemma, Dynkin's formula.
//!
//! What is expected of a sum over n cells is expected of that n, not of the limit, so that the rows have no bias.

use mote_core::ensemble::BLOCK;
use mote_core::random::Span;
use mote_core::sde::{Brownian, GeometricBrownian, OrnsteinUhlenbeck, Sde, Sense, StratonovichForm, generator};
use mote_core::stepper::{EulerMaruyama, ExactOu, StochasticHeun};

use super::{Chapter, Experiment, Laboratory, Row};
use crate::ensemble::{Ensemble, at, blocks_of};
use crate::statistics::{Estimate, mean, mean_square, variance};

/// Itô calculus.
pub const CHAPTER: Chapter = Chapter {
    name: "ito",
    title: "Itô calculus",
    experiments: &[
        Experiment {
            rows: &[
                "ito-left-sum",
                "ito-midpoint-sum",
                "ito-trapezoid-sum",
                "ito-integral-has-mean-zero",
                "ito-isometry",
                "ito-integral-is-a-martingale",
                "ito-lemma-square",
                "ito-lemma-exponential",
            ],
            run: sums,
        },
        Experiment {
            rows: &[
                "geometric-brownian-mean",
                "geometric-brownian-mean-by-stochastic-heun",
                "dynkin-geometric-brownian",
            ],
            run: geometric,
        },
        Experiment {
            rows: &["ito-lemma-with-time", "ito-lemma-with-time-isometry", "dynkin-square", "dynkin-cosine"],
            run: relaxing,
        },
    ],
};

const PATHS: usize = 1 << 18;
const UNIT: Span = Span { t0: 0.0, t1: 1.0 };
/// Cells of the sums; Brownian motion is stepped twice as finely, which gives their midpoints.
const CELLS: u32 = 64;

/// Sums along one path of Brownian motion over [0, 1].
#[derive(Clone, Copy, Default)]
struct Sums {
    /// W at the beginning of the cell, at its middle, and where the path is.
    cell: f32,
    middle: f32,
    now: f32,
    /// Sums of W dW with W read at the beginning, at the middle, and at both ends.
    ito: f64,
    midpoint: f64,
    trapezoid: f64,
    /// The sum of cos(W) dW.
    cosine: f64,
    /// W and the first sum at time 1/2.
    halfway: (f64, f64),
    /// The right-hand sides of Itô's lemma for x^2 and for e^x.
    square: f64,
    exponential: f64,
}

impl Sums {
    fn see(&mut self, step: usize, x: f32) {
        self.now = x;
        if !step.is_multiple_of(2) {
            self.middle = x;
            return;
        }
        if step == 0 {
            return;
        }
        let (before, w, dt) = (self.cell, x - self.cell, 1.0 / f64::from(CELLS));
        self.ito += f64::from(Sense::Ito.term(before, x, w));
        self.midpoint += f64::from(self.middle * w);
        self.trapezoid += f64::from(Sense::Stratonovich.term(before, x, w));
        self.cosine += f64::from(Sense::Ito.term(f64::from(before).cos() as f32, f64::from(x).cos() as f32, w));
        // dW has drift 0 and diffusion 1.
        self.square += f64::from(Sense::Ito.term(2.0 * before, 2.0 * x, w));
        self.square += f64::from(generator(2.0 * before, 2.0, 0.0, 1.0)) * dt;
        let (old, new) = (f64::from(before).exp() as f32, f64::from(x).exp() as f32);
        self.exponential += f64::from(Sense::Ito.term(old, new, w));
        self.exponential += f64::from(generator(old, old, 0.0, 1.0)) * dt;
        self.cell = x;
        if step == CELLS as usize {
            self.halfway = (f64::from(x), self.ito);
        }
    }
}

fn sums(laboratory: &Laboratory) -> Vec<Row> {
    let ensemble = Ensemble {
        stepper: EulerMaruyama,
        sde: Brownian { scale: 1.0 },
        dim: 1,
        span: UNIT,
        steps: 2 * CELLS,
        seed: laboratory.seed_of("ito-sums"),
    };
    let see = |paths: &mut Vec<Sums>, step: usize, x: &[f32]| {
        paths.iter_mut().zip(x).for_each(|(path, x)| path.see(step, *x));
    };
    let stops: Vec<_> = (0..=2 * CELLS).collect();
    let paths = ensemble.map(blocks_of(PATHS), at(0.0), &stops, || vec![Sums::default(); BLOCK], see).concat();
    let each = |of: fn(&Sums) -> f64| paths.iter().map(of);
    let (n, dt) = (f64::from(CELLS), 1.0 / f64::from(CELLS));
    // The mean of e^W_i over the beginnings of cells adds up to a geometric sum.
    let beginnings = 0.5f64.exp_m1() / (0.5 * dt).exp_m1();
    vec![
        Row::estimate(
            "ito-left-sum",
            "left sums of W dW tend to (W_T^2 - T) / 2: mean square gap T^2 / 2n (T = 1, n = 64, 262,144 paths)",
            0.5 / n,
            mean_square(each(|path| path.ito - 0.5 * (f64::from(path.now).powi(2) - 1.0))),
        ),
        Row::estimate(
            "ito-midpoint-sum",
            "midpoint sums of W dW tend to W_T^2 / 2, as Stratonovich has it: mean square gap T^2 / 4n",
            0.25 / n,
            mean_square(each(|path| path.midpoint - 0.5 * f64::from(path.now).powi(2))),
        ),
        Row::exact(
            "ito-trapezoid-sum",
            "trapezoid sums of W dW equal W_T^2 / 2 up to rounding: largest gap of 262,144 paths",
            0.0,
            each(|path| (path.trapezoid - 0.5 * f64::from(path.now).powi(2)).abs()).fold(0.0, f64::max),
            // A term has up to 3 roundings of half an ulp; |W| <= 6 and |dW| <= 1 over 64 terms, were all at their worst.
            64.0 * 3.0 * 6.0 * 0.5 * f64::from(f32::EPSILON),
        ),
        Row::estimate("ito-integral-has-mean-zero", "E[int W dW] = 0 (left sums)", 0.0, mean(each(|path| path.ito))),
        Row::estimate(
            "ito-isometry",
            "E[(int cos W dW)^2] = int E[cos^2 W_t] dt = sum (1 + e^-2t) dt / 2 (left sums over 64 cells)",
            0.5 + 0.5 * dt * (-2f64).exp_m1() / (-2.0 * dt).exp_m1(),
            mean_square(each(|path| path.cosine)),
        ),
        Row::estimate(
            "ito-integral-is-a-martingale",
            "I_t = int W dW is a martingale: E[(I_T - I_s) W_s^2] = 0, s = 1/2",
            0.0,
            mean(each(|path| (path.ito - path.halfway.1) * path.halfway.0.powi(2))),
        ),
        Row::estimate(
            "ito-lemma-square",
            "d(W^2) = 2 W dW + dt: both sides summed differ by a mean square of 2 T^2 / n",
            2.0 / n,
            mean_square(each(|path| f64::from(path.now).powi(2) - path.square)),
        ),
        Row::estimate(
            "ito-lemma-exponential",
            "d(e^W) = e^W dW + e^W dt / 2: the mean by which both sides summed differ, sum e^(t/2) (e^(dt/2) - 1 - dt/2)",
            beginnings * ((0.5 * dt).exp_m1() - 0.5 * dt),
            mean(each(|path| f64::from(path.now).exp_m1() - path.exponential)),
        ),
    ]
}

/// Geometric Brownian motion: growth 1/16 and volatility 1/2, so that its Stratonovich drift is -1/16 X.
fn geometric(laboratory: &Laboratory) -> Vec<Row> {
    const GBM: GeometricBrownian = GeometricBrownian { growth: 0.0625, volatility: 0.5 };
    let noise = Ensemble {
        stepper: EulerMaruyama,
        sde: Brownian { scale: 1.0 },
        dim: 1,
        span: UNIT,
        steps: 1,
        seed: laboratory.seed_of("geometric-brownian-mean"),
    };
    let paths: Vec<_> = noise.finals(PATHS, at(0.0)).into_iter().map(|w| GBM.path(1.0, 1.0, w)).collect();
    let steps = 16;
    let heun = Ensemble {
        stepper: StochasticHeun,
        sde: StratonovichForm::new(GBM, [0.0; 2 * BLOCK]),
        dim: 1,
        span: UNIT,
        steps,
        seed: laboratory.seed_of("geometric-brownian-mean-by-stochastic-heun"),
    };
    // A step multiplies X by 1 + c h + v w + ((c h)^2 + 2 c h v w + (v w)^2) / 2, with the drift c and the volatility v: on
    // average by 1 + (c + v^2 / 2) h + (c h)^2 / 2.
    let h = 1.0 / f64::from(steps);
    let factor = 1.0 + 0.0625 * h + 0.5 * (0.0625 * h).powi(2);
    // phi = X^2 has the mean e^((2 growth + volatility^2) t).
    let rate = 2.0 * 0.0625 + 0.5f64.powi(2);
    vec![
        Row::estimate(
            "geometric-brownian-mean",
            "dX = a X dt + b X dW has E[e^((a - b^2/2) t + b W_t)] = e^(a t), a = 1/16, b = 1/2, t = 1 (262,144 paths)",
            0.0625f64.exp(),
            mean(paths.iter().map(|x| f64::from(*x))),
        ),
        Row::estimate(
            "geometric-brownian-mean-by-stochastic-heun",
            "the same mean by stochastic Heun on the Stratonovich drift (a - b^2/2) X, 16 steps, each 1 + a h + (a h)^2 / 2",
            factor.powi(steps as i32),
            mean(heun.finals(PATHS, at(1.0)).into_iter().map(f64::from)),
        ),
        Row::estimate(
            "dynkin-geometric-brownian",
            "d/dt E[phi] = E[phi' f + phi'' g^2/2] for phi = x^2, dX = a X dt + b X dW: (2a + b^2) e^((2a + b^2) t)",
            rate * rate.exp(),
            mean_of_generator(&mut { GBM }, &paths, |x| 2.0 * x, |_| 2.0),
        ),
    ]
}

/// The mean of the generator over states, for a function by its first two derivatives.
fn mean_of_generator(
    sde: &mut impl Sde,
    states: &[f32],
    slope: impl Fn(f64) -> f64,
    curvature: impl Fn(f64) -> f64,
) -> Estimate {
    let (mut drift, mut diffusion) = (vec![0.0; states.len()], vec![0.0; states.len()]);
    sde.drift(0.0, states, &mut drift);
    sde.diffusion(0.0, states, &mut diffusion);
    let each = states.iter().zip(drift.iter().zip(&diffusion));
    mean(each.map(|(x, (f, g))| {
        let x = f64::from(*x);
        f64::from(generator(slope(x) as f32, curvature(x) as f32, *f, *g))
    }))
}

/// An Ornstein-Uhlenbeck process whose law is exact, for what depends on time and for Dynkin's formula.
fn relaxing(laboratory: &Laboratory) -> Vec<Row> {
    const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: 1.0, mean: 0.5, diffusion: 1.5 };
    const START: f64 = 2.0;
    let ensemble = Ensemble {
        stepper: ExactOu,
        sde: OU,
        dim: 1,
        span: UNIT,
        steps: 4,
        seed: laboratory.seed_of("ito-lemma-with-time"),
    };
    let states = ensemble.finals(PATHS, at(START as f32));
    let scaled = || states.iter().map(|x| 1f64.exp() * f64::from(*x));
    // At t = 1: the mean m, the variance v and their derivatives.
    let (m, v) = (0.5 + 1.5 * (-1f64).exp(), -0.5 * 2.25 * (-2f64).exp_m1());
    let (m_rate, v_rate) = (-1.5 * (-1f64).exp(), 2.25 * (-2f64).exp());
    let wave = (-0.5 * v).exp();
    vec![
        Row::estimate(
            "ito-lemma-with-time",
            "d(e^t X) = e^t (mean dt + g dW) for dX = (mean - X) dt + g dW: E[e^t X_t] = x0 + mean (e^t - 1), t = 1",
            START + 0.5 * 1f64.exp_m1(),
            mean(scaled()),
        ),
        Row::estimate(
            "ito-lemma-with-time-isometry",
            "and so Var[e^t X_t] = int e^(2s) g^2 ds = g^2 (e^(2t) - 1) / 2",
            0.5 * 2.25 * 2f64.exp_m1(),
            variance(scaled()),
        ),
        Row::estimate(
            "dynkin-square",
            "d/dt E[phi] = E[phi' f + phi'' g^2/2] for phi = x^2: 2 m m' + v' of the Ornstein-Uhlenbeck law (262,144 paths)",
            2.0 * m * m_rate + v_rate,
            mean_of_generator(&mut { OU }, &states, |x| 2.0 * x, |_| 2.0),
        ),
        Row::estimate(
            "dynkin-cosine",
            "the same for phi = cos x, whose mean is cos(m) e^(-v/2)",
            -wave * (m.sin() * m_rate + 0.5 * v_rate * m.cos()),
            mean_of_generator(&mut { OU }, &states, |x| -x.sin(), |x| -x.cos()),
        ),
    ]
}
