//! `mote export`: sources that compilers take, with the blob's bytes and bits.

use std::fs;
use std::path::Path;
use std::process::Command;

use mote_core::job::CALIBRATION_NUMBERS;
use mote_core::model::{Arena, Model, arena_bytes};
use mote_core::random::{NormalSource as _, Stream, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};
use mote_device::{By, Calibration};
use mote_tests::c_library::{archive, compile, root, sources};

use crate::mote::Place;

const GOLDEN: &[u8] = include_bytes!("../../../core/tests/golden/v1-digits-random.mote");

fn with_model() -> Place {
    let place = Place::new();
    place.write("digits.mote", GOLDEN);
    place
}

#[test]
fn exports_are_whole_and_the_same_every_time() {
    let place = with_model();
    for (format, names) in
        [("blob", &["wind.mote"][..]), ("rust", &["wind.mote", "wind.rs"]), ("c", &["wind.c", "wind.h"])]
    {
        let ended = place.ok(&format!("export digits.mote --format {format} --out {format}/a --name wind"));
        assert_eq!(ended.stdout, "");
        assert_eq!(place.names(&format!("{format}/a")), names);
        place.ok(&format!("export digits.mote --format {format} --out {format}/b --name wind"));
        for name in names {
            let [first, second] = ["a", "b"].map(|folder| place.bytes(&format!("{format}/{folder}/{name}")));
            assert!(first == second, "{name}");
            assert!(!name.ends_with(".mote") || first == GOLDEN, "{name}");
        }
    }
}

#[test]
fn what_cannot_be_exported_is_refused_before_anything_is_written() {
    let place = with_model();
    for name in ["Model", "mote", "a-b", "../a", "9"] {
        place
            .refused_with(&format!("export digits.mote --format c --out o --name {name}"), &["--name", name, "letter"]);
    }
    place.refused_with("export nothing.mote --format c --out o", &["nothing.mote"]);
    place.refused_with("export digits.mote --format ada --out o", &["ada", "rust", "blob"]);
    place.refused_with("export digits.mote --out o", &["--format"]);
    place.refused_with("export digits.mote --format c --out digits.mote", &["digits.mote", "--out"]);
    place.write("damaged.mote", &GOLDEN[..GOLDEN.len() - 1]);
    place.refused_with("export damaged.mote --format blob --out o", &["damaged.mote", "not a usable model"]);
}

/// The digest that the examples print, drawn from the blob.
fn expected() -> String {
    let model = Model::parse(GOLDEN).unwrap();
    let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
    let mut sample = [0.0; 64];
    let plan = model.plan(1).unwrap();
    model.bind(&mut arena).unwrap().sample(&plan, SampleOptions::default(), 42, 3, &mut sample);
    let mut digest = Digest::new();
    digest.update(&sample);
    format!("digest {:016x}\n", digest.finish())
}

#[test]
fn the_exported_c_compiles_and_gives_the_bits() {
    let place = with_model();
    place.ok("export digits.mote --format c --out model");
    let Some(libraries) = archive(None, &[]) else { return };
    place.write(
        "say.c",
        "#include <stdio.h>\nvoid say(const char *line);\nvoid say(const char *line) { puts(line); }\n",
    );
    let out = place.path("sample");
    let flags = format!("-O1 -I {}", place.path("model").display());
    let paths: [&Path; 3] = [&sources("examples/sample.c"), &place.path("say.c"), &place.path("model/model.c")];
    let Some(output) = compile("cc", &flags, &paths, &libraries, &out) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ended = Command::new(&out).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned()), (Some(0), expected()));
}

#[test]
fn the_exported_rust_compiles_and_gives_the_bits() {
    let place = with_model();
    let (calibration, score) = detector();
    place.write("c.json", calibration.text());
    place.ok("export digits.mote --format rust --out src --calibration c.json");
    let core = fs::canonicalize(root().join("core")).unwrap();
    let manifest = format!(
        "[package]\nname = \"exported\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nmote-core = {{ path = {core:?} }}\n[workspace]\n"
    );
    place.write("Cargo.toml", manifest);
    // The versions that this build of the tests has: nothing is fetched.
    place.write("Cargo.lock", fs::read(root().join("firmware-sim/Cargo.lock")).unwrap());
    let program = "#![deny(warnings)]\nmod model;\nuse mote_core::model::{Arena, Model};\n\
        use mote_core::sampler::{Digest, SampleOptions};\n\
        fn main() {\n\
            let mut arena = Arena::<{ model::ARENA_BYTES }>::new();\n\
            model::self_test(&mut arena).unwrap();\n\
            let parsed = Model::parse(model::BLOB).unwrap();\n\
            assert_eq!(parsed.self_test().digest, model::SELF_TEST_DIGEST);\n\
            assert_eq!((model::DIM_IN, parsed.classes()), (parsed.dim_in(), model::CLASSES.into()));\n\
            assert!(parsed.plan_named(model::plan::DPM_2M).is_some() && model::BLOB.as_ptr() as usize % 16 == 0);\n\
            let mut sample = [0.0; model::DIM];\n\
            let plan = parsed.plan_named(model::plan::DDPM).unwrap();\n\
            parsed.bind(&mut arena).unwrap().sample(&plan, SampleOptions::default(), 42, 3, &mut sample);\n\
            let mut digest = Digest::new();\n\
            digest.update(&sample);\n\
            println!(\"digest {:016x}\", digest.finish());\n\
            let [mut state, mut errors] = [[0.0; model::DIM]; 2];\n\
            let mut bound = parsed.bind(&mut arena).unwrap();\n\
            let channels = model::detector::CHANNELS;\n\
            assert_eq!(channels * model::detector::LENGTH, sample.len());\n\
            model::detector::DETECTOR.check(channels).unwrap();\n\
            let buffers = [&mut state[..], &mut errors[..]];\n\
            let score = model::detector::DETECTOR.score(&mut bound.estimator(), channels, &sample, buffers);\n\
            println!(\"score {:08x} {}\", score.to_bits(), model::detector::THRESHOLD);\n\
        }\n";
    place.write("src/main.rs", program);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let ended = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--offline", "--target-dir"])
        .arg(std::path::absolute(target.join("exported")).unwrap())
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&ended.stdout), format!("{}score {:08x} 0.3\n", expected(), score.to_bits()));
}

/// A detector for the model's windows as 32 samples of two channels, and the score that it gives the example's sample.
fn detector() -> (Calibration, f32) {
    let model = Model::parse(GOLDEN).unwrap();
    let levels = [model.nearest_level(0.5), model.nearest_level(0.1)];
    let names = ["a".to_string(), "b".to_string()];
    let mut numbers = vec![0.0; 2 * 2 * CALIBRATION_NUMBERS];
    Ziggurat::new(Stream::new(5)).fill(&mut numbers);
    numbers.iter_mut().for_each(|x| *x = x.abs());
    let made = Calibration::of(GOLDEN, &names, 32, By::Sensors, 1, &levels);
    let calibration = Calibration { numbers, threshold: 0.3, ..made };
    let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
    let mut bound = model.bind(&mut arena).unwrap();
    let mut sample = [0.0; 64];
    bound.sample(&model.plan(1).unwrap(), SampleOptions::default(), 42, 3, &mut sample);
    let (mut state, mut errors) = ([0.0; 64], [0.0; 64]);
    let buffers = [&mut state[..], &mut errors[..]];
    let score = calibration.detector(&levels).score(&mut bound.estimator(), 2, &sample, buffers);
    (calibration, score)
}
