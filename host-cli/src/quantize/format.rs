//! The formats that a network can be quantised to.

use std::fmt;

use mote_core::network::WeightFormat;
use serde::{Deserialize, Serialize};

/// How wide activation codes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ActivationBits {
    /// 8 bits: 0 to 255 after ReLU, -127 to 127 elsewhere.
    #[default]
    #[value(name = "8")]
    #[serde(rename = "8")]
    Eight,
    /// As many as the 24-bit sums of a packed kernel allow, up to 15 and a sign; about 11 at width 128.
    Auto,
}

impl ActivationBits {
    /// The factor by which activations may outgrow those of calibration before they are clipped; none where every code counts.
    #[must_use]
    pub fn headroom(self) -> Option<f32> {
        match self {
            Self::Eight => None,
            Self::Auto => Some(1.25),
        }
    }
}

/// How wide weight codes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum WeightBits {
    /// -127 to 127.
    #[default]
    #[value(name = "8")]
    #[serde(rename = "8")]
    Eight,
    /// -7 to 7, two to a byte.
    #[value(name = "4")]
    #[serde(rename = "4")]
    Four,
}

impl WeightBits {
    /// The largest code.
    #[must_use]
    pub fn largest(self) -> f64 {
        match self {
            Self::Eight => 127.0,
            Self::Four => 7.0,
        }
    }

    /// Bits of one stored code.
    #[must_use]
    pub fn bits(self) -> usize {
        match self {
            Self::Eight => 8,
            Self::Four => 4,
        }
    }

    /// How the blob stores them.
    #[must_use]
    pub fn format(self) -> WeightFormat {
        match self {
            Self::Eight => WeightFormat::Bits8,
            Self::Four => WeightFormat::Bits4,
        }
    }
}

/// What a network is quantised to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Format {
    /// Width of weight codes.
    pub weight_bits: WeightBits,
    /// Width of activation codes.
    pub activation_bits: ActivationBits,
    /// Whether the tables take what quantisation does to the output's scale, mean and variance back out.
    pub correction: bool,
}

impl From<ActivationBits> for Format {
    fn from(activation_bits: ActivationBits) -> Self {
        Self { activation_bits, ..Self::default() }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let activations = match self.activation_bits {
            ActivationBits::Eight => "8-bit",
            ActivationBits::Auto => "wide",
        };
        write!(f, "{}-bit weights, {activations} activations", self.weight_bits.bits())?;
        if self.correction { f.write_str(", corrected") } else { Ok(()) }
    }
}
