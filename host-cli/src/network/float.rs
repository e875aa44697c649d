//! The float network and its evaluation, one vector at a time.

use super::{Dense, Shape, ShapeError};

/// A score network in single precision.
///
/// Layer l computes `pre = W a + b + T f(t) + C onehot(class)`; a hidden layer's output is
/// `act(pre)`, plus `a` where the layer is residual; the last layer's is `pre`. The first layer's
/// input is c_in x: the caller scales.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatNetwork {
    shape: Shape,
    layers: Vec<Dense>,
    /// Each layer's weight column by column, so that a column's products fill whole vectors.
    columns: Vec<Vec<f32>>,
}

/// Buffers of [`FloatNetwork::forward`], of any network it is used with.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    input: Vec<f32>,
    pre: Vec<f32>,
    output: Vec<f32>,
}

impl FloatNetwork {
    /// A network of given weights.
    ///
    /// # Errors
    /// The shape's own, from [`Shape::validate`].
    ///
    /// # Panics
    /// If the layers' sizes are not those of the shape.
    pub fn new(shape: Shape, layers: Vec<Dense>) -> Result<Self, ShapeError> {
        shape.validate()?;
        assert_eq!(layers.len(), shape.layer_count(), "number of layers");
        for (index, layer) in layers.iter().enumerate() {
            let want = Dense::zeros(&shape, index);
            assert_eq!(layer.residual, want.residual, "layer {index}");
            for ((name, _, got), (_, _, want)) in layer.tensors().into_iter().zip(want.tensors()) {
                assert_eq!(got.len(), want.len(), "layer {index}: {name}");
            }
        }
        Ok(Self::assemble(shape, layers))
    }

    /// Joins layers that are known to fit the shape.
    pub(crate) fn assemble(shape: Shape, layers: Vec<Dense>) -> Self {
        let columns = layers.iter().map(|l| transposed(&l.weight, l.rows, l.cols)).collect();
        Self { shape, layers, columns }
    }

