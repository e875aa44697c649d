//! `mote score-1d`: figures, files and bad input.

use serde_json::Value;

use crate::mote::Place;
use crate::tables::read_npy;

/// Few steps and samples, for what does not depend on quality.
const QUICK: &str = "score-1d --steps 20 --samples 600 --levels 3 --corrector-steps 2";

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_law_is_learned_and_every_limit_is_kept() {
    let place = Place::new();
    // Ten seeds of the defaults ended between 0.015 and 0.064 and within 1.1 points of one half.
    let report = json(&place.ok("score-1d --seed 11 --check --json --out run").stdout);
    let seed = &report["seeds"][0];
    assert!(seed["wasserstein"].as_f64().unwrap() <= 0.10, "{seed}");
    assert!((seed["right"].as_f64().unwrap() - 0.5).abs() <= 0.015, "{seed}");
    assert!(seed["between"].as_f64().unwrap() <= 0.01, "{seed}");
    // The exact draws: five standard errors of a share are 5 / (2 sqrt(50000)) = 0.0112 (false alarm 6e-7).
    assert!((report["exact_draws"]["right"].as_f64().unwrap() - 0.5).abs() < 0.0112);

    // The file's own samples, counted here.
    let (shape, samples) = read_npy(&place.bytes("run/seed-11.npy"));
    assert_eq!(shape, "50000,1");
    let share = |test: fn(&f32) -> bool| samples.iter().copied().filter(test).count() as f64 / 50_000.0;
    assert_eq!(seed["right"].as_f64().unwrap(), share(|x| *x > 0.0));
    assert_eq!(seed["between"].as_f64().unwrap(), share(|x| x.abs() < 1.5));
    // E|x| = 3 but for 1e-9 of it; W1 bounds the gap of any mean of a function with slope at most 1.
    let size = samples.iter().map(|x| f64::from(x.abs())).sum::<f64>() / 50_000.0;
    assert!((size - 3.0).abs() <= seed["wasserstein"].as_f64().unwrap() + 1e-3, "{size}");
}

#[test]
fn several_seeds_leave_their_files_and_a_table() {
    let place = Place::new();
    let ended = place.ok(&format!("{QUICK} --seed 4 --seed 1,2 --out run"));
    for name in ["seed 4", "seed 1", "seed 2", "exact draws", "exact law", "0.135 %", "7 evaluations"] {
        assert!(ended.stdout.contains(name), "{name}: {}", ended.stdout);
    }
    let files = ["npy", "png", "svg"].map(|ending| [1, 2, 4].map(|seed| format!("seed-{seed}.{ending}")));
    let mut expected: Vec<_> = files.concat();
    expected.push("metrics.json".into());
    expected.sort();
    assert_eq!(place.names("run"), expected);
    let metrics = json(&place.text("run/metrics.json"));
    let seeds: Vec<_> = metrics["seeds"].as_array().unwrap().iter().map(|row| row["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [4, 1, 2]);
    assert!(place.text("run/seed-4.svg").contains("Score matching in one dimension"));
}

#[test]
fn figures_do_not_depend_on_the_number_of_threads() {
    let place = Place::new();
    place.ok(&format!("{QUICK} --threads 1 --out one"));
    place.ok(&format!("{QUICK} --threads 3 --out three"));
    assert_eq!(place.bytes("one/seed-0.npy"), place.bytes("three/seed-0.npy"));
}

#[test]
fn a_check_that_fails_ends_with_one() {
    let place = Place::new();
    let ended = place.mote(&format!("{QUICK} --check"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 of 1 seeds miss a limit: 0"), "{}", ended.stderr);
    assert!(ended.stdout.contains("seed 0"));
}

#[test]
fn bad_arguments_are_refused_in_one_line() {
    let place = Place::new();
    place.write("file", "");
    for (arguments, parts) in [
        ("--samples 0", &["--samples", "1..="][..]),
        ("--levels 1", &["--levels", "2..="]),
        ("--steps 0", &["--steps", "1..="]),
        ("--corrector-steps 0", &["--corrector-steps"]),
        ("--threads 0", &["--threads"]),
        ("--seed -1", &["-1"]),
        ("--seed one", &["--seed", "one"]),
        ("--seed 3 --seed 3", &["--seed 3", "twice"]),
        ("--out file", &["--out", "file"]),
        ("--out file/run", &["--out", "file/run"]),
        ("--out /proc/run", &["--out", "/proc/run"]),
    ] {
        place.refused_with(&format!("score-1d {arguments}"), parts);
    }
}
