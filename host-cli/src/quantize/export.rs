//! The blob itself.

use mote_core::model::{
    Arena, LayerParts, LevelParts, Model, ModelParts, Parameters, ParseError, PlanParts, Role, SelfTest, WriteError,
};
use mote_core::network::{self, ActivationFormat, PRE_ACTIVATION_FRACTION_BITS, SUM_LIMIT};
use thiserror::Error;

use super::ActivationBits;
use super::calibration::{Calibration, CalibrationOptions};
use super::codes::{best_input_scale, best_shift, code_unit};
use super::weights::{IntegerWeights, hidden_weights, output_weights};
use crate::data::Scaling;
use crate::network::{Activation, Dense, FloatNetwork};
use crate::noise::Noising;
use crate::plan::LevelSet;

/// What a blob says besides its numbers.
#[derive(Clone, Debug)]
pub struct BlobDetails<'a> {
    /// Scaling of the data.
    pub scaling: &'a Scaling,
    /// Height and width, if a sample is an image.
    pub image: Option<(usize, usize)>,
    /// A TOML document.
    pub text: &'a str,
    /// Seed of the self-test.
    pub self_test_seed: u64,
}

/// A blob and what was noticed while making it.
#[derive(Clone, Debug)]
pub struct Quantized {
    /// The bytes of the model.
    pub blob: Vec<u8>,
    /// The largest activation code at the input of each layer.
    pub q_max: Vec<u16>,
    /// What its user should know.
    pub warnings: Vec<String>,
}

