use std::fmt;

use clap::ValueEnum;
use mote_core::ensemble::BLOCK;
use mote_core::sde::{AdditiveNoise, DiffusionSlope, NoiseFree, OrnsteinUhlenbeck, Sde, StratonovichForm};
use mote_core::stepper::{self, Stepper};
use serde::{Deserialize, Serialize};

use super::erased::Erased;

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
    /// The steppers that are compiled once for all equations with additive noise.
    ONCE_FOR_ALL, behind_a_pointer, AdditiveNoise,
    [Milstein, MilsteinDerivativeFree, StochasticHeun, Sea, Sra1, Shark, Sriw1]
}

/// Steppers of equations whose noise is the same everywhere in space.
pub const ADDITIVE: &[StepperName] =
    &with_one_more::<{ ONCE_FOR_ALL.len() + 1 }>(StepperName::EulerMaruyama, ONCE_FOR_ALL);

/// Pairs an equation with [`ADDITIVE`] steppers: with Euler-Maruyama as it is, for speed, and with the others [`Erased`].
pub fn additive<S, V>(name: StepperName, sde: S, visitor: V) -> Option<V::Output>
where
    S: AdditiveNoise + Clone + Sync,
    V: Visitor,
{
    match name {
        StepperName::EulerMaruyama => Some(visitor.visit(stepper::EulerMaruyama, sde)),
        _ => behind_a_pointer(name, Erased::new(sde), visitor),
    }
}

/// A list with another name before it.
const fn with_one_more<const N: usize>(first: StepperName, rest: &[StepperName]) -> [StepperName; N] {
    let mut all = [first; N];
    let mut i = 0;
    while i < rest.len() {
        all[i + 1] = rest[i];
        i += 1;
    }
    all
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
pub const ORNSTEIN_UHLENBECK: &[StepperName] = &with_one_more::<{ ADDITIVE.len() + 1 }>(StepperName::ExactOu, ADDITIVE);

/// Pairs an Ornstein-Uhlenbeck process with its steppers.
pub fn ornstein_uhlenbeck<V: Visitor>(name: StepperName, sde: OrnsteinUhlenbeck, visitor: V) -> Option<V::Output> {
    if name == StepperName::ExactOu {
        return Some(visitor.visit(stepper::ExactOu, sde));
    }
    additive(name, sde, visitor)
}
