use mote_core::schedule::NoiseLevel;

use crate::simulation::settings::{finite, positive};
use crate::simulation::{Law, Part};

/// The law of the data: a mixture of normal laws, bimodal by default.
#[derive(Clone, Debug, clap::Args)]
pub struct Mixture {
    /// Mean of each mode of the data.
    #[arg(long, value_delimiter = ',', default_value = "-1,1", value_parser = finite, allow_hyphen_values = true)]
    pub means: Vec<f32>,
    /// Standard deviation of each mode, or one for all.
    #[arg(long, value_delimiter = ',', default_value = "0.25", value_parser = positive, allow_hyphen_values = true)]
    pub deviations: Vec<f32>,
    /// Share of each mode. Default: equal.
    #[arg(long, value_delimiter = ',', value_parser = positive, allow_hyphen_values = true)]
    pub weights: Vec<f32>,
}

impl Mixture {
    /// Whether there is a deviation and a weight for each mean.
    pub(super) fn check(&self) -> Result<(), String> {
        let modes = self.means.len();
        if ![1, modes].contains(&self.deviations.len()) {
            let found = self.deviations.len();
            return Err(format!("--deviations has {found} values for {modes} --means; give one, or one a mode"));
        }
        if ![0, modes].contains(&self.weights.len()) {
            let found = self.weights.len();
            return Err(format!("--weights has {found} values for {modes} --means; give one a mode, or leave it out"));
        }
        Ok(())
    }

    /// The law.
    pub(super) fn law(&self) -> Law {
        let total: f64 = self.weights.iter().map(|w| f64::from(*w)).sum();
        let weight = |i: usize| match self.weights.get(i) {
            Some(w) => f64::from(*w) / total,
            None => 1.0 / self.means.len() as f64,
        };
        let deviation = |i: usize| self.deviations.get(i).or(self.deviations.first()).copied().unwrap_or(1.0);
        let parts = self.means.iter().enumerate();
        Law { parts: parts.map(|(i, mean)| Part { weight: weight(i), mean: *mean, deviation: deviation(i) }).collect() }
    }

    /// The law of the data with noise: `alpha x0 + sigma eps`.
    pub(super) fn noisy(&self, level: NoiseLevel) -> Law {
        let mut law = self.law();
        for part in &mut law.parts {
            part.mean *= level.alpha;
            part.deviation = level.state_deviation(part.deviation);
        }
        law
    }

    /// The law in a few words.
    pub(super) fn describe(&self) -> String {
        let parts: Vec<_> = self
            .law()
            .parts
            .iter()
            .map(|part| format!("{:.3} N({}, {}^2)", part.weight, part.mean, part.deviation))
            .collect();
        parts.join(" + ")
    }
}
