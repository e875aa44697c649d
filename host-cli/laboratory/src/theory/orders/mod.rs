//! Strong and weak order of every stepper, measured, against the orders that the steppers state as constants.
//!
//! An order is a least-squares slope over three octaves: the finest whose errors stand ten times above what rounding to f32
//! leaves (`slope`). The test equations are ones on which a stepper does no better than its order: a linear drift under additive
//! noise gives SRA1 and ShARK strong order 2, so that they have a drift that bends.

mod equations;
mod ordinary;
pub(crate) mod slope;
pub(crate) mod strong;
mod weak;

use super::{Chapter, Experiment};

/// The chapter.
pub const CHAPTER: Chapter = Chapter {
    name: "orders",
    title: "Orders of convergence",
    experiments: &[
        Experiment { rows: &["strong-euler-maruyama"], run: strong::euler_maruyama },
        Experiment { rows: &["strong-euler-maruyama-additive"], run: strong::euler_maruyama_additive },
        Experiment { rows: &["strong-milstein"], run: strong::milstein },
        Experiment { rows: &["strong-milstein-derivative-free"], run: strong::milstein_derivative_free },
        Experiment { rows: &["strong-stochastic-heun"], run: strong::stochastic_heun },
        Experiment { rows: &["strong-sriw1"], run: strong::sriw1 },
        Experiment { rows: &["strong-exact-ou"], run: strong::exact_ou },
        Experiment { rows: &["strong-sea"], run: strong::sea },
        Experiment { rows: &["strong-sra1"], run: strong::sra1 },
        Experiment { rows: &["strong-shark"], run: strong::shark },
        Experiment { rows: &["weak-euler-maruyama"], run: weak::euler_maruyama },
        Experiment { rows: &["weak-milstein"], run: weak::milstein },
        Experiment { rows: &["weak-milstein-derivative-free"], run: weak::milstein_derivative_free },
        Experiment { rows: &["weak-stochastic-heun"], run: weak::stochastic_heun },
        Experiment { rows: &["weak-sriw1"], run: weak::sriw1 },
        Experiment { rows: &["weak-sea"], run: weak::sea },
        Experiment { rows: &["weak-sra1"], run: weak::sra1 },
        Experiment { rows: &["weak-shark"], run: weak::shark },
        Experiment { rows: &["exact-ou-mean", "exact-ou-variance"], run: weak::exact_ou },
        Experiment { rows: &["order-euler"], run: ordinary::euler },
        Experiment { rows: &["order-heun"], run: ordinary::heun },
        Experiment { rows: &["order-runge-kutta-4"], run: ordinary::runge_kutta4 },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{Laboratory, Verdict};

    #[test]
    fn every_order_is_the_stated_one() {
        for experiment in CHAPTER.experiments {
            for row in (experiment.run)(&Laboratory { seed: 1 }) {
                println!("{:32} {:8} {:8.3}", row.name, row.predicted, row.measured);
                assert_eq!(row.verdict(), Verdict::Holds, "{row:?}");
            }
        }
    }
}
