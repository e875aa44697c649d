//! What score networks are trained on: the naive, denoising, trace and sliced losses, and Hutchinson's trace.

use mote_core::ensemble::BlockSequence;
use mote_core::random::{BoxMuller, NormalSource};
use mote_core::schedule::{NoiseSchedule, Schedule, VpLinear};
use mote_core::score::ScoreModel;

use super::law::{DATA, Law, draw_data};
use super::quadrature::{integral, normal_density, slope};
use super::{Chapter, Experiment, Laboratory, Row};
use crate::statistics::{Estimate, mean, variance};

pub(super) const CHAPTER: Chapter = Chapter {
    name: "objectives",
    title: "What scores are trained on",
    experiments: &[
        Experiment {
            rows: &[
                "denoising-gradient-a",
                "denoising-gradient-b",
                "denoising-loss-constant",
                "denoising-loss-same-constant",
                "trace-loss-constant",
                "trace-loss-same-constant",
            ],
            run: losses,
        },
        Experiment { rows: &["sliced-loss-signs", "sliced-loss-normal"], run: sliced },
        Experiment {
            rows: &["hutchinson-signs", "hutchinson-normal", "hutchinson-signs-variance", "hutchinson-normal-variance"],
            run: hutchinson,
        },
    ],
};

/// Draws of each mean.
const DRAWS: usize = 200_000;

fn wide(x: f32) -> f64 {
    f64::from(x)
}

fn normals(laboratory: &Laboratory, name: &str) -> BoxMuller {
    BlockSequence::new(laboratory.seed_of(name)).next_normals()
}

/// A model of the score with two parameters, `a x + b tanh x`.
#[derive(Clone, Copy)]
struct Model {
    a: f64,
    b: f64,
}

impl Model {
    fn score(self, x: f64) -> f64 {
        self.a * x + self.b * x.tanh()
    }

    fn slope(self, x: f64) -> f64 {
        self.a + self.b * (1.0 - x.tanh().powi(2))
    }

    /// Half the squared distance from a target.
    fn loss(self, x: f64, target: f64) -> f64 {
        0.5 * (self.score(x) - target).powi(2)
    }
}

/// A noisy state, the noise in it, and the exact score there.
struct Draw {
    x: f64,
    /// `-eps / sigma`, what denoising score matching aims at.
    towards_data: f64,
    score: f64,
}

fn losses(laboratory: &Laboratory) -> Vec<Row> {
    const TIME: f32 = 0.3;
    let schedule = Schedule::VpLinear(VpLinear::DEFAULT);
    let level = schedule.level(TIME);
    let sigma = wide(level.sigma);
    let mut normals = normals(laboratory, "losses");
    let mut data = vec![0.0; DRAWS];
    draw_data(&mut normals, &mut data);
    let mut exact = (DATA, schedule);
    let draws: Vec<_> = data
        .iter()
        .map(|x0| {
            let epsilon = normals.normal();
            let (x, mut score) = (level.alpha * x0 + level.sigma * epsilon, [0.0]);
            exact.score(&[x], TIME, &mut score);
            Draw { x: wide(x), towards_data: -wide(epsilon) / sigma, score: wide(score[0]) }
        })
        .collect();

    // The density in closed form, its score by differences, integrals on a grid.
    let law = Law::at(level);
    let under_law = |f: &dyn Fn(f64, f64) -> f64| {
        integral((-7.0, 7.0), 700, |x| law.density(x) * f(x, slope(x, 1e-3, |x| law.density(x).ln())))
    };
    let information = under_law(&|_, score| score * score);
    let (one, other) = (Model { a: -0.8, b: 0.5 }, Model { a: -1.5, b: -0.7 });
    let average = |f: &dyn Fn(&Draw) -> f64| mean(draws.iter().map(f));
    let gap = |model: Model, d: &Draw| model.loss(d.x, d.towards_data) - model.loss(d.x, d.score);
    let by_trace = |model: Model, d: &Draw| model.slope(d.x) + 0.5 * model.score(d.x).powi(2);
    vec![
        Row::estimate(
            "denoising-gradient-a",
            "s = a x + b tanh x: d/da E(s + eps / sigma)^2 / 2 = d/da E(s - score)^2 / 2, the latter by quadrature",
            under_law(&|x, score| (one.score(x) - score) * x),
            average(&|d| (one.score(d.x) - d.towards_data) * d.x),
        ),
        Row::estimate(
            "denoising-gradient-b",
            "s = a x + b tanh x: d/db E(s + eps / sigma)^2 / 2 = d/db E(s - score)^2 / 2, the latter by quadrature",
            under_law(&|x, score| (one.score(x) - score) * x.tanh()),
            average(&|d| (one.score(d.x) - d.towards_data) * d.x.tanh()),
        ),
        Row::estimate(
            "denoising-loss-constant",
            "denoising loss - naive loss = (1 / sigma^2 - E[score^2]) / 2, whatever the model",
            0.5 * (1.0 / (sigma * sigma) - information),
            average(&|d| gap(one, d)),
        ),
        Row::estimate(
            "denoising-loss-same-constant",
            "denoising loss - naive loss is the same for two models",
            0.0,
            average(&|d| gap(one, d) - gap(other, d)),
        ),
        Row::estimate(
            "trace-loss-constant",
            "E[s' + s^2 / 2] - naive loss = -E[score^2] / 2 (Hyvarinen), by parts",
            -0.5 * information,
            average(&|d| by_trace(one, d) - one.loss(d.x, d.score)),
        ),
        Row::estimate(
            "trace-loss-same-constant",
            "E[s' + s^2 / 2] - naive loss is the same for two models",
            0.0,
            average(&|d| {
                let gap = |model: Model| by_trace(model, d) - model.loss(d.x, d.score);
                gap(one) - gap(other)
            }),
        ),
    ]
}

