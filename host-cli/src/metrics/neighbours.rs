//! Figures from nearest neighbours.

use super::distances::{Pairs, Sweep, sweep};
use super::list::Metric;
use super::points::{MetricError, Points};

pub(super) const NEAREST_NEIGHBOUR: Metric = Metric {
    title: "1-NN",
    decimals: 3,
    blocks: usize::MAX,
    measure: |reference, block| {
        if block.points.rows() == reference.held_out.rows() {
            return accuracy(&block.within.row_nearest, &reference.within.row_nearest, &block.across);
        }
        cut_accuracy(&block.points, reference.held_out)
    },
};

/// Leave-one-out accuracy of a 1-nearest-neighbour classifier that tells `a` from `b`, a share.
///
/// The larger set is cut to the size of the smaller, so .5 means that the sets cannot be told apart and 1 that they are separate;
/// below .5, a has near copies of b. A tie between the sets counts for `a`. Cost: 3 n^2 dim.
/// Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn nearest_neighbour_accuracy(a: &Points, b: &Points) -> Result<f64, MetricError> {
    a.comparable(b)?;
    Ok(cut_accuracy(a, b))
}

fn cut_accuracy(a: &Points, b: &Points) -> f64 {
    let count = a.rows().min(b.rows());
    let (a, b) = (a.slice(0, count), b.slice(0, count));
    let within_a = sweep(&a, &a, Pairs::Within, None).row_nearest;
    let within_b = sweep(&b, &b, Pairs::Within, None).row_nearest;
    let across = sweep(&a, &b, Pairs::Across, None);
    accuracy(&within_a, &within_b, &across)
}

/// The accuracy from nearest squared distances within and across two sets of one size.
pub(super) fn accuracy(within_a: &[f64], within_b: &[f64], across: &Sweep) -> f64 {
    let right_a = within_a.iter().zip(&across.row_nearest);
    let right_b = within_b.iter().zip(&across.column_nearest);
    let right =
        right_a.filter(|(own, other)| own <= other).count() + right_b.filter(|(own, other)| own < other).count();
    right as f64 / (within_a.len() + within_b.len()) as f64
}

/// The share of samples that are strictly nearer to a training row than to any held-out row.
///
/// Fresh data score .5 if `train` and `held_out` are equal in size and distribution; a model that repeats its training rows scores 1.
/// Cost: n (train + held_out) dim.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn memorisation(generated: &Points, train: &Points, held_out: &Points) -> Result<f64, MetricError> {
    generated.comparable(train)?;
    generated.comparable(held_out)?;
    let to_train = sweep(generated, train, Pairs::Across, None).row_nearest;
    let to_held_out = sweep(generated, held_out, Pairs::Across, None).row_nearest;
    Ok(share_nearer(&to_train, &to_held_out))
}

/// The distance from each row to the nearest one of another set. Cost: n m dim.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn nearest_distances(from: &Points, to: &Points) -> Result<Vec<f64>, MetricError> {
    from.comparable(to)?;
    let squares = sweep(from, to, Pairs::Across, None).row_nearest;
    Ok(squares.into_iter().map(f64::sqrt).collect())
}

/// The share of pairs whose first is below the second.
pub(super) fn share_nearer(train: &[f64], held_out: &[f64]) -> f64 {
    let nearer = train.iter().zip(held_out).filter(|(t, h)| t < h).count();
    nearer as f64 / train.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f32]) -> Points {
        Points::new(values, 1).unwrap()
    }

    #[test]
    fn separate_sets_are_told_apart_and_twins_are_not() {
        let apart = nearest_neighbour_accuracy(&points(&[0., 1., 2.]), &points(&[10., 11., 12.]));
        assert_eq!(apart.unwrap(), 1.0);
        // Each row's nearest is its twin in the other set.
        let twins = nearest_neighbour_accuracy(&points(&[0., 10.]), &points(&[1., 11.]));
        assert_eq!(twins.unwrap(), 0.0);
    }

    #[test]
    fn a_tie_counts_for_the_first_set() {
        // a = 0, 2; b = 1, 9. Row 0: nearest is b's 1. Row 2: b's 1. Row 1 has 0 and 2 of a at distance 1. Row 9: a's 2 before b's 1.
        let got = nearest_neighbour_accuracy(&points(&[0., 2.]), &points(&[1., 9.]));
        assert_eq!(got.unwrap(), 0.0);
        // a = 0, 1, b = -1, 5: row 0 has a's 1 and b's -1 at distance 1, which counts for a (right); row 1 has 0 (right); row -1 has 0
        // (wrong); row 5 has 1 (wrong).
        let got = nearest_neighbour_accuracy(&points(&[0., 1.]), &points(&[-1., 5.]));
        assert_eq!(got.unwrap(), 0.5);
    }

    #[test]
    fn the_larger_set_is_cut() {
        let got = nearest_neighbour_accuracy(&points(&[0., 1., 100.]), &points(&[50., 51.]));
        assert_eq!(got.unwrap(), 1.0);
    }

    #[test]
    fn memorisation_counts_what_is_nearer_to_training() {
        let got = memorisation(&points(&[0., 4., 6., 5.]), &points(&[0., 1.]), &points(&[10., 9.]));
        assert_eq!(got.unwrap(), 0.5); // 0 and 4 are nearer to 1 than to 9; 6 is not; 5 is a tie
    }
}
