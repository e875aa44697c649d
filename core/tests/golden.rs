//! The golden file of format version 1 stays readable, field by field.

use mote_core::job::Variation;
use mote_core::model::{Arena, Model, Role, SelfTest, arena_bytes};
use mote_core::network::{Activation, ActivationFormat, LayerKind, WeightFormat, WeightLayout};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};
use mote_core::score::Prediction;

const GOLDEN: &[u8] = include_bytes!("golden/v1-digits-random.mote");

/// The same model with its weights in row pairs.
const GOLDEN_ROW_PAIRS: &[u8] = include_bytes!("golden/v1-digits-row-pairs.mote");

/// A model of the same shape with weights of 4 bits.
const GOLDEN_PACKED: &[u8] = include_bytes!("golden/v1-digits-packed.mote");

/// Its self-test's digest, as it was when the file was made.
const DIGEST_PACKED: u64 = 0x2a1c_c54d_9996_6651;

/// The self-test's digest, as it was when the file was made.
const DIGEST: u64 = 0x46da_412e_a186_6aba;

#[test]
fn the_golden_file_reads_as_what_was_written() {
    let model = Model::parse(GOLDEN).unwrap();
    assert_eq!(model.blob_bytes(), 61_376);
    assert_eq!(model.role(), Role::Sampler);
    assert_eq!(model.prediction(), Prediction::V);
    assert_eq!((model.dim_in(), model.dim_out(), model.network().width()), (64, 64, 128));
    assert_eq!(model.classes(), 2);
    assert_eq!(model.image(), Some((8, 8)));
    assert_eq!(model.sigma_data(), 1.0);
    assert_eq!(model.text(), "name = \"random weights\"\n");
    assert!(model.scaling().len() == 64 && model.scaling().all(|pair| pair == (0.25, 2.0)));
    let expected = SelfTest { plan: 1, class: None, sample: 3, seed: 2026, digest: DIGEST };
    assert_eq!(model.self_test(), expected);
    // 64 * 128 + 128 * 128 + 128 * 128 + 128 * 64.
    assert_eq!(model.network().multiply_accumulates(), 49_152);
    // Floats: 64 * (state + 2 predictions + 2 outputs); lanes: 2 * 128 of 2 bytes.
    assert_eq!(model.arena_bytes(), 4 * 64 * 5 + 2 * 2 * 128);
    assert_eq!(arena_bytes(GOLDEN), model.arena_bytes());
}

#[test]
fn the_golden_layers_read_as_what_was_written() {
    let model = Model::parse(GOLDEN).unwrap();
    // Rows, columns, activation, residual (two between equal widths), input never negative.
    let expected = [
        (128, 64, Some((Activation::Relu, false)), false),
        (128, 128, Some((Activation::Silu, true)), true),
        (128, 128, Some((Activation::Relu, true)), false),
        (64, 128, None, false),
    ];
    assert_eq!(model.network().layers().len(), expected.len());
    for (layer, (rows, cols, hidden, never_negative)) in model.network().layers().iter().zip(expected) {
        assert_eq!((layer.rows(), layer.cols(), layer.weights().len()), (rows, cols, rows * cols));
        assert_eq!((layer.input_max(), layer.input_format()), (127, ActivationFormat::Bits8));
        assert_eq!(layer.input_non_negative(), never_negative);
        assert_eq!((layer.has_level_biases(), layer.has_class_biases()), (hidden.is_some(), hidden.is_some()));
        match *layer.kind() {
            LayerKind::Hidden { multipliers, biases, activation, residual, output_max } => {
                assert_eq!(Some((activation, residual)), hidden);
                assert_eq!((multipliers.len(), biases.len(), output_max), (rows, 0, 127));
            }
            LayerKind::Output { scales, biases } => {
                assert!(hidden.is_none());
                assert_eq!((scales.iter().len(), biases.iter().len()), (rows, rows));
            }
            _ => panic!("a kind of layer that version 1 does not have"),
        }
    }
}

