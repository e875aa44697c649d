//! Langevin motion: Boltzmann's law in a double well, equipartition with inertia.
//!
//! The stepper here is ShARK, whose laws at rest are off by a share of `(curvature h)^2 / 6` of their variance: with the steps
//! chosen that is below a twentieth of a standard error.

use mote_core::ensemble::BLOCK;
use mote_core::random::Span;
use mote_core::sde::{DoubleWell, Flat, OverdampedLangevin, Potential, Quadratic, UnderdampedLangevin};
use mote_core::stepper::Shark;

use super::{Chapter, Experiment, Laboratory, Row};
use crate::ensemble::{Ensemble, at, blocks_of};
use crate::statistics::{chi_square, covariance, mean, mean_square, variance};

#[cfg(test)]
#[path = "langevin_bias.rs"]
mod bias;

/// Langevin motion.
pub const CHAPTER: Chapter = Chapter {
    name: "langevin",
    title: "Langevin motion",
    experiments: &[
        Experiment {
            rows: &[
                "double-well-law",
                "double-well-forgets-its-start",
                "double-well-second-moment",
                "double-well-virial",
            ],
            run: double_well,
        },
        Experiment { rows: &["free-particle-position", "free-particle-covariance"], run: free_particle },
        Experiment {
            rows: &["equipartition-velocity", "equipartition-position", "equipartition-covariance"],
            run: spring_rows,
        },
    ],
};

/// Boltzmann's law `exp(-2 U / noise^2) / Z` of a barrier of 1 between floors at -1 and 1, at temperature 9/8, on a grid.
struct Boltzmann {
    /// Points, and the weight of each, adding up to 1.
    weights: Vec<(f64, f64)>,
}

impl Boltzmann {
    fn new() -> Self {
        // The trapezoid rule over +-4, where the density is below 1e-80: exact to rounding for an analytic integrand.
        let points = (-8000..=8000).map(|i| f64::from(i) * 5e-4);
        let mut weights: Vec<_> = points.map(|x| (x, (-(x * x - 1.0).powi(2) / 1.125).exp())).collect();
        let total: f64 = weights.iter().map(|point| point.1).sum();
        weights.iter_mut().for_each(|point| point.1 /= total);
        Self { weights }
    }

    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.weights.iter().map(|(x, weight)| of(*x) * weight).sum()
    }

    /// Borders of `classes` classes of about equal probability, and the probability of each.
    fn classes(&self, classes: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut borders, mut probabilities) = (Vec::new(), vec![0.0]);
        let mut below = 0.0;
        for (x, weight) in &self.weights {
            let full = (borders.len() + 1) as f64 / classes as f64;
            if below + weight > full && borders.len() + 1 < classes {
                // A border at a point halves its weight, as the trapezoid rule does.
                borders.push(*x);
                *probabilities.last_mut().expect("a first class") += 0.5 * weight;
                probabilities.push(0.5 * weight);
            } else {
                *probabilities.last_mut().expect("a first class") += weight;
            }
            below += weight;
        }
        (borders, probabilities)
    }
}

fn double_well(laboratory: &Laboratory) -> Vec<Row> {
    const PATHS: usize = 1 << 14;
    let ensemble = Ensemble {
        stepper: Shark,
        sde: OverdampedLangevin { potential: DoubleWell { barrier: 1.0, half_distance: 1.0 }, noise: 1.5 },
        dim: 1,
        span: Span { t0: 0.0, t1: 12.0 },
        steps: 12 * 256,
        seed: laboratory.seed_of("double-well"),
    };
    // All from the right-hand floor.
    let states: Vec<_> = ensemble.finals(PATHS, at(1.0)).into_iter().map(f64::from).collect();
    let law = Boltzmann::new();
    let (borders, probabilities) = law.classes(24);
    let mut counts = vec![0; probabilities.len()];
    for x in &states {
        counts[borders.partition_point(|border| border <= x)] += 1;
    }
    let fit = chi_square(&counts, &probabilities);
    vec![
        Row::p_value(
            "double-well-law",
            "dX = -U' dt + 1.5 dW, U = (x^2 - 1)^2, tends to exp(-2U / 1.5^2) / Z: chi-square, 24 classes, t = 12 (16,384 paths)",
            fit.expected,
            fit.statistic,
            fit.p,
        ),
        Row::estimate(
            "double-well-forgets-its-start",
            "both wells are visited alike: E[X] = 0 at t = 12 after a start in the right one",
            0.0,
            mean(states.iter().copied()),
        ),
        Row::estimate(
            "double-well-second-moment",
            "E[X^2] of the same is int x^2 exp(-2U / 1.5^2) dx / Z",
            law.mean(|x| x * x),
            mean_square(states.iter().copied()),
        ),
        Row::estimate(
            "double-well-virial",
            "at rest the generator has mean zero: E[X U'(X)] = noise^2 / 2",
            1.125,
            mean(states.iter().map(|x| x * slope_of_well(*x))),
        ),
    ]
}

