//! What a network looks like, apart from its weights.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Largest data dimension, of the input and of the output.
pub const MAX_DIM: usize = 512;
/// Smallest width of a hidden layer.
pub const MIN_WIDTH: usize = 8;
/// Largest width of a hidden layer.
pub const MAX_WIDTH: usize = 512;
/// Largest number of hidden layers.
pub const MAX_HIDDEN_LAYERS: usize = 15;
/// Largest number of time features.
pub const MAX_FEATURES: usize = 256;
/// Largest number of classes.
pub const MAX_CLASSES: usize = 256;

/// The non-linearity of the hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x / (1 + e^-x) (Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017).
    Silu,
}

impl Activation {
    /// Value at `x`.
    #[must_use]
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::Relu => x.max(0.0),
            Self::Silu => x / (1.0 + (-x).exp()),
        }
    }
}

/// Which hidden layers receive the noise level and the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// Only the first: the same as appending them to the input.
    FirstLayer,
    /// Each hidden layer, with weights of its own.
    EveryHiddenLayer,
}

/// Sizes and kinds of a network's layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Length of the input vector, 1..=512.
    pub dim_in: usize,
    /// Length of the output vector, 1..=512.
    pub dim_out: usize,
    /// Width of each hidden layer: 1..=15 of them, 8..=512 each.
    pub hidden: Vec<usize>,
    /// Non-linearity of the hidden layers.
    pub activation: Activation,
    /// Whether a hidden layer as wide as the one before it adds its input to its output.
    pub residual: bool,
    /// Number of time features, even, 0..=256; 0 for a network of one noise level.
    pub features: usize,
    /// Angular frequency of the last time feature; the first one's is 1.
    pub max_frequency: f32,
    /// Angular frequencies in place of the geometric ones, half as many as features: of a network that was trained
    /// elsewhere. Empty for the geometric ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_frequencies: Vec<f32>,
    /// Number of class labels, 0..=256; 0 for none.
    pub classes: usize,
    /// Which layers receive the noise level and the class.
    pub conditioning: Conditioning,
}

/// Why a [`Shape`] is refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The input or output dimension is out of range.
    #[error("{which} is {got}; it must be 1..={MAX_DIM}")]
    Dim {
        /// `dim_in` or `dim_out`.
        which: &'static str,
        /// The value given.
        got: usize,
    },
    /// No hidden layers, or too many.
    #[error("{0} hidden layers; there must be 1..={MAX_HIDDEN_LAYERS}")]
    HiddenLayers(usize),
    /// The width of a hidden layer is out of range.
    #[error("hidden layer {layer} is {got} wide; it must be {MIN_WIDTH}..={MAX_WIDTH}")]
    Width {
        /// Index of the layer, from 0.
        layer: usize,
        /// The value given.
        got: usize,
    },
    /// The number of time features is odd or out of range.
    #[error("{0} time features; there must be an even number, 0..={MAX_FEATURES}")]
    Features(usize),
    /// The largest frequency is below 1 or not finite.
    #[error("max_frequency is {0}; it must be finite and at least 1")]
    MaxFrequency(f32),
    /// The frequencies given are not half as many as the features, or one is not finite and positive.
    #[error("{got} frequencies for {features} time features; there must be half as many, each finite and above 0")]
    Frequencies {
        /// How many are given.
        got: usize,
        /// Number of time features.
        features: usize,
    },
    /// Too many classes.
    #[error("{0} classes; there may be 0..={MAX_CLASSES}")]
    Classes(usize),
}

impl Shape {
    /// A network of data alone: without time features, classes or residual layers.
    #[must_use]
    pub fn plain(dim_in: usize, dim_out: usize, hidden: &[usize], activation: Activation) -> Self {
        Self {
            dim_in,
            dim_out,
            hidden: hidden.into(),
            activation,
            residual: false,
            features: 0,
            max_frequency: 1.0,
            own_frequencies: Vec::new(),
            classes: 0,
            conditioning: Conditioning::FirstLayer,
        }
    }

