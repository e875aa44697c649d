//! Training that is stopped, politely or not, and goes on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use crate::mote::{Ended, Place};
use crate::tables::numbers;

const STEPS: u64 = 30_000;
const RUN: &str = "train --data windows.csv --label state --hidden 8 --batch 16 --steps 30000";

/// Starts `mote` and returns once it reports a step.
fn start(place: &Place, arguments: &str) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = place.command(arguments).spawn().expect("mote starts");
    let mut talk = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with("training: step ") {
        line.clear();
        assert!(talk.read_line(&mut line).unwrap() > 0, "mote {arguments} ended before its first report");
    }
    (child, talk)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status();
    assert!(sent.expect("a shell").success());
}

fn rest(mut child: Child, talk: BufReader<std::process::ChildStderr>) -> Ended {
    let stderr = talk.lines().map(|line| line.unwrap() + "\n").collect();
    Ended { code: child.wait().unwrap().code(), stdout: String::new(), stderr }
}

#[test]
fn a_run_that_was_stopped_and_killed_ends_in_the_weights_of_an_unbroken_one() {
    let place = Place::new();
    place.write("windows.csv", crate::tables::windows());
    place.ok(&format!("{RUN} --out unbroken"));

    let (child, talk) = start(&place, &format!("{RUN} --out broken"));
    signal(&child, "INT");
    let ended = rest(child, talk);
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: stopped at step ") && last.ends_with("mote train --resume broken"), "{last}");
    assert!(!place.path("broken/model.mote").exists());
    // The checkpoint can be used as it is: the float network makes a blob.
    place.ok("quantize broken --out early.mote");
    place.ok("inspect early.mote");

    // Killed without a word, the run is left with the last checkpoint.
    let (child, talk) = start(&place, "train --resume broken");
    signal(&child, "KILL");
    assert_eq!(rest(child, talk).code, None);
    place.refused_with("sample broken", &["model.mote is not there yet", "mote train --resume broken"]);

    place.ok("train --resume broken");
    for name in ["checkpoint.safetensors", "model.mote", "recipe.toml"] {
        assert_eq!(place.bytes(&format!("broken/{name}")), place.bytes(&format!("unbroken/{name}")), "{name}");
    }
    let steps =
        |run: &str| numbers(&place.text(&format!("{run}/metrics.csv"))).iter().map(|line| line[0] as u64).collect();
    let (broken, unbroken): (Vec<u64>, Vec<u64>) = (steps("broken"), steps("unbroken"));
    assert_eq!(unbroken, (1..=STEPS / 200).map(|line| 200 * line).collect::<Vec<_>>());
    assert_eq!(broken, unbroken);
    // All but the mean training loss since the line before, of which a resumed run knows a part only.
    let losses = |run: &str| -> Vec<f64> {
        numbers(&place.text(&format!("{run}/metrics.csv"))).iter().map(|line| line[2]).collect()
    };
    assert_eq!(losses("broken"), losses("unbroken"));
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_again() {
    let place = Place::new();
    place.trained("whole", "");
    place.trained("killed", "");
    for name in ["checkpoint.safetensors", "model.mote", "metrics.csv", "loss.svg"] {
        std::fs::remove_file(place.path("killed").join(name)).unwrap();
    }
    let ended = place.ok("train --resume killed");
    assert!(ended.stderr.contains("starting from step 0"), "{}", ended.stderr);
    assert_eq!(place.bytes("killed/checkpoint.safetensors"), place.bytes("whole/checkpoint.safetensors"));
}

#[test]
fn metrics_past_the_checkpoint_are_not_repeated() {
    let place = Place::new();
    place.trained("run", "--steps 400");
    let checkpoint = place.bytes("run/checkpoint.safetensors");
    place.ok("train --resume run --steps 1000");
    // As if the process had died after its metrics and before its checkpoint.
    place.write("run/checkpoint.safetensors", checkpoint);
    place.ok("train --resume run --steps 1000");
    let steps: Vec<_> = numbers(&place.text("run/metrics.csv")).iter().map(|line| line[0]).collect();
    assert_eq!(steps, [200.0, 400.0, 600.0, 800.0, 1000.0]);
}

#[test]
fn a_resumed_run_is_the_same_run_or_none() {
    let place = Place::new();
    place.trained("run", "");
    for flag in
        ["--data windows.csv", "--schedule edm", "--learning-rate 0.1", "--batch 8", "--residual", "--out other"]
    {
        place.refused_with(&format!("train --resume run {flag}"), &["--resume", flag.split(' ').next().unwrap()]);
    }
    place.refused_with("train --resume run --steps 30", &["60 steps are done already", "--steps"]);
    let recipe = place.text("run/recipe.toml");
    place.write("run/recipe.toml", recipe.replace("ema = 0.999", "ema = 0.9"));
    place.refused_with("train --resume run --steps 90", &["recipe.toml", "[training]", "--out"]);
    place.write("run/recipe.toml", recipe.replace("activation = \"relu\"", "activation = \"silu\""));
    place.refused_with("train --resume run --steps 90", &["recipe.toml", "the network", "--out"]);
    place.write("run/recipe.toml", &recipe);
    let data = place.text("windows.csv");
    place.write("windows.csv", data.replace("2", "3"));
    place.refused_with("train --resume run --steps 90", &["windows.csv", "changed", "--out"]);
    place.write("windows.csv", data);
    place.ok("train --resume run --steps 90 --plan ddim:7");
    assert!(place.ok("inspect run").stdout.contains("plan ddim:7"));
}
