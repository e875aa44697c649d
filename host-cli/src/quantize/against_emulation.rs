//! The blob against its integers in double precision, and 4-bit weights, fine-tuning and correction from end to end.

use mote_core::model::Model;
use mote_core::network::{Network, WeightLayout};

use super::against_float::{levels, network, noising, shape};
use super::{
    ActivationBits, BlobDetails, CalibrationOptions, FineTuning, Format, Integers, Quantized, SignalTable, Trail,
    WeightBits, export, fine_tune,
};
use crate::data::Scaling;
use crate::network::{Activation, FloatNetwork};

const FOUR: Format =
    Format { weight_bits: WeightBits::Four, activation_bits: ActivationBits::Eight, correction: false };

fn calibration() -> CalibrationOptions {
    CalibrationOptions { samples: 48, ..CalibrationOptions::default() }
}

fn exported(network: &FloatNetwork, integers: Integers) -> Quantized {
    let dim = network.shape().dim_in;
    let scaling = Scaling { mean: vec![0.0; dim], std: vec![1.0; dim] };
    let details =
        BlobDetails { scaling: &scaling, image: None, layout: WeightLayout::default(), text: "", self_test_seed: 1 };
    export(network, integers, &noising(), &levels(), &calibration(), &details).unwrap()
}

fn rounded(network: &FloatNetwork, format: Format) -> Integers {
    Integers::round(network, &noising(), &levels(), format, &calibration()).unwrap()
}

/// The blob's arithmetic as its specification says it, in numbers without overflow: every step is a floor of a quotient of whole numbers, which
/// doubles hold exactly.
fn emulated(made: &Integers, level: usize, class: Option<u16>, x: &[f32]) -> Vec<f64> {
    let (set, noising, network) = (levels(), noising(), made.network());
    let half_up = |value: f64| (value + 0.5).floor();
    let fixed = |value: f32| half_up(f64::from(value) * 1024.0).clamp(-32768.0, 32767.0);
    let scale = noising.input_scale(set.levels[level]) * made.input_scale;
    let limit = f64::from(made.layers[0].q_max);
    let mut codes: Vec<f64> = x.iter().map(|x| half_up(f64::from(x * scale)).clamp(-limit, limit)).collect();
    let terms = network.level_biases(noising.conditioning(set.levels[level]));
    let mut before = 0;
    for (index, (layer, dense)) in made.layers.iter().zip(network.layers()).enumerate() {
        let weights: Vec<f64> = made.codes(index).iter().map(|code| f64::from(*code)).collect();
        let sums: Vec<f64> =
            weights.chunks(dense.cols).map(|row| row.iter().zip(&codes).map(|(w, a)| w * a).sum()).collect();
        if index + 1 == made.layers.len() {
            let unit = 2f64.powi(before - 10);
            let scaled = sums.iter().zip(&layer.integers.scales).map(|(sum, scale)| sum * scale * unit);
            return scaled.zip(&dense.bias).map(|(value, bias)| value + f64::from(*bias)).collect();
        }
        let shift = i32::from(made.shifts[level][index]);
        let limit = f64::from(made.layers[index + 1].q_max);
        codes = (0..dense.rows)
            .map(|row| {
                let scale = f64::from(layer.integers.multipliers[row]) / 2f64.powi(8 + layer.base_shift - before);
                let mut pre = half_up(sums[row] * scale) + fixed(dense.bias[row] + terms[index][row]);
                if let Some(class) = class {
                    pre += fixed(dense.class[row * network.shape().classes + usize::from(class)]);
                }
                let skip = if dense.residual { codes[row] } else { 0.0 };
                (half_up(pre.clamp(0.0, 32767.0) / 2f64.powi(shift)) + skip).clamp(-limit, limit)
            })
            .collect();
        before = shift;
    }
    unreachable!("the last layer returns")
}

#[test]
fn the_blob_computes_what_its_integers_say() {
    let network = network(shape(12, &[40, 40, 24], Activation::Relu, true, 2), 5);
    let trail = Trail::follow(&network, &noising(), &levels(), None, 6, 99);
    for format in [Format::default(), FOUR, Format { activation_bits: ActivationBits::Auto, ..FOUR }] {
        let made = exported(&network, rounded(&network, format));
        let model = Model::parse(&made.blob).unwrap();
        for (met, got) in trail.evaluations.iter().zip(trail.answers(&model)) {
            for (want, got) in emulated(&made.integers, met.level, met.class, &met.x).iter().zip(got) {
                // Two products and a sum in single precision on values up to 3.
                assert!((want - f64::from(got)).abs() < 1e-6, "{format} at level {}: {want} {got}", met.level);
            }
        }
    }
}

