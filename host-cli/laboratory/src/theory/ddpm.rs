//! The discrete chain of DDPM: its levels, its law, its posterior, its bound.

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::NormalSource;
use mote_core::schedule::{DdpmBetas, NoiseLevel, VpLinear};
use mote_core::score::Posterior;

use super::quadrature::{integral, normal_density};
use super::{Chapter, Experiment, Laboratory, Row, kolmogorov, worst};
use crate::statistics::{Estimate, mean, variance};

pub(super) const CHAPTER: Chapter = Chapter {
    name: "ddpm",
    title: "The discrete chain of DDPM",
    experiments: &[
        Experiment { rows: &["alpha-bar-product", "alpha-bar-limit", "alpha-bar-order"], run: alpha_bar },
        Experiment {
            rows: &["ddpm-chain-mean", "ddpm-chain-variance", "ddpm-chain-law", "snr-amplitude", "snr-power"],
            run: chain,
        },
        Experiment { rows: &["posterior-mean-x0", "posterior-mean-epsilon", "posterior-variance"], run: posterior },
        Experiment { rows: &["kl-epsilon-error", "kl-weight"], run: kl },
        Experiment { rows: &["bound-from-epsilon-error"], run: bound },
    ],
};

/// Paths of the stepped chain, whole blocks.
const PATHS: usize = 256 * BLOCK;

fn wide(x: f32) -> f64 {
    f64::from(x)
}

/// The level after step `i`, from 1.
fn level(betas: DdpmBetas, i: u32) -> NoiseLevel {
    betas.levels().nth(i as usize - 1).unwrap_or(NoiseLevel { alpha: f32::NAN, sigma: f32::NAN })
}

/// How far `ln alpha_bar` of a chain of so many steps lies below `-int beta`, in double precision.
fn shortfall(rate: VpLinear, steps: u32) -> f64 {
    let betas = DdpmBetas::of_rate(rate, steps);
    let sum: f64 = (1..=steps).map(|i| (-wide(betas.beta(i))).ln_1p()).sum();
    -0.5 * (wide(rate.beta_min) + wide(rate.beta_max)) - sum
}

fn alpha_bar(_: &Laboratory) -> Vec<Row> {
    let published = DdpmBetas::DEFAULT;
    let mut product = 1.0;
    let pairs = published.levels().zip(1..).map(|(level, i)| {
        product *= 1.0 - wide(published.beta(i));
        (1.0, wide(level.alpha).powi(2) / product)
    });
    let levels = worst::exact(
        "alpha-bar-product",
        "alpha_bar_i / ((1 - beta_1) ... (1 - beta_i)) = 1 at each of the 1,000 published steps",
        pairs.collect::<Vec<_>>(),
        // Two roundings of the exponential and of its argument.
        1e-6,
    );

    // -ln(1 - b) - b lies between b^2 / 2 and b^2 / 2 + b^3 / (3 (1 - b)), and the rates of the chain add up to the integral but for their
    // rounding to 24 bits.
    let rate = VpLinear::DEFAULT;
    let steps = 1000;
    let betas = DdpmBetas::of_rate(rate, steps);
    let power = |n: i32| (1..=steps).map(|i| wide(betas.beta(i)).powi(n)).sum::<f64>();
    let rest = power(3) / (3.0 * (1.0 - wide(betas.last))) + 1e-6;
    let limit = Row::exact(
        "alpha-bar-limit",
        "-int beta - ln alpha_bar = sum beta_i^2 / 2, up to sum beta_i^3 / (3 (1 - beta)): product against integral, 1,000 steps",
        0.5 * power(2),
        shortfall(rate, steps),
        rest,
    );
    let order = Row::order(
        "alpha-bar-order",
        "ln alpha_bar of N steps tends to -int beta with order 1 in 1/N",
        1.0,
        (shortfall(rate, 500) / shortfall(rate, 4000)).log2() / 3.0,
    );
    vec![levels, limit, order]
}

