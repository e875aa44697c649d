//! Samplers by name, and the table of noise levels that they share.

use std::fmt;
use std::str::FromStr;

use mote_core::sampler::{
    Ancestral, AncestralVariance, AnnealedLangevin, Ddim, DpmSolver2M, PlanBuilder, Row, Sampler, start_scale,
};
use mote_core::schedule::{NoiseLevel, NoiseSchedule, karras, uniform_flow, uniform_lambda};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::noise::Noising;

/// The samplers that can be asked for by name.
pub const SAMPLERS: [(&str, Sampler); 6] = [
    ("ddpm", Sampler::Ancestral(Ancestral { variance: AncestralVariance::Small })),
    ("ddpm-large", Sampler::Ancestral(Ancestral { variance: AncestralVariance::Large })),
    ("ddim", Sampler::Ddim(Ddim { eta: 0.0 })),
    ("dpm++2m", Sampler::DpmSolver2M(DpmSolver2M { eta: 0.0 })),
    ("dpm++2m-sde", Sampler::DpmSolver2M(DpmSolver2M { eta: 1.0 })),
    // Five evaluations a level and one at the end; the step of `mote score-1d`.
    ("langevin", Sampler::AnnealedLangevin(AnnealedLangevin { steps_per_level: 5, step: 0.4 })),
];

/// The most steps a plan may have.
pub const MAX_STEPS: usize = 4096;

/// Which noise levels a plan visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grid {
    /// `log-snr`: uniform in the logarithm of the signal-to-noise ratio.
    #[default]
    LogSnr,
    /// `karrasN`: Karras' grid with `rho = N`, 1 to 9; `karras` is the published 7, and smaller is finer at large noise.
    Karras(u8),
    /// `flow`: uniform in the share of noise, as a straight flow runs; finer still at large noise.
    Flow,
}

/// The exponent of Karras' grid as published.
const KARRAS_RHO: u8 = 7;

impl Grid {
    /// The grid of a name, or of the short form that plans in a blob have.
    fn parse(text: &str) -> Option<Self> {
        let rho = |digits: &str| match digits {
            "" => Some(KARRAS_RHO),
            digits => digits.parse().ok().filter(|rho| (1..=9).contains(rho)),
        };
        match text {
            "log-snr" => Some(Self::LogSnr),
            "flow" | "f" => Some(Self::Flow),
            _ => text.strip_prefix("karras").or(text.strip_prefix('k')).and_then(rho).map(Self::Karras),
        }
    }

    /// The end of a plan's text, with the grid's name or its short form; nothing for the default.
    fn suffix(self, short: bool) -> String {
        let name = |long: &str, letter: &str| format!(":{}", if short { letter } else { long });
        match self {
            Self::LogSnr => String::new(),
            Self::Karras(KARRAS_RHO) => name("karras", "k"),
            Self::Karras(rho) => format!("{}{rho}", name("karras", "k")),
            Self::Flow => name("flow", "f"),
        }
    }
}

/// A sampler, its number of steps and its grid: `SAMPLER[@ETA]:STEPS[:GRID]`, as in `dpm++2m:20` or `ddim@0.5:50:flow`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanSpec {
    /// One of [`SAMPLERS`], by its place there.
    sampler: usize,
    /// Share of fresh noise, 0 to 1, for the samplers that have one.
    eta: Option<f32>,
    /// Number of steps, each with one network evaluation; of noise levels for langevin, each with five.
    pub steps: usize,
    /// The noise levels.
    pub grid: Grid,
}

/// Why a plan cannot be made.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The text is not of the form SAMPLER:STEPS.
    #[error("plan \"{0}\" is not SAMPLER:STEPS or SAMPLER:STEPS:GRID, as in ddpm:50 or dpm++2m:20:karras4")]
    Form(String),
    /// There is no such sampler.
    #[error("there is no sampler \"{name}\"{}; the samplers are {}", nearest(name), sampler_names())]
    Sampler {
        /// The name given.
        name: String,
    },
    /// The number of steps is out of range.
    #[error("plan \"{text}\": the number of steps must be 1 to {MAX_STEPS}")]
    Steps {
        /// The plan given.
        text: String,
    },
    /// The share of noise is out of range, or the sampler has none.
    #[error(
        "plan \"{text}\": after @ stands eta, the share of fresh noise from 0 to 1, and only ddim and dpm++2m have one"
    )]
    Eta {
        /// The plan given.
        text: String,
    },
    /// There is no such grid.
    #[error("there is no grid \"{0}\"; the grids are log-snr, karras (or karras1 to karras9) and flow")]
    Grid(String),
    /// Two plans have one name.
    #[error("the plan {0} is given twice")]
    Twice(String),
    /// No plan is given.
    #[error("no plan is given; one is needed, as in --plan dpm++2m:20")]
    None,
    /// Together the plans visit more levels than a blob holds.
    #[error("the plans visit {0} noise levels together; a model holds at most 65535")]
    TooManyLevels(usize),
}

