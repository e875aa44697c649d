//! The way back from noise to data: Anderson's equation, the probability flow, and DDPM's steps beside them.

use mote_core::ensemble::BLOCK;
use mote_core::random::{Increment, NormalSource, Span};
use mote_core::sampler::{Ancestral, AncestralVariance, PlanBuilder};
use mote_core::schedule::{Edm, NoiseLevel, NoiseSchedule, Schedule, VpLinear};
use mote_core::score::{Component, GaussianMixture, PerComponent, Prediction, ScoreModel};
use mote_core::sde::{AdditiveNoise, ProbabilityFlow, ReverseTime, Sde, Ve, Vp};
use mote_core::stepper::{EulerMaruyama, EulerOde, Heun, RungeKutta4, Sra1, Stepper};

use super::law::{DATA, Law};
use super::{Chapter, Experiment, Laboratory, Row, kolmogorov, worst};
use crate::ensemble::{Ensemble, blocks_of};
use crate::statistics::{mean, variance};

pub(super) const CHAPTER: Chapter = Chapter {
    name: "reverse",
    title: "The way back from noise to data",
    experiments: &[
        Experiment {
            rows: &[
                "reverse-sde-mean",
                "reverse-sde-variance",
                "reverse-sde-balance",
                "reverse-sde-law",
                "reverse-sde-half-way",
                "flow-mean",
                "flow-variance",
                "flow-balance",
                "flow-law",
                "flow-half-way",
            ],
            run: back_to_data,
        },
        Experiment {
            rows: &["flow-normal-closed-form", "flow-euler-order", "flow-heun-order"],
            run: flow_of_a_normal_law,
        },
        Experiment {
            rows: &[
                "ancestral-step-mean",
                "ancestral-step-small-noise",
                "ancestral-step-large-noise",
                "ancestral-against-euler",
            ],
            run: ancestral_steps,
        },
    ],
};

/// Paths of an ensemble, whole blocks.
const PATHS: usize = 80 * BLOCK;
/// Where the way back ends: the noise that is left there has a deviation of 0.01, and the laws compared include it.
const END: f32 = 1e-3;
const VP: Vp = Vp { schedule: VpLinear::DEFAULT };

