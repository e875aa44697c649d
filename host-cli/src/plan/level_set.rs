//! Plans built over one table of levels.

use mote_core::random::{NormalSource as _, Stream, Ziggurat};
use mote_core::sampler::{PlanBuilder, Row, start_scale};
use mote_core::schedule::{NoiseLevel, NoiseSchedule as _};

use super::{PlanError, PlanSpec, angle};
use crate::data::MAX_DIM;
use crate::gaps::GapRecipe;
use crate::network::spread;
use crate::noise::{NoiseRange, Noising};
use crate::run::PreparedGaps;

/// Rows that stand for the data at each level.
const PROBES: usize = 512;
/// The most levels of a sliding network.
const LEVELS_MAX: usize = 64;

/// A plan whose rows point into a [`LevelSet`].
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltPlan {
    /// Its name in a blob, `SAMPLER:STEPS`; at most 20 characters.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Row>,
    /// The scale of the starting noise.
    pub start_scale: f32,
}

/// What a network may be asked, apart from what plans lead to.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Number of the noise level.
    pub level: usize,
    /// The class, if any.
    pub class: Option<u16>,
    /// The state.
    pub x: Vec<f32>,
}

/// Plans and the levels that they share, each level once.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelSet {
    /// The levels, in the order in which the plans first visit them.
    pub levels: Vec<NoiseLevel>,
    /// The plans.
    pub plans: Vec<BuiltPlan>,
    /// States that a network without plans meets in its use.
    pub probes: Vec<Probe>,
    /// What a network that fills gaps has besides.
    pub gaps: Option<GapFilling>,
}

/// What a network that fills gaps has besides its levels.
#[derive(Clone, Debug, PartialEq)]
pub struct GapFilling {
    /// Samples of means and of deviations that the network sees.
    pub window: usize,
    /// Samples of the state that it sees.
    pub around: usize,
    /// Order of the autoregression.
    pub order: usize,
    /// The autoregression's numbers.
    pub autoregression: Vec<f32>,
    /// Rows of a draw.
    pub rows: Vec<Row>,
    /// The scale of the noise that a draw starts from.
    pub start_scale: f32,
}

impl LevelSet {
    /// Builds every plan over one table of levels.
    ///
    /// # Errors
    /// [`PlanError`] when there is no plan, one comes twice, there are too many levels, or schedule and prediction do not fit.
    pub fn build(specs: &[PlanSpec], noising: &Noising) -> Result<Self, PlanError> {
        noising.check()?;
        if specs.is_empty() {
            return Err(PlanError::None);
        }
        let mut set = Self { levels: Vec::new(), plans: Vec::new(), probes: Vec::new(), gaps: None };
        for (number, spec) in specs.iter().enumerate() {
            let own = spec.levels(noising);
            let places: Vec<usize> = own.iter().map(|level| set.place(*level)).collect();
            if set.levels.len() > usize::from(u16::MAX) {
                return Err(PlanError::TooManyLevels(set.levels.len()));
            }
            let sampler = spec.sampler();
            let rows = (0..sampler.rows(&own))
                .filter_map(|i| sampler.row(i, &own, noising.prediction))
                .map(|row| Row { level: places[usize::from(row.level)] as u16, ..row })
                .collect();
            let name = set.free_name(spec, &specs[..number])?;
            set.plans.push(BuiltPlan { name, rows, start_scale: start_scale(&own, noising.sigma_data) });
        }
        Ok(set)
    }

    /// Whether a network that slides may have so many levels.
    ///
    /// # Errors
    /// [`PlanError::LevelCount`] when there are none or too many.
    pub fn check_count(count: usize) -> Result<(), PlanError> {
        if (1..=LEVELS_MAX).contains(&count) { Ok(()) } else { Err(PlanError::LevelCount(count)) }
    }

