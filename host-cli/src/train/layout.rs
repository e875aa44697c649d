//! All weights in one vector, so that the optimiser is one loop.

use std::ops::Range;

use crate::network::{Dense, FloatNetwork, Shape};

/// Where each layer's matrix lies: depth x rows, with W^T first, then T^T, C^T and b.
///
/// So one matrix product of `[a | f(t) | onehot | 1]` gives the whole pre-activation.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    layers: Vec<Place>,
}

/// One layer's part of the vector.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub range: Range<usize>,
    pub depth: usize,
    pub rows: usize,
    /// The entries of W, which weight decay applies to.
    pub weight: Range<usize>,
}

impl Layout {
    pub fn new(shape: &Shape) -> Self {
        let mut start = 0;
        let layers = (0..shape.layer_count())
            .map(|layer| {
                let dense = Dense::zeros(shape, layer);
                let (rows, cols) = (dense.rows, dense.cols);
                let depth = cols + dense.features() + dense.classes() + 1;
                let range = start..start + depth * rows;
                start = range.end;
                Place { weight: range.start..range.start + cols * rows, range, depth, rows }
            })
            .collect();
        Self { layers }
    }

    pub fn layers(&self) -> &[Place] {
        &self.layers
    }

    pub fn len(&self) -> usize {
        self.layers.last().map_or(0, |place| place.range.end)
    }

    /// The network's weights in this order.
    pub fn flatten(&self, network: &FloatNetwork) -> Vec<f32> {
        let mut flat = Vec::with_capacity(self.len());
        for dense in network.layers() {
            for matrix in [&dense.weight, &dense.level, &dense.class, &dense.bias] {
                let cols = matrix.len() / dense.rows;
                for c in 0..cols {
                    flat.extend(matrix.iter().skip(c).step_by(cols));
                }
            }
        }
        flat
    }

    /// The network of these weights; the inverse of [`Self::flatten`].
    pub fn unflatten(&self, shape: &Shape, flat: &[f32]) -> FloatNetwork {
        let mut rest = flat;
        let layers = (0..shape.layer_count())
            .map(|layer| {
                let mut dense = Dense::zeros(shape, layer);
                let rows = dense.rows;
                for matrix in [&mut dense.weight, &mut dense.level, &mut dense.class, &mut dense.bias] {
                    let (part, after) = rest.split_at(matrix.len());
                    rest = after;
                    let cols = matrix.len() / rows;
                    for (index, value) in matrix.iter_mut().enumerate() {
                        *value = part[index % cols * rows + index / cols];
                    }
                }
                dense
            })
            .collect();
        FloatNetwork::assemble(shape.clone(), layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::small_shape;

    #[test]
    fn flattening_is_undone_exactly_and_loses_nothing() {
        let shape = small_shape();
        let network = FloatNetwork::initial(shape.clone(), 3).unwrap();
        let layout = Layout::new(&shape);
        let flat = layout.flatten(&network);
        assert_eq!(flat.len(), layout.len());
        assert_eq!(flat.len(), network.parameter_count());
        assert_eq!(layout.unflatten(&shape, &flat), network);
        // W[r][c] of the first layer stands at depth c, row r.
        let dense = &network.layers()[0];
        assert_eq!(flat[2 * dense.rows + 1], dense.weight[dense.cols + 2]);
    }
}
