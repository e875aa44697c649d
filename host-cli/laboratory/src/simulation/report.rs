use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::run::pairings;
use super::{Moments, PairSums, Plan};
use crate::statistics::Estimate;

/// What was measured, beside what the theory says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was run.
    pub plan: Plan,
    /// The file of states, if one was written.
    pub out: Option<String>,
    /// The table.
    pub rows: Vec<Line>,
    /// What the table is made of, and that of shards adds up: the pairs in order of time; within a time each component with itself, the two
    /// components of a state that has two, and the first component now and at the end.
    pub sums: Vec<PairSums>,
}

/// A line of the table; what is no number is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Time.
    pub t: f32,
    /// What was measured.
    pub quantity: Quantity,
    /// Of which components.
    pub of: Vec<String>,
    /// The value.
    pub measured: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// What the theory says.
    pub predicted: Option<f64>,
    /// The difference in standard errors.
    pub z: Option<f64>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// The mean.
    Mean,
    /// The variance.
    Variance,
    /// The covariance of two components.
    Covariance,
    /// The covariance of a component now and at the end.
    CovarianceWithEnd,
}

impl Line {
    fn new(t: f32, quantity: Quantity, of: &[&String], measured: Estimate, predicted: Option<f64>) -> Self {
        let number = |x: f64| Some(x).filter(|x| x.is_finite());
        let z = predicted.map(|predicted| (measured.value - predicted) / measured.standard_error);
        Self {
            t,
            quantity,
            of: of.iter().map(ToString::to_string).collect(),
            measured: number(measured.value),
            standard_error: number(measured.standard_error),
            predicted: predicted.and_then(number),
            z: z.and_then(number),
        }
    }
}

/// The predictions of all lines, in their order.
pub(super) fn predictions(moments: &[Moments]) -> Vec<Option<f64>> {
    let mut all = Vec::new();
    for (k, m) in moments.iter().enumerate() {
        all.extend(m.mean.iter().zip(&m.variance).flat_map(|(mean, variance)| [Some(*mean), Some(*variance)]));
        all.extend(m.cross.map(Some));
        all.extend((k + 1 < moments.len()).then_some(Some(m.with_end)));
    }
    all
}

/// The lines that come of the sums.
pub(super) fn lines(plan: &Plan, sums: &[PairSums], predicted: &[Option<f64>]) -> Vec<Line> {
    let mut predicted = predicted.iter().copied();
    let mut lines = Vec::new();
    for (pair, sums) in pairings(plan).into_iter().zip(sums) {
        let t = plan.time(plan.reported[pair.first.0]);
        let (first, second) = (&plan.components[pair.first.1], &plan.components[pair.second.1]);
        let mut line = |quantity, of: &[&String], measured| {
            lines.push(Line::new(t, quantity, of, measured, predicted.next().flatten()));
        };
        if pair.first == pair.second {
            line(Quantity::Mean, &[first], sums.mean());
            line(Quantity::Variance, &[first], sums.covariance());
        } else if pair.first.0 == pair.second.0 {
            line(Quantity::Covariance, &[first, second], sums.covariance());
        } else {
            line(Quantity::CovarianceWithEnd, &[first], sums.covariance());
        }
    }
    lines
}

impl Report {
    /// Checks a report that was read from a file.
    ///
    /// # Errors
    /// One line.
    pub fn check(&self) -> Result<(), String> {
        self.plan.check()?;
        let pairs = pairings(&self.plan);
        let lines: usize = pairs.iter().map(|pair| if pair.first == pair.second { 2 } else { 1 }).sum();
        let paths = self.plan.end_path() - self.plan.first_path();
        let counted = self.sums.iter().all(|sums| sums.count == paths);
        if counted && self.sums.len() == pairs.len() && self.rows.len() == lines {
            return Ok(());
        }
        Err("its sums are not those of its plan; run the shard again".into())
    }

