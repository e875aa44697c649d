//! Scores and what they say: conversions between predictions, Tweedie's formula, the exact mixture.

use mote_core::random::NormalSource;
use mote_core::schedule::{NoiseLevel, NoiseSchedule, Schedule, VpLinear};
use mote_core::score::{Component, GaussianMixture, Prediction, ScoreModel, tweedie};

use super::law::{DATA, Law, draw_data};
use super::quadrature::{integral, normal_density, slope};
use super::{Chapter, Experiment, Laboratory, Row, worst};
use crate::statistics::mean;

pub(super) const CHAPTER: Chapter = Chapter {
    name: "scores",
    title: "Scores, and what they say about the data",
    experiments: &[
        Experiment {
            rows: &[
                "score-from-epsilon",
                "score-from-x0",
                "score-from-v",
                "score-from-flow",
                "score-from-edm",
                "x0-from-epsilon",
                "x0-from-v",
            ],
            run: conversions,
        },
        Experiment {
            rows: &["mixture-score", "tweedie-mean", "tweedie-variance", "mixture-posterior-variance"],
            run: tweedie,
        },
        Experiment { rows: &["posterior-covariance"], run: covariance_in_the_plane },
        Experiment { rows: &["score-mean", "score-times-state", "score-square"], run: fisher },
    ],
};

const SCHEDULE: Schedule = Schedule::VpLinear(VpLinear::DEFAULT);
/// Draws of a mean.
const DRAWS: usize = 100_000;

fn wide(x: f32) -> f64 {
    f64::from(x)
}

/// What Bayes' rule on a grid says of the data behind a state, in double precision.
struct Point {
    level: NoiseLevel,
    t: f32,
    x: f32,
    /// `E[x0 | x]`.
    mean: f64,
    /// `Var[x0 | x]`.
    variance: f64,
    /// `d E[x0 | x] / dx`.
    slope_of_mean: f64,
    /// `d ln p_t(x) / dx`.
    score: f64,
}

/// The integral of `f(x0) p(x0) q(x | x0)` over the data.
fn against_joint(level: NoiseLevel, x: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (alpha, variance) = (wide(level.alpha), wide(level.sigma).powi(2));
    let data = Law::data();
    // The narrowest bell, the data's mode times the kernel, has a deviation above .1 at the levels seen here.
    integral((-5.0, 5.0), 400, |x0| f(x0) * data.density(x0) * normal_density(x, alpha * x0, variance))
}

impl Point {
    fn new(t: f32, x: f32) -> Self {
        let level = SCHEDULE.level(t);
        let mean_at = |x| against_joint(level, x, |x0| x0) / against_joint(level, x, |_| 1.0);
        let mean = mean_at(wide(x));
        let mass = against_joint(level, wide(x), |_| 1.0);
        Self {
            level,
            t,
            x,
            mean,
            variance: against_joint(level, wide(x), |x0| (x0 - mean).powi(2)) / mass,
            slope_of_mean: slope(wide(x), 1e-3, mean_at),
            score: slope(wide(x), 1e-3, |x| against_joint(level, x, |_| 1.0).ln()),
        }
    }

    /// Three times and seven states, from one tail to the other.
    fn all() -> Vec<Self> {
        let states = [-1.9f32, -1.2, -0.6, -0.1, 0.4, 0.9, 1.7];
        [0.15f32, 0.35, 0.7].into_iter().flat_map(|t| states.map(|x| Self::new(t, x))).collect()
    }

    /// `E[eps | x]`.
    fn epsilon(&self) -> f64 {
        (wide(self.x) - wide(self.level.alpha) * self.mean) / wide(self.level.sigma)
    }
}

