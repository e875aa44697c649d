use super::chain::LayerChain;
use super::layer::{I16Le, Layer, LayerKind, LevelTable};
use super::requantise::{code_from_input, requantise, round_shift};
use super::{Activation, PRE_ACTIVATION_FRACTION_BITS, kernel};
use crate::score::Denoiser;

/// A quantised network, viewed in place: its layers, its level table and its class biases.
#[derive(Clone, Debug)]
pub struct Network<'a> {
    pub(crate) layers: LayerChain<'a>,
    pub(crate) levels: LevelTable<'a>,
    pub(crate) class_biases: I16Le<'a>,
    pub(crate) biases_per_class: usize,
    pub(crate) width: usize,
}

impl<'a> Network<'a> {
    /// The layers in order; at least one.
    #[must_use]
    pub fn layers(&self) -> LayerChain<'a> {
        self.layers
    }

    /// The table of noise levels.
    #[must_use]
    pub fn levels(&self) -> &LevelTable<'a> {
        &self.levels
    }

    /// The largest of the input dimension and the rows of all layers.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many 16-bit lanes an evaluation works in: two buffers of the network's width.
    #[must_use]
    pub const fn lanes(width: usize) -> usize {
        2 * width
    }

    /// Multiply-accumulates of one evaluation.
    #[must_use]
    pub fn multiply_accumulates(&self) -> usize {
        self.layers.iter().map(|layer| layer.multiply_accumulates()).sum()
    }

    /// Writes `F(x, level)` to `out`. `lanes` holds at least [`lanes`](Self::lanes)`(self.width())`.
    ///
    /// Cannot fail: an index past the end means the last level, an unknown class means none, and slices that are too
    /// short leave the rest of `out` as it was.
    pub fn forward(&self, level: usize, class: Option<u16>, x: &[f32], lanes: &mut [i16], out: &mut [f32]) {
        let level = level.min(self.levels.len().saturating_sub(1));
        let Some(scales) = self.levels.scales(level) else { return };
        let shifts = self.levels.shifts(level, self.layers.len());
        let Some((mut codes, rest)) = lanes.split_at_mut_checked(self.width) else { return };
        let Some(mut next) = rest.get_mut(..self.width) else { return };
        let limit = self.layers.iter().next().map_or(0, |layer| layer.input_max);
        for (code, x) in codes.iter_mut().zip(x) {
            *code = code_from_input(*x, scales.input_scale, limit);
        }
        for (layer, [sum_shift, code_shift]) in self.layers.iter().zip(shifts) {
            let level_biases = layer.level_biases.map(|offset| self.levels.layer_biases(level, offset, layer.rows));
            let class_biases = self.class_biases_of(&layer, class);
            match &layer.kind {
                LayerKind::Hidden { multipliers, biases, activation, residual, output_max } => {
                    let hidden = Hidden {
                        multipliers: *multipliers,
                        biases: level_biases.unwrap_or(*biases),
                        class_biases,
                        activation: *activation,
                        residual: *residual,
                        limit: i32::from(*output_max),
                        sum_shift: u32::from(*sum_shift),
                        code_shift: u32::from(*code_shift),
                    };
                    hidden.run(&layer, codes, next);
                    core::mem::swap(&mut codes, &mut next);
                }
                LayerKind::Output { scales: rows, biases } => {
                    let mut rows = rows.iter().zip(biases.iter()).zip(out.iter_mut());
                    let mut level_bias = level_biases.unwrap_or_default().iter();
                    let mut class_bias = class_biases.iter();
                    let biased = level_bias.len() + class_bias.len() > 0;
                    kernel::dense(&layer, codes, |sum| {
                        if let Some(((scale, bias), out)) = rows.next() {
                            *out = sum as f32 * scale * scales.output_gain + bias;
                            if biased {
                                let sum = i32::from(level_bias.next().unwrap_or(0))
                                    + i32::from(class_bias.next().unwrap_or(0));
                                *out += sum as f32 * UNIT;
                            }
                        }
                    });
                }
            }
        }
    }

    fn class_biases_of(&self, layer: &Layer<'_>, class: Option<u16>) -> I16Le<'a> {
        match (layer.class_biases, class) {
            (Some(offset), Some(class)) => {
                self.class_biases.range(usize::from(class) * self.biases_per_class + offset, layer.rows)
            }
            _ => I16Le::default(),
        }
    }
}

/// The value of one unit of a pre-activation.
const UNIT: f32 = 1.0 / (1u32 << PRE_ACTIVATION_FRACTION_BITS) as f32;

/// Everything that follows the sums of a hidden layer at one level.
struct Hidden<'a> {
    multipliers: I16Le<'a>,
    biases: I16Le<'a>,
    class_biases: I16Le<'a>,
    activation: Activation,
    residual: bool,
    limit: i32,
    sum_shift: u32,
    code_shift: u32,
}

impl Hidden<'_> {
    fn run(&self, layer: &Layer<'_>, codes: &[i16], next: &mut [i16]) {
        let mut rows = self.multipliers.iter().zip(self.biases.iter()).zip(next.iter_mut());
        let mut class_bias = self.class_biases.iter();
        let mut skip = if self.residual { codes.iter() } else { [].iter() };
        kernel::dense(layer, codes, |sum| {
            if let Some(((multiplier, bias), next)) = rows.next() {
                let bias = i32::from(bias) + i32::from(class_bias.next().unwrap_or(0));
                let pre = requantise(sum, multiplier, self.sum_shift) + bias;
                let h = self.activation.apply(pre.clamp(i32::from(i16::MIN), i32::from(i16::MAX)));
                let skip = i32::from(skip.next().copied().unwrap_or(0));
                let code = round_shift(h, self.code_shift) + skip;
                *next = code.max(-self.limit).min(self.limit) as i16;
            }
        });
    }
}

/// A [`Network`] with the lanes it works in: the [`Denoiser`] that a device runs.
#[derive(Debug)]
pub struct QuantisedDenoiser<'n, 'a> {
    network: &'n Network<'a>,
    lanes: &'n mut [i16],
}

impl<'n, 'a> QuantisedDenoiser<'n, 'a> {
    /// Binds a network to its lanes, or gives `None` when they are fewer than [`Network::lanes`].
    #[must_use]
    pub fn new(network: &'n Network<'a>, lanes: &'n mut [i16]) -> Option<Self> {
        (lanes.len() >= Network::lanes(network.width)).then_some(Self { network, lanes })
    }

    /// Binds a network to lanes that were measured for it before.
    pub(crate) fn bound(network: &'n Network<'a>, lanes: &'n mut [i16]) -> Self {
        Self { network, lanes }
    }
}

impl Denoiser for QuantisedDenoiser<'_, '_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.network.forward(level, class, x, self.lanes, out);
    }
}
