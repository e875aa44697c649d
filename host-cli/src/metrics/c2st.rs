//! The classifier two-sample test.

use rayon::prelude::*;

use super::list::Metric;
use super::points::{MetricError, Points};
use crate::data::permutation;
use crate::network::{Activation, FloatNetwork, Shape, Workspace};
use crate::train::{Fit, TrainingOptions};

pub(super) const C2ST: Metric = Metric {
    title: "C2ST",
    decimals: 3,
    blocks: 3, // five networks a block
    measure: |reference, block| accuracy(&block.points, reference.held_out, 0),
};

/// Parts of the cross-validation.
const FOLDS: usize = 5;
/// Width of the hidden layer.
const WIDTH: usize = 32;
/// Training steps of a network, and rows in each.
const STEPS: u64 = 400;
const BATCH: usize = 128;

/// Accuracy of a small network that tells `a` from `b`, on rows that it was not trained on, a share.
///
/// The larger set is cut to the size of the smaller. Five folds, each with as many rows of either set; inputs are brought to mean 0 and
/// deviation 1 on the training folds; one hidden layer of 32 ReLU units is fitted by least squares to -1 and 1 (AdamW, 400 steps of 128
/// rows). .5 means that it cannot tell them apart, 1 that it always can. It depends on `seed` alone, not on the number of threads. The
/// standard error of one such share p is about sqrt(p (1 - p) / 2n). Cost: 2e5 (dim + 2) WIDTH FOLDS multiplications.
/// Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
///
/// # Errors
///
/// [`MetricError::DimMismatch`]; [`MetricError::TooFew`] if a set has fewer rows than there are folds.
pub fn c2st_accuracy(a: &Points, b: &Points, seed: u64) -> Result<f64, MetricError> {
    a.comparable(b)?;
    let rows = a.rows().min(b.rows());
    if rows < FOLDS { Err(MetricError::TooFew { rows }) } else { Ok(accuracy(a, b, seed)) }
}

/// The accuracy; chance for sets too small to be divided.
fn accuracy(a: &Points, b: &Points, seed: u64) -> f64 {
    let rows = a.rows().min(b.rows());
    if rows < FOLDS {
        return 0.5;
    }
    let (a_rows, b_rows): (Vec<&[f64]>, Vec<&[f64]>) = (a.plain_rows().collect(), b.plain_rows().collect());
    let (a_order, b_order) = (permutation(rows, seed), permutation(rows, seed.wrapping_add(1)));
    // Row i of either order belongs to fold i mod FOLDS.
    let right = |fold: usize| -> usize {
        let side = |inside: bool| {
            let chosen = (0..rows).filter(move |i| (i % FOLDS == fold) == inside);
            chosen.flat_map(|i| [(a_rows[a_order[i]], 1.0f32), (b_rows[b_order[i]], -1.0)]).collect::<Vec<_>>()
        };
        let (train, test) = (side(false), side(true));
        let scale = Scale::of(&train);
        let network = fitted(&scale, &train, seed.wrapping_add(fold as u64));
        let (mut workspace, none, mut out) = (Workspace::default(), network.level_biases(0.0), [0.0]);
        let mut judge = |row: &[f64]| {
            network.forward(&scale.apply(row), &none, None, &mut workspace, &mut out);
            out[0]
        };
        test.iter().filter(|(row, side)| judge(row) * side > 0.0).count()
    };
    let right: usize = (0..FOLDS).into_par_iter().map(right).sum();
    right as f64 / (2 * rows) as f64
}

/// Mean and inverse deviation of each feature; 0 for a feature that never changes.
struct Scale(Vec<(f64, f64)>);

impl Scale {
    fn of(rows: &[(&[f64], f32)]) -> Self {
        let count = rows.len() as f64;
        let dim = rows.first().map_or(0, |(row, _)| row.len());
        let feature = |j: usize| {
            let mean = rows.iter().map(|(row, _)| row[j]).sum::<f64>() / count;
            let variance = rows.iter().map(|(row, _)| (row[j] - mean).powi(2)).sum::<f64>() / count;
            (mean, if variance > 1e-20 { 1.0 / variance.sqrt() } else { 0.0 })
        };
        Self((0..dim).map(feature).collect())
    }

