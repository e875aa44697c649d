//! Brownian motion: its law at any times, the roughness of its paths, and the bridge between two known points.

use mote_core::ensemble::BLOCK;
use mote_core::random::{BrownianTree, NoiseSource, Span};
use mote_core::sde::{Brownian, OrnsteinUhlenbeck, Sde};
use mote_core::stepper::{EulerMaruyama, Stepper};
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::erf::erf;

use super::{Chapter, Experiment, Laboratory, Row};
use crate::ensemble::{Ensemble, at, blocks_of};
use crate::statistics::{Estimate, Fit, chi_square, covariance, kolmogorov_smirnov, mean, variance};

/// Brownian motion.
pub const CHAPTER: Chapter = Chapter {
    name: "brownian",
    title: "Brownian motion",
    experiments: &[
        Experiment {
            rows: &[
                "brownian-starts-at-zero",
                "brownian-increments-are-normal",
                "brownian-increments-are-uncorrelated",
                "brownian-increments-are-independent",
                "brownian-paths-are-independent",
                "brownian-variance",
                "brownian-covariance",
            ],
            run: law,
        },
        Experiment {
            rows: &[
                "brownian-largest-increment-coarse",
                "brownian-largest-increment-fine",
                "brownian-quadratic-variation",
                "brownian-quadratic-variation-spread",
                "smooth-quadratic-variation",
                "dt-dt-sum",
                "dt-dw-sum",
            ],
            run: roughness,
        },
        Experiment { rows: &["brownian-difference-quotients"], run: difference_quotients },
        Experiment {
            rows: &["bridge-midpoint-law", "bridge-midpoint-variance", "bridge-midpoint-is-independent-of-the-ends"],
            run: bridge,
        },
    ],
};

const WIENER: Brownian = Brownian { scale: 1.0 };

fn standard(deviation: f64) -> Normal {
    Normal::new(0.0, deviation).expect("a deviation above 0")
}

fn pairs(a: &[f64], b: &[f64]) -> impl Iterator<Item = (f64, f64)> + Clone {
    a.iter().copied().zip(b.iter().copied())
}

/// A row by p-value.
fn fit_row(name: &'static str, statement: &str, fit: Fit) -> Row {
    Row::p_value(name, statement, fit.expected, fit.statistic, fit.p)
}

/// The law at the times 0, s = 1/2 and t = 2.
fn law(laboratory: &Laboratory) -> Vec<Row> {
    const PATHS: usize = 1 << 18;
    let ensemble = Ensemble {
        stepper: EulerMaruyama,
        sde: WIENER,
        dim: 1,
        span: Span { t0: 0.0, t1: 2.0 },
        steps: 8,
        seed: laboratory.seed_of("brownian-law"),
    };
    let keep = |out: &mut [Vec<f32>; 3], k: usize, x: &[f32]| out[k].extend_from_slice(x);
    let blocks = ensemble.map(blocks_of(PATHS), at(0.0), &[0, 2, 8], Default::default, keep);
    let [start, at_s, at_t] = [0, 1, 2].map(|k| {
        let states = blocks.iter().flat_map(|block| &block[k]);
        states.map(|x| f64::from(*x)).collect::<Vec<_>>()
    });
    let later: Vec<_> = at_s.iter().zip(&at_t).map(|(s, t)| t - s).collect();
    let neighbours = at_t.as_chunks::<2>().0.iter().map(|[a, b]| (*a, *b));
    vec![
        Row::exact(
            "brownian-starts-at-zero",
            "W_0 = 0 (largest |W_0| of 262,144 paths)",
            0.0,
            start.iter().fold(0.0, |largest, x| x.abs().max(largest)),
            0.0,
        ),
        fit_row(
            "brownian-increments-are-normal",
            "W_t - W_s is N(0, t - s), s = 1/2, t = 2 (largest gap of distribution functions, 262,144 paths)",
            kolmogorov_smirnov(later.iter().copied(), &standard(1.5f64.sqrt())),
        ),
        Row::estimate(
            "brownian-increments-are-uncorrelated",
            "Cov(W_s - W_0, W_t - W_s) = 0, s = 1/2, t = 2 (262,144 paths)",
            0.0,
            covariance(pairs(&at_s, &later)),
        ),
        fit_row(
            "brownian-increments-are-independent",
            "W_s - W_0 and W_t - W_s fill a table of 8 x 8 classes evenly (chi-square)",
            even_table(&at_s, 0.5f64.sqrt(), &later, 1.5f64.sqrt()),
        ),
        Row::estimate(
            "brownian-paths-are-independent",
            "paths 2k and 2k + 1 of an ensemble are uncorrelated, t = 2 (131,072 pairs)",
            0.0,
            covariance(neighbours),
        ),
        Row::estimate("brownian-variance", "Var W_t = t, t = 2 (262,144 paths)", 2.0, variance(at_t.iter().copied())),
        Row::estimate(
            "brownian-covariance",
            "Cov(W_s, W_t) = min(s, t), s = 1/2, t = 2 (262,144 paths)",
            0.5,
            covariance(pairs(&at_s, &at_t)),
        ),
    ]
}