/// The best output of each kind, a posterior mean on the grid, converted to the score by the library.
fn conversions(_: &Laboratory) -> Vec<Row> {
    let points = Point::all();
    // The best output in double precision, written down apart from the library's targets.
    type Best = fn(&Point) -> f64;
    let x0: Best = |p| p.mean;
    let epsilon: Best = Point::epsilon;
    let v: Best = |p| wide(p.level.alpha) * p.epsilon() - wide(p.level.sigma) * p.mean;
    let flow: Best = |p| p.epsilon() - p.mean;
    let edm: Best = |p| {
        // D = c_skip y + c_out F at y = x / alpha, with sigma_data = .5.
        let (s, y) = (wide(p.level.sigma) / wide(p.level.alpha), wide(p.x) / wide(p.level.alpha));
        let power = s * s + 0.25;
        (p.mean - 0.25 / power * y) / (0.5 * s / power.sqrt())
    };
    let row = |name, statement: &str, prediction: Prediction, best: Best| {
        let pairs = points.iter().map(|p| (p.score, wide(prediction.score(p.level).at(p.x, best(p) as f32))));
        // Rounded coefficients of up to 1 / sigma^2 < 8, times states of up to 2 and a few roundings of 6e-8.
        worst::exact(name, format!("{statement} = d/dx ln p_t(x), by Bayes' rule on a grid, 21 points"), pairs, 1e-5)
    };
    let x0_row = |name, statement: &str, prediction: Prediction, best: Best| {
        let pairs = points.iter().map(|p| (p.mean, wide(prediction.x0(p.level).at(p.x, best(p) as f32))));
        // Division by alpha > .08 and a few roundings of 6e-8 of states of up to 2.
        worst::exact(name, format!("{statement} = E[x0 | x], by Bayes' rule on a grid, 21 points"), pairs, 1e-5)
    };
    vec![
        row("score-from-epsilon", "score = -E[eps | x] / sigma", Prediction::Epsilon, epsilon),
        row("score-from-x0", "score = (alpha E[x0 | x] - x) / sigma^2", Prediction::X0, x0),
        row("score-from-v", "score = -(x + alpha / sigma v), v = E[alpha eps - sigma x0 | x], VP", Prediction::V, v),
        row(
            "score-from-flow",
            "score = -(x + alpha u) / (sigma (alpha + sigma)), u = E[eps - x0 | x]",
            Prediction::Flow,
            flow,
        ),
        row("score-from-edm", "score of F by Karras' c_skip, c_out", Prediction::EdmF { sigma_data: 0.5 }, edm),
        x0_row("x0-from-epsilon", "x0 = (x - sigma E[eps | x]) / alpha", Prediction::Epsilon, epsilon),
        x0_row("x0-from-v", "x0 = alpha x - sigma v, VP", Prediction::V, v),
    ]
}

fn tweedie(_: &Laboratory) -> Vec<Row> {
    let points = Point::all();
    let mixture = points.iter().map(|p| {
        let mut score = [0.0];
        (DATA, SCHEDULE).score(&[p.x], p.t, &mut score);
        (p.score, wide(score[0]))
    });
    let means = points.iter().map(|p| (p.mean, wide(tweedie::mean(p.level, p.x, p.score as f32))));
    let variances = points.iter().map(|p| (p.variance, wide(tweedie::covariance(p.level, p.slope_of_mean as f32))));
    let of_mixture = points.iter().map(|p| {
        let (mut mean, mut variance) = ([0.0], [0.0]);
        DATA.posterior_mean(p.level, &[p.x], &mut mean);
        DATA.posterior_covariance(p.level, &[p.x], &mean, &mut variance);
        (p.variance, wide(variance[0]))
    });
    vec![
        worst::exact(
            "mixture-score",
            "score of the exact mixture = d/dx ln p_t(x), by Bayes' rule on a grid, 21 points",
            mixture,
            // Roundings of the posterior mean, divided by sigma^2 > .13.
            1e-5,
        ),
        worst::exact(
            "tweedie-mean",
            "Tweedie: (x + sigma^2 score) / alpha = E[x0 | x], by Bayes' rule on a grid, 21 points",
            means,
            1e-5,
        ),
        worst::exact(
            "tweedie-variance",
            "Tweedie: sigma^2 / alpha d/dx E[x0 | x] = Var[x0 | x], by Bayes' rule on a grid, 21 points",
            variances,
            1e-6,
        ),
        worst::exact(
            "mixture-posterior-variance",
            "posterior variance of the exact mixture = Var[x0 | x], by Bayes' rule on a grid, 21 points",
            of_mixture,
            // The shares of the components come from exponents of up to 30, rounded to 2e-6.
            1e-5,
        ),
    ]
}

