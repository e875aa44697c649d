//! Moving the levels of a plan.

use crate::network::{hash, unit};
use crate::noise::Noising;
use crate::plan::{Grid, PlanSpec};

use super::Scored;

/// How long to move levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RefineOptions {
    /// Passes over all levels.
    pub passes: usize,
    /// Seed of the order and the lengths of moves.
    pub seed: u64,
}

impl RefineOptions {
    /// The most scores that it costs to move so many levels.
    #[must_use]
    pub fn scores(&self, levels: usize) -> usize {
        2 * self.passes * levels
    }
}

/// The largest share of the way to its neighbour that a level is moved at once.
const REACH: f64 = 0.6;

/// Moves one level at a time, of each pass every level once, up or down, and keeps what lowers the score.
///
/// The levels stay in order, and the ends may move too, the first by no more than the schedule's own range allows. Costs
/// at most two scores for each level of each pass.
pub fn refine(
    from: Scored,
    noising: &Noising,
    options: &RefineOptions,
    mut score: impl FnMut(&PlanSpec) -> f64,
) -> Scored {
    let mut best = from;
    let lambdas = best.plan.lambdas(noising);
    if lambdas.iter().any(|lambda| !lambda.is_finite()) {
        return best; // pure noise has no place to move to
    }
    let mut lambdas: Vec<f32> = lambdas.into_iter().map(|lambda| thousandths(f64::from(lambda))).collect();
    let noisiest = f64::from(mote_core::schedule::NoiseSchedule::lambda_range(&noising.schedule).0);
    for pass in 0..options.passes {
        for place in 0..lambdas.len() {
            let word = hash(&[options.seed, pass as u64, place as u64]);
            // Later passes make finer moves.
            let share = REACH * unit(word).max(0.05) / (1.0 + pass as f64 / 4.0);
            for upward in [word & 1 == 0, word & 1 == 1] {
                let moved = moved(&lambdas, place, share, upward, noisiest);
                if !moved.is_sorted_by(|a, b| a < b) {
                    continue; // levels that meet in the thousandths
                }
                let plan = best.plan.on(Grid::Listed(moved.clone()));
                let got = score(&plan);
                if got < best.score {
                    (best, lambdas) = (Scored { plan, score: got }, moved);
                    break;
                }
            }
        }
    }
    best
}

/// The levels with one of them moved by a share of the way to its neighbour; beyond the ends, of the way to the neighbour on the other
/// side. Values are rounded to a thousandth, so that the plan's text is short and says exactly what was measured.
fn moved(lambdas: &[f32], place: usize, share: f64, upward: bool, noisiest: f64) -> Vec<f32> {
    let at = |i: usize| lambdas.get(i).map(|lambda| f64::from(*lambda));
    let here = f64::from(lambdas[place]);
    let below = place.checked_sub(1).and_then(at);
    let above = at(place + 1);
    let gap = match (upward, below, above) {
        (true, _, Some(above)) => above - here,
        (true, Some(below), None) => here - below,
        (false, Some(below), _) => here - below,
        (false, None, Some(above)) => above - here,
        (_, None, None) => 1.0,
    };
    let to = if upward { here + share * gap } else { here - share * gap };
    let mut out = lambdas.to_vec();
    out[place] = thousandths(to.max(noisiest));
    out
}

fn thousandths(lambda: f64) -> f32 {
    ((lambda * 1000.0).round() / 1000.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::Prediction;

    #[test]
    fn levels_move_towards_a_known_optimum_and_stay_in_order() {
        // The score is the squared distance from planted levels, so the search must find them.
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let planted = [-4.0, -1.5, -0.5, 0.75, 3.0];
        let score = |plan: &PlanSpec| {
            let lambdas = plan.lambdas(&noising);
            assert!(lambdas.is_sorted_by(|a, b| a < b), "{lambdas:?}");
            lambdas.iter().zip(planted).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
        };
        let plan: PlanSpec = "dpm++2m:5".parse().unwrap();
        let start = Scored { score: score(&plan), plan };
        let options = RefineOptions { passes: 60, seed: 3 };
        let found = refine(start.clone(), &noising, &options, score);
        assert!(found.score < 1e-3 && start.score > 1.0, "{} {}", start.score, found.score);
    }
}
