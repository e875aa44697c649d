//! The table as text, at most 120 characters wide.

use std::io::{self, Write};

use rayon::ThreadPool;

use super::{Chapter, Finding, Laboratory, Report, Selected, Test, Verdict, run};

/// Runs experiments and writes their rows as they come, chapter by chapter; the last line counts them.
///
/// # Errors
/// What `out` gives; the run then ends early.
pub fn print(
    laboratory: &Laboratory,
    pool: &ThreadPool,
    selected: &[Selected],
    out: &mut dyn Write,
) -> io::Result<Report> {
    let mut chapter = "";
    let report = run(laboratory, pool, selected, |selected, findings| {
        if chapter != selected.chapter.name {
            let gap = if chapter.is_empty() { "" } else { "\n" };
            write!(out, "{gap}{}", heading(selected.chapter))?;
            chapter = selected.chapter.name;
        }
        for finding in findings {
            out.write_all(lines(finding).as_bytes())?;
        }
        out.flush()
    })?;
    let (rows, failed, seconds, seed) = (report.rows.len(), report.failed, report.seconds, report.seed);
    let word = if rows == 1 { "row" } else { "rows" };
    writeln!(out, "\n{rows} {word}, {failed} failed, {seconds:.1} s, seed {seed}")?;
    out.flush()?;
    Ok(report)
}

/// Chapters and rows without running them.
///
/// # Errors
/// What `out` gives.
pub fn list(selected: &[Selected], out: &mut dyn Write) -> io::Result<()> {
    let mut chapter = "";
    for selected in selected {
        if chapter != selected.chapter.name {
            let gap = if chapter.is_empty() { "" } else { "\n" };
            writeln!(out, "{gap}{}: {}", selected.chapter.name, selected.chapter.title)?;
            chapter = selected.chapter.name;
        }
        for row in &selected.rows {
            writeln!(out, "  {row}")?;
        }
    }
    out.flush()
}

fn heading(chapter: &Chapter) -> String {
    let title = format!("{} ({})", chapter.title, chapter.name);
    format!("{title:42}  {:>12}  {:>12}  {:>16}  {:>7}  verdict\n", "predicted", "measured", "within", "z")
}

fn lines(finding: &Finding) -> String {
    let row = &finding.row;
    let within = match row.test {
        Test::StandardError { standard_error } => format!("s.e. {}", number(standard_error)),
        Test::PValue { p } => format!("p {}", number(p)),
        Test::Tolerance { tolerance } => format!("+-{}", number(tolerance)),
        Test::AtMost => "at most".into(),
        Test::Order => "-0.1 +0.25".into(),
    };
    let z = finding.z.map_or(String::new(), |z| format!("{z:.2}"));
    let verdict = match finding.verdict {
        Verdict::Holds => "holds",
        Verdict::Fails => "FAILS",
    };
    let (predicted, measured) = (number(row.predicted), number(row.measured));
    let mut text = format!("  {:40}  {predicted:>12}  {measured:>12}  {within:>16}  {z:>7}  {verdict}\n", row.name);
    for line in textwrap::wrap(&row.statement, 112) {
        text += &format!("      {line}\n");
    }
    text
}

/// Six significant digits, without zeros at the end.
fn number(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let scientific = format!("{x:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    match exponent {
        -4..=5 => trimmed(&format!("{x:.*}", usize::try_from(5 - exponent).unwrap_or(0))),
        _ => format!("{}e{exponent}", trimmed(digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Estimate;
    use crate::theory::Row;

    #[test]
    fn numbers_keep_six_digits() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.1 - 0.2, "-0.3"),
            (1234.5678, "1234.57"),
            (123_456.7, "123457"),
            (1e6, "1e6"),
            (-1.234_567_8e-7, "-1.23457e-7"),
            (1e-4, "0.0001"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn a_line_is_at_most_120_wide_whatever_its_numbers() {
        let name = "a-name-as-long-as-a-name-may-reasonablybe";
        let estimate = Estimate { value: -1.234_567_8e-123, standard_error: 2.345_678_9e-123 };
        let row = Row::estimate(name, "a statement of many words ".repeat(20), -9.876_543_2e-123, estimate);
        let finding = Finding { chapter: "c", z: row.z(), verdict: row.verdict(), row };
        for line in lines(&finding).lines().chain(heading(&Chapter { name: "c", title: "C", experiments: &[] }).lines())
        {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
