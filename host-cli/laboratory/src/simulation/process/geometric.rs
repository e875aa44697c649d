use mote_core::sde::GeometricBrownian;

use super::{Law, Moments, Process, Start, StepperName, Visitor, steppers};
use crate::simulation::settings::{finite, positive};

/// Geometric Brownian motion, dX = growth X dt + volatility X dW (Itô).
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Gbm {
    /// Rate of growth of the mean.
    #[arg(long, default_value_t = 0.5, value_parser = finite, allow_negative_numbers = true)]
    pub growth: f32,
    /// Strength of the noise relative to the state.
    #[arg(long, default_value_t = 0.3, value_parser = positive, allow_negative_numbers = true)]
    pub volatility: f32,
}

impl Gbm {
    fn sde(&self) -> GeometricBrownian {
        GeometricBrownian { growth: self.growth, volatility: self.volatility }
    }
}

impl Process for Gbm {
    const NAME: &'static str = "gbm";
    const START: &'static str = "1";
    const STARTS: &'static str = "a number";
    const STEPPERS: &'static [StepperName] = steppers::MULTIPLICATIVE;
    const NOISE: &'static str = "whose noise depends on the state";

    fn equation(&self) -> String {
        format!("dX = {} X dt + {} X dW", self.growth, self.volatility)
    }

    fn start(&self, start: Start) -> Option<Vec<Law>> {
        match start {
            Start::Point(x) => Some(vec![Law::normal(x, 0.0)]),
            _ => None,
        }
    }

    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
        let (sde, x0) = (self.sde(), start[0].mean() as f32);
        let end = times.last().copied().unwrap_or(0.0);
        let of = |t: &f32| {
            let variance = f64::from(sde.variance(x0, *t));
            // Given X(t), the mean at the end is X(t) e^(growth (end - t)).
            let growth = (f64::from(self.growth) * f64::from(end - t)).exp();
            Moments::scalar(f64::from(sde.mean_at(x0, *t)), variance, growth * variance)
        };
        times.iter().map(of).collect()
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        steppers::multiplicative(stepper, self.sde(), visitor)
    }
}