/// Chi-square of pairs of normal numbers over 8 x 8 classes of equal probability.
fn even_table(a: &[f64], deviation_a: f64, b: &[f64], deviation_b: f64) -> Fit {
    let class = |x: f64, deviation| (8.0 * standard(deviation).cdf(x)).min(7.0) as usize;
    let mut counts = [0; 64];
    for (a, b) in a.iter().zip(b) {
        counts[8 * class(*a, deviation_a) + class(*b, deviation_b)] += 1;
    }
    chi_square(&counts, &[1.0; 64])
}

/// Cells of the fine grid of [`roughness`], cells of its coarse one, and their horizon.
const FINE: u32 = 4_096;
const COARSE: u32 = 64;
const HORIZON: f64 = 2.0;

/// What a block's paths do over the cells of two grids.
#[derive(Default)]
struct Increments {
    before: Vec<f32>,
    before_coarse: Vec<f32>,
    /// Sum of (dx)^2.
    squares: Vec<f64>,
    /// Sum of dt dx.
    crossed: Vec<f64>,
    largest: Vec<f64>,
    largest_coarse: Vec<f64>,
}

impl Increments {
    fn see(&mut self, cell: usize, x: &[f32]) {
        if cell == 0 {
            (self.before, self.before_coarse) = (x.to_vec(), x.to_vec());
            (self.squares, self.crossed) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            (self.largest, self.largest_coarse) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            return;
        }
        let dt = HORIZON / f64::from(FINE);
        let sums = self.squares.iter_mut().zip(&mut self.crossed).zip(&mut self.largest);
        for (((squares, crossed), largest), (x, before)) in sums.zip(x.iter().zip(&self.before)) {
            let step = f64::from(*x) - f64::from(*before);
            *squares += step * step;
            *crossed += dt * step;
            *largest = step.abs().max(*largest);
        }
        self.before.copy_from_slice(x);
        if cell.is_multiple_of((FINE / COARSE) as usize) {
            for (largest, (x, before)) in self.largest_coarse.iter_mut().zip(x.iter().zip(&self.before_coarse)) {
                *largest = (f64::from(*x) - f64::from(*before)).abs().max(*largest);
            }
            self.before_coarse.copy_from_slice(x);
        }
    }

    fn of<S: Sde + Clone + Sync>(sde: S, x0: f32, paths: usize, seed: u64) -> Vec<Self>
    where
        EulerMaruyama: Stepper<S>,
    {
        let span = Span { t0: 0.0, t1: HORIZON as f32 };
        let ensemble = Ensemble { stepper: EulerMaruyama, sde, dim: 1, span, steps: FINE, seed };
        let stops: Vec<_> = (0..=FINE).collect();
        ensemble.map(blocks_of(paths), at(x0), &stops, Self::default, Self::see)
    }
}

/// Continuity, quadratic variation, and the sums that vanish.
fn roughness(laboratory: &Laboratory) -> Vec<Row> {
    let blocks = Increments::of(WIENER, 0.0, 128 * BLOCK, laboratory.seed_of("brownian-roughness"));
    let all = |of: fn(&Increments) -> &Vec<f64>| blocks.iter().flat_map(of).copied();
    let (n, dt) = (f64::from(FINE), HORIZON / f64::from(FINE));
    // dX = -X dt from 1 by Euler's steps: a path that is smooth in the limit.
    let smooth = Increments::of(OrnsteinUhlenbeck { rate: 1.0, mean: 0.0, diffusion: 0.0 }, 1.0, BLOCK, 0);
    let lengths = (0..FINE).map(|i| Span { t0: 0.0, t1: HORIZON as f32 }.step(i, FINE).length());
    vec![
        Row::estimate(
            "brownian-largest-increment-coarse",
            "continuity: mean of max |dW| over 64 cells of [0, 2] (32,768 paths)",
            mean_of_largest(COARSE, HORIZON),
            mean(all(|block| &block.largest_coarse)),
        ),
        Row::estimate(
            "brownian-largest-increment-fine",
            "continuity: the same over 4,096 cells is on its way to 0",
            mean_of_largest(FINE, HORIZON),
            mean(all(|block| &block.largest)),
        ),
        Row::estimate(
            "brownian-quadratic-variation",
            "the sum of (dW)^2 over [0, T] tends to T: its mean, T = 2 (4,096 cells, 32,768 paths)",
            HORIZON,
            mean(all(|block| &block.squares)),
        ),
        Row::estimate(
            "brownian-quadratic-variation-spread",
            "the sum of (dW)^2 over [0, T] tends to T: its variance is 2 T^2 / n",
            2.0 * HORIZON * HORIZON / n,
            variance(all(|block| &block.squares)),
        ),
        Row::exact(
            "smooth-quadratic-variation",
            "the sum of (dx)^2 along x = e^-t, 4,096 cells, is dt (1 - e^-4) / 2 and tends to 0",
            0.5 * dt * (1.0 - (-4.0f64).exp()),
            smooth[0].squares[0],
            // Euler's path and a left-hand sum are each off by a share of at most T dt; rounding a state, 2^-25, moves a sum of
            // dx = dt e^-t by far less.
            2.0 * HORIZON * dt * dt,
        ),
        Row::exact(
            "dt-dt-sum",
            "the sum of (dt)^2 over [0, T] is T^2 / n and tends to 0",
            HORIZON * HORIZON / n,
            lengths.map(|dt| f64::from(dt).powi(2)).sum(),
            // 2 / 4,096 and all its multiples up to 2 are exact.
            1e-15,
        ),
        Row::estimate(
            "dt-dw-sum",
            "the sum of dt dW over [0, T] has mean 0 and variance T^3 / n^2, and tends to 0: its variance",
            HORIZON.powi(3) / (n * n),
            variance(all(|block| &block.crossed)),
        ),
    ]
}

