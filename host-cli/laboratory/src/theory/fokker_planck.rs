//! The Fokker-Planck equation: densities against ensembles, against closed forms, and what its solver keeps.

use mote_core::fokker_planck::{Ito, StepError, UniformGrid, step};
use mote_core::random::{NormalSource, Span};
use mote_core::sde::{DoubleWell, OverdampedLangevin, Potential};
use mote_core::stepper::Shark;

use super::{Chapter, Experiment, Laboratory, Row};
use crate::ensemble::Ensemble;
use crate::statistics::{Fit, chi_square};

/// The Fokker-Planck equation.
pub const CHAPTER: Chapter = Chapter {
    name: "fokker-planck",
    title: "The Fokker-Planck equation",
    experiments: &[
        Experiment { rows: &["fokker-planck-histogram"], run: histogram_row },
        Experiment {
            rows: &["fokker-planck-mean", "fokker-planck-variance", "fokker-planck-closed-form"],
            run: relaxing_rows,
        },
        Experiment { rows: &["fokker-planck-stationary"], run: stationary_row },
        Experiment { rows: &["fokker-planck-mass", "fokker-planck-positivity"], run: kept_rows },
    ],
};

const NO_FIT: Fit = Fit { statistic: f64::NAN, expected: f64::NAN, p: 0.0 };
const WELL: DoubleWell = DoubleWell { barrier: 1.0, half_distance: 1.0 };
const NOISE: f32 = 1.0;

/// The double well's equation, from the same potential as its ensemble.
fn well() -> Ito<impl Fn(f32, f32) -> f32, impl Fn(f32, f32) -> f32> {
    let drift = |x, _| {
        let mut slope = [0.0];
        { WELL }.gradient(&[x], &mut slope);
        -slope[0]
    };
    Ito { drift, diffusion: |_, _| NOISE }
}

/// The normal density, in units of 1 / deviation.
fn bell(x: f64, mean: f64, variance: f64) -> f64 {
    (-0.5 * (x - mean) * (x - mean) / variance).exp() / (std::f64::consts::TAU * variance).sqrt()
}

/// Takes a density through `steps` equal steps from time 0.
fn evolve<F, G>(
    grid: &UniformGrid,
    process: &Ito<F, G>,
    density: &mut [f32],
    dt: f32,
    steps: u32,
) -> Result<(), StepError>
where
    F: Fn(f32, f32) -> f32,
    G: Fn(f32, f32) -> f32,
{
    let mut scratch = vec![[0.0; 2]; density.len()];
    (0..steps).try_for_each(|i| step(grid, process, i as f32 * dt, dt, density, &mut scratch))
}

/// Starts from N(1/2, 1/4^2) in the double well, ends at t = 1/2.
fn density_in_well(grid: &UniformGrid, steps: u32) -> Result<Vec<f32>, StepError> {
    let mut density = vec![0.0; grid.cells()];
    grid.set(&mut density, |x| bell(f64::from(x), 0.5, 0.0625) as f32)?;
    evolve(grid, &well(), &mut density, 0.5 / steps as f32, steps)?;
    Ok(density)
}

/// Steps of the density and paths of the ensemble that is counted against it.
const DENSITY_STEPS: u32 = 1024;
const PATHS: usize = 1 << 17;

/// The density, and an ensemble counted in classes of whole cells.
fn against_ensemble(laboratory: &Laboratory) -> Result<Fit, StepError> {
    let grid = UniformGrid::new(-3.0, 3.0, 768)?;
    let ensemble = Ensemble {
        stepper: Shark,
        sde: OverdampedLangevin { potential: WELL, noise: NOISE },
        dim: 1,
        span: Span { t0: 0.0, t1: 0.5 },
        steps: 128,
        seed: laboratory.seed_of("fokker-planck-histogram"),
    };
    let states = ensemble.finals(PATHS, |normals, x| {
        normals.fill_scaled(0.25, x);
        x.iter_mut().for_each(|x| *x += 0.5);
    });
    let (class_of, probabilities) = classes(&grid, &density_in_well(&grid, DENSITY_STEPS)?);
    let mut counts = vec![0; probabilities.len()];
    for x in &states {
        let cell = ((x - grid.low()) / grid.width()).clamp(0.0, grid.cells() as f32 - 1.0);
        counts[class_of[cell as usize]] += 1;
    }
    Ok(chi_square(&counts, &probabilities))
}

