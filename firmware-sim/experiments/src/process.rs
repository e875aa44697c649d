use core::fmt;

use mote_core::schedule::VpLinear;
use mote_core::sde::{DoubleWell, GeometricBrownian, OrnsteinUhlenbeck, OverdampedLangevin, Vp};

/// A scalar process with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Process {
    /// `ou`: Ornstein and Uhlenbeck's, `rate`, `mean`, `diffusion`.
    OrnsteinUhlenbeck(OrnsteinUhlenbeck),
    /// `double-well`: Langevin's in two wells, `barrier`, `half-distance`, `diffusion`.
    DoubleWell(OverdampedLangevin<DoubleWell>),
    /// `geometric`: geometric Brownian motion, `growth`, `volatility`.
    Geometric(GeometricBrownian),
    /// `vp`: the variance-preserving one with the linear schedule, `beta-min`, `beta-max`.
    Vp(Vp),
}

impl Process {
    /// Every process, with the parameters that it has where nobody names others.
    pub const ALL: [Self; 4] = [
        Self::OrnsteinUhlenbeck(OrnsteinUhlenbeck { rate: 2.0, mean: 0.0, diffusion: 1.0 }),
        Self::DoubleWell(OverdampedLangevin { potential: DoubleWell { barrier: 1.0, half_distance: 1.0 }, noise: 1.0 }),
        Self::Geometric(GeometricBrownian { growth: 0.1, volatility: 0.3 }),
        Self::Vp(Vp { schedule: VpLinear::DEFAULT }),
    ];

    /// The process of this name, with its default parameters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|process| process.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OrnsteinUhlenbeck(_) => "ou",
            Self::DoubleWell(_) => "double-well",
            Self::Geometric(_) => "geometric",
            Self::Vp(_) => "vp",
        }
    }

    /// Its parameters, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f32)> + use<> {
        let mut copy = *self;
        copy.places().map(|place| place.map(|(name, value)| (name, *value))).into_iter().flatten()
    }

    /// Gives one parameter a value.
    ///
    /// # Errors
    /// [`UnknownParameter`] when the process has none of this name.
    pub fn set(&mut self, name: &str, value: f32) -> Result<(), UnknownParameter> {
        let unknown = UnknownParameter { process: *self };
        let place = self.places().into_iter().flatten().find(|(known, _)| *known == name);
        let (_, parameter) = place.ok_or(unknown)?;
        *parameter = value;
        Ok(())
    }

    /// Whether every parameter is a finite number, and positive where there is no process without.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let positive = match self {
            Self::DoubleWell(sde) => sde.potential.half_distance > 0.0,
            Self::Vp(sde) => sde.schedule.beta_min >= 0.0 && sde.schedule.beta_max >= sde.schedule.beta_min,
            Self::OrnsteinUhlenbeck(_) | Self::Geometric(_) => true,
        };
        positive && self.parameters().all(|(_, value)| value.is_finite())
    }

    fn places(&mut self) -> [Option<(&'static str, &mut f32)>; 3] {
        match self {
            Self::OrnsteinUhlenbeck(OrnsteinUhlenbeck { rate, mean, diffusion }) => {
                [Some(("rate", rate)), Some(("mean", mean)), Some(("diffusion", diffusion))]
            }
            Self::DoubleWell(OverdampedLangevin { potential: DoubleWell { barrier, half_distance }, noise }) => {
                [Some(("barrier", barrier)), Some(("half-distance", half_distance)), Some(("diffusion", noise))]
            }
            Self::Geometric(GeometricBrownian { growth, volatility }) => {
                [Some(("growth", growth)), Some(("volatility", volatility)), None]
            }
            Self::Vp(Vp { schedule: VpLinear { beta_min, beta_max } }) => {
                [Some(("beta-min", beta_min)), Some(("beta-max", beta_max)), None]
            }
        }
    }
}

/// The process has no parameter of that name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnknownParameter {
    /// The process, which knows its parameters.
    pub process: Process,
}

impl fmt::Display for UnknownParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the parameters of {} are", self.process.name())?;
        let mut comma = "";
        for (name, _) in self.process.parameters() {
            write!(f, "{comma} {name}")?;
            comma = ",";
        }
        Ok(())
    }
}

impl core::error::Error for UnknownParameter {}