/// The mean of the largest of `n` absolute increments over a horizon: `sqrt(T / n) int_0^oo (1 - erf(z / sqrt 2)^n) dz`.
fn mean_of_largest(n: u32, horizon: f64) -> f64 {
    // The midpoint rule; beyond 12 the integrand is below 1e-28.
    let width = 1e-3;
    let integrand = |z: f64| 1.0 - erf(z * std::f64::consts::FRAC_1_SQRT_2).powi(n as i32);
    let integral: f64 = (0..12_000).map(|i| width * integrand((f64::from(i) + 0.5) * width)).sum();
    (horizon / f64::from(n)).sqrt() * integral
}

/// The mean of `|dW| / h` over one cell, for h = 2^-2 to 2^-13, each from a stretch of the path that no other uses.
fn difference_quotients(laboratory: &Laboratory) -> Vec<Row> {
    const PATHS: usize = 1 << 14;
    let (root, depth) = (Span { t0: 0.0, t1: 1.0 }, 13);
    let mut tree = BrownianTree::new(laboratory.seed_of("brownian-difference-quotients"), root, depth)
        .expect("a span that runs forwards");
    let mut w = vec![0.0; PATHS];
    let points: Vec<_> = (2..=depth as i32)
        .map(|k| {
            let h = 0.5f32.powi(k);
            tree.increment(Span { t0: h, t1: 2.0 * h }, &mut w, None);
            let quotient = mean(w.iter().map(|w| f64::from((w / h).abs())));
            // The error of a logarithm is the relative error.
            (f64::from(-k), quotient.value.log2(), quotient.standard_error / quotient.value / std::f64::consts::LN_2)
        })
        .collect();
    vec![Row::estimate(
        "brownian-difference-quotients",
        "E|W_(t+h) - W_t| / h grows as h^-1/2: slope of its logarithm for h = 1/4 to 1/8,192 (16,384 paths)",
        -0.5,
        slope(&points),
    )]
}

/// The least-squares slope through independent points `(x, y, standard error of y)`.
fn slope(points: &[(f64, f64, f64)]) -> Estimate {
    let middle = points.iter().map(|p| p.0).sum::<f64>() / points.len() as f64;
    let spread: f64 = points.iter().map(|p| (p.0 - middle).powi(2)).sum();
    let weighted = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(move |p| (p.0 - middle) / spread * of(p));
    Estimate { value: weighted(|p| p.1).sum(), standard_error: weighted(|p| p.2).map(|e| e * e).sum::<f64>().sqrt() }
}

/// The law of the middle of a cell given its ends, in the tree that refines paths.
fn bridge(laboratory: &Laboratory) -> Vec<Row> {
    const PATHS: usize = 1 << 16;
    let root = Span { t0: 0.0, t1: 2.0 };
    let mut tree =
        BrownianTree::new(laboratory.seed_of("brownian-bridge"), root, 6).expect("a span that runs forwards");
    let mut read = |t0, t1| {
        let mut w = vec![0.0; PATHS];
        tree.increment(Span { t0, t1 }, &mut w, None);
        w
    };
    // The cell [1/2, 1] of length 1/2.
    let (whole, first) = (read(0.5, 1.0), read(0.5, 0.75));
    let middle = || first.iter().zip(&whole).map(|(first, whole)| f64::from(*first) - 0.5 * f64::from(*whole));
    vec![
        fit_row(
            "bridge-midpoint-law",
            "the middle of a bridge over h = 1/2 is N(mean of the ends, h/4) (largest gap, 65,536 bridges)",
            kolmogorov_smirnov(middle(), &standard(0.125f64.sqrt())),
        ),
        Row::estimate(
            "bridge-midpoint-variance",
            "the variance of a bridge's middle about the mean of its ends is h/4, h = 1/2",
            0.125,
            variance(middle()),
        ),
        Row::estimate(
            "bridge-midpoint-is-independent-of-the-ends",
            "the middle's gap to the mean of the ends is uncorrelated with the ends' difference",
            0.0,
            covariance(middle().zip(whole.iter().map(|w| f64::from(*w)))),
        ),
    ]
}
