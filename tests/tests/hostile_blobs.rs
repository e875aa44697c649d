//! Damaged and hostile blobs are refused by name, or run to the end without a fault and give the bits of the second
//! reader. Tests in debug builds have overflow checks, so an overflow is a failure here.

use mote_core::model::{Arena, Model, ParseError, Part};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};
use mote_tests::mutation::{Mutator, with_checksum_made_right, with_length_and_checksum_made_right};
use mote_tests::random_model::RandomModel;
use mote_tests::reader::{Blob, digest};

const GOLDEN: &[u8] = include_bytes!("../../core/tests/golden/v1-digits-random.mote");

/// Builds with checks of overflow are too slow for every case.
const FAST: bool = !cfg!(debug_assertions);

/// Runs everything that a model offers: the self-test, a sample of each plan with and without class, an evaluation of
/// bad floats. Compares samples with the second reader's.
fn run(model: &Model<'_>, blob: &Blob) {
    let mut arena = Box::new(Arena::<32768>::new());
    let mut bound = model.bind(&mut arena).expect("every model fits");
    assert_eq!(bound.self_test_digest(), blob.self_test_digest());
    for (number, plan) in model.plans().enumerate() {
        let class = model.classes().checked_sub(1).filter(|_| number % 2 == 0);
        let mut options = SampleOptions::default();
        options.class = class.map(|class| class as u16);
        options.guidance = class.map(|_| 1.5);
        let mut sample = vec![0.0; model.dim_out()];
        bound.sample(&plan, options, 9, 1, &mut sample);
        let mut ours = Digest::new();
        ours.update(&sample);
        let expected = blob.sample(number, class, options.guidance, &mut Ziggurat::new(Stream::nth(9, 1)));
        assert_eq!(ours.finish(), digest(&expected), "plan {number}");
    }
    let x: Vec<f32> = [f32::NAN, f32::INFINITY, -1e38].into_iter().cycle().take(model.dim_in()).collect();
    let mut out = vec![0.0; model.dim_out()];
    // Neither the level nor the class is there.
    bound.evaluate(usize::MAX, Some(u16::MAX), &x, &mut out);
}

/// Both readers take the blob and agree on what it computes, or both refuse it; says which.
fn judge(bytes: &[u8], what: impl Fn() -> String) -> Result<(), ParseError> {
    match (Model::parse(bytes), Blob::read(bytes)) {
        (Ok(model), Ok(blob)) => {
            run(&model, &blob);
            Ok(())
        }
        (Err(error), Err(_)) => {
            assert!(!error.to_string().is_empty());
            Err(error)
        }
        (Ok(_), Err(name)) => panic!("{}: taken, where the second reader refuses {name}", what()),
        (Err(error), Ok(_)) => panic!("{}: refused ({error}), where the second reader takes it", what()),
    }
}

fn models() -> Vec<(&'static str, Vec<u8>)> {
    let everything = RandomModel::small_with_everything();
    let centre = RandomModel { centre: Some(3), ..everything.clone() };
    vec![
        ("tiny", RandomModel::tiny().blob()),
        ("everything", everything.blob()),
        ("centre", centre.blob()),
        ("gaps", RandomModel::gaps().blob()),
    ]
}

#[test]
fn every_truncation_is_refused() {
    let mut cases = models();
    cases.push(("golden", GOLDEN.to_vec()));
    for (name, blob) in cases {
        // With its checksum made right, a cut of the golden file costs time: every one in fast builds, some in others.
        let every = if FAST || blob.len() < 10_000 { 1 } else { 61 };
        for length in 0..blob.len() {
            let cut = &blob[..length];
            assert!(Model::parse(cut).is_err(), "{name} cut to {length}");
            if length % every == 0 && length >= 96 {
                let mended = with_length_and_checksum_made_right(cut.to_vec());
                assert!(
                    matches!(
                        Model::parse(&mended),
                        Err(ParseError::Sections { .. } | ParseError::Value { .. } | ParseError::Padding { .. })
                    ),
                    "{name} cut to {length} and mended"
                );
            }
        }
    }
}

