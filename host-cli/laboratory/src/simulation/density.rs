use mote_core::fokker_planck::{GridError, Ito, StepError, UniformGrid, step};
use rayon::prelude::*;

use super::Moments;

/// A one-dimensional process as the Fokker-Planck equation sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Density<F, G> {
    /// The drift at (x, t).
    pub drift: F,
    /// The diffusion at (x, t).
    pub diffusion: G,
    /// Where all paths start.
    pub start: f64,
    /// No path gets further from 0 than this.
    pub edge: f64,
    /// The smallest length that the density shows.
    pub feature: f64,
    /// The fastest rate in the drift.
    pub rate: f64,
}

/// Mean, second moment and product with the end, at each time.
type Raw = [f64; 3];

/// The moments at each of the times, the last of which is the end, by the Fokker-Planck equation; NaN where it cannot be solved.
///
/// Chang and Cooper's scheme on about 16 cells a feature, with steps of at most 1/50 of the fastest rate, extrapolated from two step lengths to
/// order 2. `E[X(s) X(t)]` comes of the density `x p(x, s)`, its two signs apart, moved on to t.
pub(super) fn moments<F, G>(density: &Density<F, G>, times: &[f32]) -> Vec<Moments>
where
    F: Fn(f32, f32) -> f32 + Sync,
    G: Fn(f32, f32) -> f32 + Sync,
{
    let end = f64::from(times.last().copied().unwrap_or(0.0));
    let steps = (end * density.rate * 50.0).clamp(500.0, 20_000.0);
    let (coarse, fine) =
        rayon::join(|| solve(density, times, end / steps), || solve(density, times, 0.5 * end / steps));
    let (Ok(coarse), Ok(fine)) = (coarse, fine) else {
        return vec![Moments::scalar(f64::NAN, f64::NAN, f64::NAN); times.len()];
    };
    let raw = coarse.iter().zip(&fine).map(|(c, f)| std::array::from_fn(|i| 2.0 * f[i] - c[i]));
    let mut raw: Vec<Raw> = raw.collect();
    let last = raw.last().map_or(0.0, |m| m[0]);
    if let Some(first) = raw.first_mut() {
        *first = [density.start, density.start * density.start, density.start * last]; // a point, without rounding
    }
    raw.iter().map(|[m, square, product]| Moments::scalar(*m, square - m * m, product - m * last)).collect()
}

fn solve<F, G>(density: &Density<F, G>, times: &[f32], dt: f64) -> Result<Vec<Raw>, StepError>
where
    F: Fn(f32, f32) -> f32 + Sync,
    G: Fn(f32, f32) -> f32 + Sync,
{
    let (grid, mut p) = point(density)?;
    let mut densities = vec![p.clone()];
    for pair in times.windows(2) {
        advance(density, &grid, (pair[0], pair[1]), dt, &mut p)?;
        densities.push(p.clone());
    }
    let end = times.last().copied().unwrap_or(0.0);
    let of = |(t, p): (&f32, &Vec<f32>)| -> Result<Raw, StepError> {
        let mut product = 0.0;
        for sign in [1.0, -1.0] {
            let mut part: Vec<f32> = p.iter().zip(grid.centres()).map(|(p, x)| p * (sign * x).max(0.0)).collect();
            advance(density, &grid, (*t, end), dt, &mut part)?;
            product += f64::from(sign) * integral(&grid, &part, |x| x);
        }
        let mass = integral(&grid, p, |_| 1.0);
        Ok([integral(&grid, p, |x| x) / mass, integral(&grid, p, |x| x * x) / mass, product / mass])
    };
    times.par_iter().zip(&densities).map(of).collect()
}

/// A grid with a cell about the start that holds all of the mass.
fn point<F, G>(density: &Density<F, G>) -> Result<(UniformGrid, Vec<f32>), GridError> {
    let cells = (32.0 * density.edge / density.feature).clamp(400.0, 4000.0).round();
    let width = 2.0 * density.edge / cells;
    let below = ((density.start + density.edge) / width).floor();
    let low = density.start - (below + 0.5) * width;
    let grid = UniformGrid::new(low as f32, (low + cells * width) as f32, cells as usize)?;
    let mut p = vec![0.0; cells as usize];
    if let Some(cell) = p.get_mut(below as usize) {
        *cell = (1.0 / width) as f32;
    }
    Ok((grid, p))
}

