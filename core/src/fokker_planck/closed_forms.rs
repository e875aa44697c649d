//! Densities and moments over time against closed forms.
//!
//! Implicit Euler's own moments are known where drift and squared diffusion are polynomials that close: with `m' = -a
//! m` one step divides m by `1 + a dt`. They tell the error of the cells from the error of the step.

use super::{Ito, UniformGrid, step};
use crate::schedule::{NoiseSchedule, VpLinear};
use std::vec;
use std::vec::Vec;

/// The normal density, in double precision.
fn normal(x: f64, mean: f64, variance: f64) -> f64 {
    libm::exp(-0.5 * (x - mean) * (x - mean) / variance) / libm::sqrt(2.0 * core::f64::consts::PI * variance)
}

/// Starts from a shape and takes `steps` equal steps from time 0 to `end`.
fn evolve<F, G>(grid: &UniformGrid, process: &Ito<F, G>, start: impl Fn(f64) -> f64, end: f32, steps: usize) -> Vec<f32>
where
    F: Fn(f32, f32) -> f32,
    G: Fn(f32, f32) -> f32,
{
    let (mut density, mut scratch) = (vec![0.0; grid.cells()], vec![[0.0; 2]; grid.cells()]);
    grid.set(&mut density, |x| start(f64::from(x)) as f32).unwrap();
    let dt = end / steps as f32;
    for i in 0..steps {
        step(grid, process, i as f32 * dt, dt, &mut density, &mut scratch).unwrap();
        assert!(density.iter().all(|p| *p >= 0.0));
    }
    density
}

// Ornstein-Uhlenbeck dX = -X dt + 0.8 dW from N(1.5, 0.3): mean 1.5 e^-t, variance 0.32 + (0.3 - 0.32) e^(-2 t).
const MEAN: f64 = 1.5;
const VARIANCE: f64 = 0.3;
const SQUARE: f64 = 0.64;

/// Largest error of the density at time 1, divided by the true peak, and the errors of mean and variance.
fn ornstein_uhlenbeck(cells: usize, steps: usize) -> [f64; 3] {
    let grid = UniformGrid::new(-4.0, 6.0, cells).unwrap();
    let process = Ito { drift: |x, _| -x, diffusion: |_, _| 0.8 };
    let density = evolve(&grid, &process, |x| normal(x, MEAN, VARIANCE), 1.0, steps);
    let mean = MEAN * libm::exp(-1.0);
    let variance = 0.5 * SQUARE + (VARIANCE - 0.5 * SQUARE) * libm::exp(-2.0);
    let peak = normal(mean, mean, variance);
    let worst = density
        .iter()
        .zip(grid.centres())
        .map(|(&p, x)| (f64::from(p) - normal(f64::from(x), mean, variance)).abs() / peak)
        .fold(0.0, f64::max);
    let moments = grid.moments(&density).unwrap();
    [worst, f64::from(moments.mean) - mean, f64::from(moments.variance) - variance]
}

#[test]
fn ornstein_uhlenbeck_density_has_order_one_in_time() {
    let errors = [50, 100, 200].map(|steps| ornstein_uhlenbeck(1000, steps)[0]);
    let order = libm::log2(errors[1] / errors[2]);
    std::println!("OU in dt: {errors:?}, order {order}");
    assert!((0.9..1.1).contains(&order), "{errors:?}");
    // Leading term: the mean is off by dt/2 times 1.5/e, the density's steepest slope is peak / (s sqrt e), so by 0.003
    // at 1/200.
    assert!(errors[2] < 5e-3);
}

#[test]
fn ornstein_uhlenbeck_density_has_order_two_in_the_width() {
    // The time step falls with the square of the width, so that both errors fall by four.
    let errors = [(25, 40), (50, 160), (100, 640)].map(|(cells, steps)| ornstein_uhlenbeck(cells, steps)[0]);
    let order = libm::log2(errors[1] / errors[2]);
    std::println!("OU in h with dt ~ h^2: {errors:?}, order {order}");
    assert!((1.9..2.1).contains(&order), "{errors:?}");
}

