//! The table at the end of a test run.

use super::run::Tally;
use std::time::Duration;

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything in it held.
    Passed,
    /// It was left out on request.
    Skipped,
    /// Something in it did not hold.
    Failed,
    /// A stage before it failed.
    NotRun,
}

/// One line of the table.
#[derive(Debug)]
pub struct Line {
    /// The stage.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub time: Duration,
    /// The tests it ran.
    pub tally: Tally,
}

/// The table, and below it the count of tests on a line of its own.
pub fn render(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let mut total = Tally::default();
    let mut text = format!("\n{:width$}  {:8}  {:>8}  tests\n", "stage", "result", "time");
    for line in lines {
        total.add(line.tally);
        let outcome = match line.outcome {
            Outcome::Passed => "ok",
            Outcome::Skipped => "SKIPPED",
            Outcome::Failed => "FAILED",
            Outcome::NotRun => "not run",
        };
        let tests = match line.tally {
            Tally { passed: 0, failed: 0, .. } => String::new(),
            Tally { passed, failed: 0, ignored: 0 } => passed.to_string(),
            Tally { passed, failed, ignored } => format!("{passed}, {failed} failed, {ignored} ignored"),
        };
        let row = format!("{:width$}  {outcome:8}  {:6.1} s  {tests}", line.name, line.time.as_secs_f64());
        text += row.trim_end();
        text += "\n";
    }
    let time: Duration = lines.iter().map(|line| line.time).sum();
    text += &format!("{:width$}  {:8}  {:6.1} s\n", "total", "", time.as_secs_f64());
    text + &format!("\n{} passed, {} failed\n", total.passed, total.failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_sum_over_all_stages() {
        let line = |outcome, passed, failed| Line {
            name: "a stage",
            outcome,
            time: Duration::from_millis(1500),
            tally: Tally { passed, failed, ignored: 0 },
        };
        let text = render(&[line(Outcome::Passed, 5, 0), line(Outcome::Failed, 2, 1), line(Outcome::NotRun, 0, 0)]);
        assert_eq!(text.lines().last(), Some("7 passed, 1 failed"));
        assert!(text.contains("a stage  FAILED       1.5 s  2, 1 failed, 0 ignored\n"), "{text}");
        assert!(text.contains("total                 4.5 s\n"), "{text}");
    }
}
