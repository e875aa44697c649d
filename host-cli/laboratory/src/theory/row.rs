use serde::Serialize;

use crate::statistics::Estimate;

/// Standard errors that a normal number leaves on either side with a probability of 1e-5 in all.
const LIMIT: f64 = 4.417_173;
/// The probability below which a test by p-value fails.
const LEAST_P: f64 = 1e-5;

/// How a measurement is held to its prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "test", rename_all = "kebab-case")]
pub enum Test {
    /// A statistic, normal with this standard error: fails beyond 4.417 of them (1e-5, two-sided).
    StandardError {
        /// The standard error.
        standard_error: f64,
    },
    /// A statistic whose law gives this probability of one at least as far off: fails below 1e-5.
    PValue {
        /// The probability.
        p: f64,
    },
    /// No chance involved: fails when further off than this, which follows from rounding or from a proved bound.
    Tolerance {
        /// The largest difference.
        tolerance: f64,
    },
    /// The measurement may not exceed the prediction.
    AtMost,
    /// A convergence order: fails outside [order - 0.1, order + 0.25].
    Order,
}

/// Whether a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
}

/// One identity, put to the test.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// A short name in kebab-case, the same in every run: what scripts go by.
    pub name: &'static str,
    /// The statement, as one reads it.
    pub statement: String,
    /// What the theory says.
    pub predicted: f64,
    /// What came out.
    pub measured: f64,
    /// What was compared, and how.
    #[serde(flatten)]
    pub test: Test,
}

impl Row {
    /// A statistic beside its expectation.
    pub fn estimate(name: &'static str, statement: impl Into<String>, predicted: f64, measured: Estimate) -> Self {
        let test = Test::StandardError { standard_error: measured.standard_error };
        Self { name, statement: statement.into(), predicted, measured: measured.value, test }
    }

    /// A value that does not depend on chance.
    pub fn exact(
        name: &'static str,
        statement: impl Into<String>,
        predicted: f64,
        measured: f64,
        tolerance: f64,
    ) -> Self {
        Self { name, statement: statement.into(), predicted, measured, test: Test::Tolerance { tolerance } }
    }

    /// A statistic with the probability of one as far off.
    pub fn p_value(name: &'static str, statement: impl Into<String>, predicted: f64, measured: f64, p: f64) -> Self {
        Self { name, statement: statement.into(), predicted, measured, test: Test::PValue { p } }
    }

    /// A value and the bound it may not exceed.
    pub fn at_most(name: &'static str, statement: impl Into<String>, bound: f64, measured: f64) -> Self {
        Self { name, statement: statement.into(), predicted: bound, measured, test: Test::AtMost }
    }

    /// A convergence order.
    pub fn order(name: &'static str, statement: impl Into<String>, order: f64, measured: f64) -> Self {
        Self { name, statement: statement.into(), predicted: order, measured, test: Test::Order }
    }

    /// The difference in standard errors, for a statistic.
    #[must_use]
    pub fn z(&self) -> Option<f64> {
        match self.test {
            Test::StandardError { standard_error } => Some((self.measured - self.predicted) / standard_error),
            _ => None,
        }
    }

    /// Whether the row holds; what is not a number fails.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let gap = self.measured - self.predicted;
        let holds = match self.test {
            Test::StandardError { standard_error } => standard_error > 0.0 && gap.abs() <= LIMIT * standard_error,
            Test::PValue { p } => p >= LEAST_P && gap.is_finite(),
            Test::Tolerance { tolerance } => gap.abs() <= tolerance,
            Test::AtMost => gap <= 0.0,
            Test::Order => (-0.1..=0.25).contains(&gap),
        };
        if holds { Verdict::Holds } else { Verdict::Fails }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_leaves_one_in_a_hundred_thousand() {
        use statrs::distribution::{ContinuousCDF, Normal};
        let beyond = 2.0 * Normal::new(0.0, 1.0).unwrap().sf(LIMIT);
        assert!((beyond / 1e-5 - 1.0).abs() < 1e-5, "{beyond}");
    }

    #[test]
    fn a_row_fails_beyond_its_test_and_on_what_is_no_number() {
        let estimate = |value| Row::estimate("a", "a", 1.0, Estimate { value, standard_error: 0.1 }).verdict();
        assert_eq!(
            [1.44, 1.45, 0.56, 0.55].map(estimate),
            [Verdict::Holds, Verdict::Fails, Verdict::Holds, Verdict::Fails]
        );
        assert_eq!(estimate(f64::NAN), Verdict::Fails);
        let nothing = Estimate { value: 1.0, standard_error: 0.0 };
        assert_eq!(Row::estimate("a", "a", 1.0, nothing).verdict(), Verdict::Fails);
        assert_eq!(Row::exact("a", "a", 1.0, 1.5, 0.5).verdict(), Verdict::Holds);
        assert_eq!(Row::exact("a", "a", 1.0, f64::NAN, 0.5).verdict(), Verdict::Fails);
        assert_eq!(Row::p_value("a", "a", 0.0, 0.1, 0.9e-5).verdict(), Verdict::Fails);
        assert_eq!(Row::p_value("a", "a", 0.0, f64::NAN, 0.5).verdict(), Verdict::Fails);
        assert_eq!(Row::at_most("a", "a", 1.0, 1.1).verdict(), Verdict::Fails);
        assert_eq!(Row::order("a", "a", 1.0, 0.89).verdict(), Verdict::Fails);
        assert_eq!(Row::order("a", "a", 1.0, 1.25).verdict(), Verdict::Holds);
    }
}