    /// Sizes and kinds of the layers.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// Number of weights, biases and embedding entries together.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let sizes = |l: &Dense| l.tensors().map(|(_, _, v)| v.len()).iter().sum::<usize>();
        self.layers.iter().map(sizes).sum()
    }

    /// Time features f(t), as [`Shape::time_features`].
    #[must_use]
    pub fn time_features(&self, t: f32) -> Vec<f32> {
        self.shape.time_features(t)
    }

    /// The level's term T f(t) of layer `layer`, `rows` long; empty if the layer has none.
    ///
    /// # Panics
    /// If there is no such layer.
    #[must_use]
    pub fn level_bias(&self, layer: usize, t: f32) -> Vec<f32> {
        let features = self.time_features(t);
        let level = &self.layers[layer].level;
        if level.is_empty() {
            return Vec::new();
        }
        let dot = |row: &[f32]| row.iter().zip(&features).map(|(w, f)| w * f).sum();
        level.chunks_exact(features.len()).map(dot).collect()
    }

    /// [`Self::level_bias`] of every layer, as [`Self::forward`] takes them.
    #[must_use]
    pub fn level_biases(&self, t: f32) -> Vec<Vec<f32>> {
        (0..self.layers.len()).map(|layer| self.level_bias(layer, t)).collect()
    }

    /// Evaluates the network: F(c_in x, level, class) into `out`.
    ///
    /// `level_biases` comes from [`Self::level_biases`]; no class is the unconditional network.
    /// Sums run over the columns in order, first the bias, so the result does not depend on vector
    /// width. Costs one multiplication and addition for each weight.
    ///
    /// # Panics
    /// If a length is not the shape's, or `class` is not below [`Shape::classes`].
    pub fn forward(
        &self,
        scaled_x: &[f32],
        level_biases: &[Vec<f32>],
        class: Option<u16>,
        workspace: &mut Workspace,
        out: &mut [f32],
    ) {
        self.forward_traced(scaled_x, level_biases, class, workspace, out, |_, _, _| {});
    }

    /// [`Self::forward`], showing each layer to `observe(layer, pre, activation)`.
    ///
    /// `activation` is the layer's output, the residual added; the last layer's is `pre` itself.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn forward_traced(
        &self,
        scaled_x: &[f32],
        level_biases: &[Vec<f32>],
        class: Option<u16>,
        workspace: &mut Workspace,
        out: &mut [f32],
        mut observe: impl FnMut(usize, &[f32], &[f32]),
    ) {
        self.forward_altered(scaled_x, level_biases, class, workspace, out, |layer, pre, act| observe(layer, pre, act));
    }

    /// [`Self::forward_traced`] with an observer that may alter each layer's output before it goes on.
    pub(crate) fn forward_altered(
        &self,
        scaled_x: &[f32],
        level_biases: &[Vec<f32>],
        class: Option<u16>,
        workspace: &mut Workspace,
        out: &mut [f32],
        mut alter: impl FnMut(usize, &[f32], &mut [f32]),
    ) {
        assert_eq!(scaled_x.len(), self.shape.dim_in, "length of the input");
        assert_eq!(out.len(), self.shape.dim_out, "length of the output");
        assert_eq!(level_biases.len(), self.layers.len(), "level biases");
        if let Some(class) = class {
            let classes = self.shape.classes;
            assert!(usize::from(class) < classes, "class {class} of {classes}");
        }
        let Workspace { input, pre, output } = workspace;
        input.clear();
        input.extend_from_slice(scaled_x);
        let last = self.layers.len() - 1;
        for (index, (layer, columns)) in self.layers.iter().zip(&self.columns).enumerate() {
            pre.clear();
            pre.extend_from_slice(&layer.bias);
            if !layer.level.is_empty() {
                let level = &level_biases[index];
                assert_eq!(level.len(), layer.rows, "level bias of layer {index}");
                pre.iter_mut().zip(level).for_each(|(p, l)| *p += l);
            }
            if let (Some(class), false) = (class, layer.class.is_empty()) {
                let of_rows = layer.class.chunks_exact(self.shape.classes);
                for (p, row) in pre.iter_mut().zip(of_rows) {
                    *p += row[usize::from(class)];
                }
            }
            add_columns(columns, input, pre);
            if index == last {
                out.copy_from_slice(pre);
                alter(index, pre, out);
                return;
            }
            output.clear();
            output.extend(pre.iter().map(|&p| self.shape.activation.apply(p)));
            if layer.residual {
                output.iter_mut().zip(&*input).for_each(|(o, i)| *o += i);
            }
            alter(index, pre, output);
            std::mem::swap(input, output);
        }
    }
}

