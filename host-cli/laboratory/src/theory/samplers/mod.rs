//! Samplers: their exact orders on Gaussian data, and what they reach with an exact score at few evaluations.

mod means_in_16_dimensions;
mod oracle;
mod orders;
mod target;

use super::{Chapter, Experiment};

/// The chapter.
pub const CHAPTER: Chapter = Chapter {
    name: "samplers",
    title: "Samplers with an exact score",
    experiments: &[
        Experiment { rows: orders::NAMES, run: orders::orders },
        Experiment { rows: &["sampler-midpoint-bimodal-order"], run: orders::midpoint_on_two_modes },
        Experiment { rows: &["corrector-stationary-variance"], run: orders::stationary_law },
        Experiment { rows: oracle::RING, run: oracle::ring },
        Experiment { rows: oracle::MOONS, run: oracle::moons },
        Experiment { rows: oracle::MIXTURE, run: oracle::mixture },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{Laboratory, Verdict};

    #[test]
    fn every_order_is_the_stated_one() {
        for experiment in &CHAPTER.experiments[..3] {
            for row in (experiment.run)(&Laboratory { seed: 1 }) {
                println!("{:32} {:8} {:8.4}", row.name, row.predicted, row.measured);
                assert_eq!(row.verdict(), Verdict::Holds, "{row:?}");
            }
        }
    }
}
