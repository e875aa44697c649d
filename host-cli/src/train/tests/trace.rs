//! Losses of the score's derivative: their gradients, their means, and what they learn.

use dfdx::prelude::{Cpu, TensorFromVec};
use mote_core::schedule::{Cosine, Schedule, VpLinear};
use mote_core::score::Prediction;

use super::{rows, run_to, small_shape};
use crate::network::{Activation, Conditioning, FloatNetwork, Shape, Workspace};
use crate::noise::{Noising, Objective, TrainingNoise};
use crate::train::batch::{Samples, Source};
use crate::train::layout::Layout;
use crate::train::tape::{Block, trace_gradient};
use crate::train::{
    Directions, NoiseLevels as _, SliceNorm, Slices, TrainError, Trainer, TrainingOptions, TrainingSet,
};

const BATCH: usize = 6;
const DIM: usize = 5;

fn noise(objective: Objective, slices: Slices) -> TrainingNoise {
    // A deviation of the data other than 1, so that the input's scale is not 1 either.
    let noising =
        Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::Score, sigma_data: 0.5 };
    TrainingNoise { slices, ..TrainingNoise::usual(noising, objective) }
}

const ALL_LOSSES: [(Objective, Slices); 4] = [
    (Objective::Explicit, Slices { count: 1, directions: Directions::Signs, norm: SliceNorm::Exact }),
    (Objective::Sliced, Slices { count: 1, directions: Directions::Signs, norm: SliceNorm::Exact }),
    (Objective::Sliced, Slices { count: 3, directions: Directions::Normal, norm: SliceNorm::Exact }),
    (Objective::Sliced, Slices { count: 2, directions: Directions::Normal, norm: SliceNorm::Sliced }),
];

/// The network in double precision, straight from its definition.
fn score(network: &FloatNetwork, x: &[f64], told: &[f32]) -> Vec<f64> {
    let mut input = x.to_vec();
    let last = network.layers().len() - 1;
    for (index, layer) in network.layers().iter().enumerate() {
        let (features, class) = told.split_at(network.shape().features);
        let dot = |matrix: &[f32], row: usize, by: &[f64]| -> f64 {
            let cols = by.len();
            matrix
                .get(row * cols..(row + 1) * cols)
                .map_or(0.0, |m| m.iter().zip(by).map(|(m, b)| f64::from(*m) * b).sum())
        };
        let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        let (features, class) = (wide(features), wide(&class[..network.shape().classes]));
        let mut output: Vec<f64> = (0..layer.rows)
            .map(|row| {
                let sum = f64::from(layer.bias[row]) + dot(&layer.weight, row, &input);
                sum + dot(&layer.level, row, &features) + dot(&layer.class, row, &class)
            })
            .collect();
        if index < last {
            output.iter_mut().for_each(|p| *p /= 1.0 + (-*p).exp());
            if layer.residual {
                output.iter_mut().zip(&input).for_each(|(o, i)| *o += i);
            }
        }
        input = output;
    }
    input
}

/// The loss as its definition has it, the derivative by a central difference of the score.
fn plain_loss(network: &FloatNetwork, samples: &Samples) -> f64 {
    let depth = DIM + 4 + 3 + 1;
    let trace = samples.trace.as_ref().unwrap();
    let mut loss = trace.offset;
    for row in 0..BATCH {
        let (x, told) = samples.input[row * depth..][..depth].split_at(DIM);
        let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let at = score(network, &x, told);
        let weight = f64::from(samples.weight[row]);
        let (mut along, mut square) = (0.0, 0.0);
        for tangent in 0..trace.tangents {
            let index = tangent * BATCH + row;
            let v = &trace.directions[index * DIM..][..DIM];
            let moved = &samples.input[(BATCH + index) * depth..][..DIM];
            let h = 1e-5;
            let near = |by: f64| {
                let x: Vec<f64> = x.iter().zip(moved).map(|(x, m)| x + by * f64::from(*m)).collect();
                score(network, &x, told)
            };
            let slopes = near(h).into_iter().zip(near(-h)).map(|(above, below)| (above - below) / (2.0 * h));
            along += slopes.zip(v).map(|(s, v)| s * f64::from(*v)).sum::<f64>();
            square += at.iter().zip(v).map(|(s, v)| s * f64::from(*v)).sum::<f64>().powi(2);
        }
        let share = f64::from(trace.share);
        let norm = match trace.norm {
            SliceNorm::Exact => at.iter().map(|s| s * s).sum(),
            SliceNorm::Sliced => share * square,
        };
        loss += weight * (2.0 * share * along + norm);
    }
    loss
}