/// Adds each column times its input to `sums`, column after column.
fn add_columns(columns: &[f32], input: &[f32], sums: &mut [f32]) {
    let rows = sums.len();
    let mut blocks = columns.chunks_exact(4 * rows);
    let mut inputs = input.chunks_exact(4);
    // Four columns at a time: the additions keep their order, the sums stay in registers longer.
    for (block, x) in blocks.by_ref().zip(inputs.by_ref()) {
        let (ab, cd) = block.split_at(2 * rows);
        let ((a, b), (c, d)) = (ab.split_at(rows), cd.split_at(rows));
        for ((((s, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *s = (((*s + a * x[0]) + b * x[1]) + c * x[2]) + d * x[3];
        }
    }
    let rest = blocks.remainder().chunks_exact(rows);
    for (column, x) in rest.zip(inputs.remainder()) {
        sums.iter_mut().zip(column).for_each(|(s, w)| *s += w * x);
    }
}

/// The transpose of a `rows` x `cols` matrix.
pub(crate) fn transposed(matrix: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut out = vec![0.0; matrix.len()];
    for r in 0..rows {
        for c in 0..cols {
            out[c * rows + r] = matrix[r * cols + c];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Conditioning};

    fn network(activation: Activation, conditioning: Conditioning) -> FloatNetwork {
        let shape = Shape {
            dim_in: 5,
            dim_out: 3,
            hidden: vec![9, 9, 8],
            activation,
            residual: true,
            features: 4,
            max_frequency: 20.0,
            own_frequencies: Vec::new(),
            classes: 3,
            conditioning,
        };
        FloatNetwork::initial(shape, 11).unwrap()
    }

    /// The definition, written out row by row in double precision.
    fn plain(net: &FloatNetwork, x: &[f32], t: f64, class: Option<usize>) -> Vec<f64> {
        let mut a: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
        let last = net.layers().len() - 1;
        for (index, layer) in net.layers().iter().enumerate() {
            let mut next = Vec::new();
            for r in 0..layer.rows {
                let mut sum = f64::from(layer.bias[r]);
                for (c, a) in a.iter().enumerate() {
                    sum += f64::from(layer.weight[r * layer.cols + c]) * a;
                }
                if !layer.level.is_empty() {
                    let level = &layer.level[r * 4..];
                    let (w0, w1) = (1.0, 20.0);
                    let f = [(w0 * t).sin(), (w1 * t).sin(), (w0 * t).cos(), (w1 * t).cos()];
                    sum += (0..4).map(|k| f64::from(level[k]) * f[k]).sum::<f64>();
                }
                if let (Some(class), false) = (class, layer.class.is_empty()) {
                    sum += f64::from(layer.class[r * 3 + class]);
                }
                next.push(match (index == last, net.shape().activation) {
                    (true, _) => sum,
                    (_, Activation::Relu) => sum.max(0.0),
                    (_, Activation::Silu) => sum / (1.0 + (-sum).exp()),
                });
            }
            if index == 1 {
                next.iter_mut().zip(&a).for_each(|(n, a)| *n += a);
            }
            a = next;
        }
        a
    }

    #[test]
    fn forward_is_the_definition() {
        let x = [0.3, -1.2, 0.7, 2.0, -0.1];
        for activation in [Activation::Relu, Activation::Silu] {
            for conditioning in [Conditioning::FirstLayer, Conditioning::EveryHiddenLayer] {
                for class in [None, Some(0), Some(2)] {
                    let net = network(activation, conditioning);
                    let mut out = [0.0; 3];
                    let levels = net.level_biases(0.37);
                    let mut workspace = Workspace::default();
                    net.forward(&x, &levels, class, &mut workspace, &mut out);
                    let want = plain(&net, &x, f64::from(0.37_f32), class.map(usize::from));
                    for (got, want) in out.iter().zip(want) {
                        assert!((f64::from(*got) - want).abs() < 2e-6, "{got} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_trace_shows_every_layer_and_its_activation() {
        let net = network(Activation::Relu, Conditioning::FirstLayer);
        let (mut out, mut seen) = ([0.0; 3], Vec::new());
        net.forward_traced(
            &[1.0, 0.0, -1.0, 0.5, 2.0],
            &net.level_biases(0.1),
            None,
            &mut Workspace::default(),
            &mut out,
            |layer, pre, act| seen.push((layer, pre.to_vec(), act.to_vec())),
        );
        assert_eq!(seen.len(), 4);
        for (layer, pre, act) in &seen {
            let skip = match layer {
                1 => seen[0].2.clone(),
                _ => vec![0.0; act.len()],
            };
            for ((p, a), s) in pre.iter().zip(act).zip(skip) {
                let want = if *layer == 3 { *p } else { p.max(0.0) + s };
                assert_eq!(*a, want);
            }
        }
        assert_eq!(seen[3].2, out);
    }

    #[test]
    #[should_panic(expected = "class 3 of 3")]
    fn an_unknown_class_is_refused() {
        let net = network(Activation::Relu, Conditioning::FirstLayer);
        let levels = net.level_biases(0.1);
        net.forward(&[0.0; 5], &levels, Some(3), &mut Workspace::default(), &mut [0.0; 3]);
    }
}
