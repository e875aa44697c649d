//! The identities of the theory, each put to the test: statement, prediction, measurement, standard error, verdict.
//!
//! A chapter is one file and one line in [`CHAPTERS`].

mod brownian;
mod ddpm;
mod existence;
mod fokker_planck;
mod forward;
mod ito;
mod kolmogorov;
mod langevin;
mod law;
mod objectives;
pub mod orders;
mod ornstein_uhlenbeck;
mod quadrature;
mod report;
mod reverse;
mod row;
mod samplers;
mod scores;
mod selection;
pub mod table;
mod worst;

pub use report::{Finding, Report, run};
pub use row::{Row, Test, Verdict};
pub use selection::{Selected, UnknownWord, select};

/// What a chapter may use.
#[derive(Clone, Copy, Debug)]
pub struct Laboratory {
    /// The seed of the whole table.
    pub seed: u64,
}

impl Laboratory {
    /// A seed for one experiment, its own for every name.
    #[must_use]
    pub fn seed_of(&self, experiment: &str) -> u64 {
        // FNV-1a over the seed and the name.
        let bytes = self.seed.to_le_bytes().into_iter().chain(experiment.bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// What gives some rows in one go.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// The names of its rows, in order, so that they are known before it is run.
    pub rows: &'static [&'static str],
    /// Runs it.
    pub run: fn(&Laboratory) -> Vec<Row>,
}

/// Some rows that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// One word, for the command line.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Its experiments.
    pub experiments: &'static [Experiment],
}

/// All chapters, in order.
pub const CHAPTERS: &[Chapter] = &[
    brownian::CHAPTER,
    ito::CHAPTER,
    existence::CHAPTER,
    ornstein_uhlenbeck::CHAPTER,
    langevin::CHAPTER,
    fokker_planck::CHAPTER,
    forward::CHAPTER,
    ddpm::CHAPTER,
    reverse::CHAPTER,
    scores::CHAPTER,
    objectives::CHAPTER,
    samplers::CHAPTER,
    orders::CHAPTER,
];
