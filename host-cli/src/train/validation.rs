//! The loss on rows that training does not see.

use super::batch::{aimed, noised};
use super::levels::NoiseLevels;
use super::normals::fill_normals;
use super::{TrainError, TrainingSet};
use crate::network::{FloatNetwork, Workspace, hash, spread, unit};

/// Keeps these draws apart from those of training.
const PURPOSE: u64 = 0x7661_6c69_6461_7465;

/// Mean over rows of weight x squared error per output, with noise fixed by `seed`.
///
/// Each row is noised once; the levels' quantiles are the golden-ratio sequence, so that any
/// run of rows covers all levels evenly and two networks are compared on the same noise. Labels
/// are used if the network has classes. Costs one evaluation for each row.
///
/// # Errors
/// [`TrainError`]: the data do not fit the network.
pub fn validation_loss(
    network: &FloatNetwork,
    set: &TrainingSet<'_>,
    levels: &dyn NoiseLevels,
    seed: u64,
) -> Result<f64, TrainError> {
    let shape = network.shape();
    set.validate(shape)?;
    let (dim, outputs) = (shape.dim_in, shape.dim_out);
    let told = set.told();
    let first = told + (dim - told - outputs) / 2;
    let targeted = first..first + outputs;
    let labels = set.labels.filter(|_| shape.classes > 0);
    let (mut noise, mut x, mut clean) = (vec![0.0; dim], vec![0.0; dim], vec![0.0; dim]);
    let (mut target, mut out, mut counts) = (vec![0.0; outputs], vec![0.0; outputs], vec![1.0; outputs]);
    let mut workspace = Workspace::default();
    let start = unit(hash(&[seed, PURPOSE]));
    let mut sum = 0.0;
    for row in 0..set.count() {
        let u = spread(start, row);
        let level = levels.draw((u as f32).clamp(f32::EPSILON / 2.0, 1.0 - f32::EPSILON / 2.0));
        fill_normals(hash(&[seed, PURPOSE, row as u64]), &mut noise);
        set.row(row, unit(hash(&[seed, PURPOSE, row as u64, 1])), &mut clean, &mut counts);
        x[..told].copy_from_slice(&clean[..told]);
        noised(&level, &clean[told..], &noise[told..], &mut x[told..]);
        aimed(&level, &clean[targeted.clone()], &noise[targeted.clone()], &mut target);
        let biases = network.level_biases(level.time);
        let class = labels.map(|l| l[row]);
        network.forward(&x, &biases, class, &mut workspace, &mut out);
        let error = |((o, t), count): ((&f32, &f32), &f32)| f64::from(*count) * f64::from(o - t).powi(2);
        let squares: f64 = out.iter().zip(&target).zip(&counts).map(error).sum();
        sum += f64::from(level.weight) * squares / outputs as f64;
    }
    Ok(sum / set.count() as f64)
}
