use std::fmt;

use clap::ValueEnum;
use mote_core::ensemble::BLOCK;
use mote_core::sde::{AdditiveNoise, DiffusionSlope, NoiseFree, OrnsteinUhlenbeck, Sde, StratonovichForm};
use mote_core::stepper::{self, Stepper};
use serde::{Deserialize, Serialize};

/// The steppers by name; [`mote_core::stepper`] describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepperName {
    /// Itô, strong order 1/2, and 1 for additive noise
    EulerMaruyama,
    /// Itô, strong order 1
    Milstein,
    /// Milstein with the slope of the diffusion by a difference
    #[value(name = "milstein-free")]
    #[serde(rename = "milstein-free")]
    MilsteinDerivativeFree,
    /// Stratonovich, strong order 1; an Itô equation is rewritten for it
    StochasticHeun,
    /// Shifted Euler for additive noise, order 1
    Sea,
    /// Additive noise, order 3/2
    Sra1,
    /// Additive noise, order 3/2, smaller error than sra1
    Shark,
    /// Itô, order 3/2
    Sriw1,
    /// Ornstein-Uhlenbeck alone, exact in law
    ExactOu,
    /// Without noise, order 1
    #[value(name = "euler")]
    #[serde(rename = "euler")]
    EulerOde,
    /// Without noise, order 2
    Heun,
    /// Without noise, order 4
    #[value(name = "rk4")]
    #[serde(rename = "rk4")]
    RungeKutta4,
}

impl fmt::Display for StepperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// What is done with a stepper and an equation that fit each other.
pub trait Visitor {
    /// What comes of it.
    type Output;
    /// Receives the pair.
    fn visit<P, S>(self, stepper: P, sde: S) -> Self::Output
    where
        P: Stepper<S> + Sync,
        S: Sde + Clone + Sync;
}

/// A function that pairs an equation with a stepper by name, and the list of the names that it knows: a pair that does not fit is not
/// compiled. After a semicolon, a stepper that takes the equation in another form.
macro_rules! pairing {
    ($(#[$doc:meta])* $list:ident, $pair:ident, $noise:ident, [$($stepper:ident),+] $(; $other:ident of $form:expr)?) => {
        $(#[$doc])*
        pub const $list: &[StepperName] = &[$(StepperName::$stepper,)+ $(StepperName::$other)?];

        $(#[$doc])*
        pub fn $pair<S: $noise + Clone + Sync, V: Visitor>(name: StepperName, sde: S, visitor: V) -> Option<V::Output> {
            match name {
                $(StepperName::$stepper => Some(visitor.visit(stepper::$stepper, sde)),)+
                $(StepperName::$other => Some(visitor.visit(stepper::$other, $form(sde))),)?
                _ => None,
            }
        }
    };
}

pairing! {
    /// Steppers of equations whose noise is the same everywhere in space.
    ADDITIVE, additive, AdditiveNoise,
    [EulerMaruyama, Milstein, MilsteinDerivativeFree, StochasticHeun, Sea, Sra1, Shark, Sriw1]
}
pairing! {
    /// Steppers of equations whose noise depends on the state, with a known slope.
    MULTIPLICATIVE, multiplicative, DiffusionSlope,
    [EulerMaruyama, Milstein, MilsteinDerivativeFree, Sriw1];
    StochasticHeun of (|sde| StratonovichForm::new(sde, [0.0; 2 * BLOCK]))
}
pairing! {
    /// Steppers of equations without noise.
    NOISE_FREE, noise_free, NoiseFree, [EulerOde, Heun, RungeKutta4]
}

/// Steppers of the Ornstein-Uhlenbeck process: [`ADDITIVE`], and its exact step.
pub const ORNSTEIN_UHLENBECK: &[StepperName] = &[
    StepperName::EulerMaruyama,
    StepperName::Milstein,
    StepperName::MilsteinDerivativeFree,
    StepperName::StochasticHeun,
    StepperName::Sea,
    StepperName::Sra1,
    StepperName::Shark,
    StepperName::Sriw1,
    StepperName::ExactOu,
];

/// Pairs an Ornstein-Uhlenbeck process with its steppers.
pub fn ornstein_uhlenbeck<V: Visitor>(name: StepperName, sde: OrnsteinUhlenbeck, visitor: V) -> Option<V::Output> {
    if name == StepperName::ExactOu {
        return Some(visitor.visit(stepper::ExactOu, sde));
    }
    additive(name, sde, visitor)
}
