use mote_core::sde;

use super::{Law, Moments, Process, Start, StepperName, Visitor, linear, steppers};
use crate::simulation::settings::positive;

/// Brownian motion, dX = scale dW.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Brownian {
    /// Standard deviation after a unit of time.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub scale: f32,
}

impl Brownian {
    fn sde(&self) -> sde::Brownian {
        sde::Brownian { scale: self.scale }
    }
}

impl Process for Brownian {
    const NAME: &'static str = "brownian";
    const START: &'static str = "0";
    const STARTS: &'static str = "a number";

    fn equation(&self) -> String {
        format!("dX = {} dW", self.scale)
    }

    fn start(&self, start: Start) -> Option<Vec<Law>> {
        match start {
            Start::Point(x) => Some(vec![Law::normal(x, 0.0)]),
            _ => None,
        }
    }

    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
        linear(&start[0], times, |t| (1.0, 0.0, f64::from(self.sde().variance(t))))
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        steppers::additive(stepper, self.sde(), visitor)
    }
}
