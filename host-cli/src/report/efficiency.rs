//! Quality of every sampler against the number of network evaluations.

use mote_core::sampler::Named;

use crate::evaluation::{Assessment, BLOCKS, Draw, float_samples};
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::{Grid, LevelSet, PlanSpec};

/// What to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct EfficiencyOptions {
    /// Numbers of evaluations, ascending.
    pub evaluations: Vec<usize>,
    /// Blocks of samples, each as large as the test set.
    pub blocks: usize,
    /// The grid of every sampler; one that has levels for any number of evaluations.
    pub grid: Grid,
    /// Plans on listed levels, which have no other number of evaluations: points of their own, as "searched plans".
    pub searched: Vec<PlanSpec>,
    /// Seed of the samples, the same for every sampler.
    pub seed: u64,
}

/// What plans on listed levels go by, instead of their sampler's name.
pub const SEARCHED: &str = "searched plans";

impl EfficiencyOptions {
    /// The grid and the searched plans that a run's own plans ask for.
    #[must_use]
    pub fn grid_and_searched(plans: &[PlanSpec]) -> (Grid, Vec<PlanSpec>) {
        let is_listed = |plan: &&PlanSpec| matches!(plan.grid, Grid::Listed(_));
        let grid = plans.iter().find(|plan| !is_listed(plan)).map(|plan| plan.grid.clone()).unwrap_or_default();
        (grid, plans.iter().filter(is_listed).cloned().collect())
    }

    /// The plans to measure, by what they go by in the charts.
    fn series(&self, noising: &Noising) -> Vec<(&'static str, Vec<PlanSpec>)> {
        let samplers = Named::all().map(|sampler| (sampler.name, plans(sampler, self, noising)));
        samplers.chain([(SEARCHED, self.searched.clone())]).collect()
    }
}

/// One sampler at one number of evaluations.
#[derive(Clone, Debug, PartialEq)]
pub struct EfficiencyPoint {
    /// Name of the sampler.
    pub sampler: &'static str,
    /// The plan that was run.
    pub plan: String,
    /// Evaluations that it takes: at most the number asked for.
    pub evaluations: usize,
    /// Sliced W2; none where a sample is not finite.
    pub sliced_w2: Option<f64>,
    /// Fréchet distance; none where a sample is not finite.
    pub frechet: Option<f64>,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Efficiency {
    /// Names of the samplers that were measured.
    pub samplers: Vec<&'static str>,
    /// Their figures, sampler by sampler.
    pub points: Vec<EfficiencyPoint>,
    /// Samplers that were left out, with the reason.
    pub left_out: Vec<String>,
    /// Blocks of samples in each figure.
    pub blocks: usize,
}

/// The plan of a sampler with the most steps that takes at most `evaluations`; none if one step takes more already.
fn plan_within(sampler: &'static Named, evaluations: usize, grid: &Grid, noising: &Noising) -> Option<PlanSpec> {
    let spec = PlanSpec::new(sampler, grid.clone()).with_evaluations(evaluations, noising);
    (spec.evaluations(noising) <= evaluations).then_some(spec)
}

/// Plans of one sampler, a step count once only.
fn plans(sampler: &'static Named, options: &EfficiencyOptions, noising: &Noising) -> Vec<PlanSpec> {
    let mut plans: Vec<PlanSpec> =
        options.evaluations.iter().filter_map(|n| plan_within(sampler, *n, &options.grid, noising)).collect();
    plans.dedup();
    plans
}

impl Efficiency {
    /// How many plans there are to measure: the number of calls of `advance`.
    #[must_use]
    pub fn plan_count(options: &EfficiencyOptions, noising: &Noising) -> usize {
        options.series(noising).iter().map(|(_, plans)| plans.len()).sum()
    }

