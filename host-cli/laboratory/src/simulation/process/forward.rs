use mote_core::schedule::{Edm, VpLinear};
use mote_core::sde::{self, ForwardKernel};

use super::{Law, Mixture, Moments, Process, Start, StepperName, Visitor, linear, steppers};
use crate::simulation::settings::{positive, positive_or_zero};

/// The rate of the variance-preserving processes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct BetaRange {
    /// Rate beta at time 0.
    #[arg(long, default_value_t = VpLinear::DEFAULT.beta_min, value_parser = positive_or_zero, allow_negative_numbers = true)]
    pub beta_min: f32,
    /// Rate beta at time 1.
    #[arg(long, default_value_t = VpLinear::DEFAULT.beta_max, value_parser = positive, allow_negative_numbers = true)]
    pub beta_max: f32,
}

impl BetaRange {
    pub(super) fn schedule(&self) -> VpLinear {
        VpLinear { beta_min: self.beta_min, beta_max: self.beta_max }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.beta_min < self.beta_max {
            return Ok(());
        }
        Err(format!("--beta-min {} must be below --beta-max {}", self.beta_min, self.beta_max))
    }

    pub(super) fn equation(&self) -> String {
        format!("beta from {} to {}", self.beta_min, self.beta_max)
    }
}

/// The horizon of a schedule that ends at time 1.
pub(super) fn check_horizon(name: &str, horizon: f32) -> Result<(), String> {
    if horizon <= 1.0 {
        return Ok(());
    }
    Err(format!("--horizon {horizon}: the schedule of {name} ends at time 1; take at most 1"))
}

fn start(data: &Mixture, start: Start) -> Option<Vec<Law>> {
    match start {
        Start::Point(x) => Some(vec![Law::normal(x, 0.0)]),
        Start::Data => Some(vec![data.law()]),
        _ => None,
    }
}

fn moments(sde: &impl ForwardKernel, start: &Law, times: &[f32]) -> Vec<Moments> {
    linear(start, times, |t| {
        let level = sde.kernel(t);
        (f64::from(level.alpha), 0.0, f64::from(level.sigma).powi(2))
    })
}

/// What is the same for the three forward processes, but for names and numbers.
macro_rules! forward {
    ($process:ident, $name:literal, $equation:literal, $schedule:ident) => {
        impl $process {
            fn sde(&self) -> sde::$process {
                sde::$process { schedule: self.$schedule.schedule() }
            }
        }

        impl Process for $process {
            const NAME: &'static str = $name;
            const START: &'static str = "data";
            const STARTS: &'static str = "a number or data";

            fn equation(&self) -> String {
                format!("{}, {}, data {}", $equation, self.$schedule.equation(), self.data.describe())
            }

            fn check(&self, horizon: f32) -> Result<(), String> {
                self.$schedule.check()?;
                self.data.check()?;
                check_horizon($name, horizon)
            }

            fn start(&self, asked: Start) -> Option<Vec<Law>> {
                start(&self.data, asked)
            }

            fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
                moments(&self.sde(), &start[0], times)
            }

            fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
                steppers::additive(stepper, self.sde(), visitor)
            }
        }
    };
}

/// The variance-preserving forward process, dX = -beta(t) X / 2 dt + sqrt(beta(t)) dW.
#[derive(Clone, Debug, clap::Args)]
pub struct Vp {
    #[command(flatten)]
    beta: BetaRange,
    #[command(flatten)]
    data: Mixture,
}

forward!(Vp, "vp", "dX = -beta X / 2 dt + sqrt(beta) dW", beta);

/// The sub-VP forward process, dX = -beta(t) X / 2 dt + sqrt(beta(t) (1 - alpha(t)^4)) dW.
#[derive(Clone, Debug, clap::Args)]
pub struct SubVp {
    #[command(flatten)]
    beta: BetaRange,
    #[command(flatten)]
    data: Mixture,
}

forward!(SubVp, "sub-vp", "dX = -beta X / 2 dt + sqrt(beta (1 - alpha^4)) dW", beta);

/// The noise of the variance-exploding process.
#[derive(Clone, Copy, Debug, clap::Args)]
struct SigmaRange {
    /// Noise scale at time 0.
    #[arg(long, default_value_t = 0.01, value_parser = positive, allow_negative_numbers = true)]
    sigma_min: f32,
    /// Noise scale at time 1.
    #[arg(long, default_value_t = 10.0, value_parser = positive, allow_negative_numbers = true)]
    sigma_max: f32,
}

impl SigmaRange {
    fn schedule(&self) -> Edm {
        Edm { sigma_min: self.sigma_min, sigma_max: self.sigma_max }
    }

    fn check(&self) -> Result<(), String> {
        if self.sigma_min < self.sigma_max {
            return Ok(());
        }
        Err(format!("--sigma-min {} must be below --sigma-max {}", self.sigma_min, self.sigma_max))
    }

    fn equation(&self) -> String {
        format!("sigma from {} to {}", self.sigma_min, self.sigma_max)
    }
}

/// The variance-exploding forward process, dX = sqrt(d sigma(t)^2 / dt) dW with a geometric sigma(t).
#[derive(Clone, Debug, clap::Args)]
pub struct Ve {
    #[command(flatten)]
    sigma: SigmaRange,
    #[command(flatten)]
    data: Mixture,
}

forward!(Ve, "ve", "dX = sqrt(d sigma^2 / dt) dW", sigma);