#[test]
fn the_gradient_is_the_slope_of_the_loss_by_its_definition() {
    let data = rows(7, DIM);
    let set = TrainingSet { dim: DIM, rows: &data, labels: Some(&[0, 1, 2, 0, 1, 2, 0]), ..TrainingSet::default() };
    let options = TrainingOptions { batch: BATCH, class_dropout: 0.3, ..TrainingOptions::default() };
    for (objective, slices) in ALL_LOSSES {
        for conditioning in [Conditioning::EveryHiddenLayer, Conditioning::FirstLayer] {
            let shape = Shape { dim_out: DIM, conditioning, ..small_shape() };
            let layout = Layout::new(&shape);
            let flat = layout.flatten(&FloatNetwork::initial(shape.clone(), 21).unwrap());
            let levels = noise(objective, slices);
            let frequencies = shape.frequencies();
            let source =
                Source { shape: &shape, options: &options, set: &set, levels: &levels, frequencies: &frequencies };
            let samples = source.draw(0, 0, BATCH);
            let loss = |flat: &[f32]| plain_loss(&layout.unflatten(&shape, flat), &samples);
            let tensors: Vec<_> = (layout.layers().iter())
                .map(|p| Cpu::default().tensor_from_vec(flat[p.range.clone()].to_vec(), (p.depth, p.rows)))
                .collect();
            let block = Block {
                rows: BATCH,
                input: samples.input.clone(),
                extra: &samples.extra,
                target: &[],
                weight: &samples.weight,
            };
            let result = trace_gradient(&shape, &tensors, block, samples.trace.as_ref().unwrap()).unwrap();
            assert!((result.loss - loss(&flat)).abs() < 1e-6 * result.loss.abs(), "{objective:?}");
            let got: Vec<f32> = result.layers.concat();
            assert_eq!(got.len(), flat.len());
            // In double precision a central difference with h = 1e-3 is off by h^2 L'''/6 < 1e-6; the tape's own numbers
            // are sums of some hundred products in single precision, good to 1e-6 of the largest.
            let (mut worst, mut largest) = (0_f64, 0_f64);
            for i in 0..flat.len() {
                let moved = |by: f32| {
                    let mut flat = flat.clone();
                    flat[i] += by;
                    (loss(&flat), f64::from(flat[i]))
                };
                let ((above, right), (below, left)) = (moved(1e-3), moved(-1e-3));
                let slope = (above - below) / (right - left);
                worst = worst.max((slope - f64::from(got[i])).abs());
                largest = largest.max(slope.abs());
            }
            assert!(worst < 2e-6 && largest > 0.02, "{objective:?} {slices:?}: {worst} of {largest}");
        }
    }
}