fn chain(laboratory: &Laboratory) -> Vec<Row> {
    const STEPS: u32 = 300;
    const START: f32 = 1.2;
    let betas = DdpmBetas::DEFAULT;
    let level = level(betas, STEPS);
    let (alpha, sigma) = (wide(level.alpha), wide(level.sigma));

    // The first half of the paths starts at one point, the second at draws of N(0, 1), whose partners are kept.
    let mut sequence = BlockSequence::new(laboratory.seed_of("ddpm-chain"));
    let (mut starts, mut ends) = (Vec::with_capacity(PATHS), Vec::with_capacity(PATHS));
    for block in 0..PATHS / BLOCK {
        let mut normals = sequence.next_normals();
        let (mut x, mut z) = ([START; BLOCK], [0.0; BLOCK]);
        if block >= PATHS / BLOCK / 2 {
            normals.fill(&mut x);
        }
        starts.extend_from_slice(&x);
        for i in 1..=STEPS {
            normals.fill(&mut z);
            betas.step(i, &z, &mut x);
        }
        ends.extend_from_slice(&x);
    }
    let (from_point, from_normals) = ends.split_at(PATHS / 2);
    let (_, normals) = starts.split_at(PATHS / 2);
    let point = alpha * wide(START);
    let law = statrs::distribution::Normal::new(point, sigma);
    let cdf = |x| law.as_ref().map_or(f64::NAN, |law| statrs::distribution::ContinuousCDF::cdf(law, x));

    // With x0 of variance 1 the power ratio is r^2 / (1 - r^2) of the correlation r = tanh y; y is normal with deviation 1 / sqrt(n - 3)
    // (Fisher 1921), and the ratios of amplitude and power are sinh y and its square.
    let y = correlation(normals, from_normals).atanh();
    let error = 1.0 / (from_normals.len() as f64 - 3.0).sqrt();
    let amplitude = Estimate { value: y.sinh(), standard_error: y.cosh() * error };
    let power = Estimate { value: y.sinh().powi(2), standard_error: (2.0 * y).sinh() * error };
    vec![
        Row::estimate(
            "ddpm-chain-mean",
            "DDPM chain, 300 steps from x0: E[x_t | x0] = sqrt(alpha_bar) x0",
            point,
            mean(from_point.iter().copied().map(wide)),
        ),
        Row::estimate(
            "ddpm-chain-variance",
            "DDPM chain, 300 steps from x0: Var[x_t | x0] = 1 - alpha_bar",
            sigma * sigma,
            variance(from_point.iter().copied().map(wide)),
        ),
        kolmogorov::against_law(
            "ddpm-chain-law",
            "DDPM chain, 300 steps from x0: x_t follows q(x_t | x0) = N(sqrt(alpha_bar) x0, 1 - alpha_bar) (KS)",
            from_point,
            cdf,
        ),
        Row::estimate(
            "snr-amplitude",
            "amplitude SNR: alpha / sigma = r / sqrt(1 - r^2), r the correlation of x0 (variance 1) and x_t",
            wide(level.lambda()).exp(),
            amplitude,
        ),
        Row::estimate(
            "snr-power",
            "power SNR, its square: alpha^2 / sigma^2 = alpha_bar / (1 - alpha_bar) = r^2 / (1 - r^2)",
            alpha * alpha / (1.0 - alpha * alpha),
            power,
        ),
    ]
}

/// Pearson's coefficient.
fn correlation(x: &[f32], y: &[f32]) -> f64 {
    let n = x.len() as f64;
    let centre = |x: &[f32]| x.iter().copied().map(wide).sum::<f64>() / n;
    let (mean_x, mean_y) = (centre(x), centre(y));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (wide(*x) - mean_x, wide(*y) - mean_y);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    xy / (xx * yy).sqrt()
}

/// Steps of the published chain at which its posterior is looked at.
const STEPS_SEEN: [u32; 4] = [2, 60, 400, 1000];

