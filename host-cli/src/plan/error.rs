use mote_core::sampler::Named;
use thiserror::Error;

use super::MAX_STEPS;
use super::grid::GRIDS;
use crate::noise::NoiseError;

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
        "plan \"{text}\": after @ stands eta, the share of fresh noise from 0 to 1, and only {} have one",
        with_eta()
    )]
    Eta {
        /// The plan given.
        text: String,
    },
    /// A sliding network has no levels, or too many.
    #[error("blob.noise_levels = {0}: a sliding network has 1 to 64")]
    LevelCount(usize),
    /// The state of a residual has no angle.
    #[error(
        "a network that fills gaps takes a schedule that preserves variance; give --schedule cosine, vp-linear or ddpm-linear"
    )]
    NotVariancePreserving,
    /// There is no such grid.
    #[error("there is no grid \"{0}\"; the grids are {GRIDS}")]
    Grid(String),
    /// A listed grid is not a list of lambdas that grow.
    #[error(
        "the grid {0} must list the plan's levels as ln(alpha / sigma), one a step, from the noisiest up, as in dpm++2m:3:[-4.1,0,3]"
    )]
    Listed(String),
    /// Two plans have one name.
    #[error("the plan {0} is given twice")]
    Twice(String),
    /// No plan is given.
    #[error("no plan is given; one is needed, as in --plan dpm++2m:20")]
    None,
    /// Together the plans visit more levels than a blob holds.
    #[error("the plans visit {0} noise levels together; a model holds at most 65535")]
    TooManyLevels(usize),
    /// The schedule and the prediction do not fit.
    #[error(transparent)]
    Noise(#[from] NoiseError),
}

fn sampler_names() -> String {
    Named::all().map(|named| named.name).collect::<Vec<_>>().join(", ")
}

fn with_eta() -> String {
    let has_eta = |named: &&Named| {
        let mut sampler = named.sampler;
        mote_core::sampler::PlanBuilder::set_eta(&mut sampler, 0.0)
    };
    Named::all().filter(has_eta).map(|named| named.name).collect::<Vec<_>>().join(", ")
}

/// Says which sampler a name may have meant.
fn nearest(name: &str) -> String {
    let best = Named::all().map(|known| (strsim::damerau_levenshtein(name, known.name), known.name)).min();
    match best {
        Some((distance, known)) if distance <= 3 => format!(" (did you mean {known}?)"),
        _ => String::new(),
    }
}
