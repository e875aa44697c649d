//! One pass over all pairs of two sets: kernel sum and nearest distances together.

use rayon::prelude::*;

use super::points::{LANES, Points};

/// Which pairs a pass looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pairs {
    /// Every row of one set with every row of another.
    Across,
    /// Every row of a set with every other row of the same set.
    Within,
}

/// What a pass over all pairs found.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Sum of exp(-gamma d^2) over the pairs.
    pub(super) kernel_sum: f64,
    /// Sum of the distances themselves over the pairs.
    pub(super) distance_sum: f64,
    /// Squared distance from each row of the first set to its nearest in the second.
    pub(super) row_nearest: Vec<f64>,
    /// Squared distance from each row of the second set to its nearest in the first.
    pub(super) column_nearest: Vec<f64>,
}

/// Rows of the first set in one piece of work; fixed, so that sums do not depend on the number of threads.
const BLOCK: usize = 32;

/// Squared Euclidean distances between all rows of `a` and `b`, reduced on the fly: memory is linear in the rows, cost n m dim.
///
/// `gamma` of `None` leaves both sums at 0 and saves their exponentials and roots.
pub(super) fn sweep(a: &Points, b: &Points, pairs: Pairs, gamma: Option<f64>) -> Sweep {
    let rows: Vec<&[f64]> = a.padded_rows().collect();
    let blocks: Vec<Sweep> = rows
        .par_chunks(BLOCK)
        .enumerate()
        .map(|(block, rows)| sweep_block(block * BLOCK, rows, b, pairs, gamma))
        .collect();
    let mut all = Sweep {
        kernel_sum: 0.0,
        distance_sum: 0.0,
        row_nearest: Vec::with_capacity(a.rows()),
        column_nearest: vec![f64::INFINITY; b.rows()],
    };
    for block in blocks {
        all.kernel_sum += block.kernel_sum;
        all.distance_sum += block.distance_sum;
        all.row_nearest.extend(block.row_nearest);
        for (nearest, found) in all.column_nearest.iter_mut().zip(block.column_nearest) {
            *nearest = nearest.min(found);
        }
    }
    all
}

fn sweep_block(first: usize, rows: &[&[f64]], b: &Points, pairs: Pairs, gamma: Option<f64>) -> Sweep {
    let mut found = Sweep {
        kernel_sum: 0.0,
        distance_sum: 0.0,
        row_nearest: Vec::with_capacity(rows.len()),
        column_nearest: vec![f64::INFINITY; b.rows()],
    };
    let mut distances = vec![0.0; b.rows()];
    for (index, row) in rows.iter().enumerate() {
        for (d, other) in distances.iter_mut().zip(b.padded_rows()) {
            *d = squared_distance(row, other);
        }
        if gamma.is_some() {
            found.distance_sum += distances.iter().map(|d| d.sqrt()).sum::<f64>(); // a row is at no distance from itself
        }
        if pairs == Pairs::Within {
            distances[first + index] = f64::INFINITY; // exp(-inf) is 0, and it is nobody's nearest
        }
        let mut nearest = f64::INFINITY;
        for (column, &d) in found.column_nearest.iter_mut().zip(&distances) {
            nearest = nearest.min(d);
            *column = column.min(d);
        }
        found.row_nearest.push(nearest);
        if let Some(gamma) = gamma {
            found.kernel_sum += distances.iter().map(|d| (-gamma * d).exp()).sum::<f64>();
        }
    }
    found
}

/// Squared Euclidean distance of two padded rows, in [`LANES`] running sums so that it vectorises.
#[inline]
pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_agrees_with_pairs_taken_one_by_one() {
        let cloud = |rows: usize, step: u64| {
            let mut random = crate::data::SplitMix64::new(step);
            let values: Vec<f32> = (0..rows * 11).map(|_| random.next_unit() as f32).collect();
            (Points::new(&values, 11).unwrap(), values)
        };
        let ((a, plain_a), (b, plain_b)) = (cloud(70, 1), cloud(45, 2));
        let plain = |i: usize, x: &[f32], j: usize, y: &[f32]| -> f64 {
            let (x, y) = (&x[i * 11..(i + 1) * 11], &y[j * 11..(j + 1) * 11]);
            x.iter().zip(y).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum()
        };
        let across = sweep(&a, &b, Pairs::Across, Some(0.5));
        let within = sweep(&a, &a, Pairs::Within, Some(0.5));
        let mut sums = [0.0; 2];
        let mut lengths = [0.0; 2];
        for i in 0..70 {
            let to_b: Vec<f64> = (0..45).map(|j| plain(i, &plain_a, j, &plain_b)).collect();
            let to_a = (0..70).filter(|&j| j != i).map(|j| plain(i, &plain_a, j, &plain_a));
            let to_a: Vec<f64> = to_a.collect();
            let least = |d: &[f64]| d.iter().copied().fold(f64::INFINITY, f64::min);
            assert!((across.row_nearest[i] - least(&to_b)).abs() < 1e-12);
            assert!((within.row_nearest[i] - least(&to_a)).abs() < 1e-12);
            lengths[0] += to_b.iter().map(|d| d.sqrt()).sum::<f64>();
            lengths[1] += to_a.iter().map(|d| d.sqrt()).sum::<f64>();
            sums[0] += to_b.iter().map(|d| (-0.5 * d).exp()).sum::<f64>();
            sums[1] += to_a.iter().map(|d| (-0.5 * d).exp()).sum::<f64>();
        }
        assert!((across.kernel_sum - sums[0]).abs() < 1e-9);
        assert!((within.kernel_sum - sums[1]).abs() < 1e-9);
        assert!((across.distance_sum - lengths[0]).abs() < 1e-9);
        assert!((within.distance_sum - lengths[1]).abs() < 1e-9);
        let back = sweep(&b, &a, Pairs::Across, None);
        assert_eq!(across.column_nearest, back.row_nearest);
        assert_eq!((within.column_nearest, back.kernel_sum), (within.row_nearest, 0.0));
    }
}
