//! The gradient against finite differences of a loss that is computed apart.

use dfdx::prelude::{Cpu, TensorFromVec};

use super::{CosineV, rows, small_shape};
use crate::network::{Activation, Conditioning, FloatNetwork, Shape, Workspace};
use crate::train::batch::{Samples, Source};
use crate::train::layout::Layout;
use crate::train::tape::{Block, gradient};
use crate::train::{TrainingOptions, TrainingSet};

const BATCH: usize = 12;
const DEPTH: usize = 5 + 4 + 3 + 1;

fn samples(shape: &Shape) -> Samples {
    let data = rows(7, 5);
    let set = TrainingSet { dim: 5, rows: &data, labels: Some(&[0, 1, 2, 0, 1, 2, 0]), ..TrainingSet::default() };
    let options = TrainingOptions { batch: BATCH, class_dropout: 0.3, ..TrainingOptions::default() };
    let source = Source { shape, options: &options, set: &set, levels: &CosineV, frequencies: &shape.frequencies() };
    source.draw(0, 0, BATCH)
}

/// The loss by the one-vector evaluation, and the sign of every pre-activation on the way.
fn plain_loss(network: &FloatNetwork, samples: &Samples) -> (f64, Vec<bool>) {
    let (mut sum, mut signs, mut out) = (0.0, Vec::new(), [0.0; 3]);
    let mut workspace = Workspace::default();
    for row in 0..BATCH {
        let input = &samples.input[row * DEPTH..][..DEPTH];
        let features = &input[5..9];
        let class = input[9..12].iter().position(|v| *v == 1.0);
        let dot = |t: &[f32]| t.iter().zip(features).map(|(t, f)| t * f).sum();
        let layers = network.layers().iter();
        let biases: Vec<Vec<f32>> = layers.map(|l| l.level.chunks(4).map(dot).collect()).collect();
        network.forward_traced(&input[..5], &biases, class.map(|c| c as u16), &mut workspace, &mut out, |_, pre, _| {
            signs.extend(pre.iter().map(|p| *p > 0.0))
        });
        for (o, t) in out.iter().zip(&samples.target[row * 3..]) {
            sum += f64::from(samples.weight[row]) * f64::from(o - t).powi(2);
        }
    }
    (sum, signs)
}

#[test]
fn the_gradient_is_the_slope_of_the_networks_own_loss() {
    for (activation, conditioning) in [
        (Activation::Silu, Conditioning::EveryHiddenLayer),
        (Activation::Silu, Conditioning::FirstLayer),
        (Activation::Relu, Conditioning::EveryHiddenLayer),
        (Activation::Relu, Conditioning::FirstLayer),
    ] {
        let shape = Shape { activation, conditioning, ..small_shape() };
        let layout = Layout::new(&shape);
        let flat = layout.flatten(&FloatNetwork::initial(shape.clone(), 21).unwrap());
        let samples = samples(&shape);
        let loss = |flat: &[f32]| plain_loss(&layout.unflatten(&shape, flat), &samples);
        let device = Cpu::default();
        let tensors: Vec<_> = (layout.layers().iter())
            .map(|p| device.tensor_from_vec(flat[p.range.clone()].to_vec(), (p.depth, p.rows)))
            .collect();
        let block = Block {
            rows: BATCH,
            input: samples.input.clone(),
            extra: &samples.extra,
            target: &samples.target,
            weight: &samples.weight,
        };
        let result = gradient(&shape, &tensors, block).unwrap();
        assert!((result.loss - loss(&flat).0).abs() < 1e-6 * result.loss);
        let got: Vec<f32> = result.layers.concat();
        assert_eq!(got.len(), flat.len());
        // The central difference (L(w + h) - L(w - h)) / 2h is off by h^2 L'''/6, some 1e-5 here, and by
        // about 1e-7 L / h = 2e-5 from rounding. It means nothing across a kink of ReLU: those are left out.
        let h = 4e-3;
        let (mut worst, mut largest, mut kinks) = (0_f64, 0_f64, 0);
        for i in 0..flat.len() {
            let moved = |by: f32| {
                let mut flat = flat.clone();
                flat[i] += by;
                (loss(&flat), f64::from(flat[i]))
            };
            let (((above, up), right), ((below, down), left)) = (moved(h), moved(-h));
            if activation == Activation::Relu && up != down {
                kinks += 1;
                continue;
            }
            let slope = (above - below) / (right - left);
            worst = worst.max((slope - f64::from(got[i])).abs());
            largest = largest.max(slope.abs());
        }
        assert!(worst < 5e-5 && largest > 0.1, "{worst} of {largest}");
        assert!(kinks < flat.len() / 4, "{kinks} of {}", flat.len());
    }
}