/// The well's own gradient, at one point.
fn slope_of_well(x: f64) -> f64 {
    let mut slope = [0.0];
    DoubleWell { barrier: 1.0, half_distance: 1.0 }.gradient(&[x as f32], &mut slope);
    f64::from(slope[0])
}

const FRICTION: f32 = 1.5;
const NOISE: f32 = 1.5;
/// `noise^2 / (2 friction)`.
const TEMPERATURE: f64 = 0.75;

/// Positions and velocities of an ensemble after a start at rest at 0.
fn phase_space<P: Potential + Copy + Sync>(potential: P, t1: f32, paths: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let ensemble = Ensemble {
        stepper: Shark,
        sde: UnderdampedLangevin { potential, friction: FRICTION, noise: NOISE },
        dim: 2,
        span: Span { t0: 0.0, t1 },
        steps: (64.0 * t1) as u32,
        seed,
    };
    let keep = |out: &mut Vec<f64>, _: usize, x: &[f32]| out.extend(x.iter().map(|x| f64::from(*x)));
    let blocks = ensemble.map(blocks_of(paths), at(0.0), &[ensemble.steps], Vec::new, keep);
    let half = |half: usize| blocks.iter().flat_map(|block| &block[half * BLOCK..][..BLOCK]).copied().collect();
    (half(0), half(1))
}

fn free_particle(laboratory: &Laboratory) -> Vec<Row> {
    let (q, v) = phase_space(Flat, 1.0, 1 << 17, laboratory.seed_of("free-particle"));
    // e^(-friction t) and what velocities have lost of their start.
    let decay = f64::from(-FRICTION).exp();
    let friction = f64::from(FRICTION);
    vec![
        Row::estimate(
            "free-particle-position",
            "dq = v dt, dv = -c v dt + g dW from rest: Var q = T/c^2 (2ct - 3 + 4 e^(-ct) - e^(-2ct)), t = 1 (131,072 paths)",
            TEMPERATURE / (friction * friction) * (2.0 * friction - 3.0 + 4.0 * decay - decay * decay),
            variance(q.iter().copied()),
        ),
        Row::estimate(
            "free-particle-covariance",
            "Cov(q, v) = T/c (1 - e^(-ct))^2 = d/dt Var q / 2, T = g^2 / 2c, c = g = 3/2, t = 1",
            TEMPERATURE / friction * (1.0 - decay).powi(2),
            covariance(q.iter().copied().zip(v.iter().copied())),
        ),
    ]
}

fn spring_rows(laboratory: &Laboratory) -> Vec<Row> {
    const STIFFNESS: f64 = 2.0;
    let potential = Quadratic { stiffness: STIFFNESS as f32 };
    // What is left of the start has decayed by e^(-c t) in the variances, 1e-8.
    let (q, v) = phase_space(potential, 12.0, 1 << 15, laboratory.seed_of("spring"));
    vec![
        Row::estimate(
            "equipartition-velocity",
            "on a spring U = k q^2 / 2, at rest: Var v = T = g^2 / 2c, k = 2, t = 12 (32,768 paths)",
            TEMPERATURE,
            variance(v.iter().copied()),
        ),
        Row::estimate(
            "equipartition-position",
            "and k Var q = T",
            TEMPERATURE,
            variance(q.iter().map(|q| STIFFNESS.sqrt() * q)),
        ),
        Row::estimate(
            "equipartition-covariance",
            "while position and velocity are uncorrelated",
            0.0,
            covariance(q.iter().copied().zip(v.iter().copied())),
        ),
    ]
}
