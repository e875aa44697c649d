//! A training run in one safetensors file, from which it goes on bit for bit.
//!
//! Tensors are named `group.layers.L.part`: the groups are `weights`, `first_moment`,
//! `second_moment` and `average`, the parts `weight`, `bias`, `level` and `class` (empty parts are
//! left out). The header's entry `mote` is JSON with format version, step, shape, options, the
//! seed among them, and the CRC-32 of the tensors' bytes in the order of their names.

mod error;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensorError, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::files::write_atomically;
use crate::network::{Dense, FloatNetwork, Shape};
use crate::train::{TrainingOptions, TrainingState};

pub use error::CheckpointError;

/// Version of the layout described above.
const FORMAT: u32 = 1;
/// The header's entry that holds the description.
const ENTRY: &str = "mote";
const WEIGHTS: &str = "weights";
const FIRST_MOMENT: &str = "first_moment";
const SECOND_MOMENT: &str = "second_moment";
const AVERAGE: &str = "average";

/// What the header says of the run.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u32,
    step: u64,
    shape: Shape,
    options: TrainingOptions,
    crc: u32,
}

/// The CRC-32 (as in gzip) of tensors, given by name.
fn checksum(mut tensors: Vec<(&str, &[u8])>) -> u32 {
    tensors.sort_unstable();
    let mut crc = flate2::Crc::new();
    tensors.iter().for_each(|(_, bytes)| crc.update(bytes));
    crc.sum()
}

/// A tensor on its way into a file.
struct Stored {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        (&self.bytes).into()
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes a run's state, so that a reader finds the old file or the new one, never a part.
///
/// # Errors
/// [`CheckpointError::Write`]; a file that was there before is untouched.
pub fn save_state(path: &Path, state: &TrainingState) -> Result<(), CheckpointError> {
    let bytes = encode(state)?;
    write_atomically(path, |out| out.write_all(&bytes))?;
    Ok(())
}

/// Reads a run's state.
///
/// # Errors
/// [`CheckpointError`], with the file and, where it is one tensor's fault, the tensor.
pub fn load_state(path: &Path) -> Result<TrainingState, CheckpointError> {
    let bytes = read(path)?;
    let reader = Reader::new(path, &bytes)?;
    let state = TrainingState {
        step: reader.description.step,
        options: reader.description.options.clone(),
        weights: reader.network(WEIGHTS)?,
        first_moment: reader.network(FIRST_MOMENT)?,
        second_moment: reader.network(SECOND_MOMENT)?,
        average: reader.network(AVERAGE)?,
    };
    reader.check()?;
    Ok(state)
}

/// Reads the network with the moving average of the weights, which is the one to use.
///
/// # Errors
/// As [`load_state`].
pub fn load_network(path: &Path) -> Result<FloatNetwork, CheckpointError> {
    let bytes = read(path)?;
    let reader = Reader::new(path, &bytes)?;
    let network = reader.network(AVERAGE)?;
    reader.check()?;
    Ok(network)
}

fn tensor_name(group: &str, layer: usize, part: &str) -> String {
    format!("{group}.layers.{layer}.{part}")
}

fn encode(state: &TrainingState) -> Result<Vec<u8>, SafeTensorError> {
    let mut tensors = Vec::new();
    for (group, network) in [
        (WEIGHTS, &state.weights),
        (FIRST_MOMENT, &state.first_moment),
        (SECOND_MOMENT, &state.second_moment),
        (AVERAGE, &state.average),
    ] {
        for (layer, dense) in network.layers().iter().enumerate() {
            for (part, shape, values) in dense.tensors() {
                if !values.is_empty() {
                    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                    tensors.push((tensor_name(group, layer, part), Stored { shape, bytes }));
                }
            }
        }
    }
    let description = Description {
        format: FORMAT,
        step: state.step,
        shape: state.weights.shape().clone(),
        options: state.options.clone(),
        crc: checksum(tensors.iter().map(|(name, stored)| (name.as_str(), &stored.bytes[..])).collect()),
    };
    let json = serde_json::to_string(&description)?;
    let header = HashMap::from([(ENTRY.to_owned(), json)]);
    let views = tensors.iter().map(|(name, stored)| (name, stored));
    safetensors::serialize(views, Some(header))
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    std::fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })
}

/// A file whose container and description have been checked.
struct Reader<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
    description: Description,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let container = |source| CheckpointError::Container { path: path.to_owned(), source };
        let tensors = SafeTensors::deserialize(bytes).map_err(container)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(container)?;
        let refuse = |reason: String| CheckpointError::Description { path: path.to_owned(), reason };
        let entries = header.metadata().as_ref();
        let json = entries
            .and_then(|entries| entries.get(ENTRY))
            .ok_or_else(|| refuse(format!("its header has no entry `{ENTRY}`")))?;
        let value: serde_json::Value = serde_json::from_str(json).map_err(|e| refuse(e.to_string()))?;
        // The version first: another version's other fields would only confuse.
        let format = value.get("format").and_then(serde_json::Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            return Err(refuse(match format {
                Some(format) => format!("format {format}, not {FORMAT}"),
                None => "it has no format number".to_owned(),
            }));
        }
        let description: Description = serde_json::from_value(value).map_err(|e| refuse(e.to_string()))?;
        description.shape.validate().map_err(|e| refuse(e.to_string()))?;
        description.options.validate().map_err(|e| refuse(e.to_string()))?;
        Ok(Self { path, tensors, description })
    }

    /// Compares the checksum. After the tensors were read, since what is wrong with one of them says more.
    fn check(&self) -> Result<(), CheckpointError> {
        let tensors = self.tensors.iter().map(|(name, view)| (name, view.data())).collect();
        if checksum(tensors) == self.description.crc {
            return Ok(());
        }
        Err(CheckpointError::Checksum { path: self.path.to_owned() })
    }

    /// The network of one group, every tensor of the right shape and every number in its range.
    fn network(&self, group: &str) -> Result<FloatNetwork, CheckpointError> {
        let shape = &self.description.shape;
        let layers = (0..shape.layer_count())
            .map(|layer| {
                let mut dense = Dense::zeros(shape, layer);
                for (part, shape, values) in dense.tensors_mut() {
                    if !values.is_empty() {
                        self.fill(tensor_name(group, layer, part), &shape, values, group)?;
                    }
                }
                Ok(dense)
            })
            .collect::<Result<_, CheckpointError>>()?;
        Ok(FloatNetwork::assemble(shape.clone(), layers))
    }

    fn fill(&self, tensor: String, shape: &[usize], values: &mut [f32], group: &str) -> Result<(), CheckpointError> {
        let path = self.path.to_owned();
        let Ok(view) = self.tensors.tensor(&tensor) else {
            return Err(CheckpointError::Missing { path, tensor });
        };
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(CheckpointError::Misshapen {
                path,
                tensor,
                got: format!("{:?} {:?}", view.dtype(), view.shape()),
                want: format!("F32 {shape:?}"),
            });
        }
        let (words, _) = view.data().as_chunks::<4>();
        for (index, (to, word)) in values.iter_mut().zip(words).enumerate() {
            let value = f32::from_le_bytes(*word);
            if !value.is_finite() || (group == SECOND_MOMENT && value < 0.0) {
                return Err(CheckpointError::Value { path, tensor, index, value });
            }
            *to = value;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