    /// The levels of a network that slides: `count` of them, evenly spread in ln(sigma) over a range, the noisiest first; and what it will meet at
    /// each: rows of scaled data, noised, with 0 where a value is missing.
    ///
    /// # Errors
    /// [`PlanError::LevelCount`] when there are none or too many.
    pub fn sliding(
        noising: &Noising,
        range: NoiseRange,
        count: usize,
        rows: &[f32],
        dim: usize,
        seed: u64,
    ) -> Result<Self, PlanError> {
        Self::check_count(count)?;
        let share = |k: usize| if count == 1 { 0.5 } else { k as f32 / (count - 1) as f32 };
        let sigma = |k: usize| range.high * (range.low / range.high).powf(share(k));
        let levels: Vec<_> = (0..count).map(|k| noising.schedule.level_at_lambda(-sigma(k).ln())).collect();
        let windows = rows.len() / dim.max(1);
        let mut noise = Ziggurat::new(Stream::new(seed));
        let mut probes = Vec::with_capacity(count * PROBES);
        for (level, noise_level) in levels.iter().enumerate() {
            for probe in 0..PROBES.min(windows) {
                // The golden ratio spreads the rows of every level over all of the data.
                let spread = spread(0.0, level * PROBES + probe);
                let row = &rows[(spread * windows as f64) as usize * dim..][..dim];
                let noised = |x: &f32| {
                    let z = noise.normal();
                    if x.is_nan() { 0.0 } else { noise_level.alpha * x + noise_level.sigma * z }
                };
                probes.push(Probe { level, class: None, x: row.iter().map(noised).collect() });
            }
        }
        Ok(Self { levels, plans: Vec::new(), probes, gaps: None })
    }

    /// Whether a network can fill gaps under a noising.
    ///
    /// # Errors
    /// [`PlanError::NotVariancePreserving`] with the way out.
    pub fn check_gaps(noising: &Noising, high: f32) -> Result<(), PlanError> {
        angle::levels(noising, high, 1).map(drop)
    }

    /// The levels of a network that fills gaps, `count` of them from the noise `high` down, the rows of its draws, and what it will meet at each level.
    ///
    /// # Errors
    /// [`PlanError::LevelCount`] when there are none or too many, [`PlanError::NotVariancePreserving`] when the schedule has no angle.
    pub fn filling_gaps(
        noising: &Noising,
        high: f32,
        count: usize,
        data: &PreparedGaps,
        recipe: (usize, GapRecipe),
        seed: u64,
    ) -> Result<Self, PlanError> {
        Self::check_count(count)?;
        let levels = angle::levels(noising, high, count)?;
        let pool = &data.train;
        let mut noise = Ziggurat::new(Stream::new(seed));
        let (mut row, mut weights) = (vec![0.0; pool.dim()], [0.0; MAX_DIM]);
        let mut probes = Vec::with_capacity(count * PROBES);
        for (number, level) in levels.iter().enumerate() {
            for probe in 0..PROBES {
                let spread = spread(0.0, number * PROBES + probe);
                let place = (probe as f64 + 0.5) / PROBES as f64;
                pool.row((spread * pool.count() as f64) as usize, place, &mut row, &mut weights);
                for x in &mut row[pool.told()..] {
                    *x = if x.is_nan() { 0.0 } else { level.alpha * *x + level.sigma * noise.normal() };
                }
                probes.push(Probe { level: number, class: None, x: row.clone() });
            }
        }
        let (window, GapRecipe { order, around }) = recipe;
        let autoregression = data.autoregression.numbers().to_vec();
        let rows = angle::rows(noising, &levels);
        let gaps = GapFilling { window, around, order, autoregression, rows, start_scale: 1.0 };
        Ok(Self { levels, plans: Vec::new(), probes, gaps: Some(gaps) })
    }

