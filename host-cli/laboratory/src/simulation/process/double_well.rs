use mote_core::sde::{self, OverdampedLangevin, Potential};

use super::{Law, Moments, Process, Start, StepperName, Visitor, steppers};
use crate::simulation::density::{Density, moments};
use crate::simulation::settings::positive;

/// Overdamped motion in two wells, dX = -U'(X) dt + noise dW with U = barrier ((x / half-distance)^2 - 1)^2.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct DoubleWell {
    /// Energy at 0 above the floors of the wells.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub barrier: f32,
    /// Distance of each floor from 0.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub half_distance: f32,
    /// Strength of the noise; the temperature is noise^2 / 2.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub noise: f32,
}

impl DoubleWell {
    fn well(&self) -> sde::DoubleWell {
        sde::DoubleWell { barrier: self.barrier, half_distance: self.half_distance }
    }
}

impl Process for DoubleWell {
    const NAME: &'static str = "double-well";
    const START: &'static str = "-1";
    const STARTS: &'static str = "a number";
    const PREDICTED_BY: &'static str = "Fokker-Planck";

    fn equation(&self) -> String {
        format!("dX = -U'(X) dt + {} dW, U = {} ((x / {})^2 - 1)^2", self.noise, self.barrier, self.half_distance)
    }

    fn start(&self, start: Start) -> Option<Vec<Law>> {
        match start {
            Start::Point(x) => Some(vec![Law::normal(x, 0.0)]),
            _ => None,
        }
    }

    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
        let (barrier, half, noise) = (f64::from(self.barrier), f64::from(self.half_distance), f64::from(self.noise));
        let start = start[0].mean();
        // Where the energy is 40 temperatures the stationary density is e^-40 of its peak.
        let edge = half * (1.0 + (20.0 * noise * noise / barrier).sqrt()).sqrt();
        // The curvature at the floors, and at a start up the wall.
        let rate = 4.0 * barrier / (half * half) * (3.0 * (start / half).powi(2) - 1.0).max(2.0);
        let density = Density {
            drift: |x, _t| {
                let mut slope = [0.0];
                self.well().gradient(&[x], &mut slope);
                -slope[0]
            },
            diffusion: |_x, _t| self.noise,
            start,
            edge: edge.max(start.abs() + 0.3 * edge),
            // The width of a well at this noise, or of the gap between them if that is less.
            feature: (noise / (2.0 * rate).sqrt()).min(half),
            rate,
        };
        moments(&density, times)
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        let sde = OverdampedLangevin { potential: self.well(), noise: self.noise };
        steppers::additive(stepper, sde, visitor)
    }
}