#[test]
fn ornstein_uhlenbeck_moments_are_implicit_eulers_with_order_two_in_the_width() {
    let (steps, dt) = (50, 0.02);
    let (mut mean, mut second) = (MEAN, VARIANCE + MEAN * MEAN);
    for _ in 0..steps {
        mean /= 1.0 + dt;
        second = (second + SQUARE * dt) / (1.0 + 2.0 * dt);
    }
    let truth = [MEAN * libm::exp(-1.0), 0.5 * SQUARE + (VARIANCE - 0.5 * SQUARE) * libm::exp(-2.0)];
    let errors = [25, 50, 100].map(|cells| {
        let [_, m, v] = ornstein_uhlenbeck(cells, steps);
        [(m + truth[0] - mean).abs(), (v + truth[1] - (second - mean * mean)).abs()]
    });
    std::println!("OU moments in h: {errors:?}");
    for (coarse, fine) in errors[1].into_iter().zip(errors[2]) {
        let order = libm::log2(coarse / fine);
        assert!((1.8..2.2).contains(&order), "{errors:?}");
    }
}

#[test]
fn variance_of_pure_diffusion_grows_by_time() {
    // Without drift the scheme's second difference moves the variance by exactly sigma^2 dt a step, for any width and
    // step.
    for (cells, steps) in [(60, 1), (120, 7), (240, 100)] {
        let grid = UniformGrid::new(-12.0, 12.0, cells).unwrap();
        let process = Ito { drift: |_, _| 0.0, diffusion: |_, _| 1.0 };
        let density = evolve(&grid, &process, |x| normal(x, 0.25, 0.5), 1.0, steps);
        let start = evolve(&grid, &process, |x| normal(x, 0.25, 0.5), 0.0, 1);
        let (before, after) = (grid.moments(&start).unwrap(), grid.moments(&density).unwrap());
        // One long step leaves a tail e^(-sqrt 2 |x|), of which 1e-5 reaches the ends; f32 accounts for the rest.
        let growth = after.variance - before.variance;
        assert!((growth - 1.0).abs() < 5e-5, "{cells} cells, {steps} steps: {growth}");
        assert!((after.mean - before.mean).abs() < 5e-6);
    }
}

#[test]
fn a_density_that_is_mostly_carried_stays_positive_and_moves_at_its_speed() {
    // Peclet numbers mu h / sigma^2 of 5e4 and infinity, Courant numbers 0.5 and 10. Upwinding moves the mean exactly.
    for (sigma, steps) in [(1e-3, 100), (0.0, 100), (0.0, 5)] {
        let grid = UniformGrid::new(0.0, 20.0, 400).unwrap();
        let process = Ito { drift: |_, _| 1.0, diffusion: |_, _| sigma };
        let box_car = |x: f64| f64::from(u8::from((2.0..3.0).contains(&x)));
        let density = evolve(&grid, &process, box_car, 2.5, steps);
        let moments = grid.moments(&density).unwrap();
        assert!((moments.mean - 5.0).abs() < 1e-4 && (moments.mass - 1.0).abs() < 1e-5, "{moments:?}");
        // Numerical diffusion of implicit upwind: each step adds c + c^2 cells squared, c the Courant number.
        let (h, c) = (0.05f32, 2.5 / steps as f32 / 0.05);
        let spread = 1.0 / 12.0 + steps as f32 * h * h * (c + c * c) + sigma * sigma * 2.5;
        // The box holds 20 cells, whose centres have h^2 / 12 less variance than the box itself.
        assert!((moments.variance / (spread - h * h / 12.0) - 1.0).abs() < 1e-3, "{moments:?} {spread}");
    }
}

