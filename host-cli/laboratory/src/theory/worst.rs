//! One row for many points: shown where the gap is largest.

use super::Row;

/// A row without chance over pairs of prediction and measurement; fails if any is further apart than `tolerance`, or no number.
pub(super) fn exact(
    name: &'static str,
    statement: impl Into<String>,
    pairs: impl IntoIterator<Item = (f64, f64)>,
    tolerance: f64,
) -> Row {
    // A gap that is no number counts as the largest, and no point at all as one of these.
    let gap = |pair: &(f64, f64)| (pair.0 - pair.1).abs();
    let worst = pairs.into_iter().max_by(|a, b| gap(a).total_cmp(&gap(b)));
    let (predicted, measured) = worst.unwrap_or((f64::NAN, f64::NAN));
    Row::exact(name, statement, predicted, measured, tolerance)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn the_largest_gap_decides_and_what_is_no_number_is_largest() {
        let row = exact("a", "a", [(1.0, 1.1), (2.0, 2.3), (3.0, 3.0)], 0.5);
        assert_eq!((row.predicted, row.measured, row.verdict()), (2.0, 2.3, Verdict::Holds));
        assert_eq!(exact("a", "a", [(1.0, 1.0), (1.0, 1.6)], 0.5).verdict(), Verdict::Fails);
        assert_eq!(exact("a", "a", [(1.0, 1.0), (f64::NAN, 1.6)], 0.5).verdict(), Verdict::Fails);
        assert_eq!(exact("a", "a", [], 0.5).verdict(), Verdict::Fails);
    }
}
