//! The quantised network against the float one, evaluation by evaluation, where both see the same input.

use mote_core::model::{Arena, Model};
use mote_core::network::WeightLayout;
use mote_core::random::{NormalSource, Stream, StreamSequence, Ziggurat};
use mote_core::sampler::{HISTORY_MAX, Plan, Run, SampleOptions, Workspace};
use mote_core::schedule::{Cosine, Schedule};
use mote_core::score::{Denoiser, Prediction};

use super::{ActivationBits, BlobDetails, CalibrationOptions, Quantized, quantize};
use crate::data::Scaling;
use crate::denoiser::FloatDenoiser;
use crate::network::{Activation, Conditioning, Dense, FloatNetwork, Shape};
use crate::noise::Noising;
use crate::plan::LevelSet;
use crate::pool::{Batch, bind};

pub(super) fn shape(dim: usize, hidden: &[usize], activation: Activation, residual: bool, classes: usize) -> Shape {
    Shape {
        dim_in: dim,
        dim_out: dim,
        hidden: hidden.to_vec(),
        activation,
        residual,
        features: 8,
        max_frequency: 30.0,
        own_frequencies: Vec::new(),
        classes,
        conditioning: Conditioning::EveryHiddenLayer,
    }
}

/// Normal weights that keep activations of order one (He et al. 2015), with rows of unlike size as training makes them.
///
/// The last layer is a hundredth of that: with velocities near 0, which is what a network learns on standard normal data, every
/// level's scaled input keeps about unit variance, as in a trained network.
pub(super) fn network(shape: Shape, seed: u64) -> FloatNetwork {
    let mut noise = Ziggurat::new(Stream::new(seed));
    let layers = (0..shape.layer_count())
        .map(|layer| {
            let mut dense = Dense::zeros(&shape, layer);
            let size = if layer + 1 == shape.layer_count() { 0.01 } else { 1.0 };
            let gain = size * size * if dense.residual { 0.3 } else { 1.2 };
            let deviation = (gain / dense.cols as f32).sqrt();
            for row in dense.weight.chunks_exact_mut(dense.cols) {
                let deviation = deviation * (0.5 * noise.normal().clamp(-2.0, 2.0)).exp();
                row.iter_mut().for_each(|w| *w = deviation * noise.normal());
            }
            for values in [&mut dense.bias, &mut dense.level, &mut dense.class] {
                values.iter_mut().for_each(|b| *b = 0.3 * size * noise.normal());
            }
            dense
        })
        .collect();
    FloatNetwork::new(shape, layers).unwrap()
}

pub(super) fn noising() -> Noising {
    Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 }
}

pub(super) fn levels() -> LevelSet {
    LevelSet::build(&["dpm++2m:6".parse().unwrap(), "ddpm:9".parse().unwrap()], &noising()).unwrap()
}

fn quantized(network: &FloatNetwork, set: &LevelSet, bits: ActivationBits) -> Quantized {
    let dim = network.shape().dim_in;
    let scaling = Scaling { mean: vec![0.0; dim], std: vec![1.0; dim] };
    let details =
        BlobDetails { scaling: &scaling, image: None, layout: WeightLayout::default(), text: "", self_test_seed: 1 };
    let calibration = CalibrationOptions { samples: 192, ..CalibrationOptions::default() };
    quantize(network, &noising(), set, bits, &calibration, &details).unwrap()
}

/// Runs a plan on the float network and keeps every input it meets.
struct Trail<'n> {
    float: FloatDenoiser<'n>,
    met: Vec<Evaluation>,
}

/// Level, class, input and output.
type Evaluation = (usize, Option<u16>, Vec<f32>, Vec<f32>);

impl Denoiser for Trail<'_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.float.predict(level, class, x, out);
        self.met.push((level, class, x.to_vec(), out.to_vec()));
    }
}