    fn apply(&self, row: &[f64]) -> Vec<f32> {
        row.iter().zip(&self.0).map(|(x, (mean, inverse))| ((x - mean) * inverse) as f32).collect()
    }
}

fn fitted(scale: &Scale, rows: &[(&[f64], f32)], seed: u64) -> FloatNetwork {
    let dim = scale.0.len();
    let shape = Shape::plain(dim, 1, &[WIDTH], Activation::Relu);
    let options = TrainingOptions {
        steps: STEPS,
        batch: BATCH,
        learning_rate: 3e-3,
        warmup: 20,
        weight_decay: 0.1,
        ema: 0.98,
        seed,
        ..TrainingOptions::default()
    };
    let inputs: Vec<Vec<f32>> = rows.iter().map(|(row, _)| scale.apply(row)).collect();
    let mut fit = Fit::new(shape, options).expect("a shape and options within their limits");
    let (mut order, mut pass) = (Vec::new(), 0);
    for _ in 0..STEPS {
        let (mut input, mut target) = (Vec::with_capacity(BATCH * (dim + 1)), Vec::with_capacity(BATCH));
        while target.len() < BATCH {
            if order.is_empty() {
                pass += 1;
                order = permutation(rows.len(), seed.wrapping_add(pass << 32));
            }
            let Some(row) = order.pop() else { break };
            input.extend(&inputs[row]);
            input.push(1.0);
            target.push(rows[row].1);
        }
        // Scaled inputs and targets of one cannot diverge at this rate; were it so, the last good weights would serve.
        if fit.step(&input, &target).is_err() {
            break;
        }
    }
    fit.ema_network()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};

    /// Normal rows in four dimensions, the first shifted.
    fn cloud(rows: usize, shift: f32, seed: u64) -> Points {
        let mut normal = Ziggurat::new(Stream::new(seed));
        let values: Vec<f32> = (0..4 * rows).map(|i| normal.normal() + if i % 4 == 0 { shift } else { 0.0 }).collect();
        Points::new(&values, 4).unwrap()
    }

    #[test]
    fn a_shifted_normal_law_is_told_apart_as_well_as_can_be() {
        // The best accuracy for a shift d is Phi(d / 2): .5, .841345 and .977250 for d = 0, 2, 4. 2,000 rows have a standard error of
        // sqrt(p (1 - p) / 2000); 4.5 of them up (false alarm 3e-6 a side), and .015 more down for what a fitted network misses.
        for (shift, best) in [(0.0, 0.5), (2.0, 0.841_345), (4.0, 0.977_250)] {
            let got = c2st_accuracy(&cloud(1000, 0.0, 1), &cloud(1000, shift, 2), 0).unwrap();
            let error = (best * (1.0 - best) / 2000f64).sqrt();
            assert!(got < best + 4.5 * error && got > best - 4.5 * error - 0.015, "{shift}: {got}");
        }
    }

    #[test]
    fn what_no_plane_divides_is_told_apart_too() {
        // A normal law beside one of half the width: the best rule is a sphere. The densities meet at r^2 = 8 ln 2 / 3 = 1.848392;
        // accuracy (P(chi2_4 > 1.848392) + P(chi2_4 < 7.393570)) / 2 = .823561 by scipy.stats.chi2 1.17.1. 2,000 rows: error .0085,
        // 4.5 of them above (false alarm 3e-6), and .08 below for what 32 units miss of a sphere.
        let narrow = cloud(1000, 0.0, 3);
        let narrow: Vec<f32> = narrow.plain_rows().flatten().map(|x| (x / 2.0) as f32).collect();
        let got = c2st_accuracy(&Points::new(&narrow, 4).unwrap(), &cloud(1000, 0.0, 4), 0).unwrap();
        assert!((0.74..0.861).contains(&got), "{got}");
    }

    #[test]
    fn it_depends_on_the_seed_alone() {
        let (a, b) = (cloud(60, 0.0, 5), cloud(50, 1.0, 6));
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(c2st_accuracy(&a, &b, 3), one.install(|| c2st_accuracy(&a, &b, 3)));
        assert_eq!(c2st_accuracy(&cloud(4, 0.0, 1), &b, 0), Err(MetricError::TooFew { rows: 4 }));
    }
}