#[test]
fn the_golden_levels_and_plans_read_as_what_was_written() {
    let model = Model::parse(GOLDEN).unwrap();
    let levels = model.network().levels();
    assert_eq!(levels.len(), 10);
    for i in 0..10 {
        // Uniform in lambda = ln(alpha / sigma) from -4.6 to 4.1, preserving the variance.
        let lambda = -4.6 + 8.7 * i as f64 / 9.0;
        let level = levels.noise(i).unwrap();
        let (alpha, sigma) =
            ((1.0 / (1.0 + (-2.0 * lambda).exp())).sqrt(), (1.0 / (1.0 + (2.0 * lambda).exp())).sqrt());
        assert!((f64::from(level.alpha) / alpha - 1.0).abs() < 2e-6, "level {i}: {level:?}");
        assert!((f64::from(level.sigma) / sigma - 1.0).abs() < 2e-6, "level {i}: {level:?}");
    }
    let plans: Vec<_> = model.plans().collect();
    let described: Vec<_> = plans.iter().map(|p| (p.name, p.plan.len(), p.history, p.guidance)).collect();
    assert_eq!(described, [("dpm++2m", 10, 2, 0.0), ("ddpm", 10, 1, 0.0)]);
    assert_eq!(plans.iter().map(|p| p.plan.is_stochastic()).collect::<Vec<_>>(), [false, true]);
    for plan in plans {
        // sqrt(alpha^2 + sigma^2) = 1, to the rounding of either.
        assert!((plan.plan.start_scale() - 1.0).abs() < 1.2e-7);
        assert_eq!(plan.plan.rows().map(|row| row.level).collect::<Vec<_>>(), (0..10).collect::<Vec<u16>>());
    }
}

#[test]
fn the_golden_file_of_row_pairs_holds_the_same_model() {
    let (model, rows) = (Model::parse(GOLDEN_ROW_PAIRS).unwrap(), Model::parse(GOLDEN).unwrap());
    assert_eq!(model.self_test(), rows.self_test());
    assert_eq!(GOLDEN_ROW_PAIRS.len(), GOLDEN.len());
    for (layer, other) in model.network().layers().iter().zip(rows.network().layers().iter()) {
        assert_eq!((layer.layout(), other.layout()), (WeightLayout::RowPairs, WeightLayout::Rows));
        assert_ne!(layer.weights(), other.weights());
        assert!((0..layer.rows()).all(|row| layer.row(row).eq(other.row(row))));
    }
}

#[test]
fn the_golden_file_of_packed_weights_takes_half_a_byte_for_each() {
    let model = Model::parse(GOLDEN_PACKED).unwrap();
    for layer in model.network().layers().iter() {
        assert_eq!((layer.layout(), layer.weight_format()), (WeightLayout::RowPairs, WeightFormat::Bits4));
        assert_eq!(layer.weights().len(), layer.rows() * layer.cols() / 2);
        assert!((0..layer.rows()).flat_map(|row| layer.row(row)).all(|weight| (-7..=7).contains(&weight)));
    }
    // Half of 49,152 weights.
    assert_eq!(GOLDEN.len() - GOLDEN_PACKED.len(), 24_576);
}

#[test]
fn the_golden_self_tests_pass_at_every_address() {
    let files = [(GOLDEN, DIGEST), (GOLDEN_ROW_PAIRS, DIGEST), (GOLDEN_PACKED, DIGEST_PACKED)];
    for ((golden, digest), shift) in files.into_iter().flat_map(|file| (0..16).map(move |at| (file, at))) {
        let mut bytes = vec![0; golden.len() + 32];
        let start = bytes.as_ptr().align_offset(16) + shift;
        let moved = &mut bytes[start..start + golden.len()];
        moved.copy_from_slice(golden);
        let model = Model::parse(moved).unwrap();
        let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
        let mut bound = model.bind(&mut arena).unwrap();
        assert_eq!(bound.self_test_digest(), digest, "{shift} bytes past a multiple of 16");
    }
}

#[test]
fn the_golden_samples_have_one_digest_on_every_host_and_board() {
    // The same number as in the tests that ask the boards: for a debug build, a release build, and one with the feature `portable` alike.
    for golden in [GOLDEN, GOLDEN_ROW_PAIRS] {
        let model = Model::parse(golden).unwrap();
        let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
        let mut bound = model.bind(&mut arena).unwrap();
        let (mut digest, mut sample) = (Digest::new(), [0.0; 64]);
        for plan in model.plans() {
            for seed in [1, 42, u64::MAX] {
                for number in 0..32 {
                    bound.sample(&plan, SampleOptions::default(), seed, number, &mut sample);
                    digest.update(&sample);
                }
            }
        }
        assert_eq!(format!("{:016x}", digest.finish()), "d73f0b19df47d3e3");
    }
}