fn sampler_names() -> String {
    SAMPLERS.map(|(name, _)| name).join(", ")
}

/// Says which sampler a name may have meant.
fn nearest(name: &str) -> String {
    let best = SAMPLERS.iter().map(|(known, _)| (strsim::damerau_levenshtein(name, known), known)).min();
    match best {
        Some((distance, known)) if distance <= 3 => format!(" (did you mean {known}?)"),
        _ => String::new(),
    }
}

impl FromStr for PlanSpec {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut parts = text.split(':');
        let (Some(name), Some(steps), grid, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(PlanError::Form(text.into()));
        };
        let (name, eta) = name.split_once('@').map_or((name, None), |(name, eta)| (name, Some(eta)));
        let Some(sampler) = SAMPLERS.iter().position(|(known, _)| *known == name) else {
            return Err(PlanError::Sampler { name: name.into() });
        };
        let eta = eta
            .map(|eta| eta.parse().ok().filter(|eta| ["ddim", "dpm++2m"].contains(&name) && (0.0..=1.0).contains(eta)))
            .map(|eta| eta.ok_or_else(|| PlanError::Eta { text: text.into() }))
            .transpose()?;
        let steps = steps.parse().map_err(|_| PlanError::Form(text.into()))?;
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(PlanError::Steps { text: text.into() });
        }
        let grid = match grid {
            None => Grid::default(),
            Some(text) => Grid::parse(text).ok_or_else(|| PlanError::Grid(text.into()))?,
        };
        Ok(Self { sampler, eta, steps, grid })
    }
}

impl TryFrom<String> for PlanSpec {
    type Error = PlanError;
    fn try_from(text: String) -> Result<Self, PlanError> {
        text.parse()
    }
}

impl From<PlanSpec> for String {
    fn from(spec: PlanSpec) -> Self {
        spec.to_string()
    }
}

impl fmt::Display for PlanSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

impl PlanSpec {
    /// The sampler.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        match (SAMPLERS[self.sampler].1, self.eta) {
            (Sampler::Ddim(_), Some(eta)) => Sampler::Ddim(Ddim { eta }),
            (Sampler::DpmSolver2M(_), Some(eta)) => Sampler::DpmSolver2M(DpmSolver2M { eta }),
            (sampler, _) => sampler,
        }
    }

    fn text(&self, short: bool) -> String {
        let (name, _) = SAMPLERS[self.sampler];
        let eta = self.eta.map_or(String::new(), |eta| format!("@{eta}"));
        format!("{name}{eta}:{}{}", self.steps, self.grid.suffix(short))
    }

    /// The levels it visits, from the noisiest to the cleanest.
    #[must_use]
    pub fn levels(&self, noising: &Noising) -> Vec<NoiseLevel> {
        let (noisiest, cleanest) = noising.schedule.lambda_range();
        let mut lambdas = vec![0.0; self.steps];
        match self.grid {
            Grid::LogSnr => uniform_lambda(noisiest, cleanest, &mut lambdas),
            Grid::Karras(rho) => karras(noisiest, cleanest, f32::from(rho), &mut lambdas),
            Grid::Flow => uniform_flow(noisiest, cleanest, &mut lambdas),
        }
        lambdas.into_iter().map(|lambda| noising.schedule.level_at_lambda(lambda)).collect()
    }
}

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

/// Plans and the levels that they share, each level once.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelSet {
    /// The levels, in the order in which the plans first visit them.
    pub levels: Vec<NoiseLevel>,
    /// The plans.
    pub plans: Vec<BuiltPlan>,
}

