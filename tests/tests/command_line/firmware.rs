//! `mote firmware`: the blob of a trained run, and ensembles, on a board under QEMU.

use mote_qemu::BOARDS;
use mote_tests::qemu::{ensembles_image, image, images};
use serde_json::Value;

use super::mote::Place;

#[test]
fn a_trained_blob_gives_the_same_bits_on_host_and_board() {
    // Says loudly, or fails in CI, where QEMU or the board's target is missing.
    if image().is_none() {
        return;
    }
    let place = Place::new();
    place.trained("run", "");
    for (seed, plan) in [(1, "dpm++2m:20"), (2, "ddpm:20")] {
        let chosen = format!("--seed {seed} --count 5 --plan {plan}");
        let ended = place.ok(&format!("firmware run --model run {chosen} --json"));
        let outcome: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(outcome["bits_equal"], Value::Bool(true));
        assert_eq!(outcome["samples"].as_array().unwrap().len(), 5);
        let host = place.ok(&format!("sample run {chosen} --out host.npy"));
        assert!(host.stderr.contains(outcome["digest"].as_str().unwrap()), "{}", host.stderr);
    }
    let bench = place.ok("firmware bench --model run/model.mote");
    for part in ["one evaluation", "one normal", "stack, measured", "equal on host and board"] {
        assert!(bench.stdout.contains(part), "no \"{part}\" in:\n{}", bench.stdout);
    }
}

#[test]
fn every_board_stands_in_one_table() {
    if images().len() < BOARDS.len() {
        return;
    }
    let place = Place::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-sim/models/digits-48-48.mote");
    let ended = place.ok(&format!("firmware bench --model {model} --count 2 --board all --json"));
    let table: Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = table["boards"].as_array().unwrap();
    assert_eq!(rows.len(), BOARDS.len());
    for (row, board) in rows.iter().zip(BOARDS) {
        assert_eq!((&row["board"], &row["core"]), (&Value::from(board.name), &Value::from(board.core)));
        assert_eq!((&row["bits_equal"], &row["digest"]), (&Value::Bool(true), &table["host_digest"]));
        assert_eq!(row["measurements"].as_array().unwrap().len(), 7, "{row}");
    }
    let text = place.ok(&format!("firmware run --model {model} --count 1 --board all")).stdout;
    assert_eq!(text.lines().filter(|line| line.ends_with(" equal")).count(), BOARDS.len(), "{text}");
}

#[test]
fn what_a_board_cannot_run_is_said_in_one_line() {
    let place = Place::new();
    place.trained("run", "");
    place.refused_with(
        "firmware run --model run --board nrf52",
        &["the boards are", "mps2-an386", "microbit", "and all"],
    );
    place.refused_with("firmware run --model run --plan ddim:7", &["no plan \"ddim:7\"", "dpm++2m:20"]);
    place.refused_with("firmware run --model run --count 0", &["--count"]);
    if image().is_none() {
        return;
    }
    place.refused_with("firmware run --model run --arena 64", &["working memory", "64"]);
    let without = place.command("firmware run --model run").env("MOTE_QEMU", "no-such-qemu").output().unwrap();
    let said = String::from_utf8(without.stderr).unwrap();
    assert_eq!(without.status.code(), Some(2));
    assert!(said.contains("no-such-qemu") && said.contains("apt-get install qemu-system-arm"), "{said}");
    // An arena that the board has no room for beside the stack and the rest.
    place.refused_with("firmware run --model run --board microbit --arena 12200", &["does not fit microbit", "memory"]);
}

#[test]
fn ensembles_have_the_same_bits_on_board_and_host() {
    if ensembles_image().is_none() {
        return;
    }
    let place = Place::new();
    // The default: the Ornstein-Uhlenbeck process and the double well.
    for options in ["", "--stepper shark --seed 7 --block 3 --blocks 2", "--noise tree --steps 16 --set diffusion=0.5"]
    {
        let ended = place.ok(&format!("firmware ensemble {options} --json"));
        let outcome: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(outcome["bits_equal"], Value::Bool(true));
        let rows = outcome["ensembles"].as_array().unwrap();
        assert_eq!([&rows[0]["process"], &rows[1]["process"]], ["ou", "double-well"]);
        for row in rows {
            assert_eq!(row["digest"], row["host_digest"]);
            let vectors = if row["noise"] == "tree" { &Value::Null } else { &row["digest"] };
            assert_eq!(&row["host_vector_digest"], vectors);
        }
    }
    let text = place.ok("firmware ensemble geometric --blocks 1").stdout;
    for part in ["geometric", "equal on host and board", "one normal, Box-Muller", "one normal, ziggurat"] {
        assert!(text.contains(part), "no \"{part}\" in:\n{text}");
    }
}

#[test]
fn an_ensemble_that_cannot_be_run_is_said_in_one_line() {
    let place = Place::new();
    place.refused_with("firmware ensemble duo", &["duo", "ou, double-well, geometric, vp"]);
    place.refused_with("firmware ensemble geometric --stepper sra1", &["sra1 does not fit", "sriw1"]);
    place.refused_with("firmware ensemble ou --set barrier=2", &["--set barrier=2", "rate, mean, diffusion"]);
    place.refused_with("firmware ensemble --horizon -1", &["horizon", "above 0"]);
    place.refused_with("firmware ensemble --noise tree --steps 50", &["steps=50", "power of two"]);
}
