//! Exact moments of a sampler on Gaussian data, where every sampler is linear: no Monte Carlo.
extern crate std;
use super::{Named, PlanBuilder};
use crate::schedule::{Cosine, Edm, Flow, NoiseLevel, NoiseSchedule, SubVp};
use crate::score::Prediction;
use std::{vec, vec::Vec};

/// The levels that a sampler looks at over a grid.
fn all_levels(sampler: &dyn PlanBuilder, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Vec<NoiseLevel> {
    (0..sampler.levels(grid)).map(|k| sampler.level(k, grid, schedule).unwrap()).collect()
}

/// The variance of the samples that `sampler` makes of N(0, s^2) data with the exact denoiser, started from the
/// exact law at the first level. State and predictions are carried as coefficients over independent noises.
pub fn final_variance(sampler: &dyn PlanBuilder, levels: &[NoiseLevel], s: f64) -> f64 {
    variance_with(sampler, levels, s, Prediction::V, 0)
}

/// The same with a parameterisation, and without the last rows.
fn variance_with(
    sampler: &dyn PlanBuilder,
    levels: &[NoiseLevel],
    s: f64,
    prediction: Prediction,
    left_out: usize,
) -> f64 {
    let start = f64::from(levels[0].alpha).powi(2) * s * s + f64::from(levels[0].sigma).powi(2);
    let mut x: Vec<f64> = vec![start.sqrt()];
    let mut history: Vec<Vec<f64>> = Vec::new();
    for i in 0..sampler.rows(levels) - left_out {
        let row = sampler.row(i, levels, prediction).unwrap();
        let level = levels[usize::from(row.level)];
        let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
        // Of the exact denoiser: E[x0|x] = alpha s^2 x / v and E[eps|x] = sigma x / v, and F by what the network is trained to give.
        let v = alpha * alpha * s * s + sigma * sigma;
        let target = prediction.target(level);
        let f = f64::from(target.x0) * alpha * s * s / v + f64::from(target.epsilon) * sigma / v;
        let m: Vec<f64> = x.iter().map(|x| (f64::from(row.p) + f64::from(row.q) * f) * x).collect();
        history.insert(0, m);
        let mut next: Vec<f64> = x.iter().map(|x| f64::from(row.a) * x).collect();
        for (b, m) in row.b.iter().zip(&history) {
            for (next, m) in next.iter_mut().zip(m) {
                *next += f64::from(*b) * m;
            }
        }
        next.push(f64::from(row.e));
        x = next;
    }
    x.iter().map(|c| c * c).sum()
}

/// Levels uniform in lambda from -3 to 3 with a variance-preserving law.
pub fn uniform_levels(n: usize) -> Vec<NoiseLevel> {
    (0..n).map(|i| NoiseLevel::variance_preserving(-3.0 + 6.0 * i as f32 / (n - 1) as f32)).collect()
}

/// Error of the variance at the last level of a grid uniform in lambda, before the row to the data, whose length does not shrink with the grid's steps.
fn error(sampler: &dyn PlanBuilder, steps: usize, s: f64) -> f64 {
    // From -1.5 to 2: between ends at which next to nothing happens, such as -3 and 3, the midpoint rule's errors cancel.
    let lambda = |i: usize| -1.5 + 3.5 * i as f32 / steps as f32;
    let grid: Vec<_> = (0..=steps).map(|i| NoiseLevel::variance_preserving(lambda(i))).collect();
    let levels = all_levels(sampler, &grid, &Cosine::DEFAULT);
    let last = levels[levels.len() - 1];
    let (alpha, sigma) = (f64::from(last.alpha), f64::from(last.sigma));
    let v = alpha * alpha * s * s + sigma * sigma;
    (variance_with(sampler, &levels, s, Prediction::V, 1) - v).abs()
}

#[test]
fn every_sampler_has_its_stated_order() {
    for named in Named::all() {
        let Some(stated) = named.order else { continue };
        // The first grid whose error is below 3e-5, where the order shows and the roundings of f32 in the rows, some 1e-6, do not.
        let (mut steps, mut before, mut after) = (4, f64::NAN, error(&named.sampler, 4, 0.6));
        while before.is_nan() || (after > 3e-5 && steps < 2000) {
            steps *= 2;
            (before, after) = (after, error(&named.sampler, steps, 0.6));
        }
        let order = (before / after).log2();
        std::println!("{:12} {stated} {order:.3} {steps} {before:.2e} {after:.2e}", named.name);
        assert!((order - f64::from(stated)).abs() < 0.25, "{}: {order} ({before:e}, {after:e})", named.name);
    }
}

#[test]
fn every_parameterisation_gives_every_sampler_the_same_samples() {
    // Rows differ in their roundings alone: the coefficients are up to e^3 = 20 and their products with F cancel, a few 1e-6 a row.
    let predictions = [
        Prediction::Epsilon,
        Prediction::X0,
        Prediction::Score,
        Prediction::Flow,
        Prediction::EdmF { sigma_data: 0.5 },
    ];
    let schedules: [&dyn NoiseSchedule; 4] = [&Cosine::DEFAULT, &Edm::DEFAULT, &SubVp::DEFAULT, &Flow];
    for named in Named::all() {
        for schedule in schedules {
            let grid: Vec<_> = (0..9).map(|i| schedule.level_at_lambda(-3.0 + 0.75 * i as f32)).collect();
            let levels = all_levels(&named.sampler, &grid, schedule);
            let expected = final_variance(&named.sampler, &levels, 0.5);
            for prediction in predictions {
                let got = variance_with(&named.sampler, &levels, 0.5, prediction, 0);
                assert!((got / expected - 1.0).abs() < 1e-4, "{} {prediction:?}: {got} {expected}", named.name);
            }
        }
    }
}

#[test]
fn a_sampler_walks_the_same_way_under_every_schedule() {
    // All of them are steps of x / alpha over relative noise, but for three: Euler and Maruyama freeze the drift in x, and the corrector's length
    // and DDPM's large variance follow beta.
    for named in Named::all().filter(|named| !["reverse-sde", "pc", "ddpm-large"].contains(&named.name)) {
        let variance = |schedule: &dyn NoiseSchedule| {
            let grid: Vec<_> = (0..9).map(|i| schedule.level_at_lambda(-3.0 + 0.75 * i as f32)).collect();
            final_variance(&named.sampler, &all_levels(&named.sampler, &grid, schedule), 0.5)
        };
        let expected = variance(&Edm::DEFAULT);
        for schedule in [&Cosine::DEFAULT as &dyn NoiseSchedule, &SubVp::DEFAULT, &Flow] {
            let got = variance(schedule);
            assert!((got / expected - 1.0).abs() < 1e-4, "{}: {got} {expected}", named.name);
        }
    }
}

#[test]
fn a_plan_of_one_step_goes_to_the_data() {
    // One level: every sampler ends at the posterior mean there, which has a variance of (alpha s^2)^2 / v; those that walk on the level first are a little wider.
    for named in Named::all() {
        for lambda in [-4.6f32, -1.0, 1.0] {
            let grid = [NoiseLevel::variance_preserving(lambda)];
            let levels = all_levels(&named.sampler, &grid, &Cosine::DEFAULT);
            let level = levels[0];
            let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
            let v = alpha * alpha * 0.25 + sigma * sigma;
            let mean = (alpha * 0.25).powi(2) / v;
            let got = final_variance(&named.sampler, &levels, 0.5);
            if named.order.is_some() {
                assert!((got / mean - 1.0).abs() < 1e-3, "{} {lambda}: {got} {mean}", named.name);
            } else {
                assert!(got >= 0.999 * mean && got < 1.5 * mean, "{} {lambda}: {got} {mean}", named.name);
            }
            for prediction in [Prediction::Epsilon, Prediction::V, Prediction::EdmF { sigma_data: 0.5 }] {
                for i in 0..named.sampler.rows(&levels) {
                    assert!(named.sampler.row(i, &levels, prediction).unwrap().is_finite(), "{} {i}", named.name);
                }
            }
        }
    }
}