impl LevelSet {
    /// Builds every plan over one table of levels.
    ///
    /// # Errors
    /// [`PlanError`] when there is no plan, a name comes twice, or there are too many levels.
    pub fn build(specs: &[PlanSpec], noising: &Noising) -> Result<Self, PlanError> {
        if specs.is_empty() {
            return Err(PlanError::None);
        }
        let mut set = Self { levels: Vec::new(), plans: Vec::new() };
        for spec in specs {
            let own = spec.levels(noising);
            let places: Vec<usize> = own.iter().map(|level| set.place(*level)).collect();
            if set.levels.len() > usize::from(u16::MAX) {
                return Err(PlanError::TooManyLevels(set.levels.len()));
            }
            let sampler = spec.sampler();
            let rows = (0..sampler.rows(own.len()))
                .filter_map(|i| sampler.row(i, &own, noising.prediction))
                .map(|row| Row { level: places[usize::from(row.level)] as u16, ..row })
                .collect();
            let name = spec.name();
            if set.plans.iter().any(|plan| plan.name == name) {
                return Err(PlanError::Twice(name));
            }
            set.plans.push(BuiltPlan { name, rows, start_scale: start_scale(&own, noising.sigma_data) });
        }
        Ok(set)
    }

    fn place(&mut self, level: NoiseLevel) -> usize {
        self.levels.iter().position(|known| *known == level).unwrap_or_else(|| {
            self.levels.push(level);
            self.levels.len() - 1
        })
    }
}

impl PlanSpec {
    /// The plan's name in a blob: its text with the grid as one letter, so that it fits 20 characters. It parses to the
    /// same plan.
    #[must_use]
    pub fn name(&self) -> String {
        self.text(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::Prediction;

    fn noising() -> Noising {
        Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 }
    }

    #[test]
    fn text_survives_parsing_and_errors_name_the_way_out() {
        for text in ["ddpm:50", "dpm++2m-sde:4096", "ddim:1:karras", "ddpm:7:flow", "dpm++2m:20:karras4", "ddim@0.5:20"]
        {
            let spec: PlanSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(spec.name().parse(), Ok(spec));
        }
        let message = |text: &str| text.parse::<PlanSpec>().unwrap_err().to_string();
        assert!(message("dpm+2m:20").contains("did you mean dpm++2m?"));
        assert!(message("ddpm").contains("SAMPLER:STEPS"));
        assert!(message("ddpm@0.5:10").contains("only ddim and dpm++2m"));
        assert!(message("ddim@1.5:10").contains("from 0 to 1"));
        assert!(message("ddpm:0").contains("1 to 4096"));
        assert!(message("ddpm:5:linear").contains("log-snr, karras"));
    }

    #[test]
    fn every_name_fits_a_blob() {
        for (name, _) in SAMPLERS {
            for suffix in ["4096", "4096:karras5"] {
                let spec: PlanSpec = format!("{name}:{suffix}").parse().unwrap();
                assert!(spec.name().len() <= mote_core::model::PLAN_NAME_MAX, "{}", spec.name());
            }
        }
    }

    #[test]
    fn eta_reaches_the_sampler() {
        let spec: PlanSpec = "ddim@0.25:7".parse().unwrap();
        assert_eq!(spec.sampler(), Sampler::Ddim(Ddim { eta: 0.25 }));
        let sde: PlanSpec = "dpm++2m@1:7".parse().unwrap();
        assert_eq!(sde.sampler(), "dpm++2m-sde:7".parse::<PlanSpec>().unwrap().sampler());
    }

    #[test]
    fn plans_on_one_grid_share_their_levels() {
        let specs = ["dpm++2m:20", "ddpm:20", "ddim:5"].map(|text| text.parse().unwrap());
        let set = LevelSet::build(&specs, &noising()).unwrap();
        // The grids of 20 and 5 share their two ends only.
        assert_eq!(set.levels.len(), 23);
        assert_eq!(set.plans[1].rows.len(), 20);
        for plan in &set.plans {
            assert!(plan.rows.iter().all(|row| usize::from(row.level) < 23));
        }
        let langevin = LevelSet::build(&["langevin:4".parse().unwrap()], &noising()).unwrap();
        assert_eq!((langevin.levels.len(), langevin.plans[0].rows.len()), (4, 21));
        let twice = ["ddim:5", "ddim:5"].map(|text| text.parse().unwrap());
        assert_eq!(LevelSet::build(&twice, &noising()), Err(PlanError::Twice("ddim:5".into())));
    }
}