    /// Measures the float network under every sampler; calls `advance` with each plan's name before it is drawn.
    ///
    /// Costs `blocks` test sets of samples and their distances for each plan. Samplers that do not suit the schedule are listed with the reason.
    pub fn measure(
        network: &FloatNetwork,
        noising: &Noising,
        assessment: &Assessment,
        options: &EfficiencyOptions,
        mut advance: impl FnMut(&str),
    ) -> Self {
        let blocks = options.blocks.clamp(1, BLOCKS);
        let count = assessment.pool_size() / BLOCKS * blocks;
        let mix = assessment.class_mix();
        let draw = Draw { seed: options.seed, ..Draw::default() };
        let mut found = Self { samplers: Vec::new(), points: Vec::new(), left_out: Vec::new(), blocks };
        for (name, specs) in options.series(noising) {
            let before = found.points.len();
            for spec in specs {
                advance(&spec.name());
                let set = match LevelSet::build(std::slice::from_ref(&spec), noising) {
                    Ok(set) => set,
                    Err(error) => {
                        found.left_out.push(format!("{}: {error}", spec.name()));
                        continue;
                    }
                };
                let Some(built) = set.plans.first() else { continue };
                let samples = float_samples(network, noising, &set, built, (mix.as_ref(), draw), count);
                let finite = samples.iter().all(|x| x.is_finite());
                let distances = finite.then(|| assessment.main_distances(samples).ok()).flatten();
                found.points.push(EfficiencyPoint {
                    sampler: name,
                    plan: built.name.clone(),
                    evaluations: built.rows.len(),
                    sliced_w2: distances.map(|(sliced_w2, _)| sliced_w2),
                    frechet: distances.map(|(_, frechet)| frechet),
                });
            }
            if found.points.len() > before {
                found.samplers.push(name);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::Prediction;

    #[test]
    fn a_run_on_listed_levels_is_charted_on_a_grid_that_has_any_number_of_levels() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let plans = ["unipc2:2:[-3,1]", "dpm++2m:20:karras4"].map(|text| text.parse::<PlanSpec>().unwrap());
        let (grid, searched) = EfficiencyOptions::grid_and_searched(&plans);
        assert_eq!((&grid, &searched[..]), (&Grid::Karras(4), &plans[..1]));
        assert_eq!(EfficiencyOptions::grid_and_searched(&plans[..1]).0, Grid::LogSnr);
        let options = EfficiencyOptions { evaluations: vec![2, 5, 10], blocks: 1, grid, searched, seed: 0 };
        let series = options.series(&noising);
        let of = |name: &str| series.iter().find(|(own, _)| *own == name).unwrap().1.len();
        assert_eq!((of("ddim"), of(SEARCHED)), (3, 1));
        let total: usize = series.iter().map(|(_, plans)| plans.len()).sum();
        assert_eq!(Efficiency::plan_count(&options, &noising), total);
    }

    #[test]
    fn no_plan_takes_more_evaluations_than_asked_for_and_one_step_more_would() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        for sampler in Named::all() {
            let steps = |steps| {
                let mut spec = PlanSpec::new(sampler, Grid::Flow);
                spec.steps = steps;
                spec
            };
            for evaluations in [1, 2, 5, 10, 20, 50] {
                let Some(spec) = plan_within(sampler, evaluations, &Grid::Flow, &noising) else {
                    assert!(steps(1).evaluations(&noising) > evaluations, "{} at {evaluations}", sampler.name);
                    continue;
                };
                assert!(spec.evaluations(&noising) <= evaluations, "{} at {evaluations}", sampler.name);
                assert!(steps(spec.steps + 1).evaluations(&noising) > evaluations, "{} at {evaluations}", sampler.name);
                assert_eq!(spec.grid, Grid::Flow);
            }
        }
        // Langevin takes five evaluations a level and one at the end.
        let langevin = Named::find("langevin").unwrap();
        assert_eq!(plan_within(langevin, 20, &Grid::LogSnr, &noising).unwrap().steps, 3);
        assert_eq!(plan_within(langevin, 5, &Grid::LogSnr, &noising), None);
    }
}
