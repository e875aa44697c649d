//! `mote firmware`: the blob of a trained run on a board under QEMU.

use mote_tests::qemu::image;
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
fn what_a_board_cannot_run_is_said_in_one_line() {
    let place = Place::new();
    place.trained("run", "");
    place.refused_with("firmware run --model run --board nrf52", &["the boards are", "mps2-an386"]);
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
}
