use mote_core::sde::OrnsteinUhlenbeck;

use super::{Law, Moments, Process, Start, StepperName, Visitor, linear, steppers};
use crate::simulation::settings::{finite, positive};

/// The Ornstein-Uhlenbeck process, dX = rate (mean - X) dt + diffusion dW.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Ou {
    /// Rate of the pull towards the mean.
    #[arg(long, default_value_t = 2.0, value_parser = positive, allow_negative_numbers = true)]
    pub rate: f32,
    /// Where the drift is zero.
    #[arg(long, default_value_t = 0.0, value_parser = finite, allow_negative_numbers = true)]
    pub mean: f32,
    /// Strength of the noise.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub diffusion: f32,
}

impl Ou {
    fn sde(&self) -> OrnsteinUhlenbeck {
        OrnsteinUhlenbeck { rate: self.rate, mean: self.mean, diffusion: self.diffusion }
    }
}

/// The moments of an Ornstein-Uhlenbeck process from its closed forms.
pub(super) fn moments(sde: OrnsteinUhlenbeck, start: &Law, times: &[f32]) -> Vec<Moments> {
    linear(start, times, |t| {
        let decay = (-f64::from(sde.rate) * f64::from(t)).exp();
        (decay, f64::from(sde.mean) * (1.0 - decay), f64::from(sde.variance(t)))
    })
}

impl Process for Ou {
    const NAME: &'static str = "ou";
    const START: &'static str = "2";
    const STARTS: &'static str = "a number or stationary";
    const STEPPERS: &'static [StepperName] = steppers::ORNSTEIN_UHLENBECK;

    fn equation(&self) -> String {
        format!("dX = {} ({} - X) dt + {} dW", self.rate, self.mean, self.diffusion)
    }

    fn start(&self, start: Start) -> Option<Vec<Law>> {
        match start {
            Start::Point(x) => Some(vec![Law::normal(x, 0.0)]),
            Start::Stationary => Some(vec![Law::normal(self.mean, self.sde().stationary_variance().sqrt())]),
            _ => None,
        }
    }

    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
        moments(self.sde(), &start[0], times)
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        steppers::ornstein_uhlenbeck(stepper, self.sde(), visitor)
    }
}
