//! The recipe: everything that decides what a run makes, as one TOML file.

mod usual;

use std::path::{Path, PathBuf};

use mote_core::schedule::{Cosine, DdpmBetas, Edm, Flow, Schedule, SubVp, VeGeometric, VpLinear, ZeroTerminal};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::{Header, LoadOptions, Missing, Scaling, ScalingKind, Split, WindowRecipe};
use crate::files::{WriteError, write_atomically};
use crate::import::ImportRecipe;
use crate::network::{Activation, Conditioning, Shape};
use crate::noise::{LevelDistribution, NoiseRange, Noising, Objective, TrainingNoise, Weighting};
use crate::plan::PlanSpec;
use crate::quantize::ActivationBits;
use crate::train::{Slices, TrainingOptions};

/// A whole recipe. A field that is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Where the data come from and how they are read.
    pub data: DataRecipe,
    /// What the network looks like.
    pub network: NetworkRecipe,
    /// How data are noised and what the network is trained to do.
    pub noise: NoiseRecipe,
    /// How to train.
    pub training: TrainingOptions,
    /// What goes into the blob.
    pub blob: BlobRecipe,
    /// Where the weights of a network that was trained elsewhere stand in its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportRecipe>,
    /// Where the network was learnt from, if `mote distill` made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distillation: Option<DistillationRecipe>,
}

/// How a student came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistillationRecipe {
    /// Folder of the teacher's run.
    pub teacher: String,
    /// Evaluations of the teacher in each walk.
    pub teacher_steps: u16,
    /// Walks of the teacher.
    pub trajectories: u32,
    /// Training steps.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
    /// Largest learning rate.
    pub learning_rate: f32,
    /// Guidance weight that the student took over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance: Option<f32>,
    /// Seed of noise and batches.
    pub seed: u64,
}

/// Data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataRecipe {
    /// A built-in set by name, or the path of a .csv, .csv.gz or .npy file.
    pub source: String,
    /// Name or number (from 1) of the column that holds labels; it is not learned as data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to do with a row that has a missing value.
    pub missing: Missing,
    /// Whether a CSV file starts with column names.
    pub header: Header,
    /// How a log is cut into windows; left out where every row is a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowRecipe>,
    /// How features are scaled; left out: by feature, or shared where the data are images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingKind>,
    /// Which rows train.
    pub split: Split,
    /// The scaling of a network that was trained elsewhere, in place of one that is fitted to the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_scaling: Option<Scaling>,
}

impl Default for DataRecipe {
    fn default() -> Self {
        Self {
            source: "digits".into(),
            label: None,
            missing: Missing::default(),
            header: Header::default(),
            window: None,
            scaling: None,
            split: Split::default(),
            fixed_scaling: None,
        }
    }
}

impl DataRecipe {
    /// The part that reading a file needs.
    #[must_use]
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions { label: self.label.clone(), missing: self.missing, header: self.header }
    }
}

/// Network. Its input and output dimensions come from the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkRecipe {
    /// Widths of the hidden layers, 8 to 512 each.
    pub hidden: Vec<usize>,
    /// Non-linearity.
    pub activation: Activation,
    /// Whether hidden layers between equal widths add their input to their output.
    pub residual: bool,
    /// Number of time features, even.
    pub features: usize,
    /// Largest angular frequency of the time features.
    pub max_frequency: f32,
    /// Angular frequencies in place of the geometric ones, half as many as features.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frequencies: Vec<f32>,
    /// Which layers are told the noise level.
    pub conditioning: Conditioning,
    /// Whether the network learns the labels as classes.
    pub class_conditional: bool,
}

impl Default for NetworkRecipe {
    fn default() -> Self {
        Self {
            hidden: vec![128, 128, 128],
            activation: Activation::Relu,
            residual: false,
            features: 16,
            max_frequency: 30.0,
            frequencies: Vec::new(),
            conditioning: Conditioning::EveryHiddenLayer,
            class_conditional: false,
        }
    }
}

impl NetworkRecipe {
    /// The shape for data of a dimension and a number of classes.
    #[must_use]
    pub fn shape(&self, dim: usize, classes: usize) -> Shape {
        Shape {
            dim_in: dim,
            dim_out: dim,
            hidden: self.hidden.clone(),
            activation: self.activation,
            residual: self.residual,
            features: self.features,
            max_frequency: self.max_frequency,
            own_frequencies: self.frequencies.clone(),
            classes: if self.class_conditional { classes } else { 0 },
            conditioning: self.conditioning,
        }
    }
}

/// The schedules by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// Cosine (Nichol and Dhariwal 2021).
    #[default]
    Cosine,
    /// Variance-preserving with a linear rate (Song et al. 2021).
    VpLinear,
    /// EDM: sigma from 0.002 to 80 (Karras et al. 2022).
    Edm,
    /// The signal of vp-linear with less noise (Song et al. 2021).
    SubVp,
    /// Variance-exploding, geometric: sigma from 0.01 to 50 (Song et al. 2021).
    VeGeometric,
    /// A straight line from data to pure noise (Lipman et al. 2023).
    Flow,
    /// DDPM's 1,000 rates from 0.0001 to 0.02 (Ho et al. 2020).
    DdpmLinear,
    /// vp-linear rescaled to end in pure noise (Lin et al. 2024).
    ZeroTerminal,
}