type Exact = (GaussianMixture<'static>, Schedule);

fn wide(x: f32) -> f64 {
    f64::from(x)
}

/// The names of the rows of one way back.
struct Names {
    mean: &'static str,
    variance: &'static str,
    balance: &'static str,
    law: &'static str,
    half_way: &'static str,
}

/// From N(0, 1) at time 1 to the data, with the exact score.
///
/// The law of the data at time 1 is N(0, 1) up to alpha(1)^3 = 3e-7, since mean and variance of the data are 0 and 1. The steps are those at
/// which the steppers' own errors in mean, variance and balance are below 1/20 of the standard errors, as measured in double precision on
/// noise shared with a grid eight times finer.
fn back_to_data(laboratory: &Laboratory) -> Vec<Row> {
    let score: PerComponent<Exact> = PerComponent { score: (DATA, Schedule::VpLinear(VP.schedule)), dim: BLOCK };
    let room = [0.0; 2 * BLOCK];
    let mut rows = Vec::new();
    if let Some(sde) = ReverseTime::new(VP, score, room) {
        let seed = laboratory.seed_of("reverse-sde");
        let ensemble = Ensemble { stepper: Sra1, sde, dim: 1, span: Span { t0: 1.0, t1: END }, steps: 250, seed };
        let names = Names {
            mean: "reverse-sde-mean",
            variance: "reverse-sde-variance",
            balance: "reverse-sde-balance",
            law: "reverse-sde-law",
            half_way: "reverse-sde-half-way",
        };
        rows.extend(way_back(&ensemble, "dX = (f - g^2 score) dt + g dW", &names));
    }
    if let Some(sde) = ProbabilityFlow::new(VP, score, room) {
        let seed = laboratory.seed_of("probability-flow");
        let ensemble = Ensemble { stepper: Heun, sde, dim: 1, span: Span { t0: 1.0, t1: END }, steps: 150, seed };
        let names = Names {
            mean: "flow-mean",
            variance: "flow-variance",
            balance: "flow-balance",
            law: "flow-law",
            half_way: "flow-half-way",
        };
        rows.extend(way_back(&ensemble, "dX = (f - g^2 score / 2) dt", &names));
    }
    rows
}

fn way_back<P, S>(ensemble: &Ensemble<P, S>, equation: &str, names: &Names) -> Vec<Row>
where
    P: Stepper<S> + Sync,
    S: Sde + Clone + Sync,
{
    // Seven tenths of the way alpha is 0.63: two modes begin to show.
    let stop = ensemble.steps * 7 / 10;
    let middle = Law::at(VP.schedule.level(ensemble.span.step(stop, ensemble.steps).t0));
    let end = Law::at(VP.schedule.level(END));
    let blocks = ensemble.map(
        blocks_of(PATHS),
        |normals, x| normals.fill(x),
        &[stop, ensemble.steps],
        <[Vec<f32>; 2]>::default,
        |seen, k, x| seen[k].extend_from_slice(x),
    );
    let gather = |k: usize| blocks.iter().flat_map(|block| block[k].iter().copied()).collect::<Vec<_>>();
    let (half_way, data) = (gather(0), gather(1));
    let draws = data.iter().copied().map(wide);
    // The density's lowest point between the modes is near.
    let border = -0.3;
    vec![
        Row::estimate(
            names.mean,
            format!("{equation} from N(0, 1) back to bimodal data: mean"),
            end.mean(),
            mean(draws.clone()),
        ),
        Row::estimate(
            names.variance,
            format!("{equation} from N(0, 1) back to bimodal data: variance"),
            end.variance(),
            variance(draws.clone()),
        ),
        Row::estimate(
            names.balance,
            format!("{equation} from N(0, 1) back to bimodal data: share of the left mode"),
            end.cdf(border),
            mean(draws.map(|x| if x < border { 1.0 } else { 0.0 })),
        ),
        kolmogorov::against_law(
            names.law,
            format!("{equation} from N(0, 1) back to bimodal data: the whole law (KS)"),
            &data,
            |x| end.cdf(x),
        ),
        kolmogorov::against_law(
            names.half_way,
            format!("{equation} seven tenths of the way back: the forward marginal at t = 0.3 (KS)"),
            &half_way,
            |x| middle.cdf(x),
        ),
    ]
}

/// Data N(0, 0.5^2).
const NORMAL: GaussianMixture<'static> =
    GaussianMixture { components: &[Component { weight: 1.0, mean: &[0.0], deviation: 0.5 }] };

/// The end of the probability flow of normal data from `start` at time 1, over what the closed form says:
/// `x_t = x_1 sqrt(v_t / v_1)` with `v = alpha^2 s^2 + sigma^2`, the same share of the deviation at all times.
fn flow_end<S, P>(sde: S, schedule: Schedule, stepper: P, steps: u32, end: f32) -> f64
where
    S: AdditiveNoise + Clone + Sync,
    P: Stepper<ProbabilityFlow<S, Exact, [f32; 2]>>,
{
    let deviation = |t| {
        let NoiseLevel { alpha, sigma } = schedule.level(t);
        (0.5 * wide(alpha)).hypot(wide(sigma))
    };
    let Some(mut flow) = ProbabilityFlow::new(sde, (NORMAL, schedule), [0.0; 2]) else { return f64::NAN };
    let (mut x, mut scratch) = ([1.5 * deviation(1.0) as f32], [0.0; 8]);
    let span = Span { t0: 1.0, t1: end };
    for i in 0..steps {
        stepper.step(&mut flow, span.step(i, steps), &Increment { w: &[], h: &[] }, &mut x, &mut scratch);
    }
    wide(x[0]) / (1.5 * deviation(end))
}

fn flow_of_a_normal_law(_: &Laboratory) -> Vec<Row> {
    let edm = Edm { sigma_min: 0.01, sigma_max: 10.0 };
    let (ve, ve_schedule, vp_schedule) = (Ve { schedule: edm }, Schedule::Edm(edm), Schedule::VpLinear(VP.schedule));
    let order = |coarse: u32, error: &dyn Fn(u32) -> f64| (error(coarse) / error(4 * coarse)).abs().log2() / 2.0;
    let euler = |steps| flow_end(ve, ve_schedule, EulerOde, steps, 0.0) - 1.0;
    let heun = |steps| flow_end(ve, ve_schedule, Heun, steps, 0.0) - 1.0;
    vec![
        worst::exact(
            "flow-normal-closed-form",
            "flow of N(0, s^2), VP and VE, Runge-Kutta: x_t / (x_1 sqrt((alpha^2 s^2 + sigma^2)_t / (...)_1)) = 1",
            [
                (1.0, flow_end(VP, vp_schedule, RungeKutta4, 200, END)),
                (1.0, flow_end(VP, vp_schedule, RungeKutta4, 200, 0.3)),
                (1.0, flow_end(ve, ve_schedule, RungeKutta4, 200, 0.0)),
                (1.0, flow_end(ve, ve_schedule, RungeKutta4, 200, 0.5)),
            ],
            // Two hundred steps, each with a few roundings of 6e-8; the steps' own error is below 1e-7.
            2e-5,
        ),
        Row::order(
            "flow-euler-order",
            "flow of N(0, s^2), VE: Euler's error at the data has order 1",
            1.0,
            order(400, &euler),
        ),
        Row::order(
            "flow-heun-order",
            "flow of N(0, s^2), VE: Heun's error at the data has order 2",
            2.0,
            order(50, &heun),
        ),
    ]
}

/// One step backwards from `t` by `h` from `x`: mean and deviation by DDPM's row with this variance, as its rows are run.
fn ancestral_step(model: &mut Exact, variance: AncestralVariance, (t, h): (f32, f32), x: f32) -> Option<(f64, f64)> {
    let levels = [model.1.level(t), model.1.level(t - h)];
    let row = Ancestral { variance }.row(0, &levels, Prediction::Score)?;
    let mut score = [0.0];
    model.score(&[x], t, &mut score);
    let m = wide(row.p) * wide(x) + wide(row.q) * wide(score[0]);
    Some((wide(row.a) * wide(x) + wide(row.b[0]) * m, wide(row.e)))
}

/// The same by Euler and Maruyama's step of the reverse equation: where no noise leads, and how far a unit of it.
fn euler_step(model: Exact, (t, h): (f32, f32), x: f32) -> Option<(f64, f64)> {
    let mut sde = ReverseTime::new(VP, model, [0.0; 2])?;
    let mut to = |w: f32| {
        let (mut x, mut scratch) = ([x], [0.0; 4]);
        EulerMaruyama.step(&mut sde, Span { t0: t, t1: t - h }, &Increment { w: &[w], h: &[] }, &mut x, &mut scratch);
        wide(x[0])
    };
    let still = to(0.0);
    Some((still, to(h.sqrt()) - still))
}

fn ancestral_steps(_: &Laboratory) -> Vec<Row> {
    let mut model: Exact = (DATA, Schedule::VpLinear(VP.schedule));
    // The largest difference of one step at t = 0.4 over some states, in mean and in deviation.
    let mut difference = |h: f32| {
        let mut largest = [0.0f64; 3];
        for x in [-1.6, -0.5, 0.4, 1.3] {
            let pair = [AncestralVariance::Small, AncestralVariance::Large]
                .map(|variance| ancestral_step(&mut model, variance, (0.4, h), x));
            let (Some(euler), [Some(small), Some(large)]) = (euler_step(model, (0.4, h), x), pair) else {
                return [f64::NAN; 3];
            };
            let gaps = [small.0 - euler.0, small.1 - euler.1, large.1 - euler.1];
            largest = std::array::from_fn(|k| if gaps[k].is_nan() { f64::NAN } else { largest[k].max(gaps[k].abs()) });
        }
        largest
    };
    // Rates beta of a step from .04 to .01: below that the roundings of f32 come near the differences.
    let (coarse, fine) = (difference(5e-3), difference(1.25e-3));
    let [in_mean, in_small, in_large] = std::array::from_fn(|k| (coarse[k] / fine[k]).log2() / 2.0);
    let law = |steps| reversed_variance(steps).map_or(f64::NAN, |[ancestral, euler]| (ancestral - euler).abs());
    vec![
        Row::order(
            "ancestral-step-mean",
            "means of a DDPM step and an Euler-Maruyama step of the reverse SDE differ by O(beta^2)",
            2.0,
            in_mean,
        ),
        Row::order(
            "ancestral-step-small-noise",
            "sqrt(beta (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t)) and Euler-Maruyama's g sqrt(dt) differ by O(beta^(3/2))",
            1.5,
            in_small,
        ),
        Row::order(
            "ancestral-step-large-noise",
            "sqrt(beta) and Euler-Maruyama's g sqrt(dt) differ by O(beta^(3/2))",
            1.5,
            in_large,
        ),
        Row::order(
            "ancestral-against-euler",
            "variances of normal data by DDPM and by Euler-Maruyama of the reverse SDE in N steps differ by O(1/N)",
            1.0,
            (law(400) / law(3200)).log2() / 3.0,
        ),
    ]
}

/// The variance that N(0, 1) at time 1 has at time 0.01, by DDPM and by Euler and Maruyama in as many steps: for normal data each step is linear,
/// so that no draw is needed.
fn reversed_variance(steps: u32) -> Option<[f64; 2]> {
    let mut model: Exact = (NORMAL, Schedule::VpLinear(VP.schedule));
    let span = Span { t0: 1.0, t1: 0.01 };
    let mut variances = [1.0, 1.0];
    for i in 0..steps {
        let Span { t0, t1 } = span.step(i, steps);
        let pair = [
            ancestral_step(&mut model, AncestralVariance::Small, (t0, t0 - t1), 1.0)?,
            euler_step(model, (t0, t0 - t1), 1.0)?,
        ];
        for (variance, (gain, deviation)) in variances.iter_mut().zip(pair) {
            *variance = gain * gain * *variance + deviation * deviation;
        }
    }
    Some(variances)
}
