//! Times of rows, and the period between them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Largest deviation of a step from the period, as a share of it, that still counts as regular: clocks jitter, and stamps are rounded.
const JITTER: f64 = 0.05;

/// Seconds of a cell: a plain number, or a date and time of day, in UTC where it names no zone.
pub(super) fn seconds(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let since = |stamp: Timestamp| stamp.as_nanosecond() as f64 * 1e-9;
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(since(stamp));
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Some(since(zoned.timestamp()));
    }
    let civil: DateTime = text.trim_end_matches('Z').parse().ok()?;
    Some(since(civil.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

/// What the times of the rows of one group say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The row follows the one before.
    Next,
    /// So many rows are missing in between.
    Gap(u64),
    /// The time goes back or stands still.
    Back,
    /// The step is no whole number of periods.
    Between,
}

/// The period: the median of the steps, and the middle of those near it.
pub(super) fn period(steps: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = steps.iter().copied().filter(|s| *s > 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = *sorted.get(sorted.len() / 2)?;
    let near: Vec<f64> = sorted.into_iter().filter(|s| (s - median).abs() <= JITTER * median).collect();
    Some(six_digits(near.iter().sum::<f64>() / near.len() as f64))
}

/// A number to six digits: stamps say no more, and a person reads it.
pub(super) fn six_digits(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// How far a step of time leads.
pub(super) fn step(seconds: f64, period: f64) -> Step {
    let periods = seconds / period;
    if periods <= 0.0 {
        return Step::Back;
    }
    let whole = periods.round();
    if whole < 1.0 || (periods - whole).abs() > JITTER.max(1e-3 * whole) {
        return Step::Between;
    }
    if whole < 1.5 { Step::Next } else { Step::Gap(whole as u64 - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_seconds() {
        assert_eq!(seconds("12.5"), Some(12.5));
        // 2013-01-01T06:00 is 1,357,020,000 s after 1970, by `date -u -d`.
        for text in ["2013-01-01T06:00Z", "2013-01-01T06:00:00Z", "2013-01-01 06:00:00", "2013-01-01T07:00:00+01:00"] {
            assert_eq!(seconds(text), Some(1_357_020_000.0), "{text}");
        }
        assert_eq!(seconds("noon"), None);
        assert_eq!(seconds("NaN"), None);
    }

    #[test]
    fn a_period_survives_jitter_and_gaps() {
        let steps = [0.01, 0.0101, 0.0099, 0.01, 0.05, 0.01, 0.01];
        assert_eq!(period(&steps), Some(0.01));
        assert_eq!(six_digits(1.0 / 120.0), 0.008_333_33);
        assert_eq!(period(&[]), None);
        assert_eq!(step(0.0102, 0.01), Step::Next);
        assert_eq!(step(0.05, 0.01), Step::Gap(4));
        assert_eq!(step(0.013, 0.01), Step::Between);
        assert_eq!(step(-0.01, 0.01), Step::Back);
        assert_eq!(step(0.0, 0.01), Step::Back);
    }
}
