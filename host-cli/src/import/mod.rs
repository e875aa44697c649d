//! A network that was trained elsewhere: its weights from a safetensors file, and the proof that they mean the same here.
//!
//! The file holds a `weight` and a `bias` for each layer under names that [`ImportRecipe`] explains, in PyTorch's layout
//! (outputs x inputs). It may also hold `data_mean` and `data_std`, the scaling that the network was trained with, and
//! `test_input`, `test_time`, `test_class` and `test_output`, which the imported network must repeat.

mod convention;
mod error;
mod layers;
mod proof;
mod tensors;

pub use convention::{ConditioningLayout, FeatureOrder, ImportRecipe, LayerNames, Part};
pub use error::ImportError;
pub use proof::{BOUND, Proof};

use std::path::Path;

use crate::data::Scaling;
use crate::network::{FloatNetwork, Shape};
use tensors::Tensors;

/// Names of the tensors that hold the scaling of the data.
const SCALING: [&str; 2] = ["data_mean", "data_std"];

/// A file of weights, read and checked as far as that goes without the data.
#[derive(Debug)]
pub struct WeightFile<'a> {
    tensors: Tensors<'a>,
    convention: &'a ImportRecipe,
}

/// A network that was taken over.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The network.
    pub network: FloatNetwork,
    /// What the test tensors showed; none if the file has none.
    pub proof: Option<Proof>,
    /// Tensors of the file that had no use.
    pub unused: Vec<String>,
}

impl<'a> WeightFile<'a> {
    /// Reads the container of a safetensors file; `path` is for messages.
    ///
    /// # Errors
    /// [`ImportError`] when the bytes are not a whole safetensors file or the convention contradicts itself.
    pub fn open(path: &Path, bytes: &'a [u8], convention: &'a ImportRecipe) -> Result<Self, ImportError> {
        convention.validate()?;
        Ok(Self { tensors: Tensors::open(path, bytes)?, convention })
    }

    /// The scaling that the network was trained with, for data of so many features; none if the file does not say.
    ///
    /// A single number in `data_mean` or `data_std` holds for all features.
    ///
    /// # Errors
    /// [`ImportError`] when only one of the two tensors is there, or one is of another shape or holds what is no scale.
    pub fn scaling(&self, features: usize) -> Result<Option<Scaling>, ImportError> {
        let [mean, std] = SCALING;
        if !self.tensors.has_all_or_none(&SCALING)? {
            return Ok(None);
        }
        let spread = |name: &str| {
            let values = self.tensors.vector(name, features)?;
            Ok::<_, ImportError>(if values.len() == 1 { vec![values[0]; features] } else { values })
        };
        let scaling = Scaling { mean: spread(mean)?, std: spread(std)? };
        match scaling.std.iter().position(|s| !(s.is_normal() && *s > 0.0)) {
            Some(index) => Err(self.tensors.bad_value(std, index, scaling.std[index])),
            None => Ok(Some(scaling)),
        }
    }

    /// Angular frequencies of Mote's time t in [0, 1]: the file's, times the time scale; none if the convention names no tensor.
    ///
    /// # Errors
    /// [`ImportError`] when the tensor is missing or not `features / 2` numbers.
    pub fn frequencies(&self, features: usize) -> Result<Option<Vec<f32>>, ImportError> {
        let Some(name) = &self.convention.frequencies else { return Ok(None) };
        let frequencies = self.tensors.floats(name, &[features / 2])?;
        Ok(Some(frequencies.into_iter().map(|w| w * self.convention.time_scale).collect()))
    }

    /// The network of this shape, held to the file's own outputs where it has some.
    ///
    /// # Errors
    /// [`ImportError`]: the first tensor that is missing, misshapen, of another type or not finite, or outputs that differ
    /// by more than [`BOUND`] allows.
    pub fn network(&self, shape: &Shape) -> Result<Imported, ImportError> {
        let network = layers::network(&self.tensors, self.convention, shape)?;
        let proof = proof::run(&self.tensors, &network, self.convention.time_scale)?;
        Ok(Imported { network, proof, unused: self.tensors.unused() })
    }
}

#[cfg(test)]
mod tests;
