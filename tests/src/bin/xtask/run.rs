//! Other programs, run in sight of the reader, with the tests they report counted.

use anyhow::{Context as _, Result};
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// A command line, with what it sets in the environment.
#[derive(Clone, Debug)]
pub struct Invocation {
    program: &'static str,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// Tests that runners reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Left out by their `#[ignore]`.
    pub ignored: u64,
}

impl Tally {
    /// Adds the numbers of a runner's last line, `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    pub fn read(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                Some((Ok(number), "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Adds the numbers of another.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl Invocation {
    /// Cargo with arguments separated by blanks.
    pub fn cargo(arguments: &str) -> Self {
        Self::new("cargo", arguments)
    }

    /// A program with arguments separated by blanks.
    pub fn new(program: &'static str, arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(str::to_string).collect();
        Self { program, arguments, environment: Vec::new() }
    }

    /// With a variable in the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_string(), value.to_string()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        // A clone that is built once has no use for what would make the next build of it quicker.
        if std::env::var_os("CI").is_some() {
            command.env("CARGO_INCREMENTAL", "0");
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it, repeats its output as it comes, and says whether it succeeded and what tests it reported.
    pub fn run(&self) -> Result<(bool, Tally)> {
        let mut child = self.command().stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {self}"))?;
        let mut tally = Tally::default();
        let mut ours = std::io::stdout().lock();
        for line in BufReader::new(child.stdout.take().context("no output")?).split(b'\n') {
            let line = line.with_context(|| format!("cannot read what {self} writes"))?;
            tally.read(&String::from_utf8_lossy(&line));
            ours.write_all(&line).and_then(|()| ours.write_all(b"\n")).context("cannot write")?;
        }
        let status = child.wait().with_context(|| format!("cannot wait for {self}"))?;
        Ok((status.success(), tally))
    }

    /// Whether it runs and succeeds, its output left out.
    pub fn succeeds(&self) -> bool {
        self.command().stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl fmt::Display for Invocation {
    /// As a shell takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}=\"{value}\" ")?;
        }
        write!(f, "{} {}", self.program, self.arguments.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_read_the_last_line_of_a_test_runner() {
        let mut tally = Tally::default();
        tally.read("running 3 tests");
        tally.read("test result: ok. 54 passed; 0 failed; 2 ignored; 0 measured; 7 filtered out; finished in 1.07s");
        tally.read("test result: FAILED. 9 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 9s");
        assert_eq!(tally, Tally { passed: 63, failed: 1, ignored: 2 });
    }

    #[test]
    fn an_invocation_reads_as_a_shell_line() {
        let line = Invocation::cargo("doc --no-deps").with("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line.to_string(), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps");
    }
}
