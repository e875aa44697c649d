use super::chain::LayerChain;
use super::hidden::Hidden;
use super::layer::{I16Le, Layer, LayerKind, LevelTable};
use super::layout::TILE;
use super::requantise::code_from_input;
use super::{Lane, PRE_ACTIVATION_FRACTION_BITS, kernel};
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

    /// How many lanes an evaluation works in: two buffers of the network's width, which is filled up to whole tiles of weights.
    #[must_use]
    pub const fn lanes(width: usize) -> usize {
        2 * width.next_multiple_of(TILE)
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
    pub fn forward(&self, level: usize, class: Option<u16>, x: &[f32], lanes: &mut [Lane], out: &mut [f32]) {
        let level = level.min(self.levels.len().saturating_sub(1));
        let Some(scales) = self.levels.scales(level) else { return };
        let shifts = self.levels.shifts(level, self.layers.len());
        let width = self.width.next_multiple_of(TILE);
        let Some((mut codes, rest)) = lanes.split_at_mut_checked(width) else { return };
        let Some(mut next) = rest.get_mut(..width) else { return };
        let limit = self.layers.input_max();
        for (code, x) in codes.iter_mut().zip(x) {
            *code = Lane::from(code_from_input(*x, scales.input_scale, limit));
        }
        let mut shifts = shifts.iter();
        // A layer in a pair with its shifts would be one more copy on the stack.
        for layer in self.layers.iter() {
            let Some(shifts) = shifts.next() else { return };
            match self.hidden(&layer, *shifts, level, class) {
                Some(hidden) => {
                    hidden.run(&layer, codes, next);
                    core::mem::swap(&mut codes, &mut next);
                }
                None => self.output(&layer, (level, scales.output_gain), class, codes, out),
            }
        }
    }

    /// Computes one layer alone, as [`forward`](Self::forward) does: for measuring it.
    ///
    /// `layer` is that of this number; a hidden layer takes `codes` to `next`, the last one to `out`.
    pub fn forward_layer(
        &self,
        (number, layer): (usize, &Layer<'a>),
        (level, class): (usize, Option<u16>),
        codes: &[Lane],
        next: &mut [Lane],
        out: &mut [f32],
    ) {
        let shifts = self.levels.shifts(level, self.layers.len()).get(number);
        match shifts.and_then(|shifts| self.hidden(layer, *shifts, level, class)) {
            Some(hidden) => hidden.run(layer, codes, next),
            None => {
                let gain = self.levels.scales(level).map_or(0.0, |scales| scales.output_gain);
                self.output(layer, (level, gain), class, codes, out);
            }
        }
    }

    /// What follows the sums of a layer, if it is a hidden one.
    #[inline]
    fn hidden(
        &self,
        layer: &Layer<'a>,
        [sum_shift, code_shift]: [u8; 2],
        level: usize,
        class: Option<u16>,
    ) -> Option<Hidden<'a>> {
        let LayerKind::Hidden { multipliers, biases, activation, residual, output_max } = layer.kind else {
            return None;
        };
        Some(Hidden {
            multipliers,
            biases: self.level_biases_of(layer, level).unwrap_or(biases),
            class_biases: self.class_biases_of(layer, class),
            activation,
            residual,
            limit: i32::from(output_max),
            sum_shift: u32::from(sum_shift),
            code_shift: u32::from(code_shift),
        })
    }

    #[inline]
    fn output(
        &self,
        layer: &Layer<'a>,
        (level, gain): (usize, f32),
        class: Option<u16>,
        codes: &[Lane],
        out: &mut [f32],
    ) {
        let LayerKind::Output { scales, biases } = layer.kind else { return };
        let level_biases = self.level_biases_of(layer, level).unwrap_or_default();
        let class_biases = self.class_biases_of(layer, class);
        let biased = level_biases.len() + class_biases.len() > 0;
        let mut row = 0;
        kernel::dense(layer, 0, codes, &mut |sums| {
            for sum in sums {
                let (Some(scale), Some(bias), Some(out)) = (scales.get(row), biases.get(row), out.get_mut(row)) else {
                    return;
                };
                *out = (*sum >> kernel::SUM_SHIFT) as f32 * scale * gain + bias;
                if biased {
                    let of = |biases: I16Le<'_>| i32::from(biases.get(row).unwrap_or(0));
                    *out += (of(level_biases) + of(class_biases)) as f32 * UNIT;
                }
                row += 1;
            }
        });
    }

    fn level_biases_of(&self, layer: &Layer<'_>, level: usize) -> Option<I16Le<'a>> {
        layer.level_biases.map(|offset| self.levels.layer_biases(level, offset, layer.rows))
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

/// A [`Network`] with the lanes it works in: the [`Denoiser`] that a device runs.
#[derive(Debug)]
pub struct QuantisedDenoiser<'n, 'a> {
    network: &'n Network<'a>,
    lanes: &'n mut [Lane],
}

impl<'n, 'a> QuantisedDenoiser<'n, 'a> {
    /// Binds a network to its lanes, or gives `None` when they are fewer than [`Network::lanes`].
    #[must_use]
    pub fn new(network: &'n Network<'a>, lanes: &'n mut [Lane]) -> Option<Self> {
        (lanes.len() >= Network::lanes(network.width)).then_some(Self { network, lanes })
    }

    /// Binds a network to lanes that were measured for it before.
    pub(crate) fn bound(network: &'n Network<'a>, lanes: &'n mut [Lane]) -> Self {
        Self { network, lanes }
    }
}

impl Denoiser for QuantisedDenoiser<'_, '_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.network.forward(level, class, x, self.lanes, out);
    }
}
