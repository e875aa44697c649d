//! The best plan for a number of network evaluations, found without retraining.
//!
//! First every named sampler that draws no noise on every named grid; then the levels of the best few are moved one at a time, in the
//! logarithm of the signal-to-noise ratio, as long as that helps. A score is measured on samples from fixed noise, so that plans differ by nothing else;
//! what the search found is confirmed on other noise, and the plan that it began from is kept where it was not better there.

mod refine;

pub use refine::{RefineOptions, refine};

use mote_core::sampler::Named;

use crate::noise::Noising;
use crate::plan::{Grid, LevelSet, PlanSpec};

/// A plan and its score; less is better.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The plan.
    pub plan: PlanSpec,
    /// Its score.
    pub score: f64,
}

/// Every named sampler on every named grid with at most so many evaluations, leaving out samplers that draw noise (unless `stochastic`), that
/// waste more than one of the evaluations, or whose coefficients leave f32 on this schedule.
#[must_use]
pub fn candidates(evaluations: usize, noising: &Noising, stochastic: bool) -> Vec<PlanSpec> {
    let mut plans: Vec<PlanSpec> = Vec::new();
    for named in Named::all() {
        for grid in Grid::named() {
            let spec = PlanSpec::new(named, grid).with_evaluations(evaluations, noising);
            let spent = spec.evaluations(noising);
            let Ok(set) = LevelSet::build(std::slice::from_ref(&spec), noising) else { continue };
            let rows = &set.plans[0].rows;
            let sound = rows.iter().all(|row| row.is_finite());
            let draws = rows.iter().any(|row| row.e != 0.0);
            if sound && (spent == evaluations || spent + 1 == evaluations) && (stochastic || !draws) {
                plans.push(spec);
            }
        }
    }
    plans
}

/// Scores plans and sorts them, the best first; a plan whose score is no number comes last.
pub fn ranked(plans: Vec<PlanSpec>, mut score: impl FnMut(&PlanSpec) -> f64) -> Vec<Scored> {
    let mut scored: Vec<Scored> = plans.into_iter().map(|plan| Scored { score: score(&plan), plan }).collect();
    // A NaN's sign must not decide.
    let key = |score: f64| if score.is_nan() { f64::INFINITY } else { score };
    scored.sort_by(|a, b| key(a.score).total_cmp(&key(b.score)));
    scored
}
