//! The stationary density against `exp(-2U / sigma^2) / Z`, cell by cell.
//!
//! The flux over a face is `spread (B(-w) p_low - B(w) p_high)`, which is zero where `p_high / p_low = B(-w) / B(w) =
//! e^w`. Here `w = 2 h m / sigma^2` with m Simpson's mean of the drift `-U'` between the centres. Simpson's rule is
//! exact for cubics, so for U of degree up to 4 `h m = U_low - U_high`, and the ratio is that of `exp(-2U / sigma^2)`.

use super::{Ito, UniformGrid, step};
use std::vec;
use std::vec::Vec;

/// The largest relative error over all cells of the stationary density, reached by ever longer steps from a flat one.
fn worst_ratio(
    low: f32,
    high: f32,
    cells: usize,
    sigma: f32,
    drift: impl Fn(f32) -> f32,
    potential: impl Fn(f64) -> f64,
) -> f64 {
    let grid = UniformGrid::new(low, high, cells).unwrap();
    let process = Ito { drift: |x, _| drift(x), diffusion: |_, _| sigma };
    let mut density = vec![0.0; cells];
    grid.set(&mut density, |_| 1.0).unwrap();
    for _ in 0..4 {
        step(&grid, &process, 0.0, 1e12, &mut density, &mut vec![[0.0; 2]; cells]).unwrap();
    }
    let square = f64::from(sigma) * f64::from(sigma);
    let truth: Vec<f64> = grid.centres().map(|x| libm::exp(-2.0 * potential(f64::from(x)) / square)).collect();
    let sum: f64 = truth.iter().sum();
    let total: f64 = density.iter().map(|&p| f64::from(p)).sum();
    let worst = density
        .iter()
        .zip(&truth)
        // Below the normal range of f32 there are fewer bits to compare.
        .filter(|(_, truth)| **truth / sum * total > 1e-37)
        .map(|(&p, &truth)| (f64::from(p) / total / (truth / sum) - 1.0).abs())
        .fold(0.0, f64::max);
    std::println!("{cells} cells, sigma {sigma}: worst relative error {worst:e}");
    worst
}

/// Each of the n - 1 ratios holds w, to about 6 roundings of its terms, and about 5 roundings more; centres are off by
/// half an ulp each. Rounded at random they add up to sqrt(n) of one, 5 standard deviations of which are allowed.
fn tolerance(cells: usize, largest_w: f64) -> f64 {
    5.0 * libm::sqrt(cells as f64) * 3.5e-8 * (5.0 + 6.0 * largest_w)
}

#[test]
fn ornstein_uhlenbeck_equilibrium_is_normal_to_rounding_in_every_cell() {
    // Down to 1e-37 of the peak: a factor e^85.
    for (cells, sigma) in [(20, 1.0), (200, 1.0), (1000, 0.8), (333, 1.7)] {
        let worst = worst_ratio(
            -5.0,
            6.0,
            cells,
            sigma,
            |x| 0.9 * (0.4 - x),
            |x| 0.5 * f64::from(0.9f32) * (x - f64::from(0.4f32)) * (x - f64::from(0.4f32)),
        );
        let w = 2.0 * 11.0 / cells as f64 * 0.9 * 5.6 / f64::from(sigma * sigma);
        assert!(worst < tolerance(cells, w), "{cells}: {worst:e}, allowed {:e}", tolerance(cells, w));
    }
}

#[test]
fn double_well_equilibrium_is_exact_on_any_grid() {
    // U = x^4/4 - x^2/2. At 12 cells a midpoint rule would be off by exp(h^2 x^2 / (4 sigma^2)), a factor above 2 at
    // the ends.
    for (cells, sigma) in [(12, 1.0), (60, 0.7), (400, 0.5)] {
        let worst = worst_ratio(-3.0, 3.0, cells, sigma, |x| x - x * x * x, |x| 0.25 * x * x * x * x - 0.5 * x * x);
        let w = 2.0 * 6.0 / cells as f64 * 24.0 / f64::from(sigma * sigma);
        assert!(worst < tolerance(cells, w), "{cells}: {worst:e}, allowed {:e}", tolerance(cells, w));
    }
}

#[test]
fn other_potentials_are_reached_with_order_four() {
    // U = -cos x has every degree; Simpson's error in each w is h^5, over 1/h cells.
    let at = |cells| worst_ratio(-3.0, 3.0, cells, 0.9, |x| -libm::sinf(x), |x| -libm::cos(x));
    let (coarse, fine) = (at(8), at(16));
    let order = libm::log2(coarse / fine);
    assert!((3.8..4.2).contains(&order), "order {order}");
}

#[test]
fn state_dependent_noise_tends_to_its_stationary_law_with_order_two() {
    // dX = -X dt + sqrt(1 + X^2) dW: p ~ (1 / sigma^2) exp(int 2 mu / sigma^2) = (1 + x^2)^-2.
    let at = |cells: usize| {
        let grid = UniformGrid::new(-4.0, 4.0, cells).unwrap();
        let process = Ito { drift: |x, _| -x, diffusion: |x, _| libm::sqrtf(1.0 + x * x) };
        let mut density = vec![0.0; cells];
        grid.set(&mut density, |_| 1.0).unwrap();
        for _ in 0..4 {
            step(&grid, &process, 0.0, 1e12, &mut density, &mut vec![[0.0; 2]; cells]).unwrap();
        }
        let truth: Vec<f64> = grid.centres().map(|x| f64::from(1.0 + x * x).powi(-2)).collect();
        let sum: f64 = truth.iter().sum::<f64>() * f64::from(grid.width());
        density.iter().zip(&truth).map(|(&p, t)| (f64::from(p) - t / sum).abs()).fold(0.0, f64::max)
    };
    let errors = [at(20), at(40), at(80)];
    let order = libm::log2(errors[1] / errors[2]);
    std::println!("(1 + x^2)^-2: errors {errors:?}, order {order}");
    assert!((1.8..2.2).contains(&order), "order {order}");
}