#[test]
fn four_bit_codes_stay_within_seven_and_use_their_range() {
    let network = network(shape(16, &[48, 48], Activation::Relu, false, 0), 5);
    let made = rounded(&network, FOUR);
    for layer in 0..3 {
        let codes = made.codes(layer);
        assert!(codes.iter().all(|code| (-7..=7).contains(code)));
        assert!(codes.iter().any(|code| code.abs() == 7));
    }
    assert!(rounded(&network, Format::default()).codes(1).iter().any(|code| code.abs() > 100));
}

/// Power of the error of F over that of F, along trajectories that nothing was fitted to.
fn noise_share(network: &FloatNetwork, made: &Quantized) -> f64 {
    let table = SignalTable::measure(network, made, &noising(), &levels(), &calibration()).unwrap();
    10f64.powf(-table.overall.all / 10.0)
}

#[test]
fn fine_tuned_codes_are_exported_as_they_were_trained_and_answer_better() {
    let network = network(shape(6, &[32, 32], Activation::Relu, false, 2), 7);
    let first = rounded(&network, FOUR);
    let tuning = FineTuning::of_steps(600);
    let mut losses = Vec::new();
    let tuned =
        fine_tune(&network, &first, &noising(), &levels(), &calibration(), &tuning, |_, loss| losses.push(loss));
    let tuned = tuned.unwrap();
    assert_eq!(losses.len(), 600);
    let made = exported(&network, tuned.clone());
    let model = Model::parse(&made.blob).unwrap();
    let grids = tuned.grids();
    assert_ne!(grids, first.grids());
    for (index, layer) in model.network().layers().iter().enumerate() {
        // A device has these steps: fifteen bits over a power of two, or a float.
        for step in &grids[index].steps {
            assert!((first.nearest_step(index, *step) / step - 1.0).abs() < 1e-12);
        }
        // The codes in the blob times their scales are the weights that training worked at: the weights behind, snapped.
        let behind = &tuned.rounded().layers()[index].weight;
        let codes = (0..layer.rows()).flat_map(|row| layer.row(row));
        for (place, (code, weight)) in codes.zip(behind).enumerate() {
            let trained_at = grids[index].snap(place / layer.cols(), *weight);
            assert_eq!(tuned.network().layers()[index].weight[place], trained_at);
            assert_eq!(grids[index].snap(place / layer.cols(), trained_at), trained_at);
            assert_eq!(tuned.codes(index)[place], code);
        }
    }
    assert_ne!(first.codes(1), tuned.codes(1));
    // The loss is the error of a step of the sampler, on trajectories that are new every 250 steps.
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (before, after) = (mean(&losses[..40]), mean(&losses[losses.len() - 40..]));
    assert!(after < 0.5 * before, "{before} {after}");
}

#[test]
fn correction_takes_a_planted_scale_and_bias_out_of_a_blob() {
    // The integers of a network whose last layer is a tenth too large and has a bias too many, as corrected for the network without.
    // First weights answer so little that the bias's own unit, 2^-10, would be what is seen; so the last layer is made larger.
    let first = network(shape(6, &[32, 32], Activation::Relu, false, 0), 7);
    let scaled = |network: &FloatNetwork, factor: f32, more: f32| {
        let mut layers = network.layers().to_vec();
        let last = layers.last_mut().unwrap();
        last.weight.iter_mut().chain(&mut last.bias).for_each(|w| *w *= factor);
        last.bias.iter_mut().for_each(|b| *b += more);
        layers
    };
    let network = FloatNetwork::new(first.shape().clone(), scaled(&first, 5.0, 0.0)).unwrap();
    let wrong = scaled(&network, 1.1, 0.1);
    let wrong = FloatNetwork::new(network.shape().clone(), wrong).unwrap();
    let mut integers = rounded(&wrong, Format::default());
    let plain = exported(&network, integers.clone());
    integers.format.correction = true;
    let corrected = exported(&network, integers);
    for level in &corrected.correction.as_ref().unwrap().levels {
        assert!((level.slope - 0.1).abs() < 0.02, "{}", level.slope);
    }
    let right = noise_share(&network, &exported(&network, rounded(&network, Format::default())));
    let (before, after) = (noise_share(&network, &plain), noise_share(&network, &corrected));
    // What is left is the noise of rounding, as in a network without the error.
    assert!(before > 10.0 * right && after < 1.3 * right, "{before} {after} {right}");
    // 2 bytes for each output and level, up to the alignment of what follows.
    let more = corrected.blob.len() - plain.blob.len();
    assert!((more as i64 - (2 * 6 * levels().levels.len()) as i64).abs() < 16, "{more}");
    let lanes = |blob: &[u8]| Network::lanes(Model::parse(blob).unwrap().network().width());
    assert_eq!(lanes(&corrected.blob), lanes(&plain.blob));
}
