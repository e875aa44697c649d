//! Layers out of tensors.

use super::tensors::Tensors;
use super::{ConditioningLayout, ImportError, ImportRecipe, Part};
use crate::network::{Dense, FloatNetwork, Shape};

/// The network of a shape.
pub(super) fn network(
    tensors: &Tensors<'_>,
    convention: &ImportRecipe,
    shape: &Shape,
) -> Result<FloatNetwork, ImportError> {
    shape.validate().map_err(|error| ImportError::Convention { reason: error.to_string() })?;
    let layers = (0..shape.layer_count())
        .map(|index| layer(tensors, convention, shape, index))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(FloatNetwork::assemble(shape.clone(), layers))
}

fn layer(tensors: &Tensors<'_>, convention: &ImportRecipe, shape: &Shape, index: usize) -> Result<Dense, ImportError> {
    let mut dense = Dense::zeros(shape, index);
    let (features, classes) = (dense.features(), dense.classes());
    let last = convention.last.clone().filter(|_| index + 1 == shape.layer_count());
    let name = last.or_else(|| convention.layers.of(index)).ok_or_else(|| ImportError::Convention {
        reason: format!("layers names {index} layers; the network has {}", shape.layer_count()),
    })?;
    let weight = format!("{name}.weight");
    match convention.conditioning {
        ConditioningLayout::Concatenated => concatenated(tensors, convention, &mut dense, &weight)?,
        ConditioningLayout::Separate => {
            dense.weight = tensors.floats(&weight, &[dense.rows, dense.cols])?;
            if features > 0 {
                let module = module(&convention.level, "level", index)?;
                let columns = tensors.floats(&format!("{module}.weight"), &[dense.rows, features])?;
                for (row, from) in dense.level.chunks_exact_mut(features).zip(columns.chunks_exact(features)) {
                    place_features(convention, row, from);
                }
            }
            if classes > 0 {
                let module = module(&convention.class, "class", index)?;
                dense.class = tensors.floats(&format!("{module}.weight"), &[dense.rows, classes])?;
            }
        }
    }
    dense.bias = tensors.floats(&format!("{name}.bias"), &[dense.rows])?;
    if features > 0 && convention.conditioning == ConditioningLayout::Separate {
        // nn.Linear has a bias unless told otherwise; the two are one.
        let extra = format!("{}.bias", module(&convention.level, "level", index)?);
        if tensors.has(&extra) {
            let more = tensors.floats(&extra, &[dense.rows])?;
            dense.bias.iter_mut().zip(more).for_each(|(b, more)| *b += more);
        }
    }
    Ok(dense)
}

fn module(names: &super::LayerNames, field: &str, index: usize) -> Result<String, ImportError> {
    let reason = || format!("{field} has no name for layer {index}");
    names.of(index).ok_or_else(|| ImportError::Convention { reason: reason() })
}

/// Splits the columns of a weight whose input is data, features and classes in the order of the convention.
fn concatenated(
    tensors: &Tensors<'_>,
    convention: &ImportRecipe,
    dense: &mut Dense,
    name: &str,
) -> Result<(), ImportError> {
    let (cols, features, classes) = (dense.cols, dense.features(), dense.classes());
    let width = cols + features + classes;
    let want = || match width == cols {
        true => format!("[{}, {cols}]", dense.rows),
        false => {
            format!("[{}, {width}], of the data {cols} + time features {features} + classes {classes}", dense.rows)
        }
    };
    let all = tensors.floats_of(name, &[dense.rows, width], want)?;
    for (r, row) in all.chunks_exact(width).enumerate() {
        let mut rest = row;
        for part in convention.order {
            let length = match part {
                Part::Data => cols,
                Part::Features => features,
                Part::Classes => classes,
            };
            let (own, after) = rest.split_at(length);
            rest = after;
            match part {
                Part::Data => dense.weight[r * cols..][..cols].copy_from_slice(own),
                Part::Features => place_features(convention, &mut dense.level[r * features..][..features], own),
                Part::Classes => dense.class[r * classes..][..classes].copy_from_slice(own),
            }
        }
    }
    Ok(())
}

/// Brings one row's feature weights into the order sines, then cosines.
fn place_features(convention: &ImportRecipe, to: &mut [f32], from: &[f32]) {
    for (column, value) in from.iter().enumerate() {
        to[convention.time_features.place(column, from.len())] = *value;
    }
}
