//! The quantised network and the sampler loop give the bits that an independent reader of the format computes.

use mote_core::job::{Filled, ImputationDraw};
use mote_core::model::{Arena, Model, ParseError, WriteError};
use mote_core::network::{Activation, LayerKind, WeightFormat, WeightLayout};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};
use mote_tests::random_model::{Biases, RandomGaps, RandomModel, Samplers};
use mote_tests::reader::{Blob, digest};

/// More than any model of the format needs.
type BigArena = Arena<32768>;

fn options(class: Option<usize>, guidance: Option<f32>) -> SampleOptions {
    let mut options = SampleOptions::default();
    options.class = class.map(|class| class as u16);
    options.guidance = guidance;
    options
}

/// Bits, with every NaN the same.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
}

fn assert_same_samples(bytes: &[u8], numbers: &[u32]) {
    let (model, blob) = (Model::parse(bytes).unwrap(), Blob::read(bytes).unwrap());
    let mut arena = Box::new(BigArena::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let classes = std::iter::once(None).chain((0..blob.classes).map(Some));
    for (class, plan) in classes.flat_map(|class| (0..blob.plans.len()).map(move |plan| (class, plan))) {
        for guidance in [None, Some(0.0), Some(2.5)].iter().take(if class.is_some() { 3 } else { 1 }) {
            for number in numbers {
                let seed = 0x5eed_0000 + plan as u64;
                let mut sample = vec![0.0; blob.dim_in];
                bound.sample(&model.plan(plan).unwrap(), options(class, *guidance), seed, *number, &mut sample);
                let mut noise = Ziggurat::new(Stream::nth(seed, *number));
                let expected = blob.sample(plan, class, *guidance, &mut noise);
                let case = format!("plan {plan}, class {class:?}, guidance {guidance:?}, sample {number}");
                assert_eq!(bits(&sample), bits(&expected), "{case}");
                let mut ours = Digest::new();
                ours.update(&sample);
                assert_eq!(ours.finish(), digest(&expected), "{case}");
            }
        }
    }
}

/// Everything that the model shows is what the second reader found in the bytes.
fn assert_same_fields(bytes: &[u8], shape: &RandomModel) {
    let (model, blob) = (Model::parse(bytes).unwrap(), Blob::read(bytes).unwrap());
    assert_eq!((model.dim_in(), model.classes()), (shape.dim, usize::from(shape.classes)));
    assert_eq!((model.dim_in(), model.dim_out(), model.classes()), (blob.dim_in, blob.dim_out, blob.classes));
    assert_eq!(model.scaling().map(|(mean, _)| mean).collect::<Vec<_>>(), blob.mean);
    assert_eq!(model.scaling().map(|(_, deviation)| deviation).collect::<Vec<_>>(), blob.deviation);
    assert_eq!((model.text(), model.sigma_data()), (blob.text.as_str(), blob.sigma_data));
    assert_eq!((model.image().unwrap_or((0, 0)), model.blob_bytes()), (blob.image, bytes.len()));
    let test = model.self_test();
    assert_eq!((test.plan, test.class.map_or(0, |class| class + 1), test.sample), blob.self_test);
    assert_eq!((test.seed, test.digest), (blob.seed, blob.digest));

    assert_eq!(model.network().layers().len(), shape.hidden.len() + 1);
    assert_eq!(model.network().layers().len(), blob.layers.len());
    let hidden = shape.hidden.iter().map(|(rows, _)| *rows).chain([blob.dim_out]);
    for ((layer, other), rows) in model.network().layers().iter().zip(&blob.layers).zip(hidden) {
        assert_eq!((layer.rows(), layer.cols()), (other.rows, other.columns));
        assert_eq!((layer.rows(), layer.input_max() as u16), (rows, shape.q_max));
        let weights = (0..layer.rows()).flat_map(|row| layer.row(row));
        assert!(weights.eq(other.weights.iter().copied()));
        assert_eq!((layer.layout() == WeightLayout::RowPairs, shape.layout), (other.layout == 1, layer.layout()));
        let packed = layer.weight_format() == WeightFormat::Bits4;
        assert_eq!((packed, shape.weight_format), (other.weight_format == 1, layer.weight_format()));
        assert_eq!(
            (layer.has_level_biases(), layer.has_class_biases(), layer.input_max() as u16),
            (other.level_biases, other.class_biases, other.q_max)
        );
        match *layer.kind() {
            LayerKind::Hidden { multipliers, biases, activation, residual, .. } => {
                assert!(multipliers.iter().eq(other.multipliers.iter().copied()));
                assert!(biases.iter().eq(other.biases.iter().copied()));
                assert_eq!((activation == Activation::Silu, residual), (other.activation == 2, other.residual));
            }
            LayerKind::Output { scales, biases } => {
                assert!(scales.iter().eq(other.float_scales.iter().copied()));
                assert!(biases.iter().eq(other.float_biases.iter().copied()));
            }
            _ => panic!("a kind of layer that version 1 does not have"),
        }
    }

    assert_eq!(model.network().levels().len(), shape.levels);
    for (i, level) in blob.levels.iter().enumerate() {
        let noise = model.network().levels().noise(i).unwrap();
        assert_eq!((noise.alpha, noise.sigma), (level.alpha, level.sigma));
    }
    assert_eq!(model.plan_count(), blob.plans.len());
    for (plan, other) in model.plans().zip(&blob.plans) {
        assert_eq!((plan.name, plan.history, plan.guidance), (&*other.name, other.history.into(), other.guidance));
        assert_eq!((plan.plan.len(), plan.plan.start_scale()), (other.rows.len(), other.start_scale));
        for (row, other) in plan.plan.rows().zip(&other.rows) {
            let [p, q, a, b0, b1, b2, b3, e] = other.coefficients;
            assert_eq!((row.level, row.p, row.q, row.a, row.b, row.e), (other.level, p, q, a, [b0, b1, b2, b3], e));
        }
    }
}

fn assert_self_test_passes(bytes: &[u8]) {
    let model = Model::parse(bytes).unwrap();
    let mut arena = Box::new(BigArena::new());
    model.bind(&mut arena).unwrap().self_test().unwrap();
    assert_eq!(Blob::read(bytes).unwrap().self_test_digest(), model.self_test().digest);
}

#[test]
fn the_golden_file_gives_the_bits_of_the_second_reader() {
    let golden = include_bytes!("../../core/tests/golden/v1-digits-random.mote");
    assert_same_samples(golden, &[0, 1, 7, 1000]);
    assert_same_fields(golden, &RandomModel::digits());
    assert_self_test_passes(golden);
}

#[test]
fn the_golden_file_of_row_pairs_gives_the_bits_of_the_second_reader() {
    let golden = include_bytes!("../../core/tests/golden/v1-digits-row-pairs.mote");
    assert_same_samples(golden, &[0, 7]);
    assert_same_fields(golden, &RandomModel { layout: WeightLayout::RowPairs, ..RandomModel::digits() });
    assert_self_test_passes(golden);
}

#[test]
fn the_golden_file_of_packed_weights_gives_the_bits_of_the_second_reader() {
    let golden = include_bytes!("../../core/tests/golden/v1-digits-packed.mote");
    assert_same_samples(golden, &[0, 7]);
    let shape = RandomModel { layout: WeightLayout::RowPairs, ..RandomModel::digits() };
    assert_same_fields(golden, &shape.of_small_weights(WeightFormat::Bits4));
    assert_self_test_passes(golden);
}

#[test]
fn packed_weights_make_the_model_of_whole_ones_in_half_the_bytes() {
    for shape in [RandomModel::digits(), RandomModel::small_with_everything(), RandomModel::tiny()] {
        for (_, layout) in WeightLayout::ALL {
            let shape = RandomModel { layout, ..shape.clone() };
            let [whole, packed] = [WeightFormat::Bits8, WeightFormat::Bits4]
                .map(|format| Blob::read(&shape.clone().of_small_weights(format).blob()).unwrap());
            // The digest stands for a whole sample.
            assert_eq!((whole.digest, whole.self_test_digest()), (packed.digest, packed.self_test_digest()));
            assert!(whole.layers.iter().zip(&packed.layers).all(|(whole, packed)| whole.weights == packed.weights));
            let bytes = |blob: &Blob| blob.section_offsets[4] - blob.section_offsets[3];
            assert!(bytes(&packed) < bytes(&whole));
        }
    }
}

/// The model in another layout, through `Model::with_layout`.
fn laid_out(bytes: &[u8], layout: WeightLayout) -> Vec<u8> {
    let model = Model::parse(bytes).unwrap();
    let needed = match model.with_layout(layout, &mut []) {
        Err(WriteError::BufferTooShort { needed }) => needed,
        other => panic!("an empty buffer is too short, but: {other:?}"),
    };
    let mut buffer = vec![0xee; needed + 3];
    assert_eq!(model.with_layout(layout, &mut buffer), Ok(needed));
    buffer.truncate(needed);
    buffer
}

#[test]
fn a_new_layout_makes_the_blob_that_its_writer_makes() {
    let [(_, rows), (_, pairs)] = WeightLayout::ALL;
    let packed = RandomModel::small_with_everything().of_small_weights(WeightFormat::Bits4);
    for shape in [RandomModel::digits(), RandomModel::small_with_everything(), RandomModel::tiny(), packed] {
        for (from, to) in [(rows, pairs), (pairs, rows), (pairs, pairs)] {
            let [from, to] = [from, to].map(|layout| RandomModel { layout, ..shape.clone() }.blob());
            let layout = Model::parse(&to).unwrap().network().layers().iter().next().unwrap().layout();
            assert!(laid_out(&from, layout) == to, "{layout:?}");
        }
    }
}

#[test]
fn weights_that_fill_tiles_up_must_be_zero() {
    // 5-9-9-9-5: three rows and three columns in four lie outside of the first matrix, or one column in two.
    let (rows, pairs) = (WeightLayout::Rows, WeightLayout::RowPairs);
    for (layout, format, stored, filled) in [
        (pairs, WeightFormat::Bits8, 12 * 8, 12 * 8 - 9 * 5),
        (pairs, WeightFormat::Bits4, 12 * 8 / 2, 12 * 8 - 9 * 5),
        (rows, WeightFormat::Bits4, 9 * 6 / 2, 9 * 6 - 9 * 5),
    ] {
        let shape = RandomModel { layout, ..RandomModel::small_with_everything() };
        let bytes = shape.of_small_weights(format).blob();
        let model = Model::parse(&bytes).unwrap();
        let weights = model.network().layers().iter().next().unwrap().weights();
        let start = weights.as_ptr().addr() - bytes.as_ptr().addr();
        let mut outside = 0;
        let halves: &[u8] = if format == WeightFormat::Bits4 { &[1, 16] } else { &[1] };
        for (place, bit) in (start..start + weights.len()).flat_map(|place| halves.iter().map(move |bit| (place, bit)))
        {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            let sum = mote_tests::reader::file_checksum(&changed);
            changed[12..16].copy_from_slice(&sum.to_le_bytes());
            let refused = Model::parse(&changed).map(|_| ()) == Err(ParseError::WeightPadding { layer: 0 });
            let by_the_other = Blob::read(&changed).is_err_and(|error| error == "a weight outside the matrix");
            assert_eq!(refused, by_the_other, "byte {place}");
            outside += usize::from(refused);
        }
        assert_eq!((weights.len(), outside), (stored, filled));
    }
}

#[test]
fn every_feature_gives_the_bits_of_the_second_reader() {
    for seed in 0..40 {
        let layout = WeightLayout::ALL[(seed % 2) as usize].1;
        let shape = RandomModel { seed, layout, ..RandomModel::small_with_everything() };
        let bytes = shape.blob();
        assert_same_fields(&bytes, &shape);
        assert_same_samples(&bytes, &[0, 5]);
        assert_self_test_passes(&bytes);
    }
}

#[test]
fn models_of_every_size_survive_the_round_trip() {
    let widths = [1, 2, 7, 33, 100, 512];
    let mut seed = 0;
    for dim in widths {
        for width in widths {
            for (layers, classes, q_max, biases) in [
                (1, 0, 127, Biases::InLevels),
                (2, 3, 127, Biases::Everywhere),
                (3, 0, 500, Biases::Everywhere),
                (4, 3, 32767, Biases::InLevels),
            ] {
                seed += 1;
                let activation = |i: u64| if i.is_multiple_of(2) { Activation::Relu } else { Activation::Silu };
                let shape = RandomModel {
                    dim,
                    hidden: (1..layers).map(|i| (width, activation(seed + i))).collect(),
                    residual: seed % 2 == 0,
                    classes,
                    levels: 2,
                    samplers: Samplers::Two,
                    q_max,
                    biases,
                    centre: None,
                    gaps: None,
                    layout: WeightLayout::ALL[(seed / 2 % 2) as usize].1,
                    weight_max: 127,
                    weight_format: WeightFormat::Bits8,
                    seed,
                };
                // Every third one of small weights, two to a byte.
                let shape = if seed % 3 == 0 { shape.of_small_weights(WeightFormat::Bits4) } else { shape };
                let bytes = shape.blob();
                assert_same_fields(&bytes, &shape);
                assert_self_test_passes(&bytes);
            }
        }
    }
}

#[test]
fn sixteen_layers_and_changing_widths_survive_the_round_trip() {
    for seed in 0..20 {
        let hidden = (0..15).map(|i| {
            let activation = if (i + seed) % 3 == 0 { Activation::Silu } else { Activation::Relu };
            ([7, 7, 33, 2, 2, 2, 100][((i + seed) % 7) as usize], activation)
        });
        let shape = RandomModel {
            hidden: hidden.collect(),
            seed,
            layout: WeightLayout::RowPairs,
            ..RandomModel::small_with_everything()
        };
        let bytes = shape.blob();
        assert_eq!(Blob::read(&bytes).unwrap().layers.len(), 16);
        assert_same_fields(&bytes, &shape);
        assert_same_samples(&bytes, &[2]);
    }
}

#[test]
fn centre_denoisers_survive_the_round_trip() {
    for (dim, dim_out, classes) in [(33, 1, 0), (7, 7, 3), (1, 100, 0), (100, 2, 3)] {
        let shape = RandomModel { dim, centre: Some(dim_out), classes, ..RandomModel::small_with_everything() };
        let bytes = shape.blob();
        assert_same_fields(&bytes, &shape);
        assert_self_test_passes(&bytes);
        let (model, blob) = (Model::parse(&bytes).unwrap(), Blob::read(&bytes).unwrap());
        let mut arena = Box::new(BigArena::new());
        let mut bound = model.bind(&mut arena).unwrap();
        for class in std::iter::once(None).chain((0..blob.classes).map(Some)) {
            for level in 0..blob.levels.len() {
                let x: Vec<f32> = (0..dim).map(|i| (i as f32 - 0.4 * dim as f32) / 3.0).collect();
                let mut out = vec![0.0; dim_out];
                bound.evaluate(level, class.map(|class| class as u16), &x, &mut out);
                assert_eq!(bits(&out), bits(&blob.forward(level, class, &x)), "level {level}, class {class:?}");
            }
        }
    }
}

#[test]
fn gaps_are_filled_and_drawn_as_the_specification_says() {
    for (dim_out, gaps, seed) in [
        (2, RandomGaps { window: 5, around: 3, order: 2 }, 5),
        (1, RandomGaps { window: 9, around: 1, order: 8 }, 6),
        (3, RandomGaps { window: 1, around: 5, order: 0 }, 7),
        (5, RandomGaps { window: 7, around: 3, order: 4 }, 8),
    ] {
        let dim = usize::from(2 * gaps.window + gaps.around) * dim_out;
        let shape = RandomModel { dim, centre: Some(dim_out), gaps: Some(gaps), seed, ..RandomModel::gaps() };
        let bytes = shape.blob();
        assert_same_fields(&bytes, &shape);
        assert_self_test_passes(&bytes);
        let (model, blob) = (Model::parse(&bytes).unwrap(), Blob::read(&bytes).unwrap());
        let imputation = model.imputation().unwrap();
        let autoregression = imputation.autoregression();
        assert_eq!((imputation.window(), imputation.around()), (gaps.window.into(), gaps.around.into()));
        assert_eq!((autoregression.channels(), autoregression.order()), (dim_out, gaps.order.into()));
        let mut arena = Box::new(BigArena::new());
        let mut bound = model.bind(&mut arena).unwrap();
        for pattern in 0..12usize {
            let missing = |at: usize| match pattern {
                0 => at / dim_out < 3,
                1 => at / dim_out >= 18,
                2 => at.is_multiple_of(dim_out),
                3 => true,
                4 => at == 17,
                _ => (at * 31 + pattern * 7).is_multiple_of(pattern + 1),
            };
            let value = |at: usize| if missing(at) { f32::NAN } else { ((at * 7 % 13) as f32 - 6.0) / 4.0 };
            let given: Vec<f32> = (0..20 * dim_out).map(value).collect();
            let (mut values, mut deviations) = (given.clone(), vec![0.0; given.len()]);
            let mut memory = vec![0.0; autoregression.floats(autoregression.longest_gap(&given))];
            autoregression.fill(&mut values, &mut deviations, &mut memory).unwrap();
            let (means, expected) = blob.gaps.as_ref().unwrap().fill(&given, dim_out);
            assert_eq!((bits(&values), bits(&deviations)), (bits(&means), bits(&expected)), "pattern {pattern}");
            for mirrored in [false, true] {
                let mut noise = Ziggurat::new(Stream::nth(3, 1));
                let mut imputer = bound.imputer().unwrap();
                let filled = Filled { values: &values, deviations: &deviations };
                let (mut state, mut next) = (vec![0.0; given.len()], vec![0.0; given.len()]);
                let mut draw = ImputationDraw::start(imputation.plan(), filled, mirrored, &mut noise, &mut state);
                while draw.step(&mut imputer, &mut noise, &mut state, &mut next) {}
                let expected = blob.impute(&given, mirrored, &mut Ziggurat::new(Stream::nth(3, 1)));
                assert_eq!(bits(&state), bits(&expected), "pattern {pattern}, mirrored {mirrored}");
            }
        }
    }
}

#[test]
fn extreme_inputs_give_the_bits_of_the_second_reader() {
    let bytes = RandomModel::small_with_everything().blob();
    let (model, blob) = (Model::parse(&bytes).unwrap(), Blob::read(&bytes).unwrap());
    let mut arena = Box::new(BigArena::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let values =
        [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-45, 0.015_625, -0.015_625];
    for start in 0..values.len() {
        let x: Vec<f32> = (0..5).map(|i| values[(start + 3 * i) % values.len()]).collect();
        let mut out = [0.0; 5];
        bound.evaluate(1, Some(2), &x, &mut out);
        assert_eq!(bits(&out), bits(&blob.forward(1, Some(2), &x)), "{x:?}");
    }
}
