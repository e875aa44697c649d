//! Arguments that cannot be meant: one clear line, exit code 2, nothing left behind.

use crate::mote::Place;
use crate::tables::windows;

const TRAIN: &str = "train --data windows.csv --label state --hidden 8 --out run";

fn place() -> Place {
    let place = Place::new();
    place.write("windows.csv", windows());
    place
}

#[test]
fn training_options_out_of_range() {
    let place = place();
    for (flags, parts) in [
        ("--steps 0", &["steps", "at least 1"][..]),
        ("--steps few", &["--steps", "few"]),
        ("--batch 0", &["batch", "1..=65536"]),
        ("--learning-rate 0", &["learning_rate", "above 0"]),
        ("--learning-rate -1", &["learning_rate is -1", "above 0"]),
        ("--learning-rate nan", &["learning_rate", "finite"]),
        ("--ema 1", &["ema", "below 1"]),
        ("--weight-decay -0.5", &["weight_decay"]),
        ("--seed -1", &["-1"]),
        ("--plan ddpm", &["SAMPLER:STEPS"]),
        ("--plan dpm+2m:20", &["did you mean dpm++2m?"]),
        ("--plan ddpm:0", &["1 to 4096"]),
        ("--plan ddpm:9:linear", &["linear", "log-snr, karras"]),
        ("--plan ddpm:9 --plan ddpm:9", &["ddpm:9", "twice"]),
        ("--schedule cosin", &["cosin", "cosine, vp-linear, edm"]),
        ("--objective y", &["epsilon"]),
        ("--objective score --weighting simple", &["simple", "score", "sigma-squared"]),
        ("--schedule edm --weighting likelihood", &["likelihood", "--noise-levels uniform"]),
        ("--objective sliced", &["sliced", "ReLU", "--activation silu"]),
        ("--objective sliced --activation silu --slices 0", &["slices", "1..=16"]),
        ("--schedule zero-terminal --objective epsilon", &["epsilon", "pure noise", "v, x0 or flow"]),
        ("--schedule zero-terminal --objective score", &["score", "pure noise", "v, x0 or flow"]),
        ("--schedule flow --objective sliced --activation silu", &["score", "pure noise", "v, x0 or flow"]),
        ("--activation-bits 9", &["9", "8, auto"]),
        ("--unknown", &["--unknown", "--help"]),
    ] {
        place.refused_with(&format!("{TRAIN} {flags}"), parts);
    }
    let train = "train --data windows.csv --label state --steps 5 --out run";
    for (flags, parts) in [
        ("--hidden 7", &["7", "8..=512"][..]),
        ("--hidden 16,513", &["513", "8..=512"]),
        ("--hidden 16,wide", &["--hidden", "wide"]),
        ("--hidden 8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8", &["16 hidden layers", "1..=15"]),
    ] {
        place.refused_with(&format!("{train} {flags}"), parts);
    }
    assert_eq!(place.names(""), ["windows.csv"]);
}

#[test]
fn the_largest_seed_survives_its_recipe() {
    let place = place();
    place.ok(&format!("{TRAIN} --steps 5 --seed 18446744073709551615"));
    place.ok("train --recipe run/recipe.toml --out again");
    assert_eq!(place.bytes("run/model.mote"), place.bytes("again/model.mote"));
}

#[test]
fn a_learning_rate_that_diverges_leaves_nothing_and_does_not_spoil_the_folder() {
    let place = place();
    place.refused_with(&format!("{TRAIN} --steps 500 --learning-rate 1e20"), &["loss", "lower the learning rate"]);
    place.ok(&format!("{TRAIN} --steps 5"));
}

#[test]
fn folders_that_cannot_be_written() {
    let place = place();
    let train = "train --data windows.csv --label state --hidden 8 --steps 5 --batch 8";
    place.refused_with(&format!("{train} --out windows.csv/run"), &["windows.csv/run", "--out"]);
    place.refused_with(&format!("{train} --out /proc/mote-run"), &["/proc/mote-run", "--out"]);
    place.ok(&format!("{train} --out run"));
    place.refused_with(&format!("{train} --out run"), &["--resume", "--force", "--out"]);
    for out in ["windows.csv/s.npy", "/proc/s.npy", "none/s.npy", "s.txt", "run"] {
        place.refused_with(&format!("sample run --out {out}"), &[out]);
    }
    place.refused_with("quantize run --out none/m.mote", &["none/m.mote"]);
    place.ok(&format!("{train} --out run --force"));
}

#[test]
fn a_folder_s_other_files_are_left_alone() {
    let place = place();
    std::fs::create_dir(place.path("run")).unwrap();
    place.write("run/report.html", "mine");
    place.write("run/notes.txt", "mine");
    place.refused(&format!("{TRAIN} --steps 500 --learning-rate 1e20"));
    place.ok(&format!("{TRAIN} --steps 5 --force"));
    assert_eq!(place.text("run/notes.txt"), "mine");
}

#[test]
fn models_runs_and_plans_that_are_not_there() {
    let place = place();
    place.ok(&format!("{TRAIN} --steps 5 --plan dpm++2m:20 --plan ddpm:20"));
    for verb in ["sample", "inspect", "quantize", "evaluate"] {
        place.refused_with(&format!("{verb} none"), &["none"]);
        place.refused_with(verb, &["required"]);
    }
    place.refused_with("sample run --plan ddim:20", &["ddim:20", "dpm++2m:20, ddpm:20", "mote quantize --plan"]);
    place.refused_with("sample run --count 0", &["--count", "1..="]);
    place.refused_with("sample run --count -3", &["-3"]);
    place.refused_with("sample run --first 4294967296", &["--first"]);
    place.refused_with("sampel run", &["sampel", "sample"]);
    place.refused_with("quantize run --calibration-samples 1", &["--calibration-samples"]);
    place.refused_with("quantize run --plan dpm:4", &["no sampler"]);
    std::fs::copy(place.path("run/model.mote"), place.path("alone.mote")).unwrap();
    place.refused_with("sample alone.mote --float", &["--float", "alone.mote"]);
}

#[test]
fn recipes_are_refused_by_line() {
    let place = place();
    place.refused_with("train --recipe none.toml --out run", &["none.toml"]);
    for (text, parts) in [
        ("[network]\nwidht = [8]\n", &["r.toml: line 2", "widht"][..]),
        ("[network]\nhidden = \"wide\"\n", &["r.toml: line 2"]),
        ("[training]\nsteps = 5\nbatch = -1\n", &["r.toml: line 3"]),
        ("[blob]\nplans = [\"dpm:5\"]\n", &["r.toml: line 2", "no sampler"]),
        ("[blob]\nplans = []\n", &["no plan", "--plan"]),
        ("[noise]\n[noise\n", &["r.toml: line 2"]),
    ] {
        place.write("r.toml", text);
        place.refused_with("train --recipe r.toml --out run", parts);
    }
}
