//! The blob itself.

use mote_core::model::{
    Arena, ImputationParts, LayerParts, LevelParts, Model, ModelParts, Parameters, ParseError, PlanParts, Role,
    SelfTest, WriteError,
};
use mote_core::network::{self, ActivationFormat, PRE_ACTIVATION_FRACTION_BITS, WeightLayout};
use thiserror::Error;

use super::Format;
use super::calibration::CalibrationOptions;
use super::codes::code_unit;
use super::correction::Correction;
use super::integers::{Integers, SUM_SHIFT_MAX};
use crate::data::Scaling;
use crate::network::{Activation, FloatNetwork};
use crate::noise::Noising;
use crate::plan::LevelSet;

/// What a blob says besides its numbers.
#[derive(Clone, Debug)]
pub struct BlobDetails<'a> {
    /// Scaling of the data.
    pub scaling: &'a Scaling,
    /// Height and width, if a sample is an image.
    pub image: Option<(usize, usize)>,
    /// How the weights lie in the blob.
    pub layout: WeightLayout,
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
    /// The network in integers.
    pub integers: Integers,
    /// The correction in the blob's tables, if any.
    pub correction: Option<Correction>,
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

/// Makes a blob of a float network.
///
/// # Errors
/// [`ExportError`] when the network is not a sampler, holds a weight that is not finite, or does not fit the format.
pub fn quantize(
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    format: impl Into<Format>,
    calibration: &CalibrationOptions,
    details: &BlobDetails<'_>,
) -> Result<Quantized, ExportError> {
    let format = format.into();
    let integers = Integers::round(network, noising, set, format, calibration)?;
    export(network, integers, noising, set, calibration, details)
}

/// Makes a blob of integers, with the correction that their format asks for; `network` is the float network that they stand for.
///
/// # Errors
/// [`ExportError`] when the network does not fit the format.
pub fn export(
    network: &FloatNetwork,
    integers: Integers,
    noising: &Noising,
    set: &LevelSet,
    calibration: &CalibrationOptions,
    details: &BlobDetails<'_>,
) -> Result<Quantized, ExportError> {
    let mut blob = write(&integers, noising, set, details, None)?;
    let mut correction = None;
    if integers.format.correction {
        let fitted = Correction::fit(network, noising, set, &Model::parse(&blob)?, calibration);
        blob = write(&integers, noising, set, details, Some(&fitted))?;
        correction = Some(fitted);
    }
    Ok(Quantized { blob, q_max: integers.q_max(), warnings: integers.warnings.clone(), integers, correction })
}

fn fixed(value: f32) -> i16 {
    // Half up, saturating, in the format of pre-activations.
    (value * (1u32 << PRE_ACTIVATION_FRACTION_BITS) as f32 + 0.5).floor() as i16
}

fn write(
    integers: &Integers,
    noising: &Noising,
    set: &LevelSet,
    details: &BlobDetails<'_>,
    correction: Option<&Correction>,
) -> Result<Vec<u8>, ExportError> {
    let Integers { layers, shifts, input_scale, .. } = integers;
    let network = integers.network();
    let shape = network.shape();
    let last = layers.len() - 1;
    let conditioned = |index: usize| match index == last {
        true => correction.is_some(),
        false => !network.layers()[index].level.is_empty(),
    };
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
            weight_format: integers.format.weight_bits.format(),
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
        .enumerate()
        .map(|(number, level)| {
            let terms = network.level_biases(noising.conditioning(*level));
            let hidden = network
                .layers()
                .iter()
                .zip(terms)
                .enumerate()
                .filter(|(index, _)| *index < last && conditioned(*index));
            let mut biases: Vec<i16> = hidden
                .flat_map(|(_, (dense, term))| {
                    dense.bias.iter().zip(term).map(|(b, t)| fixed(b + t)).collect::<Vec<_>>()
                })
                .collect();
            if let Some(correction) = correction {
                let change = correction.levels[number].bias_change(&network.layers()[last].bias);
                biases.extend(change.into_iter().map(fixed));
            }
            biases
        })
        .collect();
    let gain = |number: usize| correction.map_or(1.0, |c| c.levels[number].gain());
    let level_parts: Vec<LevelParts<'_>> = set
        .levels
        .iter()
        .enumerate()
        .map(|(number, level)| LevelParts {
            noise: *level,
            input_scale: noising.input_scale(*level) * input_scale,
            output_gain: shifts[number].last().map_or(1.0 / input_scale, |shift| code_unit(*shift)) * gain(number),
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
    let plan_rows: Vec<_> =
        set.plans.iter().map(|plan| correction.map_or_else(|| plan.rows.clone(), |c| c.rows(&plan.rows))).collect();
    let plans: Vec<PlanParts<'_>> = set
        .plans
        .iter()
        .zip(&plan_rows)
        .map(|(plan, rows)| PlanParts { name: &plan.name, rows, start_scale: plan.start_scale, guidance: 0.0 })
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
    let imputation = set.gaps.as_ref().map(|gaps| ImputationParts {
        window: gaps.window as u16,
        around: gaps.around as u16,
        order: gaps.order as u16,
        start_scale: gaps.start_scale,
        rows: &gaps.rows,
        autoregression: &gaps.autoregression,
    });
    let to_blob = |self_test: SelfTest| -> Result<Vec<u8>, WriteError> {
        let parts = ModelParts {
            role: match (&set.gaps, set.plans.is_empty()) {
                (Some(_), _) => Role::Imputer,
                (None, true) => Role::CentreDenoiser,
                (None, false) => Role::Sampler,
            },
            prediction: noising.prediction,
            sigma_data: noising.sigma_data,
            classes: shape.classes as u16,
            image: details.image.map(|(height, width)| (height as u16, width as u16)),
            layout: details.layout,
            mean: &details.scaling.mean,
            deviation: &details.scaling.std,
            layers: &layer_parts,
            levels: &level_parts,
            class_biases: &class_biases,
            plans: &plans,
            imputation,
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
