//! The processes that can be simulated: one file each, or one for a family.

mod backward;
mod brownian;
mod double_well;
mod forward;
mod geometric;
mod langevin;
mod mixture;
mod ornstein_uhlenbeck;
mod underdamped;

use std::fmt;

use mote_core::random::Span;

pub use backward::{FlowVp, ReverseVp};
pub use brownian::Brownian;
pub use double_well::DoubleWell;
pub use forward::{SubVp, Ve, Vp};
pub use geometric::Gbm;
pub use langevin::Langevin;
pub use mixture::Mixture;
pub use ornstein_uhlenbeck::Ou;
pub use underdamped::Underdamped;

use super::{Law, Start, StepperName, Visitor, steppers};

/// What the theory says of the state at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Mean of each component.
    pub mean: Vec<f64>,
    /// Variance of each component.
    pub variance: Vec<f64>,
    /// Covariance of the first component now and at the last of the times.
    pub with_end: f64,
    /// Covariance of the two components of a state that has two.
    pub cross: Option<f64>,
}

impl Moments {
    /// Of a state of one component.
    #[must_use]
    pub fn scalar(mean: f64, variance: f64, with_end: f64) -> Self {
        Self { mean: vec![mean], variance: vec![variance], with_end, cross: None }
    }
}

/// A process with its parameters, which are the flags of a subcommand.
pub trait Process: clap::Args + fmt::Debug + Sync {
    /// Name of the subcommand.
    const NAME: &'static str;
    /// Name of each component of the state, one or two.
    const COMPONENTS: &'static [&'static str] = &["x"];
    /// The horizon by default, as typed.
    const HORIZON: &'static str = "1";
    /// The start by default, as typed.
    const START: &'static str;
    /// What a start may be, for the message about one that it may not be.
    const STARTS: &'static str;
    /// The stepper by default, as typed.
    const STEPPER: &'static str = "euler-maruyama";
    /// The steppers that fit.
    const STEPPERS: &'static [StepperName] = steppers::ADDITIVE;
    /// What decides which steppers fit.
    const NOISE: &'static str = "whose noise is additive";
    /// Where the predictions come from: the heading of their column.
    const PREDICTED_BY: &'static str = "closed form";

    /// The equation with its numbers.
    fn equation(&self) -> String;

    /// Whether the parameters and the horizon make sense together.
    ///
    /// # Errors
    /// One line that names the flags and the way out.
    fn check(&self, _horizon: f32) -> Result<(), String> {
        Ok(())
    }

    /// From where to where time runs.
    fn span(&self, horizon: f32) -> Span {
        Span { t0: 0.0, t1: horizon }
    }

    /// The law of each component at the start, or none if the process has no such start.
    fn start(&self, start: Start) -> Option<Vec<Law>>;

    /// The moments at each of the times, the last of which is the end; components are independent at the start.
    fn predict(&self, start: &[Law], times: &[f32]) -> Vec<Moments>;

    /// Hands the equation and the stepper to the visitor, or gives nothing if they do not fit.
    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output>;
}

/// The moments of a linear process: `X(t) = a(t) X(0) + b(t) + noise` with `at(t) = (a, b, variance of the noise)`.
fn linear(start: &Law, times: &[f32], at: impl Fn(f32) -> (f64, f64, f64)) -> Vec<Moments> {
    let end = times.last().map_or(1.0, |t| at(*t).0);
    let of = |t: &f32| {
        let (a, b, noise) = at(*t);
        let variance = a * a * start.variance() + noise;
        Moments::scalar(a * start.mean() + b, variance, end / a * variance)
    };
    times.iter().map(of).collect()
}
