//! Precision, recall, density and coverage: how two sets cover each other's balls of nearest neighbours.

use rayon::prelude::*;

use super::distances::squared_distance;
use super::list::Metric;
use super::points::{MetricError, Points};

/// Neighbours whose farthest gives a ball its radius.
pub const NEIGHBOURS: usize = 5;

pub(super) const PRECISION: Metric =
    Metric { title: "precision", decimals: 3, blocks: usize::MAX, measure: |_, block| block.manifold.precision };

pub(super) const RECALL: Metric =
    Metric { title: "recall", decimals: 3, blocks: usize::MAX, measure: |_, block| block.manifold.recall };

pub(super) const DENSITY: Metric =
    Metric { title: "density", decimals: 3, blocks: usize::MAX, measure: |_, block| block.manifold.density };

pub(super) const COVERAGE: Metric =
    Metric { title: "coverage", decimals: 3, blocks: usize::MAX, measure: |_, block| block.manifold.coverage };

/// The four figures, shares but for the density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Manifold {
    /// Share of samples that lie in the ball of some real row.
    pub precision: f64,
    /// Share of real rows that lie in the ball of some sample.
    pub recall: f64,
    /// Mean number of real balls that hold a sample, divided by k: 1 on average for fresh data, and it may be more.
    pub density: f64,
    /// Share of real rows whose ball holds a sample.
    pub coverage: f64,
}

/// Precision and recall (Kynkäänniemi et al. 2019), density and coverage of samples against real rows.
///
/// The ball of a row reaches to its k-th nearest neighbour in its own set, k = [`NEIGHBOURS`] or what the set has; its edge does not
/// belong to it. Cost: ((n + m) max(n, m) + n m) dim. Source: Naeem, Oh, Uh, Choi and Yoo, "Reliable fidelity and diversity metrics
/// for generative models", ICML 2020.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn manifold(samples: &Points, real: &Points) -> Result<Manifold, MetricError> {
    samples.comparable(real)?;
    Ok(from_radii(samples, real, &radii(samples), &radii(real)))
}

/// Squared distance from each row to its k-th nearest neighbour in the same set.
pub(super) fn radii(points: &Points) -> Vec<f64> {
    let rows: Vec<&[f64]> = points.padded_rows().collect();
    let k = NEIGHBOURS.min(rows.len() - 1);
    let radius = |i: usize| {
        let mut distances: Vec<f64> = rows.iter().map(|other| squared_distance(rows[i], other)).collect();
        distances.swap_remove(i);
        *distances.select_nth_unstable_by(k - 1, f64::total_cmp).1
    };
    (0..rows.len()).into_par_iter().map(radius).collect()
}

pub(super) fn from_radii(samples: &Points, real: &Points, sample_radii: &[f64], real_radii: &[f64]) -> Manifold {
    let of_sample = |sample: &[f64]| {
        let held = real.padded_rows().zip(real_radii);
        held.filter(|(row, radius)| squared_distance(sample, row) < **radius).count()
    };
    let of_real = |(row, radius): (&[f64], &f64)| {
        let (mut recalled, mut covered) = (false, false);
        for (sample, own) in samples.padded_rows().zip(sample_radii) {
            let distance = squared_distance(sample, row);
            recalled |= distance < *own;
            covered |= distance < *radius;
        }
        (usize::from(recalled), usize::from(covered))
    };
    let rows: Vec<&[f64]> = samples.padded_rows().collect();
    let held: Vec<usize> = rows.par_iter().map(|sample| of_sample(sample)).collect();
    let rows: Vec<&[f64]> = real.padded_rows().collect();
    let seen: Vec<(usize, usize)> = rows.into_par_iter().zip(real_radii).map(of_real).collect();
    let (n, m) = (samples.rows() as f64, real.rows() as f64);
    let k = NEIGHBOURS.min(real.rows() - 1) as f64;
    Manifold {
        precision: held.iter().filter(|&&balls| balls > 0).count() as f64 / n,
        recall: seen.iter().map(|row| row.0).sum::<usize>() as f64 / m,
        density: held.iter().sum::<usize>() as f64 / (k * n),
        coverage: seen.iter().map(|row| row.1).sum::<usize>() as f64 / m,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_worked_out_by_hand() {
        // Real 0..=5, one apart: five neighbours reach 5, 4, 3, 3, 4, 5 far. Samples 2.5, 20, 21: their two neighbours reach
        // 18.5, 17.5, 18.5. The sample 2.5 lies in all six balls, 20 and 21 in none. Every real row lies in the ball of 2.5, and holds it.
        let real = Points::new(&[0., 1., 2., 3., 4., 5.], 1).unwrap();
        let samples = Points::new(&[2.5, 20., 21.], 1).unwrap();
        let got = manifold(&samples, &real).unwrap();
        let expected = Manifold { precision: 1.0 / 3.0, recall: 1.0, density: 6.0 / 15.0, coverage: 1.0 };
        assert_eq!(got, expected);
        // A ball's edge is not in it: 5 away from 0, whose ball reaches 5, and 10 from 5.
        let edge = manifold(&Points::new(&[-5., -5.], 1).unwrap(), &real).unwrap();
        assert_eq!(edge, Manifold { precision: 0.0, recall: 0.0, density: 0.0, coverage: 0.0 });
    }
}
