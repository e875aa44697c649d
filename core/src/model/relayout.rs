use super::view::Model;
use super::write::{Cursor, WriteError};
use super::{ALIGNMENT, HEADER_BYTES};
use crate::network::{DESCRIPTOR_BYTES, LayerKind, Storage, WeightLayout};

impl Model<'_> {
    /// Writes the same model with its weights in another layout at the start of `buffer`, and gives its length.
    ///
    /// Everything else stays as it is, so the new blob gives the same bits and passes the same self-test.
    ///
    /// # Errors
    /// [`WriteError`] when the buffer is too short.
    pub fn with_layout(&self, layout: WeightLayout, buffer: &mut [u8]) -> Result<usize, WriteError> {
        let layers = self.network.layers();
        let descriptors = HEADER_BYTES + (8 * self.dim_in()).next_multiple_of(ALIGNMENT);
        let start = descriptors + layers.len() * DESCRIPTOR_BYTES;
        let mut to = Cursor { buffer, at: 0 };
        to.put(self.bytes.get(..descriptors).unwrap_or_default());
        for [r0, r1, c0, c1, activation, flags, weights, _, rest @ ..] in layers.descriptors {
            to.put(&[*r0, *r1, *c0, *c1, *activation, *flags, *weights, layout.code()]);
            to.put(rest);
        }
        for layer in layers.iter() {
            match layer.kind {
                LayerKind::Hidden { multipliers, biases, .. } => {
                    to.section(multipliers.iter().map(i16::to_le_bytes));
                    to.section(biases.iter().map(i16::to_le_bytes));
                }
                LayerKind::Output { scales, biases } => {
                    to.section(scales.iter().map(f32::to_le_bytes));
                    to.section(biases.iter().map(f32::to_le_bytes));
                }
            }
            let weight = |row, col| layer.storage.weight(layer.weights, row, col, layer.cols);
            let storage = Storage { layout, ..layer.storage };
            to.section(storage.arrange(layer.rows, layer.cols, weight).map(|byte| [byte]));
        }
        to.put(self.bytes.get(start + layers.sections.len()..).unwrap_or_default());
        to.finish()
    }
}
