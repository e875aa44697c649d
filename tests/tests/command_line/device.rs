//! `mote device`: a board that QEMU plays, and everything that can be wrong with a connection.

use std::net::TcpListener;

use mote_tests::qemu::image;
use serde_json::Value;

use super::mote::Place;

const BLOB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-sim/models/digits-48-48.mote");

#[test]
fn a_device_draws_what_the_host_draws() {
    // Says loudly, or fails in CI, where QEMU or the board's target is missing.
    if image().is_none() {
        return;
    }
    let place = Place::new();
    let at = format!("--board mps2-an386 --model {BLOB}");
    let info: Value = serde_json::from_str(&place.ok(&format!("device info {at} --json")).stdout).unwrap();
    assert_eq!((&info["board"], &info["running"]), (&Value::from("mps2-an386"), &Value::from(0)));
    assert_eq!(info["slots"][1]["verdict"], "no-header");
    let ended = place.ok(&format!("device sample {at} --seed 7 --first 1 --count 2"));
    let host = place.ok(&format!("sample {BLOB} --seed 7 --first 1 --count 2"));
    let numbers = |text: &str| -> Vec<u32> {
        let fields = text.lines().flat_map(|line| line.split(','));
        fields.filter_map(|field| field.parse::<f32>().ok()).map(f32::to_bits).collect()
    };
    assert_eq!(numbers(&ended.stdout).len(), 128);
    assert_eq!(numbers(&ended.stdout), numbers(&host.stdout));
    let test: Value = serde_json::from_str(&place.ok(&format!("device self-test {at} --json")).stdout).unwrap();
    assert_eq!(test["equal"], Value::Bool(true));
    // An update, checked on the device, and one that is refused before anything is erased.
    assert!(place.ok(&format!("device update {BLOB} --board mps2-an386")).stderr.contains("running from slot 0"));
    place.write("broken.mote", "MOTE and nothing else");
    place.refused_with(&format!("device update broken.mote {at}"), &["broken.mote is no model"]);
    // The first slot's bytes, as a flashing tool takes them.
    place.ok(&format!("device slot-image {BLOB} --out slot.bin"));
    let slot = place.bytes("slot.bin");
    assert_eq!(
        (&slot[..4], &slot[32..36], &slot[64..]),
        (&b"MSLT"[..], &b"GOOD"[..], &std::fs::read(BLOB).unwrap()[..])
    );
}

#[test]
fn what_is_wrong_with_a_connection_is_said_in_one_line() {
    let place = Place::new();
    place.refused_with("device info", &["--port", "--tcp", "--board"]);
    place.refused_with("device info --port /nowhere/tty", &["cannot reach the device at /nowhere/tty", "switched on"]);
    place.refused_with("device info --port x --tcp y:1", &["cannot be used with"]);
    place.refused_with("device info --board nrf52", &["the boards are", "mps2-an386"]);
    // Somebody listens, and is no device.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    place.refused_with(
        &format!("device info --tcp {address} --timeout 0.01"),
        &["no answer", "asked 30 times", "mote-serve"],
    );
    drop(listener);
    place.refused_with(&format!("device plans --tcp {address}"), &[&format!("cannot reach the device at {address}")]);
    place.write("gap.csv", "a,b\n1,2\n3,x\n");
    place.refused_with("device denoise gap.csv --noise 0.1 --tcp 127.0.0.1:1", &["gap.csv line 3, column 2: 'x'"]);
}