    /// A plan's name; where the name does not say everything and another plan has it, with a number from 2 on.
    fn free_name(&self, spec: &PlanSpec, before: &[PlanSpec]) -> Result<String, PlanError> {
        let name = spec.name();
        let taken = |name: &str| self.plans.iter().any(|plan| plan.name == name);
        if before.contains(spec) || (taken(&name) && name.parse::<PlanSpec>().is_ok()) {
            return Err(PlanError::Twice(name));
        }
        let numbered = (2..).map(|number| format!("{name}{number}"));
        Ok(std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name))
    }

    fn place(&mut self, level: NoiseLevel) -> usize {
        self.levels.iter().position(|known| *known == level).unwrap_or_else(|| {
            self.levels.push(level);
            self.levels.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::sampler::Named;
    use mote_core::schedule::{Cosine, Flow, Schedule, ZeroTerminal};
    use mote_core::score::Prediction;

    fn noising(schedule: Schedule, prediction: Prediction) -> Noising {
        Noising { schedule, prediction, sigma_data: 1.0 }
    }

    fn build(texts: &[&str], noising: &Noising) -> Result<LevelSet, PlanError> {
        let specs: Vec<PlanSpec> = texts.iter().map(|text| text.parse().unwrap()).collect();
        LevelSet::build(&specs, noising)
    }

    #[test]
    fn plans_on_one_grid_share_their_levels() {
        let cosine = noising(Schedule::Cosine(Cosine::DEFAULT), Prediction::V);
        let set = build(&["dpm++2m:20", "ddpm:20", "ddim:5"], &cosine).unwrap();
        // The grids of 20 and 5 share their two ends only.
        assert_eq!(set.levels.len(), 23);
        assert_eq!(set.plans[1].rows.len(), 20);
        for plan in &set.plans {
            assert!(plan.rows.iter().all(|row| usize::from(row.level) < 23));
        }
        let langevin = build(&["langevin:4"], &cosine).unwrap();
        assert_eq!((langevin.levels.len(), langevin.plans[0].rows.len()), (4, 21));
        assert_eq!(build(&["ddim:5", "ddim:5"], &cosine), Err(PlanError::Twice("ddim:5".into())));
        assert_eq!(build(&["ddim:5:k", "ddim:5:karras7"], &cosine), Err(PlanError::Twice("ddim:5:k".into())));
    }

    #[test]
    fn levels_between_those_of_the_grid_are_added_once() {
        let set = build(&["midpoint:3", "heun:3", "heun-churn:3"], &noising(Schedule::Flow(Flow), Prediction::Flow));
        let set = set.unwrap();
        // Three of the grid, two midpoints, and two churned levels: the first and the last are outside the range of churn.
        assert_eq!(set.levels.len(), 3 + 2 + 1);
        assert_eq!(set.plans.iter().map(|plan| plan.rows.len()).collect::<Vec<_>>(), [5, 5, 5]);
    }

    #[test]
    fn listed_grids_get_a_number_where_their_names_meet() {
        let cosine = noising(Schedule::Cosine(Cosine::DEFAULT), Prediction::V);
        let texts = ["ddim:2:[-4,1]", "ddim:2:[-4,1.5]", "ddim:2", "ddim:2:[-3,1]"];
        let set = build(&texts, &cosine).unwrap();
        let names: Vec<_> = set.plans.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["ddim:2:s", "ddim:2:s2", "ddim:2", "ddim:2:s3"]);
        assert!((set.levels[0].lambda() + 4.0).abs() < 1e-6 && (set.levels[1].lambda() - 1.0).abs() < 1e-6);
        assert_eq!(build(&[texts[0], texts[0]], &cosine), Err(PlanError::Twice("ddim:2:s".into())));
    }

    #[test]
    fn noise_without_signal_needs_a_prediction_that_knows_the_data() {
        for schedule in [Schedule::ZeroTerminal(ZeroTerminal::DEFAULT), Schedule::Flow(Flow)] {
            for prediction in [Prediction::Epsilon, Prediction::Score, Prediction::EdmF { sigma_data: 1.0 }] {
                let message = build(&["ddim:5"], &noising(schedule, prediction)).unwrap_err().to_string();
                assert!(message.contains("pure noise") && message.contains("v, x0 or flow"), "{message}");
                assert_eq!(message.lines().count(), 1);
            }
            for prediction in [Prediction::V, Prediction::X0, Prediction::Flow] {
                for named in Named::all() {
                    let set = build(&[&format!("{}:4:trailing", named.name)], &noising(schedule, prediction)).unwrap();
                    assert_eq!((set.levels[0].alpha, set.plans[0].start_scale), (0.0, 1.0));
                    assert!(set.plans[0].rows.iter().all(Row::is_finite), "{}", named.name);
                }
            }
        }
    }
}
