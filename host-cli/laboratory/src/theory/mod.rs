//! The identities of the theory, each put to the test: statement, prediction, measurement, standard error, verdict.
//!
//! A chapter is one file and one line in [`CHAPTERS`].

mod ddpm;
mod forward;
mod kolmogorov;
mod law;
mod objectives;
mod quadrature;
mod reverse;
mod row;
mod scores;
mod worst;

pub use row::{Row, Test, Verdict};

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

/// Some rows that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// One word, for the command line.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Runs its experiments.
    pub rows: fn(&Laboratory) -> Vec<Row>,
}

/// All chapters, in order.
pub const CHAPTERS: &[Chapter] =
    &[forward::CHAPTER, ddpm::CHAPTER, reverse::CHAPTER, scores::CHAPTER, objectives::CHAPTER];
