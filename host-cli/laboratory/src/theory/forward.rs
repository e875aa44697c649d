//! Forward diffusion: data turned into noise, step by step and in one go.

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{NormalSource, Span};
use mote_core::schedule::{Edm, NoiseLevel, VpLinear};
use mote_core::sde::{ForwardKernel, SubVp, Ve, Vp};
use mote_core::stepper::Sra1;

use super::law::{Law, draw_data};
use super::{Chapter, Experiment, Laboratory, Row, kolmogorov, worst};
use crate::ensemble::{Ensemble, at};
use crate::statistics::{Estimate, mean, variance};

pub(super) const CHAPTER: Chapter = Chapter {
    name: "forward",
    title: "Forward diffusion",
    experiments: &[
        Experiment {
            rows: &["vp-kernel-alpha", "vp-kernel-sigma", "vp-mean", "vp-variance", "vp-direct", "vp-unit-variance"],
            run: vp,
        },
        Experiment {
            rows: &[
                "sub-vp-kernel-alpha",
                "sub-vp-kernel-sigma",
                "sub-vp-mean",
                "sub-vp-variance",
                "sub-vp-direct",
                "sub-vp-variance-dips",
            ],
            run: sub_vp,
        },
        Experiment {
            rows: &["ve-kernel-alpha", "ve-kernel-sigma", "ve-mean", "ve-variance", "ve-direct", "ve-variance-grows"],
            run: ve,
        },
    ],
};

/// Paths of an ensemble, whole blocks.
const PATHS: usize = 256 * BLOCK;
/// Where the paths of the conditional law start.
const START: f32 = 1.5;

/// What the rows of one process say.
struct Process {
    alpha: (&'static str, &'static str),
    sigma: (&'static str, &'static str),
    mean: (&'static str, &'static str),
    variance: (&'static str, &'static str),
    direct: (&'static str, &'static str),
    spread: (&'static str, &'static str),
    /// End of the stepped span, and steps at which SRA1's own error in the moments, which follow a recursion for a linear drift, is below
    /// 1/30 of their standard errors.
    until: f32,
    steps: u32,
}

fn vp(laboratory: &Laboratory) -> Vec<Row> {
    let rows = Process {
        alpha: ("vp-kernel-alpha", "VP: exp(-int beta / 2) / (solution of m' = -beta m / 2) = 1 at four times"),
        sigma: ("vp-kernel-sigma", "VP: (1 - alpha^2) / (solution of v' = -beta v + beta) = 1 at four times"),
        mean: ("vp-mean", "VP stepped from x0: E[x_t | x0] = alpha x0"),
        variance: ("vp-variance", "VP stepped from x0: Var[x_t | x0] = sigma^2"),
        direct: ("vp-direct", "VP: stepped x_t and direct alpha x0 + sigma eps have one law (two-sample KS)"),
        spread: ("vp-unit-variance", "VP stepped from data of variance 1: Var x_t stays 1"),
        until: 0.4,
        steps: 100,
    };
    process(laboratory, Vp { schedule: VpLinear::DEFAULT }, &rows)
}

fn sub_vp(laboratory: &Laboratory) -> Vec<Row> {
    let rows = Process {
        alpha: ("sub-vp-kernel-alpha", "sub-VP: alpha / (solution of m' = -beta m / 2) = 1 at four times"),
        sigma: (
            "sub-vp-kernel-sigma",
            "sub-VP: (1 - alpha^2)^2 / (solution of v' = -beta v + beta (1 - alpha^4)) = 1 at four times",
        ),
        mean: ("sub-vp-mean", "sub-VP stepped from x0: E[x_t | x0] = alpha x0"),
        variance: ("sub-vp-variance", "sub-VP stepped from x0: Var[x_t | x0] = (1 - alpha^2)^2"),
        direct: ("sub-vp-direct", "sub-VP: stepped x_t and direct alpha x0 + sigma eps have one law (two-sample KS)"),
        spread: (
            "sub-vp-variance-dips",
            "sub-VP stepped from data of variance 1: Var x_t = 1 - alpha^2 (1 - alpha^2), at most 1",
        ),
        until: 0.4,
        steps: 100,
    };
    process(laboratory, SubVp { schedule: VpLinear::DEFAULT }, &rows)
}