#[test]
fn appended_bytes_are_refused() {
    for (name, blob) in models() {
        for count in [1, 15, 16, 17, 4096] {
            for byte in [0, 1, 0xff] {
                let mut longer = blob.clone();
                longer.resize(blob.len() + count, byte);
                assert!(matches!(Model::parse(&longer), Err(ParseError::Length { .. })), "{name}");
                let longer = with_length_and_checksum_made_right(longer);
                assert!(matches!(judge(&longer, || name.into()), Err(ParseError::Sections { .. })), "{name}");
            }
        }
    }
}

#[test]
fn every_header_byte_changed_to_every_value_is_refused_or_runs() {
    for (name, blob) in models() {
        let step = if FAST || name == "tiny" { 1 } else { 6 };
        for (at, value) in (0..96).flat_map(|at| (1..=255u8).step_by(step).map(move |change| (at, change))) {
            let mut changed = blob.clone();
            changed[at] ^= value;
            assert!(Model::parse(&changed).is_err(), "{name}: byte {at} changed, and the checksum says nothing");
            let changed = with_checksum_made_right(changed);
            let verdict = judge(&changed, || format!("{name}: byte {at} changed by {value:02x}"));
            // What may be anything, within limits that a change can respect; all else has one right value.
            let free = matches!(at, 12..=17 | 26..=27 | 36 | 40..=50 | 52..=71);
            assert!(verdict.is_err() || free, "{name}: byte {at} changed by {value:02x} is taken");
        }
    }
}

#[test]
fn every_other_byte_changed_is_refused_or_runs() {
    for (name, blob) in models() {
        let changes: &[u8] = if FAST { &[1, 2, 4, 8, 16, 32, 64, 128, 255] } else { &[1, 128, 255] };
        let mut taken = 0;
        for (at, change) in (96..blob.len()).flat_map(|at| changes.iter().map(move |change| (at, change))) {
            let mut changed = blob.clone();
            changed[at] ^= change;
            let changed = with_checksum_made_right(changed);
            taken += usize::from(judge(&changed, || format!("{name}: byte {at} changed by {change:02x}")).is_ok());
        }
        // Weights, biases and most coefficients may be anything.
        assert!(taken > blob.len() / 4, "{name}: only {taken} were taken");
    }
}

#[test]
fn descriptors_levels_and_plans_of_the_golden_file_changed_are_refused_or_run() {
    let blob = Blob::read(GOLDEN).unwrap();
    let &[_, _, descriptors, layers, levels, plans, text, _] = &blob.section_offsets[..] else { panic!("7 sections") };
    let shifts = levels + 16 * blob.levels.len();
    let biases = (shifts + 2 * blob.levels.len() * blob.layers.len()).next_multiple_of(16);
    // Level biases are 7 KB of numbers that may be anything: every 101st byte of them.
    let places = (descriptors..layers).chain(levels..biases).chain((biases..plans).step_by(101)).chain(plans..text);
    let places = places.step_by(if FAST { 1 } else { 5 });
    let mut mutator = Mutator::new(11);
    for at in places {
        for change in if FAST { vec![1, 128, mutator.change()] } else { vec![mutator.change()] } {
            let mut changed = GOLDEN.to_vec();
            changed[at] ^= change;
            let _ = judge(&with_checksum_made_right(changed), || format!("byte {at} changed by {change:02x}"));
        }
    }
}