/// For each level, and for each class and none, the power of quantisation noise below that of the output, in decibels, along
/// trajectories that calibration has not seen. The output's power is that of all levels: at one, terms may happen to cancel. The noise
/// is the median of the trajectories: a scale that is wrong spoils them all, a value past the calibrated range one.
fn ratios(network: &FloatNetwork, set: &LevelSet, blob: &[u8]) -> Vec<f64> {
    let (dim, classes) = (network.shape().dim_in, network.shape().classes);
    let mut trail = Trail { float: FloatDenoiser::new(network, &noising(), &set.levels), met: Vec::new() };
    let mut floats = vec![0.0; Workspace::len(dim, HISTORY_MAX, false)];
    let mut streams = StreamSequence::new(77);
    for plan in &set.plans {
        for number in 0..24 * (classes + 1) {
            let mut options = SampleOptions::default();
            options.class = (number % (classes + 1)).checked_sub(1).map(|class| class as u16);
            let mut noise = Ziggurat::new(streams.next_stream());
            let workspace = Workspace::new(dim, HISTORY_MAX, false, &mut floats).unwrap();
            let plan = Plan::new(&plan.rows, plan.start_scale);
            Run::start(plan, options, workspace, &mut noise).finish(&mut trail, &mut noise);
        }
    }
    let model = Model::parse(blob).unwrap();
    let mut lanes = vec![0; mote_core::network::Network::lanes(model.network().width())];
    let mut noises = vec![Vec::new(); set.levels.len() * (classes + 1)];
    let (mut signal, mut out) = (0.0, vec![0.0; dim]);
    for (level, class, x, exact) in &trail.met {
        model.network().forward(*level, *class, x, &mut lanes, &mut out);
        signal += exact.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / trail.met.len() as f64;
        let noise: f64 = exact.iter().zip(&out).map(|(exact, got)| f64::from(exact - got).powi(2)).sum();
        noises[level * (classes + 1) + class.map_or(classes, usize::from)].push(noise);
    }
    let median = |noises: &mut Vec<f64>| {
        let middle = noises.len() / 2;
        *noises.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    noises.iter_mut().map(|noises| 10.0 * (signal / median(noises)).log10()).collect()
}

/// The ratio that the widths of the codes promise, less 4 dB for the spread of random networks, or 10 dB where an output is
/// the sum of so few terms that they may cancel. A scale that is wrong by its smallest step, a factor of two, leaves 0 to 6 dB.
///
/// Rounding to steps of D adds noise of power D^2 / 12. A row of normal weights has its largest near 3 deviations, so D = 3/127
/// of a deviation. Inputs are normal too and clip near 3.5. Hidden codes reach q_max over about 4 deviations, but their unit is a power
/// of two, so up to twice as coarse; after ReLU the signal is half the power, after SiLU 0.35 of it. Each layer's two noises pass through the rest of the
/// network as its signal does, so their ratios add up.
fn promised(shape: &Shape, codes: &[u16]) -> f64 {
    let (layers, relu) = (shape.layer_count(), shape.activation == Activation::Relu);
    let rounding = |reach: f64, codes: f64, power: f64| (reach / codes).powi(2) / 12.0 / power;
    let weights = layers as f64 * rounding(3.0, 127.0, 1.0);
    let power = if relu { 0.5 } else { 0.35 };
    let activations: f64 = codes
        .iter()
        .enumerate()
        .map(|(layer, q_max)| match layer {
            0 => rounding(3.5, f64::from(*q_max), 1.0),
            _ => rounding(8.0, f64::from(*q_max), power),
        })
        .sum();
    // The table of SiLU is exact to 0.0045 at worst and 0.0045 / sqrt(3) on average over a step.
    let table = if relu { 0.0 } else { (layers - 1) as f64 * (0.0045f64.powi(2) / 3.0) / power };
    let spread = if shape.hidden.iter().any(|width| *width < 16) { 10.0 } else { 4.0 };
    -10.0 * (weights + activations + table).log10() - spread
}

fn check(shape: Shape, bits: ActivationBits) {
    let network = network(shape.clone(), 5);
    let set = levels();
    let made = quantized(&network, &set, bits);
    assert_eq!(made.warnings, Vec::<String>::new(), "{shape:?}");
    let floor = promised(&shape, &made.q_max);
    let found = ratios(&network, &set, &made.blob);
    let least = found.iter().fold(f64::INFINITY, |least, ratio| least.min(*ratio));
    assert!(least > floor, "{shape:?}: {least} dB, promised {floor}: {found:?}");
}

#[test]
fn every_level_and_class_keeps_the_precision_that_its_codes_promise() {
    for activation in [Activation::Relu, Activation::Silu] {
        for bits in [ActivationBits::Eight, ActivationBits::Auto] {
            check(shape(16, &[48, 48, 48], activation, false, 0), bits);
            check(shape(16, &[32, 64], activation, false, 3), bits);
        }
    }
}

#[test]
fn residual_chains_keep_it_too() {
    for activation in [Activation::Relu, Activation::Silu] {
        for bits in [ActivationBits::Eight, ActivationBits::Auto] {
            check(shape(12, &[40, 40, 40, 24, 24], activation, true, 2), bits);
        }
    }
}

#[test]
fn the_smallest_and_the_widest_network_keep_it() {
    check(shape(1, &[8], Activation::Relu, false, 0), ActivationBits::Eight);
    // 512 inputs of 255 codes could overflow 24-bit sums: the codes have to give way, not the proof.
    check(shape(512, &[512], Activation::Relu, false, 0), ActivationBits::Eight);
    check(shape(512, &[512], Activation::Silu, false, 0), ActivationBits::Auto);
}

#[test]
fn layers_without_level_terms_use_their_own_biases() {
    let first = Shape { conditioning: Conditioning::FirstLayer, ..shape(8, &[32, 32], Activation::Relu, false, 2) };
    check(first.clone(), ActivationBits::Eight);
    check(Shape { features: 0, classes: 0, ..first }, ActivationBits::Eight);
}

#[test]
fn a_residual_chain_has_one_shift_at_each_level() {
    let network = network(shape(12, &[40, 40, 40, 24, 24], Activation::Silu, true, 0), 5);
    let set = levels();
    let seen = super::Calibration::collect(&network, &noising(), &set, &CalibrationOptions::default());
    assert_eq!(seen.activations.len(), set.levels.len());
    // Every level was visited: each has values of the input and of each of the five hidden layers.
    for (input, layers) in seen.input.iter().zip(&seen.activations) {
        assert!(!input.is_empty() && layers.len() == 5 && layers.iter().all(|values| !values.is_empty()));
    }
    // The reader refuses a chain of unlike shifts, so a blob that parses has equal ones.
    assert!(Model::parse(&quantized(&network, &set, ActivationBits::Auto).blob).is_ok());
}

#[test]
fn a_bias_past_the_range_is_clipped_and_never_wraps() {
    let shape = Shape { features: 0, ..shape(1, &[8], Activation::Relu, false, 0) };
    for (bias, kept) in [(100.0, 32.0), (1e9, 32.0), (-100.0, 0.0), (31.0, 31.0)] {
        let mut layers: Vec<Dense> = (0..2).map(|layer| Dense::zeros(&shape, layer)).collect();
        layers[0].bias.fill(bias);
        layers[1].weight.fill(0.125);
        let network = FloatNetwork::new(shape.clone(), layers).unwrap();
        let set = levels();
        let made = quantized(&network, &set, ActivationBits::Eight);
        let clipped = made.warnings.iter().any(|warning| warning.starts_with("layer 0") && warning.contains("clipped"));
        assert_eq!(clipped, bias.abs() >= 32.0, "{:?}", made.warnings);
        let model = Model::parse(&made.blob).unwrap();
        let mut out = [f32::NAN];
        model.network().forward(0, None, &[0.3], &mut [0; 16], &mut out);
        // Eight units of one eighth each. The code's unit suits what the float network shows: at most 1e9 / 255 or 2^14 / 2^10.
        let unit = if bias > 1000.0 { 16.0 } else { 0.5 };
        assert!((out[0] - kept).abs() <= unit, "{bias}: {} instead of {kept}", out[0]);
    }
}

#[test]
fn the_blob_is_the_same_on_any_number_of_threads_and_passes_its_own_test() {
    let network = network(shape(6, &[16, 16], Activation::Relu, false, 2), 9);
    let set = levels();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| quantized(&network, &set, ActivationBits::Eight).blob)
    };
    let blob = on(1);
    assert_eq!(blob, on(3));
    let model = Model::parse(&blob).unwrap();
    let mut arena = Box::new(Arena::new());
    bind(&model, &mut arena).self_test().unwrap();
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let network = network(shape(3, &[16], Activation::Relu, false, 2), 9);
    let set = levels();
    let blob = quantized(&network, &set, ActivationBits::Eight).blob;
    let model = Model::parse(&blob).unwrap();
    let plan = model.plan(1).unwrap();
    let draw = |first, count| {
        let mut options = SampleOptions::default();
        (options.class, options.guidance) = (Some(1), Some(1.5));
        let batch = Batch { seed: 3, first, count, options };
        let built = &set.plans[1];
        let float = FloatDenoiser::new(&network, &noising(), &set.levels);
        (batch.draw_quantised(&model, &plan), batch.draw(&float, 3, Plan::new(&built.rows, built.start_scale)))
    };
    // More than one task of the pool, and one sample out of its middle.
    let (quantised, float) = draw(0, 40);
    let (alone, float_alone) = draw(21, 1);
    assert_eq!(alone, quantised[63..66]);
    assert_eq!(float_alone, float[63..66]);
    assert_ne!(quantised[63..66], quantised[66..69]);
}