const DIM: usize = 4;
type Vector = [f64; DIM];
type Matrix = [Vector; DIM];

/// A field without symmetry, `s_i = sum_j A_ij tanh x_j + B_ij x_j`.
const A: Matrix = [[-1.0, 0.6, -0.3, 0.2], [0.9, 0.4, 0.5, -0.7], [-0.2, 1.1, -0.8, 0.3], [0.5, -0.4, 0.7, 1.2]];
const B: Matrix = [[0.3, -0.5, 0.2, 0.8], [-0.1, -0.9, 0.6, 0.4], [0.7, 0.2, 0.5, -0.6], [-0.3, 0.8, -0.4, -0.2]];

fn field(x: &Vector) -> Vector {
    std::array::from_fn(|i| (0..DIM).map(|j| A[i][j] * x[j].tanh() + B[i][j] * x[j]).sum())
}

fn jacobian(x: &Vector) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| A[i][j] * (1.0 - x[j].tanh().powi(2)) + B[i][j]))
}

fn dot(v: &Vector, w: &Vector) -> f64 {
    v.iter().zip(w).map(|(v, w)| v * w).sum()
}

/// `v^T J v`.
fn quadratic(j: &Matrix, v: &Vector) -> f64 {
    j.iter().zip(v).map(|(row, v_i)| v_i * dot(row, v)).sum()
}

fn normal_vector(normals: &mut BoxMuller) -> Vector {
    std::array::from_fn(|_| wide(normals.normal()))
}

/// Signs: Rademacher's law.
fn signs(normals: &mut BoxMuller) -> Vector {
    normal_vector(normals).map(|z| if z < 0.0 { -1.0 } else { 1.0 })
}

fn sliced(laboratory: &Laboratory) -> Vec<Row> {
    // Under x ~ N(0, I) both parts of the trace loss are sums of integrals over one component.
    let on_line = |f: fn(f64) -> f64| integral((-9.0, 9.0), 360, |x| f(x) * normal_density(x, 0.0, 1.0));
    let (tanh2, x_tanh) = (on_line(|x| x.tanh().powi(2)), on_line(|x| x * x.tanh()));
    let trace: f64 = (0..DIM).map(|i| A[i][i] * (1.0 - tanh2) + B[i][i]).sum();
    let entries = A.iter().flatten().zip(B.iter().flatten());
    let square: f64 = entries.map(|(a, b)| a * a * tanh2 + 2.0 * a * b * x_tanh + b * b).sum();
    let explicit = trace + 0.5 * square;
    let measure = |name, slices: fn(&mut BoxMuller) -> Vector, loss: fn(&Matrix, &Vector, &Vector) -> f64| {
        let mut normals = normals(laboratory, name);
        let losses: Vec<_> = (0..DRAWS)
            .map(|_| {
                let x = normal_vector(&mut normals);
                loss(&jacobian(&x), &field(&x), &slices(&mut normals))
            })
            .collect();
        mean(losses.iter().copied())
    };
    let row = |name, statement, slices, loss| Row::estimate(name, statement, explicit, measure(name, slices, loss));
    vec![
        row(
            "sliced-loss-signs",
            "E[v^T J v + |s|^2 / 2], v random signs, = E[tr J + |s|^2 / 2], the latter by quadrature",
            signs,
            |j, s, v| quadratic(j, v) + 0.5 * dot(s, s),
        ),
        row(
            "sliced-loss-normal",
            "E[v^T J v + (v s)^2 / 2], v normal, = E[tr J + |s|^2 / 2], the latter by quadrature",
            normal_vector,
            |j, s, v| quadratic(j, v) + 0.5 * dot(v, s).powi(2),
        ),
    ]
}

fn hutchinson(laboratory: &Laboratory) -> Vec<Row> {
    let j = jacobian(&[0.4, -0.8, 1.3, 0.1]);
    let trace: f64 = (0..DIM).map(|i| j[i][i]).sum();
    let pairs = || (0..DIM).flat_map(|i| (0..i).map(move |k| (i, k)));
    let off_diagonal: f64 = pairs().map(|(i, k)| (j[i][k] + j[k][i]).powi(2)).sum();
    let diagonal: f64 = (0..DIM).map(|i| j[i][i] * j[i][i]).sum();
    let probes = |name, draw: fn(&mut BoxMuller) -> Vector| {
        let mut normals = normals(laboratory, name);
        (0..DRAWS).map(|_| quadratic(&j, &draw(&mut normals))).collect::<Vec<_>>()
    };
    let (by_signs, by_normals) = (probes("hutchinson-signs", signs), probes("hutchinson-normal", normal_vector));
    let row = |name, statement, predicted, measured: Estimate| Row::estimate(name, statement, predicted, measured);
    vec![
        row("hutchinson-signs", "Hutchinson: E[v^T J v] = tr J, v random signs", trace, mean(by_signs.iter().copied())),
        row("hutchinson-normal", "Hutchinson: E[v^T J v] = tr J, v normal", trace, mean(by_normals.iter().copied())),
        row(
            "hutchinson-signs-variance",
            "Var[v^T J v] = sum over i < k of (J_ik + J_ki)^2, v random signs",
            off_diagonal,
            variance(by_signs.iter().copied()),
        ),
        row(
            "hutchinson-normal-variance",
            "Var[v^T J v] = the same + 2 sum of J_ii^2, v normal",
            off_diagonal + 2.0 * diagonal,
            variance(by_normals.iter().copied()),
        ),
    ]
}