/// The class of each cell and the probability of each class: as few cells as hold a fortieth of the mass, the last up to the end.
fn classes(grid: &UniformGrid, density: &[f32]) -> (Vec<usize>, Vec<f64>) {
    let (mut class_of, mut probabilities, mut left) = (Vec::new(), vec![0.0], 1.0);
    for p in density {
        let last = probabilities.len() - 1;
        if probabilities[last] > 1.0 / 40.0 && left > 1.0 / 40.0 {
            probabilities.push(0.0);
        }
        let (class, mass) = (probabilities.len() - 1, f64::from(p * grid.width()));
        class_of.push(class);
        probabilities[class] += mass;
        left -= mass;
    }
    (class_of, probabilities)
}

fn histogram_row(laboratory: &Laboratory) -> Vec<Row> {
    // A grid or a step that is refused leaves rows that are not numbers, which fail; so below.
    let fit = against_ensemble(laboratory).unwrap_or(NO_FIT);
    vec![Row::p_value(
        "fokker-planck-histogram",
        "the density in a double well at t = 1/2 is the histogram of an ensemble (chi-square, classes of 1/40, 131,072 paths)",
        fit.expected,
        fit.statistic,
        fit.p,
    )]
}

/// What became of a relaxing normal law.
struct Relaxed {
    mean: f64,
    variance: f64,
    /// The largest gap to the closed form, as a share of its peak.
    gap: f64,
}

const NOT_RELAXED: Relaxed = Relaxed { mean: f64::NAN, variance: f64::NAN, gap: f64::NAN };
const STEPS: u32 = 2048;

/// dX = -X dt + 0.8 dW from N(3/2, 0.3) to t = 1.
fn relaxing() -> Result<Relaxed, StepError> {
    let grid = UniformGrid::new(-4.0, 6.0, 1000)?;
    let mut density = vec![0.0; grid.cells()];
    grid.set(&mut density, |x| bell(f64::from(x), 1.5, 0.3) as f32)?;
    evolve(&grid, &Ito { drift: |x, _| -x, diffusion: |_, _| 0.8 }, &mut density, 1.0 / STEPS as f32, STEPS)?;
    let moments = grid.moments(&density)?;
    let (mean, variance) = (1.5 * (-1f64).exp(), 0.32 - 0.02 * (-2f64).exp());
    let gaps = density.iter().zip(grid.centres()).map(|(p, x)| f64::from(*p) - bell(f64::from(x), mean, variance));
    Ok(Relaxed {
        mean: f64::from(moments.mean),
        variance: f64::from(moments.variance),
        gap: gaps.fold(0.0, |largest: f64, gap| gap.abs().max(largest)) / bell(mean, mean, variance),
    })
}

fn relaxing_rows(_: &Laboratory) -> Vec<Row> {
    let relaxed = relaxing().unwrap_or(NOT_RELAXED);
    let dt = 1.0 / f64::from(STEPS);
    // Implicit Euler divides the mean by 1 + dt and, the noise added, the second moment by 1 + 2 dt.
    let euler_mean = 1.5 / (1.0 + dt).powi(STEPS as i32);
    let second = (0..STEPS).fold(0.3 + 2.25, |second, _| (second + 0.64 * dt) / (1.0 + 2.0 * dt));
    vec![
        Row::exact(
            "fokker-planck-mean",
            "dX = -X dt + 0.8 dW: the density's mean at t = 1 is 3/2 e^-1, by implicit Euler 3/2 (1 + dt)^(-1/dt), dt = 1/2,048",
            euler_mean,
            relaxed.mean,
            // Rounding moves mass by up to 1e-5 over so many steps, on a scale of 5; cells do not move the mean of a linear drift.
            5e-5,
        ),
        Row::exact(
            "fokker-planck-variance",
            "its variance is 0.32 - 0.02 e^-2, up to the same step's own error",
            second - euler_mean * euler_mean,
            relaxed.variance,
            // As above, and of order 2 in the width: h^2 / 12 of the drift's slope, below 1e-5.
            5e-5,
        ),
        Row::at_most(
            "fokker-planck-closed-form",
            "its largest gap to the normal law of the closed form, as a share of the peak: at most 1/1,000",
            // Implicit Euler's mean is off by 0.28 dt, each unit at most e^(-1/2) / 0.56 of a peak: 1.5e-4; its variance is off by
            // 0.3 dt, each unit at most 1/0.64 of a peak: 2.3e-4. The rest is for rounding.
            1e-3,
            relaxed.gap,
        ),
    ]
}