    /// The table as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let plan = &self.plan;
        let mut text = format!("{}: {}\n", plan.process, plan.equation);
        let paths = plan.end_path() - plan.first_path();
        let _ = write!(text, "{paths} paths from {}, {} steps of {}, ", plan.start, plan.steps, self.step_length());
        let _ = write!(text, "t = {} to {}, ", self.time(plan.t0), self.time(plan.t1));
        let _ = write!(text, "{}, seed {}", plan.stepper, plan.seed);
        if plan.shard.count > 1 {
            let _ = write!(text, ", shard {} of {} paths", plan.shard, plan.paths);
        }
        let mut table = vec![["t", "", "measured", "std error", &plan.predicted_by, "z"].map(String::from)];
        let mut last = None;
        for line in &self.rows {
            if last != Some(line.t) {
                table.push(Default::default());
            }
            table.push(self.cells(line, last != Some(line.t)));
            last = Some(line.t);
        }
        text += "\n\n";
        let widths: [usize; 6] =
            std::array::from_fn(|i| table.iter().map(|cells| cells[i].chars().count()).max().unwrap_or(0));
        for cells in table {
            let mut line = String::new();
            for (i, (cell, width)) in cells.iter().zip(widths).enumerate() {
                // Names to the left, numbers to the right.
                let _ = if i == 1 { write!(line, "  {cell:<width$}") } else { write!(line, "  {cell:>width$}") };
            }
            text += line.get(2..).unwrap_or("").trim_end();
            text.push('\n');
        }
        text
    }

    fn step_length(&self) -> String {
        let length = f64::from(self.plan.t1 - self.plan.t0).abs() / f64::from(self.plan.steps);
        trimmed(&significant(length, 6))
    }

    /// A time to a millionth of the longest.
    fn time(&self, t: f32) -> String {
        let longest = self.plan.t0.abs().max(self.plan.t1.abs()).log10().floor();
        let decimals = (6.0 - longest).clamp(0.0, 44.0) as usize;
        trimmed(&format!("{t:.decimals$}"))
    }

    fn cells(&self, line: &Line, first: bool) -> [String; 6] {
        let of = line.of.join(", ");
        let quantity = match line.quantity {
            Quantity::Mean => format!("mean of {of}"),
            Quantity::Variance => format!("variance of {of}"),
            Quantity::Covariance => format!("covariance of {of}"),
            Quantity::CovarianceWithEnd => format!("covariance of {of}, {of}({})", self.time(self.plan.t1)),
        };
        // As many decimals as show two digits of the standard error.
        let decimals = match line.standard_error {
            Some(error) if error > 0.0 => Some((1.0 - error.log10().floor()).clamp(0.0, 12.0) as usize),
            _ => None,
        };
        let number = |x: Option<f64>| match (x, decimals) {
            (None, _) => "-".into(),
            (Some(x), Some(decimals)) if x.abs() < 1e9 => format!("{x:.decimals$}"),
            (Some(x), _) => significant(x, 6),
        };
        [
            if first { self.time(line.t) } else { String::new() },
            quantity,
            number(line.measured),
            number(line.standard_error),
            number(line.predicted),
            line.z.map_or("-".into(), |z| format!("{z:+.2}")),
        ]
    }
}

/// A decimal without zeros at its end.
fn trimmed(decimal: &str) -> String {
    if !decimal.contains('.') || decimal.contains('e') {
        return decimal.into();
    }
    decimal.trim_end_matches('0').trim_end_matches('.').into()
}

/// A number with so many significant digits.
fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let size = x.abs().log10().floor();
    if (-5.0..9.0).contains(&size) {
        let decimals = (digits as f64 - 1.0 - size).max(0.0) as usize;
        format!("{x:.decimals$}")
    } else {
        format!("{x:.*e}", digits - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_one_would_write_them() {
        assert_eq!([0.002, 123.456_789, 0.0].map(|x| significant(x, 6)), ["0.00200000", "123.457", "0"]);
        assert_eq!((significant(1.5e-7, 3), significant(2.5e12, 3)), ("1.50e-7".into(), "2.50e12".into()));
        assert_eq!(["0.00200", "10", "3.0", "1.50e-7"].map(trimmed), ["0.002", "10", "3", "1.50e-7"]);
    }
}