/// Mean and variance of the state before step `i` given the data and the state after it, by Bayes' rule on a grid: density
/// proportional to `q(x_t | u) q(u | x0)`.
fn bayes(i: u32, x0: f32, x: f32) -> (f64, f64) {
    let beta = wide(DdpmBetas::DEFAULT.beta(i));
    let before = level(DdpmBetas::DEFAULT, i - 1);
    let (alpha, variance) = (wide(before.alpha), wide(before.sigma).powi(2));
    let joint =
        |u: f64| normal_density(wide(x), (1.0 - beta).sqrt() * u, beta) * normal_density(u, alpha * wide(x0), variance);
    // Within twelve deviations of the narrower factor's centre.
    let (centre, width) =
        if variance < beta { (alpha * wide(x0), variance) } else { (wide(x) / (1.0 - beta).sqrt(), beta) };
    let range = (centre - 12.0 * width.sqrt(), centre + 12.0 * width.sqrt());
    let moment = |f: &dyn Fn(f64) -> f64| integral(range, 400, |u| f(u) * joint(u));
    let mass = moment(&|_| 1.0);
    let mean = moment(&|u| u) / mass;
    (mean, moment(&|u| (u - mean).powi(2)) / mass)
}

fn posterior(_: &Laboratory) -> Vec<Row> {
    let points: Vec<_> = STEPS_SEEN
        .into_iter()
        .flat_map(|i| [(0.8f32, -0.7f32), (-1.1, 0.4), (0.3, 1.6)].map(|(x0, epsilon)| (i, x0, epsilon)))
        .map(|(i, x0, epsilon)| {
            let (from, to) = (level(DdpmBetas::DEFAULT, i), level(DdpmBetas::DEFAULT, i - 1));
            let x = from.alpha * x0 + from.sigma * epsilon;
            (Posterior::between(from, to), bayes(i, x0, x), (x, x0, epsilon))
        })
        .collect();
    let mean_row = |name, statement, measured: fn(&Posterior, (f32, f32, f32)) -> f32| {
        let pairs = points.iter().map(|(posterior, (mean, _), at)| (*mean, wide(measured(posterior, *at))));
        // Roundings of a mean of about 1, the largest the one of x itself, which epsilon's form divides by sqrt(1 - beta).
        worst::exact(name, statement, pairs, 2e-6)
    };
    let variances = points.iter().map(|(posterior, (_, variance), _)| (1.0, wide(posterior.variance) / variance));
    vec![
        mean_row(
            "posterior-mean-x0",
            "mean of q(x_(t-1) | x_t, x0) in x0: coefficients against Bayes' rule on a grid, 12 points",
            |posterior, (x, x0, _)| posterior.mean(x, x0),
        ),
        mean_row(
            "posterior-mean-epsilon",
            "mean of q(x_(t-1) | x_t, x0) = (x_t - beta eps / sigma) / sqrt(1 - beta), against Bayes' rule on a grid",
            |posterior, (x, _, epsilon)| posterior.mean_of_epsilon(x, epsilon),
        ),
        // Levels right to 1e-6, and 1 - r^2, which is .02 or more here, takes four of them: 2e-4 relative.
        worst::exact(
            "posterior-variance",
            "beta (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t) / variance of Bayes' rule on a grid = 1",
            variances,
            2e-4,
        ),
    ]
}

/// The Kullback-Leibler divergence of N(a, v) from N(b, v), the integral of `p ln(p / q)`.
fn divergence(a: f64, b: f64, v: f64) -> f64 {
    let width = 12.0 * v.sqrt();
    integral((a - width, a + width), 400, |u| {
        let log_ratio = ((u - b).powi(2) - (u - a).powi(2)) / (2.0 * v);
        normal_density(u, a, v) * log_ratio
    })
}