/// The largest relative gap of the double well's density at rest to `exp(-2U / noise^2)`, over all cells.
fn stationary() -> Result<f64, StepError> {
    let grid = UniformGrid::new(-2.5, 2.5, 400)?;
    let mut density = vec![0.0; grid.cells()];
    grid.set(&mut density, |_| 1.0)?;
    // Steps as long as these leave nothing but what is at rest.
    evolve(&grid, &well(), &mut density, 1e12, 4)?;
    let weight = |x: f32| (-2.0 * (f64::from(x).powi(2) - 1.0).powi(2) / f64::from(NOISE).powi(2)).exp();
    let total: f64 = grid.centres().map(weight).sum();
    let mass: f64 = density.iter().map(|p| f64::from(*p)).sum();
    let ratios = density.iter().zip(grid.centres()).map(|(p, x)| f64::from(*p) / mass / (weight(x) / total));
    Ok(ratios.fold(0.0, |worst: f64, ratio| if ratio.is_nan() { ratio } else { (ratio - 1.0).abs().max(worst) }))
}

fn stationary_row(_: &Laboratory) -> Vec<Row> {
    let worst = stationary().unwrap_or(f64::NAN);
    // Each of 400 ratios of neighbours e^w, |w| <= 1.4, holds w to about 6 roundings of 3.5e-8 and has 5 more; they add up at random to
    // 20 of one, of which five standard deviations.
    let tolerance = 5.0 * 400f64.sqrt() * 3.5e-8 * (5.0 + 6.0 * 1.4);
    vec![Row::exact(
        "fokker-planck-stationary",
        "the double well's density at rest is exp(-2U / noise^2) / Z in every one of 400 cells: largest relative gap",
        0.0,
        worst,
        tolerance,
    )]
}

/// How far the mass strays from 1, and the lowest value of all, while a narrow density runs through short and long steps.
fn kept() -> Result<[f64; 2], StepError> {
    let grid = UniformGrid::new(-3.0, 3.0, 300)?;
    let (mut density, mut scratch) = (vec![0.0; 300], vec![[0.0; 2]; 300]);
    grid.set(&mut density, |x| if x.abs() < 0.02 { 1.0 } else { 0.0 })?;
    let (mut astray, mut lowest) = (0.0f64, f64::INFINITY);
    for i in 0..5000 {
        let dt = [1e-5, 1e-3, 0.1, 10.0][i % 4];
        step(&grid, &well(), 0.0, dt, &mut density, &mut scratch)?;
        astray = astray.max((f64::from(grid.mass(&density)?) - 1.0).abs());
        lowest = density.iter().map(|p| f64::from(*p)).fold(lowest, f64::min);
    }
    Ok([astray, lowest])
}

fn kept_rows(_: &Laboratory) -> Vec<Row> {
    let [astray, lowest] = kept().unwrap_or([f64::NAN; 2]);
    vec![
        Row::exact(
            "fokker-planck-mass",
            "the mass stays 1: largest departure over 5,000 steps from 1e-5 to 10",
            0.0,
            astray,
            // Half an ulp a step, all of one sign, would make 3e-4; at random they make far less.
            3e-5,
        ),
        Row::at_most(
            "fokker-planck-positivity",
            "no value is ever negative: depth below 0 of the lowest of 1,500,000",
            0.0,
            0.0 - lowest,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_density_s_own_error_moves_the_histogram_s_chi_square_by_less_than_a_twentieth_of_its_spread() {
        // Half the step takes away half of its error and half the width three quarters of its: the square of the whole is at most
        // 4 times that of the change.
        let [grid, fine_grid] = [768, 1536].map(|cells| UniformGrid::new(-3.0, 3.0, cells).unwrap());
        let (class_of, probabilities) = classes(&grid, &density_in_well(&grid, DENSITY_STEPS).unwrap());
        assert!(probabilities.iter().all(|p| *p > 1.0 / 40.0) && probabilities.len() > 30, "{probabilities:?}");
        let mut finer = vec![0.0; probabilities.len()];
        let fine = density_in_well(&fine_grid, 2 * DENSITY_STEPS).unwrap();
        for (class, halves) in class_of.iter().zip(fine.chunks(2)) {
            finer[*class] += f64::from(halves.iter().sum::<f32>() * fine_grid.width());
        }
        let gaps = probabilities.iter().zip(&finer).map(|(p, q)| (p - q).powi(2) / p);
        let shift = 4.0 * PATHS as f64 * gaps.sum::<f64>();
        println!("chi-square shifted by {shift} over {} classes", probabilities.len());
        assert!(shift < (2.0 * probabilities.len() as f64).sqrt() / 20.0, "{shift}");
    }
}