#[test]
fn geometric_brownian_motion_has_its_closed_moments() {
    // dX = a X dt + b X dW (Ito): E X = e^(a t) E X_0 and E X^2 = e^((2 a + b^2) t) E X_0^2.
    let (a, b) = (0.3f64, 0.4f64);
    let start = |x: f64| normal(libm::log(x), 0.0, 0.04) / x;
    let at = |cells, steps: usize| {
        let grid = UniformGrid::new(0.0, 16.0, cells).unwrap();
        let process = Ito { drift: |x, _| 0.3 * x, diffusion: |x, _| 0.4 * x };
        let begin = grid.moments(&evolve(&grid, &process, start, 0.0, 1)).unwrap();
        let end = grid.moments(&evolve(&grid, &process, start, 1.0, steps)).unwrap();
        let raw = |mean: f32, variance: f32| f64::from(variance) + f64::from(mean) * f64::from(mean);
        let dt = 1.0 / steps as f64;
        let euler = |rate: f64| (1.0 - rate * dt).powi(-(steps as i32));
        let (mean, second) = (f64::from(begin.mean), raw(begin.mean, begin.variance));
        let rate = 2.0 * a + b * b;
        let [m, s] = [f64::from(end.mean) / mean, raw(end.mean, end.variance) / second];
        [m / euler(a) - 1.0, s / euler(rate) - 1.0, m / libm::exp(a) - 1.0, s / libm::exp(rate) - 1.0]
    };
    let errors = [at(200, 100), at(400, 100), at(800, 100)];
    std::println!("GBM against implicit Euler and truth: {errors:?}");
    // Order 2 in the width for the second moment.
    let order = libm::log2((errors[1][1] / errors[2][1]).abs());
    assert!((1.8..2.2).contains(&order), "{errors:?}");
    assert!(errors[2][0].abs() < 1e-4 && errors[2][1].abs() < 1e-4, "{errors:?}");
    // Implicit Euler is off by rate^2 dt / 2 to leading order: 4.5e-4 and 2.9e-3.
    assert!((errors[2][2] / 4.5e-4 - 1.0).abs() < 0.2 && (errors[2][3] / 2.888e-3 - 1.0).abs() < 0.2, "{errors:?}");
}

#[test]
fn bimodal_law_follows_the_variance_preserving_kernel() {
    // 0.3 N(-1.5, 0.3^2) + 0.7 N(1, 0.2^2): mean 0.25, second moment 0.3 (2.25 + 0.09) + 0.7 (1 + 0.04) = 1.43.
    let start = |x: f64| 0.3 * normal(x, -1.5, 0.09) + 0.7 * normal(x, 1.0, 0.04);
    let (mean, variance) = (0.25, 1.43 - 0.0625);
    let schedule = VpLinear::DEFAULT;
    let beta = |t: f32| schedule.beta_min + t * (schedule.beta_max - schedule.beta_min);
    let process = Ito { drift: |x, t| -0.5 * beta(t) * x, diffusion: |_, t| libm::sqrtf(beta(t)) };
    let grid = UniformGrid::new(-6.0, 6.0, 480).unwrap();
    for end in [0.2f32, 0.5] {
        let level = schedule.level(end);
        let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
        let [mut means, mut variances, mut densities] = [[0.0f64; 3]; 3];
        for (i, steps) in [250, 500, 1000].into_iter().enumerate() {
            let density = evolve(&grid, &process, start, end, steps);
            let moments = grid.moments(&density).unwrap();
            means[i] = f64::from(moments.mean) - alpha * mean;
            variances[i] = f64::from(moments.variance) - alpha * alpha * variance - sigma * sigma;
            let truth = |x: f64| {
                let law = |m: f64, s: f64| normal(x, alpha * m, alpha * alpha * s * s + sigma * sigma);
                0.3 * law(-1.5, 0.3) + 0.7 * law(1.0, 0.2)
            };
            densities[i] = density
                .iter()
                .zip(grid.centres())
                .map(|(&p, x)| (f64::from(p) - truth(f64::from(x))).abs())
                .fold(0.0, f64::max);

            // Implicit Euler's own moments. The cells add noise of relative size w^2 / 12 = (h x)^2 / 12, below 1e-4
            // where the mass is.
            let dt = f64::from(end) / steps as f64;
            let (mut euler, mut second) = (mean, variance + mean * mean);
            for k in 1..=steps {
                let rate = f64::from(beta((k as f64 * dt) as f32)) * dt;
                euler /= 1.0 + 0.5 * rate;
                second = (second + rate) / (1.0 + rate);
            }
            assert!((f64::from(moments.mean) - euler).abs() < 5e-5, "{moments:?} {euler}");
            assert!((f64::from(moments.variance) - (second - euler * euler)).abs() < 1e-4, "{moments:?} {second}");
        }
        std::println!("VP to {end}: off by {means:?} in mean, {variances:?} in variance, {densities:?} in density");
        assert!(means[2].abs() < 1e-4 && variances[2].abs() < 2e-4 && densities[2] < 2e-4);
        // The error of the cells is the same in all three and leaves the differences, which halve: order 1.
        for errors in [means, variances] {
            let order = libm::log2((errors[0] - errors[1]) / (errors[1] - errors[2]));
            assert!((0.85..1.15).contains(&order), "{errors:?}");
        }
    }
}
