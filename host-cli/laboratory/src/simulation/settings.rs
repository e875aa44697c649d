use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Process, Start, StepperName};

/// The flags of `mote simulate PROCESS`: the process's own, and those of all.
#[derive(Clone, Debug, clap::Args)]
pub struct Simulation<P: Process> {
    #[command(flatten)]
    pub(super) process: P,
    /// Where paths start: a number, or what the process has of `stationary`, `data` and `noise`.
    #[arg(long, default_value = P::START, allow_hyphen_values = true, help_heading = "Simulation")]
    pub(super) start: Start,
    // Not `default_value_t`: what it keeps is one for all P.
    /// Time to simulate.
    #[arg(long, default_value = P::HORIZON, value_parser = positive, allow_negative_numbers = true, help_heading = "Simulation")]
    pub(super) horizon: f32,
    /// How to step.
    #[arg(long, value_enum, default_value = P::STEPPER, help_heading = "Simulation")]
    pub(super) stepper: StepperName,
    #[command(flatten)]
    pub(super) settings: Settings,
}

/// The flags that are the same for all processes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Simulation")]
pub struct Settings {
    /// How many paths.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(i64).range(1..=MOST_PATHS), allow_negative_numbers = true)]
    pub(super) paths: i64,
    /// Equal steps over the horizon. Default: 500.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_STEPS)), allow_negative_numbers = true)]
    pub(super) steps: Option<u32>,
    /// Length of a step, in place of --steps; the horizon must be a whole number of them.
    #[arg(long, conflicts_with = "steps", value_parser = positive, allow_negative_numbers = true)]
    pub(super) dt: Option<f32>,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(super) seed: u64,
    /// Times in the table besides the start, evenly spaced.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) times: u32,
    /// Run the part I of N, counted from 0, of the paths: what the tasks of a job array do.
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    pub(super) shard: Shard,
    /// Threads. Default: one a core. The results are the same for any number.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024), help_heading = "Output")]
    pub threads: Option<u32>,
    /// Write states to a .npy, .csv or .csv.gz file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// What to write: final states, or whole paths. Default: final.
    #[arg(long, value_enum, requires = "out", help_heading = "Output")]
    pub(super) save: Option<Save>,
    /// Of whole paths write the start and every K-th step. Default: 1.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true, help_heading = "Output")]
    pub(super) every: Option<u32>,
    /// Print JSON with stable field names instead of text; `mote simulate join` adds up that of shards.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// The most paths: their blocks are counted in 32 bits.
pub(super) const MOST_PATHS: i64 = 1_000_000_000_000;
/// The most steps: f32 counts no further.
pub(super) const MOST_STEPS: u32 = 1 << 24;

/// What a file of states holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Save {
    /// The last state of each path
    Final,
    /// Each path, from its start to its end
    Paths,
}

/// One of equal parts of the paths, in whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 0.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((_, 0)) => Err("there must be at least 1 shard, as in 0/1".into()),
            Some((index, count)) if index < count => Ok(Self { index, count }),
            Some((_, count)) => Err(format!("{count} shards are 0/{count} to {}/{count}", count - 1)),
            None => Err("must be I/N, as 0/8 to 7/8 for eight shards".into()),
        }
    }
}

/// A finite number, from the command line.
pub(super) fn finite(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ => Err("must be a finite number".into()),
    }
}

/// A number above 0, from the command line.
pub(super) fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(x) if x.is_finite() && x > 0.0 => Ok(x),
        _ => Err("must be a finite number above 0".into()),
    }
}

/// A number that is not negative, from the command line.
pub(super) fn positive_or_zero(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(x) if x.is_finite() && x >= 0.0 => Ok(x),
        _ => Err("must be a finite number, at least 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_count_from_zero() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        for (text, part) in
            [("5/4", "0/4 to 3/4"), ("4/4", "0/4 to 3/4"), ("0/0", "at least 1"), ("1", "I/N"), ("-1/2", "I/N")]
        {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for text in ["0", "-1", "nan", "inf", "1e60", "x", ""] {
            assert!(positive(text).is_err(), "{text}");
        }
        assert_eq!((positive("1e-3"), positive_or_zero("0"), finite("-2")), (Ok(1e-3), Ok(0.0), Ok(-2.0)));
        assert!(positive_or_zero("-1").is_err() && finite("nan").is_err());
    }
}
