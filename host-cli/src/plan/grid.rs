//! Grids by name: which noise levels a plan visits.

use mote_core::schedule::{NoiseSchedule, karras, trailing_time, uniform_flow, uniform_lambda, uniform_time};

use super::PlanError;

/// The names, as an error lists them.
pub(super) const GRIDS: &str =
    "log-snr, karras (or karras1 to karras9), flow, time, trailing, and levels listed in brackets";

/// Which noise levels a plan visits.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Grid {
    /// `log-snr`: uniform in the logarithm of the signal-to-noise ratio.
    #[default]
    LogSnr,
    /// `karrasN`: Karras' grid with `rho = N`, 1 to 9; `karras` is the published 7, and smaller is finer at large noise.
    Karras(u8),
    /// `flow`: uniform in the share of noise, as a straight flow runs; finer still at large noise.
    Flow,
    /// `time`: uniform in the schedule's own time.
    Time,
    /// `trailing`: even steps of the schedule's own time from its end to the data; it starts at pure noise where the schedule ends so.
    Trailing,
    /// `[LAMBDA,...]`: these levels, by `ln(alpha / sigma)` from the noisiest.
    Listed(Vec<f32>),
}

/// The exponent of Karras' grid as published.
const KARRAS_RHO: u8 = 7;

impl Grid {
    /// The grids with a name, Karras' with each exponent from 2 on (with 1 it is uniform in the noise, and wastes its steps there).
    pub fn named() -> impl Iterator<Item = Self> {
        [Self::LogSnr, Self::Flow, Self::Time, Self::Trailing].into_iter().chain((2..=9).map(Self::Karras))
    }

    /// The grid of a name, or of the short form that plans in a blob have, for so many steps.
    pub(super) fn parse(text: &str, steps: usize) -> Result<Self, PlanError> {
        let rho = |digits: &str| match digits {
            "" => Some(KARRAS_RHO),
            digits => digits.parse().ok().filter(|rho| (1..=9).contains(rho)),
        };
        let unknown = || PlanError::Grid(text.into());
        match text {
            "log-snr" => Ok(Self::LogSnr),
            "flow" | "f" => Ok(Self::Flow),
            "time" | "t" => Ok(Self::Time),
            "trailing" | "z" => Ok(Self::Trailing),
            _ if text.starts_with('[') => Self::listed(text, steps),
            _ => {
                let digits = text.strip_prefix("karras").or(text.strip_prefix('k')).ok_or_else(unknown)?;
                rho(digits).map(Self::Karras).ok_or_else(unknown)
            }
        }
    }

    fn listed(text: &str, steps: usize) -> Result<Self, PlanError> {
        let wrong = || PlanError::Listed(text.into());
        let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or_else(wrong)?;
        let lambdas: Vec<f32> =
            inside.split(',').map(|lambda| lambda.trim().parse()).collect::<Result<_, _>>().map_err(|_| wrong())?;
        // Beyond 40 a level is data or noise to the last bit, and e^lambda leaves f32.
        let sound = lambdas.iter().all(|lambda| lambda.abs() <= 40.0) && lambdas.is_sorted_by(|a, b| a < b);
        if sound && lambdas.len() == steps { Ok(Self::Listed(lambdas)) } else { Err(wrong()) }
    }

    /// The end of a plan's text, with the grid's name or its short form; nothing for the default. The short form of a listed grid, `:s`, does not say
    /// which levels.
    pub(super) fn suffix(&self, short: bool) -> String {
        let name = |long: &str, letter: &str| format!(":{}", if short { letter } else { long });
        match self {
            Self::LogSnr => String::new(),
            Self::Karras(KARRAS_RHO) => name("karras", "k"),
            Self::Karras(rho) => format!("{}{rho}", name("karras", "k")),
            Self::Flow => name("flow", "f"),
            Self::Time => name("time", "t"),
            Self::Trailing => name("trailing", "z"),
            Self::Listed(lambdas) => {
                let list: Vec<_> = lambdas.iter().map(f32::to_string).collect();
                name(&format!("[{}]", list.join(",")), "s")
            }
        }
    }

    /// The grid's levels as lambdas, from the noisiest to the cleanest; that of pure noise is minus infinity.
    pub(super) fn lambdas(&self, schedule: &dyn NoiseSchedule, steps: usize) -> Vec<f32> {
        let (noisiest, cleanest) = schedule.lambda_range();
        let mut lambdas = vec![0.0; steps];
        match self {
            Self::LogSnr => uniform_lambda(noisiest, cleanest, &mut lambdas),
            Self::Karras(rho) => karras(noisiest, cleanest, f32::from(*rho), &mut lambdas),
            Self::Flow => uniform_flow(noisiest, cleanest, &mut lambdas),
            Self::Time => uniform_time(schedule, noisiest, cleanest, &mut lambdas),
            Self::Trailing => trailing_time(schedule, 1.0, &mut lambdas),
            Self::Listed(listed) => lambdas.clone_from(listed),
        }
        lambdas
    }
}
