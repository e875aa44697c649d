use super::{Activation, Storage, WeightFormat, WeightLayout};

/// 16-bit integers as they lie in a blob, at any alignment.
#[derive(Clone, Copy, Debug, Default)]
pub struct I16Le<'a>(&'a [[u8; 2]]);

impl<'a> I16Le<'a> {
    /// A view of bytes; an odd byte at the end is left out.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    /// The values in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = i16> + use<'a> {
        self.0.iter().map(|bytes| i16::from_le_bytes(*bytes))
    }

    /// The value of this number, or `None` past the end.
    #[must_use]
    pub fn get(self, number: usize) -> Option<i16> {
        self.0.get(number).map(|bytes| i16::from_le_bytes(*bytes))
    }

    /// The values in place, where they lie as this target loads them.
    pub(super) fn as_slice(self) -> Option<&'a [i16]> {
        let bytes = self.0.as_flattened();
        if cfg!(target_endian = "little") { bytemuck::try_cast_slice(bytes).ok() } else { None }
    }

    /// `count` values from `start`, or nothing if they are not all there.
    #[must_use]
    pub fn range(self, start: usize, count: usize) -> Self {
        Self(start.checked_add(count).and_then(|end| self.0.get(start..end)).unwrap_or(&[]))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// 32-bit floats as they lie in a blob, at any alignment.
#[derive(Clone, Copy, Debug, Default)]
pub struct F32Le<'a>(&'a [[u8; 4]]);

impl<'a> F32Le<'a> {
    /// A view of bytes; odd bytes at the end are left out.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    /// The value of this number, or `None` past the end.
    #[must_use]
    pub fn get(self, number: usize) -> Option<f32> {
        self.0.get(number).map(|bytes| f32::from_le_bytes(*bytes))
    }

    /// The values in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = f32> + use<'a> {
        self.0.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }
}

/// The width that a layer's input codes are promised to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationFormat {
    /// Codes fit in 8 bits: up to 127 in absolute value, or 0 to 255 where they are never negative.
    Bits8,
    /// Codes fit in 16 bits, as far as the bound on sums allows.
    Bits16,
}

/// What follows a layer's sums.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LayerKind<'a> {
    /// Requantisation to 16-bit pre-activations, the activation, and codes for the next layer.
    Hidden {
        /// One positive multiplier a row.
        multipliers: I16Le<'a>,
        /// One bias a row in units of `2^-10`; empty if the layer has level biases.
        biases: I16Le<'a>,
        /// The function at the end.
        activation: Activation,
        /// Whether the layer's input codes are added to its output codes.
        residual: bool,
        /// The largest code it may hand on.
        output_max: i16,
    },
    /// Floats.
    Output {
        /// One positive scale a row.
        scales: F32Le<'a>,
        /// One bias a row.
        biases: F32Le<'a>,
    },
}

/// One dense layer, viewed in place.
///
/// Made by [`Model::parse`](crate::model::Model::parse) alone, so that its sums are known to fit.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) storage: Storage,
    pub(crate) weights: &'a [u8],
    pub(crate) kind: LayerKind<'a>,
    pub(crate) input_max: i16,
    pub(crate) input_format: ActivationFormat,
    pub(crate) input_non_negative: bool,
    /// Where the layer's biases start within those of one level, if it has any.
    pub(crate) level_biases: Option<usize>,
    /// Where the layer's biases start within those of one class, if it has any.
    pub(crate) class_biases: Option<usize>,
}

impl<'a> Layer<'a> {
    /// Number of outputs.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The order in which the weights lie.
    #[must_use]
    pub fn layout(&self) -> WeightLayout {
        self.storage.layout
    }

    /// How many bits a weight has in the blob.
    #[must_use]
    pub fn weight_format(&self) -> WeightFormat {
        self.storage.format
    }

    /// The weights of a row in order, whatever their layout; zeros past the last row.
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = i8> + use<'a> {
        let Self { storage, weights, cols, .. } = *self;
        (0..cols).map(move |col| storage.weight(weights, row, col, cols))
    }

    /// The weights as they lie in the blob.
    #[must_use]
    pub fn weights(&self) -> &'a [u8] {
        self.weights
    }

    /// What follows the sums.
    #[must_use]
    pub fn kind(&self) -> &LayerKind<'a> {
        &self.kind
    }

    /// The largest input code.
    #[must_use]
    pub fn input_max(&self) -> i16 {
        self.input_max
    }

    /// The format of the input codes.
    #[must_use]
    pub fn input_format(&self) -> ActivationFormat {
        self.input_format
    }

    /// Whether the input codes are never negative.
    #[must_use]
    pub fn input_non_negative(&self) -> bool {
        self.input_non_negative
    }

    /// Whether the layer has a bias for each level.
    #[must_use]
    pub fn has_level_biases(&self) -> bool {
        self.level_biases.is_some()
    }

    /// Whether the layer has a bias for each class.
    #[must_use]
    pub fn has_class_biases(&self) -> bool {
        self.class_biases.is_some()
    }

    /// Multiply-accumulates of one evaluation.
    #[must_use]
    pub fn multiply_accumulates(&self) -> usize {
        self.rows * self.cols
    }
}

/// The numbers of one noise level that the network needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LevelScales {
    pub input_scale: f32,
    pub output_gain: f32,
}

/// The network's part of the table of noise levels, viewed in place.
#[derive(Clone, Copy, Debug)]
pub struct LevelTable<'a> {
    pub(crate) records: &'a [[u8; 16]],
    /// For each level and layer: sum_shift, code_shift.
    pub(crate) shifts: &'a [[u8; 2]],
    pub(crate) biases: I16Le<'a>,
    pub(crate) biases_per_level: usize,
}

impl<'a> LevelTable<'a> {
    /// Number of levels, at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none; never so in a parsed model.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Signal and noise of a level, or `None` past the end.
    #[must_use]
    pub fn noise(&self, level: usize) -> Option<crate::schedule::NoiseLevel> {
        let [alpha, sigma, _, _] = self.floats(level)?;
        Some(crate::schedule::NoiseLevel { alpha, sigma })
    }

    pub(crate) fn scales(&self, level: usize) -> Option<LevelScales> {
        let [_, _, input_scale, output_gain] = self.floats(level)?;
        Some(LevelScales { input_scale, output_gain })
    }

    fn floats(&self, level: usize) -> Option<[f32; 4]> {
        let (words, _) = self.records.get(level)?.as_chunks::<4>();
        let [a, b, c, d] = *words else { return None };
        Some([a, b, c, d].map(f32::from_le_bytes))
    }

    /// The pairs (sum_shift, code_shift) of a level, one for each layer.
    pub(crate) fn shifts(&self, level: usize, layers: usize) -> &'a [[u8; 2]] {
        let start = level * layers;
        self.shifts.get(start..start + layers).unwrap_or(&[])
    }

    /// `rows` biases of a layer at a level.
    pub(crate) fn layer_biases(&self, level: usize, offset: usize, rows: usize) -> I16Le<'a> {
        self.biases.range(level * self.biases_per_level + offset, rows)
    }
}