    /// Checks every size against its limits.
    ///
    /// # Errors
    /// The first size that is out of range.
    pub fn validate(&self) -> Result<(), ShapeError> {
        for (which, got) in [("dim_in", self.dim_in), ("dim_out", self.dim_out)] {
            if !(1..=MAX_DIM).contains(&got) {
                return Err(ShapeError::Dim { which, got });
            }
        }
        if !(1..=MAX_HIDDEN_LAYERS).contains(&self.hidden.len()) {
            return Err(ShapeError::HiddenLayers(self.hidden.len()));
        }
        for (layer, &got) in self.hidden.iter().enumerate() {
            if !(MIN_WIDTH..=MAX_WIDTH).contains(&got) {
                return Err(ShapeError::Width { layer, got });
            }
        }
        if !self.features.is_multiple_of(2) || self.features > MAX_FEATURES {
            return Err(ShapeError::Features(self.features));
        }
        if !(self.max_frequency >= 1.0 && self.max_frequency.is_finite()) {
            return Err(ShapeError::MaxFrequency(self.max_frequency));
        }
        let own = &self.own_frequencies;
        if !own.is_empty() && (2 * own.len() != self.features || !own.iter().all(|w| *w > 0.0 && w.is_finite())) {
            return Err(ShapeError::Frequencies { got: own.len(), features: self.features });
        }
        if self.classes > MAX_CLASSES {
            return Err(ShapeError::Classes(self.classes));
        }
        Ok(())
    }

    /// Number of layers with weights: the hidden ones and the last, linear one.
    #[must_use]
    pub fn layer_count(&self) -> usize {
        self.hidden.len() + 1
    }

    /// Length of layer `layer`'s output.
    #[must_use]
    pub fn rows(&self, layer: usize) -> usize {
        self.hidden.get(layer).copied().unwrap_or(self.dim_out)
    }

    /// Length of layer `layer`'s input, the noise level and the class not counted.
    #[must_use]
    pub fn cols(&self, layer: usize) -> usize {
        match layer.checked_sub(1) {
            Some(before) => self.rows(before),
            None => self.dim_in,
        }
    }

    /// Whether layer `layer` receives the noise level and the class.
    #[must_use]
    pub fn is_conditioned(&self, layer: usize) -> bool {
        match self.conditioning {
            Conditioning::FirstLayer => layer == 0,
            Conditioning::EveryHiddenLayer => layer < self.hidden.len(),
        }
    }

    /// Whether layer `layer` adds its input to its output.
    #[must_use]
    pub fn is_residual(&self, layer: usize) -> bool {
        self.residual && layer > 0 && layer < self.hidden.len() && self.rows(layer) == self.cols(layer)
    }

    /// Angular frequencies w_k of the time features: the network's own, or geometric from 1 to `max_frequency`.
    #[must_use]
    pub fn frequencies(&self) -> Vec<f32> {
        if !self.own_frequencies.is_empty() {
            return self.own_frequencies.clone();
        }
        let count = self.features / 2;
        let last = count.saturating_sub(1).max(1) as f64;
        (0..count).map(|k| f64::from(self.max_frequency).powf(k as f64 / last) as f32).collect()
    }

    /// Time features f(t) = [sin(w_0 t), .., cos(w_0 t), ..], `features` of them (Vaswani et al. 2017).
    #[must_use]
    pub fn time_features(&self, t: f32) -> Vec<f32> {
        let mut out = vec![0.0; self.features];
        write_time_features(&self.frequencies(), t, &mut out);
        out
    }
}