fn kl(_: &Laboratory) -> Vec<Row> {
    let errors = [(0.4f32, -0.1f32), (-1.3, -1.1), (0.9, 0.2)];
    let pairs = STEPS_SEEN.into_iter().flat_map(|i| {
        let (from, to) = (level(DdpmBetas::DEFAULT, i), level(DdpmBetas::DEFAULT, i - 1));
        let posterior = Posterior::between(from, to);
        errors.map(|(epsilon, predicted)| {
            // The true mean and that of a network that predicts the noise, for one state.
            let x = from.alpha * 0.6 + from.sigma * epsilon;
            let guess = (wide(x) - wide(from.sigma) * wide(predicted)) / wide(from.alpha);
            let mean = |x0: f64| wide(posterior.state) * wide(x) + wide(posterior.data) * x0;
            let kl = divergence(mean(0.6), mean(guess), wide(posterior.variance));
            (1.0, wide(posterior.kl_weight()) * wide(epsilon - predicted).powi(2) / kl)
        })
    });
    // The weight of the published chain in betas alone.
    let weights = STEPS_SEEN.into_iter().map(|i| {
        let betas = DdpmBetas::DEFAULT;
        let (beta, from, to) = (wide(betas.beta(i)), level(betas, i), level(betas, i - 1));
        let bar = |level: NoiseLevel| wide(level.sigma).powi(2);
        let expected = 0.5 * beta / ((1.0 - beta) * bar(to));
        (1.0, wide(Posterior::between(from, to).kl_weight()) / expected)
    });
    vec![
        worst::exact(
            "kl-epsilon-error",
            "w (eps - eps')^2 / KL(q(x_(t-1) | x_t, x0) || p(x_(t-1) | x_t)) = 1, the KL by quadrature, eps' predicted",
            pairs,
            // As the weight, and the difference of two means.
            3e-4,
        ),
        worst::exact(
            "kl-weight",
            "w / (beta^2 / (2 variance (1 - beta) (1 - alpha_bar_t))) = 1, or beta / (2 (1 - beta) (1 - alpha_bar_(t-1)))",
            weights,
            2e-4,
        ),
    ]
}

/// Data N(0, s^2) and the best epsilon make every law of the chain normal, so that the bound and what it bounds are sums.
fn bound(_: &Laboratory) -> Vec<Row> {
    let s2 = 0.49;
    let betas = DdpmBetas::of_rate(VpLinear::DEFAULT, 100);
    let levels: Vec<_> = betas.levels().collect();
    let total = |level: NoiseLevel| wide(level.alpha).powi(2) * s2 + wide(level.sigma).powi(2);
    // KL of q(x_T | x0) from N(0, 1), on average over the data.
    let end = levels[levels.len() - 1];
    let noise = wide(end.sigma).powi(2);
    let mut bound = 0.5 * (wide(end.alpha).powi(2) * s2 + noise - 1.0 - noise.ln());
    let mut generated = 1.0;
    for pair in levels.windows(2).rev() {
        let (to, from) = (pair[0], pair[1]);
        let posterior = Posterior::between(from, to);
        // The best prediction leaves the posterior variance of eps, alpha^2 s^2 / total.
        let error = wide(from.alpha).powi(2) * s2 / total(from);
        bound += wide(posterior.kl_weight()) * error;
        let gain = wide(posterior.epsilon_form.x) + wide(posterior.epsilon_form.f) * wide(from.sigma) / total(from);
        generated = gain * gain * generated + wide(posterior.variance);
    }
    // The last step draws from N(E[x0 | x_1], beta_1).
    let (first, beta) = (levels[0], wide(betas.beta(1)));
    let gain = wide(first.alpha) * s2 / total(first);
    let missed = s2 * wide(first.sigma).powi(2) / total(first);
    bound += 0.5 * ((std::f64::consts::TAU * beta).ln() + missed / beta);
    generated = gain * gain * generated + beta;
    let likelihood = 0.5 * ((std::f64::consts::TAU * generated).ln() + s2 / generated);
    vec![Row::at_most(
        "bound-from-epsilon-error",
        "-E ln p(x0) <= KL(q(x_T | x0) || N(0, 1)) + sum of w_t E(eps - eps')^2 - E ln p(x0 | x_1), 100 steps, normal data",
        bound,
        likelihood,
    )]
}