/// 2 -> 24 -> 24 -> 2.
fn plane() -> Shape {
    Shape {
        features: 8,
        max_frequency: 20.0,
        conditioning: Conditioning::EveryHiddenLayer,
        ..Shape::plain(2, 2, &[24, 24], Activation::Silu)
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn all_losses_have_the_mean_of_the_denoising_loss() {
    // Vincent 2011, Hyvärinen 2005 and Song et al. 2019 at the same weights, those of a short training. Each mean is over
    // 40 batches of 512; a difference of two is held to 4.5 of its standard errors (false alarm 7e-6 each, 3e-5 in all).
    let data = rows(500, 2);
    let set = TrainingSet { dim: 2, rows: &data, ..TrainingSet::default() };
    let options = TrainingOptions { steps: 150, batch: 128, learning_rate: 1e-2, ..TrainingOptions::default() };
    let denoising = noise(Objective::Score, Slices::default());
    let mut trainer = Trainer::new(plane(), options, set, &denoising).unwrap();
    run_to(&mut trainer, 150);
    let mut state = trainer.state();
    state.options.batch = 512;
    let measure = |levels: &TrainingNoise| {
        let losses: Vec<f64> = (0..40)
            .map(|seed| {
                let mut state = state.clone();
                state.options.seed = 1000 + seed;
                state
            })
            .map(|state| Trainer::resume(state, set, levels).unwrap().step().unwrap())
            .collect();
        let mean = losses.iter().sum::<f64>() / 40.0;
        let variance = losses.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / 39.0 / 40.0;
        (mean, variance)
    };
    let (expected, its_variance) = measure(&denoising);
    // The network that says 0 has 1: the comparison would be one of constants.
    assert!(expected < 0.8, "{expected}");
    for (objective, slices) in ALL_LOSSES {
        let (mean, variance) = measure(&noise(objective, slices));
        let error = (variance + its_variance).sqrt();
        assert!((mean - expected).abs() < 4.5 * error, "{objective:?} {slices:?}: {mean} {expected} {error}");
        assert!(error < 0.05, "{objective:?} {slices:?}: {error}");
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn denoising_sliced_and_explicit_matching_recover_the_score_of_a_gaussian_and_agree() {
    // x0 ~ N(0, diag(1, 1/4)): x_t has the score -x / (alpha^2 c + sigma^2) in each component.
    let variances = [1.0_f32, 0.25];
    let mut data = rows(20_000, 2);
    data.chunks_exact_mut(2).for_each(|row| row[1] *= variances[1].sqrt());
    let set = TrainingSet { dim: 2, rows: &data, ..TrainingSet::default() };
    let noising =
        Noising { schedule: Schedule::VpLinear(VpLinear::DEFAULT), prediction: Prediction::Score, sigma_data: 1.0 };
    let steps = 1200;
    let options = TrainingOptions {
        steps,
        batch: 128,
        warmup: 100,
        learning_rate: 1e-2,
        weight_decay: 0.0,
        ..TrainingOptions::default()
    };
    let points = rows(400, 2);
    let learned = [Objective::Score, Objective::Sliced, Objective::Explicit].map(|objective| {
        let levels = TrainingNoise::usual(noising, objective);
        let mut trainer = Trainer::new(plane(), options.clone(), set, &levels).unwrap();
        run_to(&mut trainer, steps);
        let network = trainer.ema_network();
        let (mut scores, mut exact) = (Vec::new(), Vec::new());
        for (k, z) in points.chunks_exact(2).enumerate() {
            let level = levels.draw((k as f32 + 0.5) / 400.0);
            let of_state = variances.map(|c| level.alpha * level.alpha * c + level.sigma * level.sigma);
            let x = [z[0] * of_state[0].sqrt(), z[1] * of_state[1].sqrt()];
            let mut out = [0.0; 2];
            let biases = network.level_biases(level.time);
            network.forward(&x.map(|x| x * level.input_scale), &biases, None, &mut Workspace::default(), &mut out);
            scores.extend(out.map(|s| s * level.sigma));
            exact.extend([0, 1].map(|i| -x[i] / of_state[i] * level.sigma));
        }
        (scores, exact)
    });
    // Relative mean square over all levels, the error of the predicted noise; a network that says 0 has 1.
    let distance = |a: &[f32], b: &[f32], of: &[f32]| {
        let square: f32 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
        square / of.iter().map(|e| e * e).sum::<f32>()
    };
    for (index, (scores, exact)) in learned.iter().enumerate() {
        let error = distance(scores, exact, exact);
        assert!(error < 0.01, "{index}: {error}");
        let apart = distance(scores, &learned[0].0, exact);
        assert!(apart < 0.01, "{index}: {apart} from denoising");
    }
}

#[test]
fn networks_that_cannot_learn_by_slopes_are_refused_with_the_way_out() {
    let wide = rows(4, 17);
    let refused = |dim: usize, data: &[f32], shape: Shape, objective, slices| -> TrainError {
        let set = TrainingSet { dim, rows: data, ..TrainingSet::default() };
        Trainer::new(shape, TrainingOptions::default(), set, &noise(objective, slices)).unwrap_err()
    };
    let narrow = rows(4, 2);
    let relu = Shape { activation: Activation::Relu, ..plane() };
    for objective in [Objective::Sliced, Objective::Explicit] {
        let message = refused(2, &narrow, relu.clone(), objective, Slices::default()).to_string();
        assert!(message.contains("ReLU") && message.contains("--activation silu"), "{message}");
        let one = Shape { dim_out: 1, ..plane() };
        let message = refused(2, &narrow, one, objective, Slices::default()).to_string();
        assert!(message.contains("1 and 2"), "{message}");
    }
    let seventeen = Shape { dim_in: 17, dim_out: 17, ..plane() };
    let message = refused(17, &wide, seventeen, Objective::Explicit, Slices::default()).to_string();
    assert!(message.contains("at most 16") && message.contains("--objective sliced"), "{message}");
    let none = Slices { count: 0, ..Slices::default() };
    let message = refused(2, &narrow, plane(), Objective::Sliced, none).to_string();
    assert!(message.contains("slices") && message.contains("1..=16"), "{message}");
}