#[test]
fn the_golden_variations_have_one_digest() {
    for golden in [GOLDEN, GOLDEN_ROW_PAIRS] {
        let model = Model::parse(golden).unwrap();
        let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
        let mut bound = model.bind(&mut arena).unwrap();
        let mut room = [model.nearest_level(1.0); 32];
        let levels = model.ladder(&mut room);
        let row: [f32; 64] = core::array::from_fn(|k| (k % 9) as f32 / 4.0 - 1.0);
        let mut digest = Digest::new();
        for (number, eta) in [(0, 0.0), (1, 0.0), (2, 0.5), (3, 1.0)] {
            for levels in [levels, &levels[levels.len() / 2..]] {
                let mut noise = Ziggurat::new(Stream::nth(42, number));
                let (mut state, mut estimate) = ([0.0; 64], [0.0; 64]);
                let class = Some((number % 2) as u16);
                let mut variation = Variation::start(levels, eta, class, &row, &mut noise, &mut state);
                while variation.step(&mut bound.estimator(), &mut noise, &mut state, &mut estimate) {}
                digest.update(&state);
            }
        }
        assert_eq!(format!("{:016x}", digest.finish()), "3cbe90116d33810a");
    }
}

#[test]
fn levels_are_found_by_their_noise_and_in_its_order() {
    let model = Model::parse(include_bytes!("golden/v1-slide-random.mote")).unwrap();
    assert_eq!((model.role(), model.dim_in(), model.dim_out()), (Role::CentreDenoiser, 18, 2));
    let levels: Vec<f32> = (0..6).map(|k| model.network().levels().noise(k).unwrap().relative_sigma()).collect();
    for (index, ratio) in levels.iter().enumerate() {
        // The levels are a factor of more than two apart.
        for near in [0.8, 1.0, 1.25] {
            assert_eq!(model.nearest_level(near * ratio).index, index);
        }
    }
    let (cleanest, noisiest) =
        (levels.iter().copied().fold(f32::MAX, f32::min), levels.iter().copied().fold(0.0, f32::max));
    for (sigma, ratio) in [(0.0, cleanest), (-1.0, cleanest), (1e9, noisiest)] {
        assert_eq!(model.nearest_level(sigma).noise.relative_sigma(), ratio, "{sigma}");
    }
    let mut room = [model.nearest_level(1.0); 8];
    let ladder: Vec<f32> = model.ladder(&mut room).iter().map(|level| level.noise.relative_sigma()).collect();
    let mut sorted = levels;
    sorted.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(ladder, sorted);
    assert_eq!(model.ladder(&mut room[..2]).len(), 2);
}

const GOLDEN_GAPS: &[u8] = include_bytes!("golden/v1-gaps-random.mote");

#[cfg(feature = "imputation")]
#[test]
fn the_golden_file_of_a_model_that_fills_gaps_gives_the_same_bits() {
    use mote_core::job::{Filled, ImputationDraw};
    use mote_core::random::{Stream, Ziggurat};

    let model = Model::parse(GOLDEN_GAPS).unwrap();
    let imputation = model.imputation().unwrap();
    assert_eq!((model.role(), model.dim_in(), model.dim_out()), (Role::Imputer, 26, 2));
    assert_eq!((imputation.window(), imputation.around(), imputation.autoregression().order()), (5, 3, 2));
    let mut arena = Arena::<{ arena_bytes(GOLDEN_GAPS) }>::new();
    let mut bound = model.bind(&mut arena).unwrap();
    bound.self_test().unwrap();
    let (mut values, mut deviations) = ([0.0f32; 24], [0.0f32; 24]);
    for (at, x) in values.iter_mut().enumerate() {
        *x = if at % 5 == 0 || at > 19 { f32::NAN } else { at as f32 / 8.0 - 1.0 };
    }
    let mut memory = vec![0.0; imputation.autoregression().floats(12)];
    imputation.autoregression().fill(&mut values, &mut deviations, &mut memory).unwrap();
    let (mut state, mut next) = ([0.0; 24], [0.0; 24]);
    let mut noise = Ziggurat::new(Stream::new(7));
    let filled = Filled { values: &values, deviations: &deviations };
    let mut draw = ImputationDraw::start(imputation.plan(), filled, false, &mut noise, &mut state);
    let mut imputer = bound.imputer().unwrap();
    while draw.step(&mut imputer, &mut noise, &mut state, &mut next) {}
    let mut digest = Digest::new();
    for values in [&values, &deviations, &state] {
        digest.update(values);
    }
    // As it was when the file was made; the second reader of the tests gives the same bits.
    assert_eq!(format!("{:016x}", digest.finish()), "f3496c98bec13d20");
}

#[cfg(not(feature = "imputation"))]
#[test]
fn a_model_that_fills_gaps_is_refused_by_name_without_the_feature() {
    let message = Model::parse(GOLDEN_GAPS).unwrap_err().to_string();
    assert!(message.contains("role") && message.contains('2'), "{message}");
}
