//! A network in integers: the codes of its weights, the scales of its rows and the shifts of its levels.

use mote_core::network::{PRE_ACTIVATION_FRACTION_BITS, SUM_LIMIT};

use super::calibration::{Calibration, CalibrationOptions};
use super::codes::{best_input_scale, best_shift};
use super::compensation::{Compensation, InputMoments};
use super::export::ExportError;
use super::trail::Trail;
use super::weights::{IntegerWeights, Rounding};
use super::{ActivationBits, Format};
use crate::network::{Activation, Dense, FloatNetwork};
use crate::noise::Noising;
use crate::plan::LevelSet;
use crate::train::Grid;

/// One layer in integers.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(super) integers: IntegerWeights,
    pub q_max: u16,
    pub never_negative: bool,
    /// `sum_shift + code_shift of the layer before`: what is left once the multiplier is applied.
    pub base_shift: i32,
    /// What a weight of 1 is multiplied by before its row's scale applies: the input layer's unit, 1 elsewhere.
    unit: f64,
}

impl Layer {
    /// The weights that the codes of the layer stand for.
    fn grid(&self, largest: f64) -> Grid {
        Grid { steps: self.integers.scales.iter().map(|scale| scale / self.unit).collect(), largest }
    }

    /// The step of a row that is nearest to a wished one, of those that its multiplier or float scale can say.
    pub(super) fn nearest_step(&self, wished: f64) -> f64 {
        self.integers.nearest_scale(wished * self.unit).1 / self.unit
    }
}

/// A network in integers, before it is written.
#[derive(Clone, Debug)]
pub struct Integers {
    /// The format that was asked for.
    pub format: Format,
    pub(crate) layers: Vec<Layer>,
    /// For each level and hidden layer, the shift of its output codes.
    pub(crate) shifts: Vec<Vec<u8>>,
    /// Codes for each unit of the scaled input.
    pub(crate) input_scale: f32,
    /// The same network in floats: its weights are what the codes stand for.
    network: FloatNetwork,
    /// The same with the weights as they were rounded.
    rounded: FloatNetwork,
    /// What its user should know.
    pub warnings: Vec<String>,
}

/// The exponent of a hidden layer's row scales in pre-activation units per sum and code unit 1: with multiplier m and codes of
/// unit `2^(r - 10)`, a sum is worth `m 2^(exponent + r)` units, so `8 + sum_shift + exponent + r = 0`.
pub(super) const PRODUCT_SHIFT: i32 = 8;
pub(super) const SUM_SHIFT_MAX: i32 = 24;
const CODE_SHIFT_MAX: i32 = 14;

/// The smallest shift of codes that is asked for: a core with DSP instructions divides four units or more by one multiplication, which has no room for
/// less. A unit of 2^-8 is far below what rounded weights leave of a value.
const CODE_SHIFT_MIN: i32 = 2;

impl Integers {
    /// Rounds a network. Cost: two runs of the calibration's trajectories, cols^2 for each of their evaluations and layers, and cols^3 a layer.
    ///
    /// # Errors
    /// [`ExportError`] when the network is not a sampler or holds a weight that is not finite.
    pub fn round(
        network: &FloatNetwork,
        noising: &Noising,
        set: &LevelSet,
        format: Format,
        calibration: &CalibrationOptions,
    ) -> Result<Self, ExportError> {
        let shape = network.shape();
        if shape.dim_in != shape.dim_out && set.probes.is_empty() {
            return Err(ExportError::NotASampler { dim_in: shape.dim_in, dim_out: shape.dim_out });
        }
        refuse_not_finite(network)?;
        let seen = Calibration::collect(network, noising, set, calibration);
        let trail = Trail::follow(network, noising, set, None, calibration.samples, calibration.seed);
        let moments = InputMoments::of_layers(network, noising, set, &trail);
        let all_input: Vec<f32> = seen.input.iter().flatten().copied().collect();
        let (mut layers, mut exact, mut rounded) = (Vec::new(), Vec::new(), Vec::new());
        let mut never_negative = false;
        let mut input_scale = 1.0;
        for (index, dense) in network.layers().iter().enumerate() {
            let compensation = Compensation::new(&moments[index]);
            let of = LayerContext {
                dense,
                index,
                last: index + 1 == network.layers().len(),
                never_negative,
                format,
                compensation: &compensation,
            };
            let layer = of.integer_layer(&all_input, &mut input_scale);
            never_negative = shape.activation == Activation::Relu && (!dense.residual || never_negative);
            let (mut made, mut met, grid) = (dense.clone(), dense.clone(), layer.grid(format.weight_bits.largest()));
            for (place, (made, met)) in made.weight.iter_mut().zip(&mut met.weight).enumerate() {
                *made = (f64::from(layer.integers.codes[place]) * grid.steps[place / dense.cols]) as f32;
                *met = (layer.integers.rounded[place] / layer.unit) as f32;
            }
            made.bias = correct_bias(dense, &made, &moments[index].mean());
            met.bias.clone_from(&made.bias);
            exact.push(made);
            rounded.push(met);
            layers.push(layer);
        }
        let shifts = code_shifts(network, &layers, &seen, format.activation_bits);
        Ok(Self {
            format,
            layers,
            shifts,
            input_scale,
            network: FloatNetwork::assemble(shape.clone(), exact),
            rounded: FloatNetwork::assemble(shape.clone(), rounded),
            warnings: clipped(&seen),
        })
    }

