use mote_core::sde::{OrnsteinUhlenbeck, OverdampedLangevin, Quadratic};

use super::{Law, Moments, Process, Start, StepperName, Visitor, ornstein_uhlenbeck, steppers};
use crate::simulation::settings::positive;

/// Overdamped Langevin motion in a spring, dX = -stiffness X dt + noise dW.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Langevin {
    /// Second derivative of the energy, `U = stiffness x^2 / 2`.
    #[arg(long, default_value_t = 2.0, value_parser = positive, allow_negative_numbers = true)]
    pub stiffness: f32,
    /// Strength of the noise; the temperature is noise^2 / 2.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub noise: f32,
}

impl Langevin {
    /// A spring makes it an Ornstein-Uhlenbeck process.
    fn closed_form(&self) -> OrnsteinUhlenbeck {
        OrnsteinUhlenbeck { rate: self.stiffness, mean: 0.0, diffusion: self.noise }
    }
}

impl Process for Langevin {
    const NAME: &'static str = "langevin";
    const START: &'static str = "1";
    const STARTS: &'static str = "a number or stationary";

    fn equation(&self) -> String {
        format!("dX = -{} X dt + {} dW", self.stiffness, self.noise)
    }

    fn start(&self, start: Start) -> Option<Vec<Law>> {
        match start {
            Start::Point(x) => Some(vec![Law::normal(x, 0.0)]),
            Start::Stationary => Some(vec![Law::normal(0.0, self.closed_form().stationary_variance().sqrt())]),
            _ => None,
        }
    }

    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
        ornstein_uhlenbeck::moments(self.closed_form(), &start[0], times)
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        let potential = Quadratic { stiffness: self.stiffness };
        steppers::additive(stepper, OverdampedLangevin { potential, noise: self.noise }, visitor)
    }
}