/// The entry of the posterior covariance off the diagonal, for a mixture of three laws in the plane.
fn covariance_in_the_plane(_: &Laboratory) -> Vec<Row> {
    const MIXTURE: GaussianMixture<'static> = GaussianMixture {
        components: &[
            Component { weight: 1.0, mean: &[-1.0, 0.5], deviation: 0.4 },
            Component { weight: 2.0, mean: &[0.8, -0.3], deviation: 0.6 },
            Component { weight: 0.5, mean: &[0.2, 1.1], deviation: 0.3 },
        ],
    };
    let level = NoiseLevel { alpha: 0.8, sigma: 0.6 };
    let pairs = [[0.1f32, 0.3], [-0.7, 0.2], [0.5, 0.9]].map(|x| {
        let (mut mean, mut covariance) = ([0.0; 2], [0.0; 4]);
        MIXTURE.posterior_mean(level, &x, &mut mean);
        MIXTURE.posterior_covariance(level, &x, &mean, &mut covariance);
        // Bayes' rule on a grid of the plane.
        let bell = |a: f64, b: f64, deviation: f64| normal_density(a, b, deviation * deviation);
        let (alpha, sigma) = (wide(level.alpha), wide(level.sigma));
        let joint = |u: f64, v: f64| {
            let prior = |c: &Component<'_>| {
                let deviation = wide(c.deviation);
                wide(c.weight) * bell(u, wide(c.mean[0]), deviation) * bell(v, wide(c.mean[1]), deviation)
            };
            let seen = bell(wide(x[0]), alpha * u, sigma) * bell(wide(x[1]), alpha * v, sigma);
            MIXTURE.components.iter().map(prior).sum::<f64>() * seen
        };
        let moment = |f: &dyn Fn(f64, f64) -> f64| {
            integral((-4.0, 4.0), 100, |u| integral((-4.0, 4.0), 100, |v| f(u, v) * joint(u, v)))
        };
        let mass = moment(&|_, _| 1.0);
        let centre = [moment(&|u, _| u) / mass, moment(&|_, v| v) / mass];
        (moment(&|u, v| (u - centre[0]) * (v - centre[1])) / mass, wide(covariance[1]))
    });
    vec![worst::exact(
        "posterior-covariance",
        "posterior covariance of two components of x0 under a mixture in the plane, by Bayes' rule on a grid, 3 points",
        pairs,
        1e-6,
    )]
}

fn fisher(laboratory: &Laboratory) -> Vec<Row> {
    const TIME: f32 = 0.3;
    let level = SCHEDULE.level(TIME);
    let mut normals = mote_core::ensemble::BlockSequence::new(laboratory.seed_of("fisher")).next_normals();
    let mut states = vec![0.0; DRAWS];
    draw_data(&mut normals, &mut states);
    let mut model = (DATA, SCHEDULE);
    let scored: Vec<_> = states
        .iter()
        .map(|x0| {
            let (x, mut score) = (level.alpha * x0 + level.sigma * normals.normal(), [0.0]);
            model.score(&[x], TIME, &mut score);
            (wide(x), wide(score[0]))
        })
        .collect();
    // The score's variance is Fisher's information, the integral of p'^2 / p.
    let law = Law::at(level);
    let information = integral((-8.0, 8.0), 1600, |x| {
        slope(x, 1e-3, |x| law.density(x)).powi(2) / law.density(x).max(f64::MIN_POSITIVE)
    });
    vec![
        Row::estimate("score-mean", "E[score] = 0 under p_t", 0.0, mean(scored.iter().map(|(_, s)| *s))),
        Row::estimate("score-times-state", "E[x score] = -1 under p_t", -1.0, mean(scored.iter().map(|(x, s)| x * s))),
        Row::estimate(
            "score-square",
            "E[score^2] under p_t = int p'^2 / p, Fisher's information",
            information,
            mean(scored.iter().map(|(_, s)| s * s)),
        ),
    ]
}
