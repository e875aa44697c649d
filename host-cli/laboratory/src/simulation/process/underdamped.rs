use mote_core::sde::{Quadratic, UnderdampedLangevin};

use super::{Law, Moments, Process, Start, StepperName, Visitor, steppers};
use crate::simulation::oscillator::Oscillator;
use crate::simulation::settings::{finite, positive, positive_or_zero};

/// Underdamped Langevin motion, dq = v dt, dv = -friction v dt - stiffness q dt + noise dW; free without a stiffness.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Underdamped {
    /// Rate at which velocity is lost.
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub friction: f32,
    /// Strength of the noise; the temperature is noise^2 / (2 friction).
    #[arg(long, default_value_t = 1.0, value_parser = positive, allow_negative_numbers = true)]
    pub noise: f32,
    /// Second derivative of the energy; 0 is a free particle.
    #[arg(long, default_value_t = 0.0, value_parser = positive_or_zero, allow_negative_numbers = true)]
    pub stiffness: f32,
    /// Velocity at the start, unless it is stationary.
    #[arg(long, default_value_t = 0.0, value_parser = finite, allow_negative_numbers = true)]
    pub velocity: f32,
}

impl Underdamped {
    fn sde(&self) -> UnderdampedLangevin<Quadratic> {
        let potential = Quadratic { stiffness: self.stiffness };
        UnderdampedLangevin { potential, friction: self.friction, noise: self.noise }
    }
}

impl Process for Underdamped {
    const NAME: &'static str = "underdamped";
    const COMPONENTS: &'static [&'static str] = &["q", "v"];
    const START: &'static str = "0";
    const STARTS: &'static str = "a number, or stationary with a --stiffness above 0";

    fn equation(&self) -> String {
        let spring = if self.stiffness == 0.0 { String::new() } else { format!(" - {} q dt", self.stiffness) };
        format!("dq = v dt, dv = -{} v dt{spring} + {} dW", self.friction, self.noise)
    }

    fn start(&self, start: Start) -> Option<Vec<Law>> {
        match start {
            Start::Point(q) => Some(vec![Law::normal(q, 0.0), Law::normal(self.velocity, 0.0)]),
            Start::Stationary if self.stiffness > 0.0 => {
                // Boltzmann's law: variance temperature / stiffness of q, temperature of v.
                let temperature = self.sde().temperature();
                Some(vec![
                    Law::normal(0.0, (temperature / self.stiffness).sqrt()),
                    Law::normal(0.0, temperature.sqrt()),
                ])
            }
            _ => None,
        }
    }

    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments> {
        let [friction, stiffness, noise] = [self.friction, self.stiffness, self.noise].map(f64::from);
        let oscillator = Oscillator { friction, stiffness, noise };
        let mean = [start[0].mean(), start[1].mean()];
        let spread = [[start[0].variance(), 0.0], [0.0, start[1].variance()]];
        let end = times.last().map_or(0.0, |t| f64::from(*t));
        let of = |t: &f32| {
            let t = f64::from(*t);
            let covariance = oscillator.covariance(spread, t);
            let onward = oscillator.propagator(end - t)[0];
            Moments {
                mean: oscillator.mean(mean, t).to_vec(),
                variance: vec![covariance[0][0], covariance[1][1]],
                with_end: onward[0] * covariance[0][0] + onward[1] * covariance[0][1],
                cross: Some(covariance[0][1]),
            }
        };
        times.iter().map(of).collect()
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        steppers::additive(stepper, self.sde(), visitor)
    }
}
