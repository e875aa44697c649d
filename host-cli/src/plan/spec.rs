//! A plan as one writes it.

use std::fmt;
use std::str::FromStr;

use mote_core::sampler::{Named, PlanBuilder, Sampler};
use mote_core::schedule::{NoiseLevel, NoiseSchedule};
use serde::{Deserialize, Serialize};

use super::{Grid, PlanError};
use crate::noise::Noising;

/// The most steps a plan may have.
pub const MAX_STEPS: usize = 4096;

/// A sampler, its number of steps and its grid: `SAMPLER[@ETA]:STEPS[:GRID]`, as in `dpm++2m:20` or `ddim@0.5:50:flow`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanSpec {
    /// The sampler with its own settings.
    sampler: &'static Named,
    /// Share of fresh noise, 0 to 1, for the samplers that have one.
    eta: Option<f32>,
    /// Number of steps, which is that of the grid's levels; [`evaluations`](PlanSpec::evaluations) says how many rows that takes.
    pub steps: usize,
    /// The noise levels.
    pub grid: Grid,
}

impl FromStr for PlanSpec {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut parts = text.split(':');
        let (Some(name), Some(steps), grid, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(PlanError::Form(text.into()));
        };
        let (name, eta) = name.split_once('@').map_or((name, None), |(name, eta)| (name, Some(eta)));
        let Some(sampler) = Named::find(name) else {
            return Err(PlanError::Sampler { name: name.into() });
        };
        let takes_eta = |eta: &f32| (0.0..=1.0).contains(eta) && sampler.sampler.clone().set_eta(*eta);
        let eta = eta
            .map(|eta| eta.parse().ok().filter(takes_eta).ok_or_else(|| PlanError::Eta { text: text.into() }))
            .transpose()?;
        let steps = steps.parse().map_err(|_| PlanError::Form(text.into()))?;
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(PlanError::Steps { text: text.into() });
        }
        let grid = match grid {
            None => Grid::default(),
            Some(text) => Grid::parse(text, steps)?,
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
    /// One step of a sampler on a grid, or as many as a listed grid has levels.
    #[must_use]
    pub fn new(sampler: &'static Named, grid: Grid) -> Self {
        Self { sampler, eta: None, steps: 1, grid: Grid::default() }.on(grid)
    }

    /// The sampler.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        let mut sampler = self.sampler.sampler;
        if let Some(eta) = self.eta {
            sampler.set_eta(eta);
        }
        sampler
    }

    fn text(&self, short: bool) -> String {
        let name = self.sampler.name;
        let eta = self.eta.map_or(String::new(), |eta| format!("@{eta}"));
        format!("{name}{eta}:{}{}", self.steps, self.grid.suffix(short))
    }

    /// The levels it visits: the grid's from the noisiest to the cleanest, and those between that the sampler looks at.
    #[must_use]
    pub fn levels(&self, noising: &Noising) -> Vec<NoiseLevel> {
        let lambdas = self.grid.lambdas(&noising.schedule, self.steps).into_iter();
        let grid: Vec<_> = lambdas.map(|lambda| noising.schedule.level_at_lambda(lambda)).collect();
        let sampler = self.sampler();
        (0..sampler.levels(&grid)).filter_map(|k| sampler.level(k, &grid, &noising.schedule)).collect()
    }

    /// The grid's levels as `ln(alpha / sigma)`, from the noisiest to the cleanest.
    #[must_use]
    pub fn lambdas(&self, noising: &Noising) -> Vec<f32> {
        self.grid.lambdas(&noising.schedule, self.steps)
    }

    /// The same sampler on another grid.
    #[must_use]
    pub fn on(&self, grid: Grid) -> Self {
        let steps = if let Grid::Listed(lambdas) = &grid { lambdas.len() } else { self.steps };
        Self { grid, steps, ..self.clone() }
    }

    /// How many times it runs the network for a sample.
    #[must_use]
    pub fn evaluations(&self, noising: &Noising) -> usize {
        self.sampler().rows(&self.levels(noising))
    }

    /// The same plan with as many steps as so many evaluations allow, at least one; a listed grid stays as it is.
    #[must_use]
    pub fn with_evaluations(&self, evaluations: usize, noising: &Noising) -> Self {
        if matches!(self.grid, Grid::Listed(_)) {
            return self.clone();
        }
        let of = |steps| Self { steps, ..self.clone() };
        // Evaluations grow with the steps, and there is at least one for each.
        (1..=evaluations.clamp(1, MAX_STEPS))
            .rev()
            .map(of)
            .find(|spec| spec.evaluations(noising) <= evaluations)
            .unwrap_or_else(|| of(1))
    }

    /// The plan's name in a blob: its text with the grid as one letter, so that it fits 20 characters. It parses to the
    /// same plan, except for a listed grid, which is `s`.
    #[must_use]
    pub fn name(&self) -> String {
        self.text(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::sampler::Ddim;
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::Prediction;

    #[test]
    fn text_survives_parsing_and_errors_name_the_way_out() {
        for text in [
            "ddpm:50",
            "dpm++2m-sde:4096",
            "ddim:1:karras",
            "ddpm:7:flow",
            "dpm++2m:20:karras4",
            "ddim@0.5:20",
            "unipc2:5:time",
            "heun-churn:9:trailing",
        ] {
            let spec: PlanSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(spec.name().parse(), Ok(spec));
        }
        let message = |text: &str| text.parse::<PlanSpec>().unwrap_err().to_string();
        assert!(message("dpm+2m:20").contains("did you mean dpm++2m?"));
        assert!(message("ddpm").contains("SAMPLER:STEPS"));
        assert!(message("ddpm@0.5:10").contains("only ddim, dpm++2m, dpm++2m-sde have"));
        assert!(message("ddim@1.5:10").contains("from 0 to 1"));
        assert!(message("ddpm:0").contains("1 to 4096"));
        assert!(message("ddpm:5:linear").contains("log-snr, karras"));
    }

    #[test]
    fn a_listed_grid_is_checked() {
        let spec: PlanSpec = "dpm++2m:5:[-4.1, -2,-.5,1,3]".parse().unwrap();
        assert_eq!(spec.grid, Grid::Listed(vec![-4.1, -2.0, -0.5, 1.0, 3.0]));
        assert_eq!((spec.to_string().as_str(), spec.name().as_str()), ("dpm++2m:5:[-4.1,-2,-0.5,1,3]", "dpm++2m:5:s"));
        assert_eq!(spec.to_string().parse(), Ok(spec));
        for wrong in ["[1,2]", "[1,2,2]", "[3,2,1]", "[1,2,x]", "[1,2,NaN]", "[1,2,3", "[1,2,1e9]", "[]"] {
            let error = format!("ddim:3:{wrong}").parse::<PlanSpec>().unwrap_err();
            assert_eq!(error, PlanError::Listed(wrong.into()), "{wrong}");
        }
    }

    #[test]
    fn steps_follow_from_evaluations() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        for (name, steps, evaluations) in
            [("ddim", 10, 10), ("heun", 5, 9), ("midpoint", 5, 9), ("langevin", 1, 6), ("pc", 5, 10)]
        {
            let spec = format!("{name}:1").parse::<PlanSpec>().unwrap().with_evaluations(10, &noising);
            assert_eq!((spec.steps, spec.evaluations(&noising)), (steps, evaluations), "{name}");
        }
    }

    #[test]
    fn every_name_fits_a_blob() {
        for named in Named::all() {
            for suffix in ["4096", "4096:karras5", "4096:trailing"] {
                let spec: PlanSpec = format!("{}:{suffix}", named.name).parse().unwrap();
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
}