/// Writes the sines, then the cosines, of `t` times each frequency into `out`.
pub(crate) fn write_time_features(frequencies: &[f32], t: f32, out: &mut [f32]) {
    let (sines, cosines) = out.split_at_mut(frequencies.len());
    for ((sine, cosine), w) in sines.iter_mut().zip(cosines).zip(frequencies) {
        (*sine, *cosine) = (w * t).sin_cos();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape {
            dim_in: 64,
            dim_out: 64,
            hidden: vec![128; 3],
            activation: Activation::Silu,
            residual: true,
            features: 16,
            max_frequency: 1000.0,
            own_frequencies: Vec::new(),
            classes: 10,
            conditioning: Conditioning::FirstLayer,
        }
    }

    #[test]
    fn limits_are_inclusive_and_named() {
        assert_eq!(shape().validate(), Ok(()));
        type Change = fn(&mut Shape);
        let good: [Change; 9] = [
            |s| (s.dim_in, s.dim_out) = (512, 512),
            |s| (s.dim_in, s.dim_out) = (1, 1),
            |s| s.hidden = vec![8, 512],
            |s| s.hidden = vec![8; 15],
            |s| s.features = 0,
            |s| s.features = 256,
            |s| s.max_frequency = 1.0,
            |s| s.classes = 256,
            |s| s.own_frequencies = vec![0.1; 8],
        ];
        for change in good {
            let mut s = shape();
            change(&mut s);
            assert_eq!(s.validate(), Ok(()), "{s:?}");
        }
        let bad: [(Change, &str); 13] = [
            (|s| s.dim_in = 0, "dim_in is 0; it must be 1..=512"),
            (|s| s.dim_in = 513, "dim_in is 513; it must be 1..=512"),
            (|s| s.dim_out = 0, "dim_out is 0; it must be 1..=512"),
            (|s| s.hidden.clear(), "0 hidden layers; there must be 1..=15"),
            (|s| s.hidden = vec![8; 16], "16 hidden layers; there must be 1..=15"),
            (|s| s.hidden[1] = 7, "hidden layer 1 is 7 wide; it must be 8..=512"),
            (|s| s.hidden[2] = 513, "hidden layer 2 is 513 wide; it must be 8..=512"),
            (|s| s.features = 15, "15 time features; there must be an even number, 0..=256"),
            (|s| s.max_frequency = f32::NAN, "max_frequency is NaN; it must be finite and at least 1"),
            (|s| s.max_frequency = 0.5, "max_frequency is 0.5; it must be finite and at least 1"),
            (
                |s| s.own_frequencies = vec![1.0; 16],
                "16 frequencies for 16 time features; there must be half as many, each finite and above 0",
            ),
            (
                |s| s.own_frequencies = vec![0.0; 8],
                "8 frequencies for 16 time features; there must be half as many, each finite and above 0",
            ),
            (|s| s.classes = 257, "257 classes; there may be 0..=256"),
        ];
        for (change, message) in bad {
            let mut s = shape();
            change(&mut s);
            assert_eq!(s.validate().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn residuals_join_equal_hidden_widths_only() {
        let mut s = shape();
        s.hidden = vec![64, 64, 32, 32];
        s.dim_out = 32;
        let joined: Vec<bool> = (0..5).map(|l| s.is_residual(l)).collect();
        assert_eq!(joined, [false, true, false, true, false]);
    }

    #[test]
    fn frequencies_are_geometric_from_one_to_the_largest() {
        let mut s = shape();
        s.features = 8;
        s.max_frequency = 1000.0;
        let w = s.frequencies();
        for (got, want) in w.iter().zip([1.0, 10.0, 100.0, 1000.0]) {
            assert!((got - want).abs() <= 1e-6 * want, "{w:?}");
        }
        s.features = 2;
        assert_eq!(s.frequencies(), [1.0]);
        s.own_frequencies = vec![0.25];
        assert_eq!(s.frequencies(), [0.25]);
        s.own_frequencies.clear();
        // sin and cos of one half: Abramowitz and Stegun, table 4.6.
        let f = s.time_features(0.5);
        assert!((f[0] - 0.479_425_54).abs() < 1e-7 && (f[1] - 0.877_582_56).abs() < 1e-7);
    }
}