fn ve(laboratory: &Laboratory) -> Vec<Row> {
    let rows = Process {
        alpha: ("ve-kernel-alpha", "VE: alpha / (solution of m' = 0) = 1 at four times"),
        sigma: (
            "ve-kernel-sigma",
            "VE: (s(t)^2 - s(0)^2) / (solution of v' = 2 ln(s(1) / s(0)) s(t)^2) = 1 at four times",
        ),
        mean: ("ve-mean", "VE stepped from x0: E[x_t | x0] = x0"),
        variance: ("ve-variance", "VE stepped from x0: Var[x_t | x0] = s(t)^2 - s(0)^2"),
        direct: ("ve-direct", "VE: stepped x_t and direct x0 + sigma eps have one law (two-sample KS)"),
        spread: ("ve-variance-grows", "VE stepped from data of variance 1: Var x_t = 1 + s(t)^2 - s(0)^2"),
        until: 0.75,
        steps: 200,
    };
    process(laboratory, Ve { schedule: Edm { sigma_min: 0.01, sigma_max: 10.0 } }, &rows)
}

fn process<S: ForwardKernel + Clone + Sync>(laboratory: &Laboratory, sde: S, process: &Process) -> Vec<Row> {
    let level = sde.kernel(process.until);
    let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
    let moments = [0.1, 0.4, 0.7, 1.0].map(|t| (moments(&mut sde.clone(), t), sde.kernel(t)));
    // Alpha and sigma^2 come out of a few roundings, some of them those of an exponential's argument of up to 14: 3e-6 relative.
    let mut rows = vec![
        {
            let (name, statement) = process.alpha;
            worst::exact(name, statement, moments.map(|((m, _), level)| (1.0, f64::from(level.alpha) / m)), 3e-6)
        },
        {
            let (name, statement) = process.sigma;
            worst::exact(
                name,
                statement,
                moments.map(|((_, v), level)| (1.0, f64::from(level.sigma).powi(2) / v)),
                3e-6,
            )
        },
    ];

    let ensemble = |seed| Ensemble {
        stepper: Sra1,
        sde: sde.clone(),
        dim: 1,
        span: Span { t0: 0.0, t1: process.until },
        steps: process.steps,
        seed,
    };
    let estimate = |(name, statement): (&'static str, &'static str), predicted, measured: Estimate| {
        Row::estimate(name, statement, predicted, measured)
    };
    let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    let from_point = wide(&ensemble(laboratory.seed_of(process.mean.0)).finals(PATHS, at(START)));
    rows.push(estimate(process.mean, alpha * f64::from(START), mean(from_point.iter().copied())));
    rows.push(estimate(process.variance, sigma * sigma, variance(from_point.iter().copied())));

    let seed = laboratory.seed_of(process.spread.0);
    let from_data = ensemble(seed).finals(PATHS, draw_data);
    let direct = noised(level, laboratory.seed_of(process.direct.0), PATHS);
    rows.push(kolmogorov::against_draws(process.direct.0, process.direct.1, &from_data, &direct));
    rows.push(estimate(process.spread, Law::at(level).variance(), variance(wide(&from_data).iter().copied())));
    rows
}

/// Direct draws `alpha x0 + sigma eps`.
fn noised(level: NoiseLevel, seed: u64, count: usize) -> Vec<f32> {
    let mut normals = BlockSequence::new(seed).next_normals();
    let mut x = vec![0.0; count];
    draw_data(&mut normals, &mut x);
    for x in &mut x {
        *x = level.alpha * *x + level.sigma * normals.normal();
    }
    x
}

/// Mean (from 1) and variance (from 0) at `end` under `dX = a X dt + g dW`: `m' = a m`, `v' = 2 a v + g^2`, by Runge and Kutta's
/// fourth-order steps in double precision on the process' own coefficients.
fn moments(sde: &mut impl ForwardKernel, end: f32) -> (f64, f64) {
    const STEPS: u32 = 1000;
    let h = f64::from(end) / f64::from(STEPS);
    let mut rate = |half_steps: u32, (m, v): (f64, f64)| {
        let t = (0.5 * h * f64::from(half_steps)) as f32;
        let (mut a, mut g) = ([0.0], [0.0]);
        sde.drift(t, &[1.0], &mut a);
        sde.diffusion(t, &[1.0], &mut g);
        let (a, g) = (f64::from(a[0]), f64::from(g[0]));
        (a * m, 2.0 * a * v + g * g)
    };
    let ahead = |(m, v): (f64, f64), by: f64, (dm, dv): (f64, f64)| (m + by * dm, v + by * dv);
    let mut now = (1.0, 0.0);
    for i in 0..STEPS {
        let k1 = rate(2 * i, now);
        let k2 = rate(2 * i + 1, ahead(now, 0.5 * h, k1));
        let k3 = rate(2 * i + 1, ahead(now, 0.5 * h, k2));
        let k4 = rate(2 * i + 2, ahead(now, h, k3));
        for (k, weight) in [(k1, 1.0), (k2, 2.0), (k3, 2.0), (k4, 1.0)] {
            now = ahead(now, h * weight / 6.0, k);
        }
    }
    now
}