fn advance<F, G>(
    density: &Density<F, G>,
    grid: &UniformGrid,
    (from, to): (f32, f32),
    dt: f64,
    p: &mut [f32],
) -> Result<(), StepError>
where
    F: Fn(f32, f32) -> f32,
    G: Fn(f32, f32) -> f32,
{
    let process = Ito { drift: &density.drift, diffusion: &density.diffusion };
    let mut scratch = vec![[0.0; 2]; p.len()];
    let length = f64::from(to) - f64::from(from);
    let steps = (length / dt).round();
    let dt = length / steps;
    for i in 0..steps as u32 {
        step(grid, &process, (f64::from(from) + f64::from(i) * dt) as f32, dt as f32, p, &mut scratch)?;
    }
    Ok(())
}

/// The integral of f p by the midpoint rule.
fn integral(grid: &UniformGrid, p: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    let sum: f64 = p.iter().zip(grid.centres()).map(|(p, x)| f64::from(*p) * f(f64::from(x))).sum();
    sum * f64::from(grid.width())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Law;
    use crate::simulation::process::{DoubleWell, Process};

    #[test]
    fn moments_in_a_spring_are_those_of_the_closed_form() {
        // dX = -2 X dt + dW from 1: mean e^-2t, variance (1 - e^-4t) / 4, covariance with X(1) that times e^-2(1-t).
        let spring =
            Density { drift: |x, _| -2.0 * x, diffusion: |_, _| 1.0, start: 1.0, edge: 5.0, feature: 0.5, rate: 2.0 };
        let times = [0.0, 0.25, 0.5, 1.0f32];
        for (m, t) in moments(&spring, &times).iter().zip(times.map(f64::from)) {
            let variance = (1.0 - (-4.0 * t).exp()) / 4.0;
            let expected = [(-2.0 * t).exp(), variance, variance * (-2.0 * (1.0 - t)).exp()];
            for (found, expected) in [m.mean[0], m.variance[0], m.with_end].iter().zip(expected) {
                assert!((found - expected).abs() < 3e-4, "{t}: {found} {expected}");
            }
        }
    }

    #[test]
    fn moments_between_the_wells_are_those_of_the_method_of_lines() {
        // By a program apart from this one: finite volumes on 200 cells in f64, the classical Runge-Kutta step of 2e-4 in time.
        let wells = DoubleWell { barrier: 1.0, half_distance: 1.0, noise: 1.0 };
        let expected = [
            (0.5, [-0.86305, 0.13685, 0.06730]),
            (1.0, [-0.76893, 0.26473, 0.18095]),
            (1.5, [-0.68629, 0.38165, 0.30849]),
            (2.0, [-0.61255, 0.47698, 0.47698]),
        ];
        let found = wells.predict(&[Law::normal(-1.0, 0.0)], &[0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!((found[0].mean[0], found[0].variance[0], found[0].with_end), (-1.0, 0.0, 0.0));
        for (m, (t, expected)) in found[1..].iter().zip(expected) {
            for (found, expected) in [m.mean[0], m.variance[0], m.with_end].iter().zip(expected) {
                assert!((found - expected).abs() < 3e-4, "{t}: {found} {expected}");
            }
        }
    }

    #[test]
    fn two_wells_relax_to_the_law_of_boltzmann() {
        // From any start the law tends to exp(-2U / noise^2): mean 0, and its second moment by the trapezoid rule.
        let wells = DoubleWell { barrier: 1.0, half_distance: 1.0, noise: 1.2 };
        let found = wells.predict(&[Law::normal(-1.0, 0.0)], &[0.0, 10.0, 20.0]);
        let (mut mass, mut square) = (0.0, 0.0);
        for i in -400..=400 {
            let x = f64::from(i) * 0.01;
            let p = (-2.0 * (x * x - 1.0).powi(2) / 1.44).exp();
            mass += p;
            square += x * x * p;
        }
        assert!(found[2].mean[0].abs() < 1e-3 && (found[2].variance[0] - square / mass).abs() < 1e-3, "{found:?}");
        // Half of the time before the end the same law holds, and little of the covariance is left.
        assert!((found[1].variance[0] - square / mass).abs() < 1e-3 && found[1].with_end.abs() < 0.01, "{found:?}");
    }
}
