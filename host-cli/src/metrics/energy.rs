//! The energy distance.

use super::distances::{Pairs, sweep};
// With the distance for a kernel the discrepancy is this with its sign turned (Sejdinovic et al. 2013, theorem 22).
use super::kernel::from_sums;
use super::list::Metric;
use super::points::{MetricError, Points};

pub(super) const ENERGY: Metric = Metric {
    title: "energy",
    decimals: 5,
    blocks: usize::MAX,
    measure: |reference, block| {
        let sums = (block.within.distance_sum, reference.within.distance_sum, block.across.distance_sum);
        -from_sums(block.points.rows(), reference.held_out.rows(), sums.0, sums.1, sums.2)
    },
};

/// Unbiased energy distance between two sets, in their units; 0 on average for sets of one law, and it may be negative.
///
/// E = 2 mean |a_i - b_j| - mean over i != j of |a_i - a_j| - mean over i != j of |b_i - b_j|, Euclidean lengths. Cost (n + m)^2 dim.
/// Source: Székely and Rizzo, "Energy statistics: a class of statistics based on distances", J. Stat. Plan. Inference 143 (2013).
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn energy_distance(a: &Points, b: &Points) -> Result<f64, MetricError> {
    a.comparable(b)?;
    // The sum of distances comes with that of a kernel, whose bandwidth is of no matter here.
    let sum = |a: &Points, b: &Points, pairs| sweep(a, b, pairs, Some(1.0)).distance_sum;
    let (within_a, within_b) = (sum(a, a, Pairs::Within), sum(b, b, Pairs::Within));
    Ok(-from_sums(a.rows(), b.rows(), within_a, within_b, sum(a, b, Pairs::Across)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f32]) -> Points {
        Points::new(values, 1).unwrap()
    }

    #[test]
    fn on_a_line_it_is_scipys_squared_but_for_the_bias() {
        // scipy.stats.energy_distance([0, 1, 3], [2, 5, 5, 6]) is the root of the form that divides the pairs within by n^2.
        // Pairs within: (1 + 3 + 2) * 2 = 12 and (3 + 3 + 4 + 0 + 1 + 1) * 2 = 24; 12/9 + 24/16 become 12/6 + 24/12.
        let got = energy_distance(&points(&[0., 1., 3.]), &points(&[2., 5., 5., 6.])).unwrap();
        let scipy = SCIPY * SCIPY;
        assert!((got - (scipy + 12.0 / 9.0 + 24.0 / 16.0 - 4.0)).abs() < 1e-12, "{got}");
    }

    /// scipy 1.17.1.
    const SCIPY: f64 = 1.9578900207451218;

    #[test]
    fn two_far_pairs_are_worked_out_by_hand() {
        // 0, 1 and 10, 11: across 10, 11, 9, 10, mean 10; within 1 and 1.
        assert_eq!(energy_distance(&points(&[0., 1.]), &points(&[10., 11.])).unwrap(), 18.0);
        assert!(energy_distance(&points(&[0., 1.]), &Points::new(&[0., 1., 2., 3.], 2).unwrap()).is_err());
    }
}
