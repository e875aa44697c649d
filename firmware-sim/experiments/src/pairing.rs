use mote_core::sde::{AdditiveNoise, DiffusionSlope, Sde};
use mote_core::stepper::{
    EulerMaruyama, ExactOu, Milstein, MilsteinDerivativeFree, Sea, Shark, Sra1, Sriw1, Stepper, StochasticHeun,
};

use crate::{Experiment, Process};

/// A stepper by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `euler-maruyama`
    EulerMaruyama,
    /// `milstein`
    Milstein,
    /// `milstein-derivative-free`
    MilsteinDerivativeFree,
    /// `stochastic-heun`
    StochasticHeun,
    /// `sea`
    Sea,
    /// `sra1`
    Sra1,
    /// `shark`
    Shark,
    /// `sriw1`
    Sriw1,
    /// `exact-ou`
    ExactOu,
}

impl Method {
    /// Every stepper.
    pub const ALL: [Self; 9] = [
        Self::EulerMaruyama,
        Self::Milstein,
        Self::MilsteinDerivativeFree,
        Self::StochasticHeun,
        Self::Sea,
        Self::Sra1,
        Self::Shark,
        Self::Sriw1,
        Self::ExactOu,
    ];

    /// The stepper of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EulerMaruyama => "euler-maruyama",
            Self::Milstein => "milstein",
            Self::MilsteinDerivativeFree => "milstein-derivative-free",
            Self::StochasticHeun => "stochastic-heun",
            Self::Sea => "sea",
            Self::Sra1 => "sra1",
            Self::Shark => "shark",
            Self::Sriw1 => "sriw1",
            Self::ExactOu => "exact-ou",
        }
    }

    /// Whether the stepper is one for the noise of this process.
    #[must_use]
    pub fn fits(self, process: &Process) -> bool {
        struct Nothing;
        impl Pairing for Nothing {
            type Output = ();
            fn run<P, S>(self, _: P, _: S)
            where
                P: Stepper<S> + Copy + Sync,
                S: Sde + Clone + Sync,
            {
            }
        }
        pair(self, process, Nothing).is_some()
    }
}

/// What to do with a stepper and a process that fit each other.
pub trait Pairing {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<P, S>(self, stepper: P, sde: S) -> Self::Output
    where
        P: Stepper<S> + Copy + Sync,
        S: Sde + Clone + Sync;
}

impl Experiment {
    /// Does it with the experiment's stepper and process; `None` when they do not fit each other.
    pub fn pair<T: Pairing>(&self, pairing: T) -> Option<T::Output> {
        pair(self.method, &self.process, pairing)
    }
}

fn pair<T: Pairing>(method: Method, process: &Process, pairing: T) -> Option<T::Output> {
    match (*process, method) {
        (Process::OrnsteinUhlenbeck(sde), Method::ExactOu) => Some(pairing.run(ExactOu, sde)),
        (Process::OrnsteinUhlenbeck(sde), method) => additive(method, sde, pairing),
        (Process::DoubleWell(sde), method) => additive(method, sde, pairing),
        (Process::Vp(sde), method) => additive(method, sde, pairing),
        (Process::Geometric(sde), method) => diagonal(method, sde, pairing),
    }
}

/// Steppers for a diffusion that depends on the state, in Itô's sense.
fn diagonal<S: DiffusionSlope + Clone + Sync, T: Pairing>(method: Method, sde: S, pairing: T) -> Option<T::Output> {
    Some(match method {
        Method::EulerMaruyama => pairing.run(EulerMaruyama, sde),
        Method::Milstein => pairing.run(Milstein, sde),
        Method::MilsteinDerivativeFree => pairing.run(MilsteinDerivativeFree, sde),
        Method::Sriw1 => pairing.run(Sriw1, sde),
        Method::StochasticHeun | Method::Sea | Method::Sra1 | Method::Shark | Method::ExactOu => return None,
    })
}

/// Steppers for a diffusion that depends on time alone.
fn additive<S: AdditiveNoise + Clone + Sync, T: Pairing>(method: Method, sde: S, pairing: T) -> Option<T::Output> {
    Some(match method {
        Method::StochasticHeun => pairing.run(StochasticHeun, sde),
        Method::Sea => pairing.run(Sea, sde),
        Method::Sra1 => pairing.run(Sra1, sde),
        Method::Shark => pairing.run(Shark, sde),
        other => return diagonal(other, sde, pairing),
    })
}
