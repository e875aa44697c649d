use serde::Serialize;

use super::Rows;
use crate::metrics::{MetricError, Points, nearest_distances};

/// Root mean square difference of two rows, in training deviations, below which one is called a near duplicate of the other: a tenth of a deviation.
pub const NEAR_DUPLICATE: f64 = 0.1;

/// How near rows lie to the real rows that a model learnt from, beside how near real rows do that it never saw. Distances are root mean square
/// differences over the values of a row, in training deviations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Nearness {
    /// Rows that were measured.
    pub rows: usize,
    /// Median distance to the nearest real row.
    pub median: f64,
    /// The same of real rows that were held out.
    pub held_out_median: f64,
    /// First percentile of the distances of held-out rows.
    pub held_out_first_percentile: f64,
    /// Share of rows that lie nearer than that.
    pub share_below: f64,
    /// Rows that lie nearer than [`NEAR_DUPLICATE`].
    pub near_duplicates: usize,
}

impl Nearness {
    /// Measures rows against real ones and held-out ones, all in the scale of training.
    ///
    /// # Errors
    /// [`MetricError`] for fewer than two real rows or values that are not finite.
    pub fn measure(rows: &Rows, real: &Rows, held_out: &Rows) -> Result<Self, MetricError> {
        Ok(Self::of(distances(rows, real)?, distances(held_out, real)?))
    }

    /// The figures from distances of rows and of held-out rows.
    #[must_use]
    pub fn of(mut distances: Vec<f64>, mut held_out: Vec<f64>) -> Self {
        distances.sort_unstable_by(f64::total_cmp);
        held_out.sort_unstable_by(f64::total_cmp);
        let first = quantile(&held_out, 0.01);
        let below = distances.partition_point(|d| *d < first);
        Self {
            rows: distances.len(),
            median: quantile(&distances, 0.5),
            held_out_median: quantile(&held_out, 0.5),
            held_out_first_percentile: first,
            share_below: below as f64 / distances.len().max(1) as f64,
            near_duplicates: distances.partition_point(|d| *d < NEAR_DUPLICATE),
        }
    }
}

/// The distance of each row to the nearest real one.
pub(super) fn distances(rows: &Rows, real: &Rows) -> Result<Vec<f64>, MetricError> {
    // A set of points has at least two rows; a single one is measured twice.
    let alone = rows.len() == 1;
    let values = if alone { [rows.values.as_slice(); 2].concat() } else { rows.values.clone() };
    let squares = nearest_distances(&Points::new(&values, rows.dim)?, &Points::new(&real.values, real.dim)?)?;
    let take = if alone { 1 } else { squares.len() };
    Ok(squares[..take].iter().map(|d| d / (rows.dim as f64).sqrt()).collect())
}

/// The value below which a share of sorted values lies, between the two nearest linearly; NaN without values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32]) -> Rows {
        Rows::whole(2, values, &vec![0; values.len() / 2]).0
    }

    #[test]
    fn copies_are_told_from_variations() {
        let real = rows(&[0.0, 0.0, 10.0, 10.0]);
        // Differences (1, 1), (3, 3): root mean squares 1 and 3, their first percentile 1.02.
        let held_out = rows(&[1.0, 1.0, 13.0, 13.0]);
        let made = rows(&[10.0, 10.0, 0.1, 0.1, 1.01, 1.01, 7.0, 7.0, 0.0, 2.0]);
        let found = Nearness::measure(&made, &real, &held_out).unwrap();
        assert_eq!((found.rows, found.near_duplicates), (5, 1));
        assert!((found.held_out_first_percentile - 1.02).abs() < 1e-6 && (found.held_out_median - 2.0).abs() < 1e-6);
        assert!((found.share_below - 0.6).abs() < 1e-9);
        // (0, 2) is at sqrt(4 / 2) of (0, 0), and 1.01 is the middle one of .. 0, .1, 1.01, 1.41, 3.
        assert!((found.median - 1.01).abs() < 1e-6);
        assert!((Nearness::measure(&rows(&[4.0, 4.0]), &real, &held_out).unwrap().median - 4.0).abs() < 1e-6);
    }
}