    /// The float network whose weights are what the codes stand for.
    #[must_use]
    pub fn network(&self) -> &FloatNetwork {
        &self.network
    }

    /// The float network whose weights round to the codes.
    #[must_use]
    pub fn rounded(&self) -> &FloatNetwork {
        &self.rounded
    }

    /// The weights that each layer's codes can stand for.
    #[must_use]
    pub fn grids(&self) -> Vec<Grid> {
        self.layers.iter().map(|layer| layer.grid(self.format.weight_bits.largest())).collect()
    }

    /// The step nearest to a wished one that a row of a layer can have.
    #[must_use]
    pub fn nearest_step(&self, layer: usize, wished: f64) -> f64 {
        self.layers[layer].nearest_step(wished)
    }

    /// Codes on other grids, with the biases and the rest of another network of the same shape, and shifts calibrated on it anew.
    ///
    /// The steps of the grids are those of [`nearest_step`](Self::nearest_step).
    ///
    /// # Errors
    /// [`ExportError::NotFinite`].
    pub fn on_grids(
        &self,
        network: &FloatNetwork,
        grids: &[Grid],
        noising: &Noising,
        set: &LevelSet,
        calibration: &CalibrationOptions,
    ) -> Result<Self, ExportError> {
        refuse_not_finite(network)?;
        let mut layers = self.layers.clone();
        let mut exact = network.layers().to_vec();
        for (((layer, dense), from), grid) in layers.iter_mut().zip(&mut exact).zip(network.layers()).zip(grids) {
            for (row, step) in grid.steps.iter().enumerate() {
                let (multiplier, scale) = layer.integers.nearest_scale(step * layer.unit);
                layer.integers.scales[row] = scale;
                if let Some(place) = layer.integers.multipliers.get_mut(row) {
                    *place = multiplier;
                }
            }
            for (place, weight) in from.weight.iter().enumerate() {
                let row = place / from.cols;
                layer.integers.codes[place] = grid.code(row, *weight) as i8;
                layer.integers.rounded[place] = f64::from(*weight) * layer.unit;
                dense.weight[place] = grid.snap(row, *weight);
            }
            // Other codes may sum to more than those that the width was chosen by.
            layer.q_max = layer.q_max.min(widest(&layer.integers, from.cols, layer.never_negative));
        }
        let exact = FloatNetwork::assemble(network.shape().clone(), exact);
        let seen = Calibration::collect(&exact, noising, set, calibration);
        let shifts = code_shifts(&exact, &layers, &seen, self.format.activation_bits);
        Ok(Self {
            format: self.format,
            layers,
            shifts,
            input_scale: self.input_scale,
            network: exact,
            rounded: network.clone(),
            warnings: clipped(&seen),
        })
    }

    /// The codes of a layer's weights, row by row.
    #[must_use]
    pub fn codes(&self, layer: usize) -> &[i8] {
        &self.layers[layer].integers.codes
    }

    /// The largest activation code at the input of each layer.
    #[must_use]
    pub fn q_max(&self) -> Vec<u16> {
        self.layers.iter().map(|layer| layer.q_max).collect()
    }
}