/// Noise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseRecipe {
    /// The schedule.
    pub schedule: ScheduleName,
    /// What the network is trained to do; runs made before it had this name say `prediction`.
    #[serde(alias = "prediction")]
    pub objective: Objective,
    /// How much each noise level counts; left out: the objective's usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighting: Option<Weighting>,
    /// The noise that the network is for, as its deviation in units of the scaled data; left out: all that the schedule has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<NoiseRange>,
    /// Which noise levels training visits how often; left out: the schedule's usual ones, or all of the range alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<LevelDistribution>,
    /// The slices of sliced score matching.
    #[serde(skip_serializing_if = "is_default")]
    pub slices: Slices,
}

fn is_default(slices: &Slices) -> bool {
    *slices == Slices::default()
}

impl NoiseRecipe {
    /// The schedule and prediction of core. Data are scaled to unit variance.
    #[must_use]
    pub fn noising(&self) -> Noising {
        let sigma_data = 1.0;
        Noising {
            schedule: match self.schedule {
                ScheduleName::Cosine => Schedule::Cosine(Cosine::DEFAULT),
                ScheduleName::VpLinear => Schedule::VpLinear(VpLinear::DEFAULT),
                ScheduleName::Edm => Schedule::Edm(Edm::DEFAULT),
                ScheduleName::SubVp => Schedule::SubVp(SubVp::DEFAULT),
                ScheduleName::VeGeometric => Schedule::VeGeometric(VeGeometric::DEFAULT),
                ScheduleName::Flow => Schedule::Flow(Flow),
                ScheduleName::DdpmLinear => Schedule::DdpmBetas(DdpmBetas::DEFAULT),
                ScheduleName::ZeroTerminal => Schedule::ZeroTerminal(ZeroTerminal::DEFAULT),
            },
            prediction: self.objective.prediction(sigma_data),
            sigma_data,
        }
    }

    /// How the network is trained under [`noising`](Self::noising).
    #[must_use]
    pub fn training(&self) -> TrainingNoise {
        let usual = TrainingNoise::usual(self.noising(), self.objective);
        TrainingNoise {
            weighting: self.weighting.unwrap_or(usual.weighting),
            levels: self.levels.unwrap_or(if self.range.is_some() {
                LevelDistribution::LogUniform
            } else {
                usual.levels
            }),
            range: self.range.unwrap_or_default(),
            slices: self.slices,
            ..usual
        }
    }
}

/// Blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlobRecipe {
    /// The samplers that the blob holds, `SAMPLER:STEPS` each; the first is the default one.
    pub plans: Vec<PlanSpec>,
    /// Noise levels of a sliding network, spread evenly over the range in ln(sigma).
    pub noise_levels: usize,
    /// Width of activation codes.
    pub activation_bits: ActivationBits,
}

impl Default for BlobRecipe {
    fn default() -> Self {
        let plan = |text: &str| text.parse().expect("a plan of the documented form");
        Self {
            plans: vec![plan("dpm++2m:20:karras4"), plan("ddpm:20:karras4")],
            noise_levels: 8,
            activation_bits: ActivationBits::Auto,
        }
    }
}

/// Why a recipe cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("cannot read the recipe {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a recipe.
    #[error("{}: line {line}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

impl Recipe {
    /// The network's shape for rows of a dimension and a number of classes. A sliding network gives the middle sample of its window.
    #[must_use]
    pub fn shape(&self, dim: usize, classes: usize) -> Shape {
        let shape = self.network.shape(dim, classes);
        match &self.data.window {
            Some(window) => match window.seen() {
                Some(samples) => Shape { dim_out: dim / samples.max(1), ..shape },
                None => shape,
            },
            None => shape,
        }
    }

    /// Whether the network fills gaps.
    #[must_use]
    pub fn fills_gaps(&self) -> bool {
        self.data.window.as_ref().is_some_and(|window| window.gaps.is_some())
    }

    /// Whether the network slides over a signal, and samples nothing.
    #[must_use]
    pub fn slides(&self) -> bool {
        self.data.window.as_ref().is_some_and(|window| window.seen().is_some())
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// [`RecipeError`] with the file, and the line of what is wrong.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let text = std::fs::read_to_string(path).map_err(|source| RecipeError::Read { path: path.into(), source })?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            RecipeError::Parse { path: path.into(), line, reason: error.message().replace('\n', ", ") }
        })
    }

    /// The recipe as TOML.
    ///
    /// # Panics
    /// Never: every recipe can be written.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a recipe is made of tables and plain values")
    }

    /// Writes the recipe to a file.
    ///
    /// # Errors
    /// [`WriteError`] names the file.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_atomically(path, |out| out.write_all(self.to_toml().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_survives_toml_and_unknown_keys_are_refused() {
        let mut recipe = Recipe::default();
        recipe.network.hidden = vec![33, 77];
        recipe.data.label = Some("digit".into());
        recipe.data.split = Split::Alternate;
        assert_eq!(toml::from_str::<Recipe>(&recipe.to_toml()).unwrap(), recipe);
        let error = toml::from_str::<Recipe>("[network]\nwidht = 3\n").unwrap_err().to_string();
        assert!(error.contains("widht") && error.contains("line 2"), "{error}");
        assert!(toml::from_str::<Recipe>("[blob]\nplans = [\"dpm:5\"]\n").is_err());
    }

    #[test]
    fn a_wrong_line_is_named_on_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        for (text, line, part) in [
            ("[network]\nwidht = 3\n", 2, "widht"),
            ("[network]\n\nhidden = \"wide\"\n", 3, "invalid type"),
            ("[data]\nsource = 'a.csv'\n[blob]\nplans = [\"dpm:5\"]\n", 4, "no sampler"),
            ("[data\n", 1, ""),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = Recipe::read(&path).unwrap_err().to_string();
            assert_eq!(message.lines().count(), 1, "{message}");
            assert!(message.contains(&format!("r.toml: line {line}: ")) && message.contains(part), "{message}");
        }
    }
}
