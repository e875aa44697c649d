use std::fmt;
use std::str::FromStr;

use mote_core::random::{BoxMuller, NormalSource};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal as StandardNormal};

/// Where paths start, as one asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Start {
    /// All at one point.
    Point(f32),
    /// In the stationary law of the process.
    Stationary,
    /// In the law of the data.
    Data,
    /// In the standard normal law.
    Noise,
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "stationary" => Ok(Self::Stationary),
            "data" => Ok(Self::Data),
            "noise" => Ok(Self::Noise),
            _ => match text.parse::<f32>() {
                Ok(x) if x.is_finite() => Ok(Self::Point(x)),
                _ => Err("must be a finite number, or one of stationary, data, noise".into()),
            },
        }
    }
}

impl TryFrom<String> for Start {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Start> for String {
    fn from(start: Start) -> Self {
        start.to_string()
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(x) => write!(f, "{x}"),
            Self::Stationary => f.write_str("stationary"),
            Self::Data => f.write_str("data"),
            Self::Noise => f.write_str("noise"),
        }
    }
}

/// A normal law as part of a mixture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Share of the mixture; the shares add up to 1.
    pub weight: f64,
    /// Mean.
    pub mean: f32,
    /// Standard deviation, 0 for a point.
    pub deviation: f32,
}

/// The law of one component of a state: a mixture of normal laws.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// At least one part.
    pub parts: Vec<Part>,
}

impl Law {
    /// One normal law, or a point if `deviation` is 0.
    #[must_use]
    pub fn normal(mean: f32, deviation: f32) -> Self {
        Self { parts: vec![Part { weight: 1.0, mean, deviation }] }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.parts.iter().map(|part| part.weight * f64::from(part.mean)).sum()
    }

    /// The variance, within the parts and between them.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        let of = |part: &Part| f64::from(part.deviation).powi(2) + (f64::from(part.mean) - mean).powi(2);
        self.parts.iter().map(|part| part.weight * of(part)).sum()
    }

    /// Fills a block's paths with draws: for a mixture a normal for each path to choose its part by, then one for each path within it.
    pub fn draw(&self, normals: &mut BoxMuller, x: &mut [f32]) {
        if let [only] = self.parts[..] {
            if only.deviation == 0.0 {
                return x.fill(only.mean);
            }
            normals.fill(x);
            return x.iter_mut().for_each(|x| *x = only.mean + only.deviation * *x);
        }
        let mut choices = vec![0.0; x.len()];
        normals.fill(&mut choices);
        normals.fill(x);
        let borders = self.borders();
        for (x, choice) in x.iter_mut().zip(choices) {
            let part = self.parts[borders.iter().filter(|border| choice >= **border).count()];
            *x = part.mean + part.deviation * *x;
        }
    }

    /// The quantiles of a standard normal that part it by the shares.
    fn borders(&self) -> Vec<f32> {
        let normal = StandardNormal::standard();
        let mut below = 0.0;
        let parted = self.parts[..self.parts.len() - 1].iter().map(|part| {
            below += part.weight;
            normal.inverse_cdf(below) as f32
        });
        parted.collect()
    }
}

#[cfg(test)]
mod tests {
    use mote_core::ensemble::BlockSequence;

    use super::*;
    use crate::statistics;

    #[test]
    fn a_start_reads_back_what_it_shows() {
        for text in ["0.5", "-3", "stationary", "data", "noise"] {
            assert_eq!(text.parse::<Start>().unwrap().to_string(), text);
        }
        for text in ["nan", "inf", "", "stationari"] {
            assert!(text.parse::<Start>().is_err(), "{text}");
        }
    }

    #[test]
    fn draws_have_the_mean_the_variance_and_the_shares_of_the_law() {
        // Mean .2 (-3) + .5 0 + .3 2 = 0; variance .2 (9.25) + .5 (1) + .3 (4 + .01) = 3.553. Five standard errors: 6e-7 each.
        let part = |weight, mean, deviation| Part { weight, mean, deviation };
        let law = Law { parts: vec![part(0.2, -3.0, 0.5), part(0.5, 0.0, 1.0), part(0.3, 2.0, 0.1)] };
        assert!(law.mean().abs() < 1e-12 && (law.variance() - 3.553).abs() < 1e-6);
        let mut x = vec![0.0; 200_000];
        law.draw(&mut BlockSequence::new(3).next_normals(), &mut x);
        let draws = x.iter().map(|x| f64::from(*x));
        let (mean, variance) = (statistics::mean(draws.clone()), statistics::variance(draws.clone()));
        let narrow = statistics::mean(draws.map(|x| f64::from((1.5..2.5).contains(&x))));
        // The middle part puts Phi(2.5) - Phi(1.5) = .060598 there.
        for (found, expected) in [(mean, 0.0), (variance, 3.553), (narrow, 0.3 + 0.5 * 0.060_597_536)] {
            assert!((found.value - expected).abs() < 5.0 * found.standard_error, "{found:?} {expected}");
        }
    }

    #[test]
    fn a_point_draws_nothing() {
        let mut normals = BlockSequence::new(3).next_normals();
        let mut x = [0.0; 256];
        Law::normal(1.5, 0.0).draw(&mut normals, &mut x);
        assert!(x == [1.5; 256] && normals.normal() == BlockSequence::new(3).next_normals().normal());
    }
}