fn refuse_not_finite(network: &FloatNetwork) -> Result<(), ExportError> {
    let finite = |layer: &Dense| layer.tensors().iter().all(|(_, _, values)| values.iter().all(|x| x.is_finite()));
    match network.layers().iter().position(|layer| !finite(layer)) {
        Some(index) => Err(ExportError::NotFinite(index)),
        None => Ok(()),
    }
}

fn clipped(seen: &Calibration) -> Vec<String> {
    let limit = 32.0;
    let reached = seen.largest_pre.iter().enumerate().filter(|(_, largest)| **largest >= limit);
    reached
        .map(|(layer, largest)| {
            format!("layer {layer}: pre-activations reach {largest:.0} and are clipped at {limit}; more weight decay keeps them smaller")
        })
        .collect()
}

/// The bias that makes up for what rounding does to the mean of each sum.
fn correct_bias(float: &Dense, made: &Dense, mean: &[f64]) -> Vec<f32> {
    let rows = float.weight.chunks_exact(float.cols).zip(made.weight.chunks_exact(float.cols));
    let lost = rows
        .map(|(w, m)| w.iter().zip(m).zip(mean).map(|((w, m), a)| (f64::from(*w) - f64::from(*m)) * a).sum::<f64>());
    float.bias.iter().zip(lost).map(|(bias, lost)| (f64::from(*bias) + lost) as f32).collect()
}

/// The largest code at which no sum can overflow.
fn widest(integers: &IntegerWeights, cols: usize, never_negative: bool) -> u16 {
    let reach = integers.reach(cols, never_negative).max(1);
    ((SUM_LIMIT - 1) / reach).clamp(1, i32::from(i16::MAX)) as u16
}

/// One layer of the float network and its place in the chain.
struct LayerContext<'a> {
    dense: &'a Dense,
    index: usize,
    last: bool,
    never_negative: bool,
    format: Format,
    compensation: &'a Compensation,
}

impl LayerContext<'_> {
    fn integer_layer(&self, inputs: &[f32], input_scale: &mut f32) -> Layer {
        let (dense, never_negative) = (self.dense, self.never_negative);
        let fraction = PRE_ACTIVATION_FRACTION_BITS as i32;
        let rounding = Rounding { largest: self.format.weight_bits.largest(), compensation: Some(self.compensation) };
        let make = |scale_of_codes: f64| {
            if self.last {
                rounding.output_weights(&dense.weight, dense.cols)
            } else {
                let scaled: Vec<f32> = dense.weight.iter().map(|w| (f64::from(*w) * scale_of_codes) as f32).collect();
                rounding.hidden_weights(&scaled, dense.cols, -PRODUCT_SHIFT - SUM_SHIFT_MAX..=-PRODUCT_SHIFT - 1)
            }
        };
        let narrow: u16 = if never_negative { 255 } else { 127 };
        let q_max_of = |integers: &IntegerWeights| match self.format.activation_bits {
            ActivationBits::Eight => narrow,
            ActivationBits::Auto => widest(integers, dense.cols, never_negative),
        };
        let (integers, q_max, unit) = if self.index == 0 {
            let q_max = q_max_of(&make(1.0));
            *input_scale = best_input_scale(inputs, q_max, self.format.activation_bits.headroom());
            // One code of the input is 1 / input_scale; in hidden layers the unit of codes is in the shift instead.
            let unit = if self.last { 1.0 } else { 2f64.powi(fraction) / f64::from(*input_scale) };
            (make(unit), q_max, unit)
        } else {
            let integers = make(1.0);
            let q_max = q_max_of(&integers);
            (integers, q_max, 1.0)
        };
        let q_max = q_max.min(widest(&integers, dense.cols, never_negative));
        let base_shift = -integers.exponent - PRODUCT_SHIFT;
        Layer { integers, q_max, never_negative, base_shift, unit }
    }
}

/// For each level and hidden layer, the shift of its output codes. Layers of one residual chain share theirs.
fn code_shifts(network: &FloatNetwork, layers: &[Layer], seen: &Calibration, bits: ActivationBits) -> Vec<Vec<u8>> {
    let hidden = network.layers().len() - 1;
    let relu = network.shape().activation == Activation::Relu;
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
                let range = CODE_SHIFT_MIN.min(most) as u8..=most as u8;
                shifts[start..end].fill(best_shift(&values, relu, range, bits.headroom()));
                start = end;
            }
            shifts
        })
        .collect()
}