/// Why a network cannot become a blob.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A weight or bias is not a finite number.
    #[error("layer {0} of the network holds a weight that is not finite; train again with a lower learning rate")]
    NotFinite(usize),
    /// The network does not map a state to an output of its size.
    #[error("the network has {dim_in} inputs and {dim_out} outputs; a sampler needs as many of each")]
    NotASampler {
        /// Inputs.
        dim_in: usize,
        /// Outputs.
        dim_out: usize,
    },
    /// A count does not fit the format.
    #[error("the model does not fit the format: {0}")]
    Write(#[from] WriteError),
    /// The blob was refused by its own reader.
    #[error("the blob that was made is not valid: {0}")]
    Parse(#[from] ParseError),
}

/// One layer in integers.
struct Layer {
    integers: IntegerWeights,
    q_max: u16,
    never_negative: bool,
    /// `sum_shift + code_shift of the layer before`: what is left once the multiplier is applied.
    base_shift: i32,
}

/// The exponent of a hidden layer's row scales in pre-activation units per sum and code unit 1: with multiplier m and codes of
/// unit `2^(r - 10)`, a sum is worth `m 2^(exponent + r)` units, so `8 + sum_shift + exponent + r = 0`.
const PRODUCT_SHIFT: i32 = 8;
const SUM_SHIFT_MAX: i32 = 24;
const CODE_SHIFT_MAX: i32 = 14;

/// Makes a blob of a float network.
///
/// # Errors
/// [`ExportError`] when the network is not a sampler, holds a weight that is not finite, or does not fit the format.
pub fn quantize(
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    bits: ActivationBits,
    calibration: &CalibrationOptions,
    details: &BlobDetails<'_>,
) -> Result<Quantized, ExportError> {
    let shape = network.shape();
    if shape.dim_in != shape.dim_out {
        return Err(ExportError::NotASampler { dim_in: shape.dim_in, dim_out: shape.dim_out });
    }
    for (index, layer) in network.layers().iter().enumerate() {
        let parts = [&layer.weight, &layer.bias, &layer.level, &layer.class];
        if parts.iter().any(|values| values.iter().any(|x| !x.is_finite())) {
            return Err(ExportError::NotFinite(index));
        }
    }
    let seen = Calibration::collect(network, noising, set, calibration);
    let mut warnings = Vec::new();
    let limit = 32.0;
    for (layer, largest) in seen.largest_pre.iter().enumerate().filter(|(_, largest)| **largest >= limit) {
        warnings.push(format!(
            "layer {layer}: pre-activations reach {largest:.0} and are clipped at {limit}; more weight decay keeps them smaller"
        ));
    }
    let all_input: Vec<f32> = seen.input.iter().flatten().copied().collect();
    let mut layers = Vec::new();
    let mut never_negative = false;
    let mut input_scale = 1.0;
    for (index, dense) in network.layers().iter().enumerate() {
        let last = index + 1 == network.layers().len();
        let layer = integer_layer(dense, index, last, never_negative, bits, &all_input, &mut input_scale);
        never_negative = shape.activation == Activation::Relu && (!dense.residual || never_negative);
        layers.push(layer);
    }
    let shifts = code_shifts(network, &layers, &seen, shape.activation == Activation::Relu);
    let blob = write(network, noising, set, details, &layers, &shifts, input_scale)?;
    Ok(Quantized { blob, q_max: layers.iter().map(|layer| layer.q_max).collect(), warnings })
}

fn integer_layer(
    dense: &Dense,
    index: usize,
    last: bool,
    never_negative: bool,
    bits: ActivationBits,
    inputs: &[f32],
    input_scale: &mut f32,
) -> Layer {
    let fraction = PRE_ACTIVATION_FRACTION_BITS as i32;
    let make = |scale_of_codes: f64| {
        if last {
            output_weights(&dense.weight, dense.cols)
        } else {
            let scaled: Vec<f32> = dense.weight.iter().map(|w| (f64::from(*w) * scale_of_codes) as f32).collect();
            hidden_weights(&scaled, dense.cols, -PRODUCT_SHIFT - SUM_SHIFT_MAX..=-PRODUCT_SHIFT - 1)
        }
    };
    let narrow: u16 = if never_negative { 255 } else { 127 };
    let q_max_of = |integers: &IntegerWeights| match bits {
        ActivationBits::Eight => narrow,
        ActivationBits::Auto => {
            let reach = integers.reach(dense.cols, never_negative).max(1);
            ((SUM_LIMIT - 1) / reach).clamp(1, i32::from(i16::MAX)) as u16
        }
    };
    let (integers, q_max) = if index == 0 {
        let q_max = q_max_of(&make(1.0));
        *input_scale = best_input_scale(inputs, q_max);
        // One code of the input is 1 / input_scale; in hidden layers the unit of codes is in the shift instead.
        let unit = if last { 1.0 } else { 2f64.powi(fraction) / f64::from(*input_scale) };
        (make(unit), q_max)
    } else {
        let integers = make(1.0);
        let q_max = q_max_of(&integers);
        (integers, q_max)
    };
    let q_max = q_max.min(((SUM_LIMIT - 1) / integers.reach(dense.cols, never_negative).max(1)).max(1) as u16);
    let base_shift = -integers.exponent - PRODUCT_SHIFT;
    Layer { integers, q_max, never_negative, base_shift }
}

/// For each level and hidden layer, the shift of its output codes. Layers of one residual chain share theirs.
fn code_shifts(network: &FloatNetwork, layers: &[Layer], seen: &Calibration, relu: bool) -> Vec<Vec<u8>> {
    let hidden = network.layers().len() - 1;
    seen.activations
        .iter()
        .map(|activations| {
            let mut shifts = vec![0u8; hidden];
            let mut start = 0;
            while start < hidden {
                let end = (start + 1..hidden).find(|l| !network.layers()[*l].residual).unwrap_or(hidden);
                let values: Vec<(&[f32], u16)> =
                    (start..end).map(|l| (activations[l].as_slice(), layers[l + 1].q_max)).collect();
                // What follows keeps a sum_shift of at least 1: its base shift less this one.
                let followers = layers[start + 1..=end].iter().filter(|layer| !layer.integers.multipliers.is_empty());
                let most = followers.map(|layer| layer.base_shift - 1).fold(CODE_SHIFT_MAX, i32::min).max(0);
                let range = 0..=most as u8;
                shifts[start..end].fill(best_shift(&values, relu, range));
                start = end;
            }
            shifts
        })
        .collect()
}

fn fixed(value: f32) -> i16 {
    // Half up, saturating, in the format of pre-activations.
    (value * (1u32 << PRE_ACTIVATION_FRACTION_BITS) as f32 + 0.5).floor() as i16
}

fn write(
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    details: &BlobDetails<'_>,
    layers: &[Layer],
    shifts: &[Vec<u8>],
    input_scale: f32,
) -> Result<Vec<u8>, ExportError> {
    let shape = network.shape();
    let last = layers.len() - 1;
    let conditioned = |index: usize| index < last && !network.layers()[index].level.is_empty();
    let has_classes = |index: usize| index < last && !network.layers()[index].class.is_empty();
    let own_biases: Vec<Vec<i16>> =
        network.layers().iter().map(|dense| dense.bias.iter().map(|b| fixed(*b)).collect()).collect();
    let scales: Vec<f32> = layers[last].integers.scales.iter().map(|s| *s as f32).collect();
    let layer_parts: Vec<LayerParts<'_>> = network
        .layers()
        .iter()
        .zip(layers)
        .enumerate()
        .map(|(index, (dense, layer))| LayerParts {
            rows: dense.rows as u16,
            cols: dense.cols as u16,
            activation: match shape.activation {
                _ if index == last => network::Activation::None,
                Activation::Relu => network::Activation::Relu,
                Activation::Silu => network::Activation::Silu,
            },
            residual: dense.residual,
            level_biases: conditioned(index),
            class_biases: has_classes(index),
            input_format: if layer.q_max > if layer.never_negative { 255 } else { 127 } {
                ActivationFormat::Bits16
            } else {
                ActivationFormat::Bits8
            },
            input_max: layer.q_max,
            parameters: if index == last {
                Parameters::Output { scales: &scales, biases: &dense.bias }
            } else {
                Parameters::Hidden {
                    multipliers: &layer.integers.multipliers,
                    biases: if conditioned(index) { &[] } else { &own_biases[index] },
                }
            },
            weights: &layer.integers.codes,
        })
        .collect();
    let shift_pairs: Vec<Vec<(u8, u8)>> = shifts
        .iter()
        .map(|codes| {
            let before = |index: usize| index.checked_sub(1).map_or(0, |l| i32::from(codes[l]));
            let hidden = (0..last).map(|index| {
                let sum_shift = (layers[index].base_shift - before(index)).clamp(1, SUM_SHIFT_MAX);
                (sum_shift as u8, codes[index])
            });
            hidden.chain([(0, 0)]).collect()
        })
        .collect();
    let level_biases: Vec<Vec<i16>> = set
        .levels
        .iter()
        .map(|level| {
            let terms = network.level_biases(noising.conditioning(*level));
            let layers = network.layers().iter().zip(terms).enumerate().filter(|(index, _)| conditioned(*index));
            layers
                .flat_map(|(_, (dense, term))| {
                    dense.bias.iter().zip(term).map(|(b, t)| fixed(b + t)).collect::<Vec<_>>()
                })
                .collect()
        })
        .collect();
    let level_parts: Vec<LevelParts<'_>> = set
        .levels
        .iter()
        .enumerate()
        .map(|(number, level)| LevelParts {
            noise: *level,
            input_scale: noising.input_scale(*level) * input_scale,
            output_gain: shifts[number].last().map_or(1.0 / input_scale, |shift| code_unit(*shift)),
            shifts: &shift_pairs[number],
            biases: &level_biases[number],
        })
        .collect();
    let class_biases: Vec<i16> = (0..shape.classes)
        .flat_map(|class| {
            let layers = network.layers().iter().enumerate().filter(|(index, _)| has_classes(*index));
            layers.flat_map(move |(_, dense)| dense.class.iter().skip(class).step_by(shape.classes).map(|c| fixed(*c)))
        })
        .collect();
    let plans: Vec<PlanParts<'_>> = set
        .plans
        .iter()
        .map(|plan| PlanParts { name: &plan.name, rows: &plan.rows, start_scale: plan.start_scale, guidance: 0.0 })
        .collect();
    // The stochastic plan tests more of a device: it draws normals at every step.
    let stochastic = set.plans.iter().position(|plan| plan.rows.iter().any(|row| row.e != 0.0));
    let mut self_test = SelfTest {
        plan: stochastic.unwrap_or(0) as u16,
        class: (shape.classes > 0).then_some(0),
        sample: 1,
        seed: details.self_test_seed,
        digest: 0,
    };
    let to_blob = |self_test: SelfTest| -> Result<Vec<u8>, WriteError> {
        let parts = ModelParts {
            role: Role::Sampler,
            prediction: noising.prediction,
            sigma_data: noising.sigma_data,
            classes: shape.classes as u16,
            image: details.image.map(|(height, width)| (height as u16, width as u16)),
            mean: &details.scaling.mean,
            deviation: &details.scaling.std,
            layers: &layer_parts,
            levels: &level_parts,
            class_biases: &class_biases,
            plans: &plans,
            text: details.text,
            self_test,
        };
        let mut blob = vec![0; parts.blob_bytes()?];
        parts.write(&mut blob)?;
        Ok(blob)
    };
    let first = to_blob(self_test)?;
    let model = Model::parse(&first)?;
    self_test.digest = crate::pool::bind(&model, &mut Box::new(Arena::new())).self_test_digest();
    Ok(to_blob(self_test)?)
}
