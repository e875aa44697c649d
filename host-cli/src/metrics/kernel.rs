//! The maximum mean discrepancy and its bandwidth.

use rayon::prelude::*;

use super::distances::{Pairs, squared_distance, sweep};
use super::list::Metric;
use super::points::{MetricError, Points};

pub(super) const MMD2: Metric = Metric {
    title: "MMD^2",
    decimals: 5,
    blocks: usize::MAX,
    measure: |reference, block| {
        let sums = (block.within.kernel_sum, reference.within.kernel_sum, block.across.kernel_sum);
        from_sums(block.points.rows(), reference.held_out.rows(), sums.0, sums.1, sums.2)
    },
};

/// The median Euclidean distance over all pairs of a set, in its units; the mean of the middle two if the pairs are even in number.
///
/// Cost: n^2 dim / 2, and n^2 / 2 doubles of memory.
pub fn median_bandwidth(points: &Points) -> f64 {
    let rows: Vec<&[f64]> = points.padded_rows().collect();
    let mut distances: Vec<f64> = (0..rows.len())
        .into_par_iter()
        .flat_map_iter(|i| {
            let (rows, row) = (&rows, rows[i]);
            (i + 1..rows.len()).map(move |j| squared_distance(row, rows[j]).sqrt())
        })
        .collect();
    let middle = distances.len() / 2;
    let even = distances.len().is_multiple_of(2);
    let (below, &mut upper, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
    if even {
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (lower + upper) / 2.0
    } else {
        upper
    }
}

/// Unbiased squared maximum mean discrepancy with the Gaussian kernel k = exp(-d^2 / (2 h^2)), no unit; it may be negative.
///
/// MMD^2 = mean over i != j of k(a_i, a_j) + mean over i != j of k(b_i, b_j) - 2 mean over i, j of k(a_i, b_j). Cost (n + m)^2 dim.
/// With a bandwidth of 0 (more than half of the pairs coincide) only equal points count as near.
/// Source: Gretton et al., "A kernel two-sample test", JMLR 13 (2012), equation 3.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn mmd2_unbiased(a: &Points, b: &Points, bandwidth: f64) -> Result<f64, MetricError> {
    a.comparable(b)?;
    let gamma = Some(gamma(bandwidth));
    let within_a = sweep(a, a, Pairs::Within, gamma).kernel_sum;
    let within_b = sweep(b, b, Pairs::Within, gamma).kernel_sum;
    let across = sweep(a, b, Pairs::Across, gamma).kernel_sum;
    Ok(from_sums(a.rows(), b.rows(), within_a, within_b, across))
}

/// 1 / (2 h^2), kept finite so that gamma times a distance of 0 is 0.
pub(super) fn gamma(bandwidth: f64) -> f64 {
    (0.5 / (bandwidth * bandwidth)).min(f64::MAX)
}

/// The discrepancy from sums of the kernel over ordered pairs.
pub(super) fn from_sums(n: usize, m: usize, within_a: f64, within_b: f64, across: f64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    within_a / (n * (n - 1.0)) + within_b / (m * (m - 1.0)) - 2.0 * across / (n * m)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f32]) -> Points {
        Points::new(values, 1).unwrap()
    }

    #[test]
    fn the_median_distance_is_worked_out_by_hand() {
        // Pairs of 0, 1, 3: 1, 2, 3. Pairs of 0, 1, 3, 7: 1, 2, 3, 4, 6, 7.
        assert_eq!(median_bandwidth(&points(&[0., 1., 3.])), 2.0);
        assert_eq!(median_bandwidth(&points(&[7., 0., 3., 1.])), 3.5);
    }

    #[test]
    fn mmd_of_a_set_and_itself_is_minus_its_bias() {
        // With a = b: 2 S / (n (n-1)) - 2 (S + n) / n^2, S the sum over i != j. Points 0 and 1, h = 1: S = 2 exp(-1/2).
        let a = points(&[0., 1.]);
        let e = (-0.5f64).exp();
        let expected = 2.0 * e - (2.0 * e + 2.0) / 2.0;
        assert!((mmd2_unbiased(&a, &a, 1.0).unwrap() - expected).abs() < 1e-15);
    }

    #[test]
    fn mmd_of_sets_far_apart_is_the_sum_of_their_own_means() {
        // Two coincident points far from two others at distance 1: 1 + exp(-1/2) - 0.
        let got = mmd2_unbiased(&points(&[0., 0.]), &points(&[1e3, 1001.]), 1.0).unwrap();
        assert!((got - (1.0 + (-0.5f64).exp())).abs() < 1e-15);
    }

    #[test]
    fn a_bandwidth_of_zero_stays_finite() {
        let a = points(&[2., 2., 2.]);
        assert_eq!(median_bandwidth(&a), 0.0);
        assert_eq!(mmd2_unbiased(&a, &a, 0.0).unwrap(), 0.0);
        assert_eq!(mmd2_unbiased(&a, &points(&[3., 3.]), 0.0).unwrap(), 2.0);
    }
}