#[test]
fn random_changes_are_refused_or_run() {
    let count = if std::env::var_os("MOTE_LONG").is_some() { 2_000_000 } else { 20_000 };
    let blobs = models();
    let mut mutator = Mutator::new(2026);
    let mut taken = 0;
    for i in 0..count {
        let (name, blob) = &blobs[i % blobs.len()];
        let mut changed = blob.clone();
        let story = mutator.mutate(&mut changed);
        let changed = with_length_and_checksum_made_right(changed);
        taken += usize::from(judge(&changed, || format!("{name}, mutation {i}: {story:?}")).is_ok());
    }
    // A mutation that is never taken would test the parser alone, and one that always is would not test it.
    assert!(taken > count / 20 && taken < count * 19 / 20, "{taken} of {count} were taken");
}

#[test]
fn random_bytes_behind_a_right_header_are_refused() {
    let mut mutator = Mutator::new(5);
    for _ in 0..2000 {
        let mut noise = GOLDEN[..96].to_vec();
        noise.extend((0..4000).map(|_| mutator.change()));
        let noise = with_length_and_checksum_made_right(noise);
        assert!(judge(&noise, || "noise".into()).is_err());
    }
}

#[test]
fn floats_that_are_not_finite_are_refused_everywhere() {
    for (name, blob) in models() {
        let offsets = Blob::read(&blob).unwrap().float_offsets;
        assert!(offsets.len() >= 29, "{name}");
        for at in offsets {
            for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001)] {
                let mut changed = blob.clone();
                changed[at..at + 4].copy_from_slice(&bad.to_le_bytes());
                let verdict = judge(&with_checksum_made_right(changed), || format!("{name}: {bad} at {at}"));
                assert!(matches!(verdict, Err(ParseError::Value { .. })), "{name}: {bad} at {at}: {verdict:?}");
            }
        }
    }
}

#[test]
fn counts_that_ask_for_hours_are_refused() {
    // Reaching sample k of a seed takes k jumps.
    let mut blob = RandomModel::tiny().blob();
    blob[52..56].copy_from_slice(&u32::MAX.to_le_bytes());
    let verdict = Model::parse(&with_checksum_made_right(blob)).map(|_| ()).unwrap_err();
    assert!(matches!(verdict, ParseError::Value { field: "self-test sample", .. }), "{verdict}");
    // Every plan's name is compared with those before it.
    let mut blob = RandomModel::tiny().blob();
    blob[30..32].copy_from_slice(&257u16.to_le_bytes());
    let verdict = Model::parse(&with_checksum_made_right(blob)).map(|_| ()).unwrap_err();
    assert!(matches!(verdict, ParseError::Value { field: "plans", value: 257, .. }), "{verdict}");
}

#[test]
fn a_blob_gives_the_same_bits_at_every_address() {
    for (name, blob) in models() {
        let expected = Blob::read(&blob).unwrap().self_test_digest();
        for shift in 0..16 {
            let mut memory = vec![0; blob.len() + 32];
            let start = memory.as_ptr().align_offset(16) + shift;
            let moved = &mut memory[start..start + blob.len()];
            moved.copy_from_slice(&blob);
            let model = Model::parse(moved).unwrap();
            let mut arena = Box::new(Arena::<32768>::new());
            let digest = model.bind(&mut arena).unwrap().self_test_digest();
            assert_eq!(digest, expected, "{name}, {shift} bytes past a multiple of 16");
        }
    }
}

#[test]
fn windows_of_gaps_without_a_middle_are_refused() {
    let blob = RandomModel::gaps().blob();
    // Five samples of means and of deviations, three of the state, order 2.
    let record = [5, 0, 3, 0, 2, 0];
    let at = blob.windows(6).position(|bytes| bytes == record).unwrap();
    // As many samples in all, so that nothing else is wrong.
    for (window, around) in [(4u8, 5u8), (6, 1)] {
        let mut changed = blob.clone();
        (changed[at], changed[at + 2]) = (window, around);
        let error = judge(&with_checksum_made_right(changed), || format!("{window} {around}")).unwrap_err();
        assert_eq!(error, ParseError::Value { part: Part::Imputation, field: "window", value: window.into() });
    }
}
