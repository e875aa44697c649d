//! How large a blob will be, from its sizes alone.

use mote_core::model::HEADER_BYTES;
use mote_core::sampler::ROW_BYTES;

use crate::network::{Conditioning, Shape};
use crate::plan::LevelSet;

/// Bytes of a layer's descriptor.
const LAYER_BYTES: usize = 16;
/// Bytes of a noise level's record.
const LEVEL_BYTES: usize = 16;
/// Bytes of a plan's descriptor.
const PLAN_BYTES: usize = 32;

/// Sections start at multiples of 16 bytes.
fn section(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}

/// Bytes of the blob of a network of this shape with 8-bit weights and no correction, by `docs/blob-format.md`; `text` is the length of
/// its text.
#[must_use]
pub fn blob_bytes(shape: &Shape, set: &LevelSet, text: usize) -> usize {
    let widths: Vec<usize> = [shape.dim_in].iter().chain(&shape.hidden).chain([&shape.dim_out]).copied().collect();
    let layers = widths.len() - 1;
    let conditioned = |layer: usize| match shape.conditioning {
        Conditioning::FirstLayer => layer == 0,
        Conditioning::EveryHiddenLayer => layer + 1 < layers,
    };
    let mut total = HEADER_BYTES + section(8 * shape.dim_in) + LAYER_BYTES * layers;
    let mut conditioned_rows = 0;
    for (layer, pair) in widths.windows(2).enumerate() {
        let (cols, rows) = (pair[0], pair[1]);
        let has_level_biases = shape.features > 0 && conditioned(layer);
        // Row pairs lie in tiles of four rows and columns.
        let weights = rows.next_multiple_of(4) * cols.next_multiple_of(4);
        total += section(weights);
        total += match layer + 1 == layers {
            true => 2 * section(4 * rows),
            false => section(2 * rows) + if has_level_biases { 0 } else { section(2 * rows) },
        };
        conditioned_rows += if conditioned(layer) { rows } else { 0 };
    }
    let levels = set.levels.len();
    let level_biases = if shape.features > 0 { conditioned_rows } else { 0 };
    total += section(LEVEL_BYTES * levels) + section(2 * levels * layers) + section(2 * levels * level_biases);
    total += section(2 * shape.classes * conditioned_rows);
    let rows: usize = set.plans.iter().map(|plan| plan.rows.len()).sum();
    total + PLAN_BYTES * set.plans.len() + section(ROW_BYTES * rows) + section(text)
}
