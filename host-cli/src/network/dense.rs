//! One layer's weights.

use super::Shape;

/// A dense layer with its level and class terms: W a + b + T f(t) + C onehot(class).
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Length of the output.
    pub rows: usize,
    /// Length of the input.
    pub cols: usize,
    /// W, `rows` x `cols`, row by row.
    pub weight: Vec<f32>,
    /// b, `rows`.
    pub bias: Vec<f32>,
    /// T, `rows` x features, row by row, or empty.
    pub level: Vec<f32>,
    /// C, `rows` x classes, row by row, or empty.
    pub class: Vec<f32>,
    /// Whether the layer adds its input to its output.
    pub residual: bool,
}

impl Dense {
    /// Layer `layer` of a network of this shape, all zeros.
    #[must_use]
    pub fn zeros(shape: &Shape, layer: usize) -> Self {
        let (rows, cols) = (shape.rows(layer), shape.cols(layer));
        let (features, classes) = match shape.is_conditioned(layer) {
            true => (shape.features, shape.classes),
            false => (0, 0),
        };
        Self {
            rows,
            cols,
            weight: vec![0.0; rows * cols],
            bias: vec![0.0; rows],
            level: vec![0.0; rows * features],
            class: vec![0.0; rows * classes],
            residual: shape.is_residual(layer),
        }
    }

    /// Number of time features this layer sees.
    #[must_use]
    pub fn features(&self) -> usize {
        self.level.len() / self.rows
    }

    /// Number of classes this layer sees.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.class.len() / self.rows
    }

    /// The four tensors with the names a checkpoint gives them and their shapes.
    pub(crate) fn tensors(&self) -> [(&'static str, Vec<usize>, &Vec<f32>); 4] {
        [
            ("weight", vec![self.rows, self.cols], &self.weight),
            ("bias", vec![self.rows], &self.bias),
            ("level", vec![self.rows, self.features()], &self.level),
            ("class", vec![self.rows, self.classes()], &self.class),
        ]
    }

    /// The same four tensors, to be filled.
    pub(crate) fn tensors_mut(&mut self) -> [(&'static str, Vec<usize>, &mut Vec<f32>); 4] {
        let (rows, features, classes) = (self.rows, self.features(), self.classes());
        [
            ("weight", vec![rows, self.cols], &mut self.weight),
            ("bias", vec![rows], &mut self.bias),
            ("level", vec![rows, features], &mut self.level),
            ("class", vec![rows, classes], &mut self.class),
        ]
    }
}
