//! `mote fit`: its bytes are those of the blob that training then makes, and its instructions those of the board.

use mote_tests::qemu::image;
use serde_json::Value;

use super::mote::Place;
use super::tables;

/// The designs of a table as JSON.
fn designs(place: &Place, arguments: &str) -> Vec<Value> {
    let table: Value = serde_json::from_str(&place.ok(&format!("fit {arguments} --json")).stdout).unwrap();
    table["designs"].as_array().unwrap().clone()
}

#[test]
fn a_proposed_network_takes_the_bytes_and_the_instructions_that_were_promised() {
    let place = Place::new();
    place.write("windows.csv", tables::windows());
    let asked = "--data windows.csv --label state --flash 64K --ram 8K --plan ddpm:6 --plan dpm++2m:10:karras4";
    let found = designs(&place, asked);
    // Two plans, with two to four hidden layers each.
    assert_eq!(found.len(), 6);
    for design in &found {
        assert!(
            design["flash_bytes"].as_u64() <= Some(65_536) && design["ram_bytes"].as_u64() <= Some(8192),
            "{design}"
        );
    }
    let macs: Vec<_> = found.iter().map(|design| design["multiply_accumulates"].as_u64().unwrap()).collect();
    assert!(macs.is_sorted_by(|a, b| a >= b), "{macs:?}");
    for (number, design) in [found.first().unwrap(), found.last().unwrap()].into_iter().enumerate() {
        let train = design["command"].as_str().unwrap().strip_prefix("mote ").unwrap();
        place.ok(&format!("{train} --steps 30 --batch 16 --out run{number}"));
        let blob = place.bytes(&format!("run{number}/model.mote")).len() as u64;
        assert_eq!(Some(blob), design["blob_bytes"].as_u64(), "{design}");
        let inspected: Value = serde_json::from_str(&place.ok(&format!("inspect run{number} --json")).stdout).unwrap();
        assert_eq!(inspected["arena_bytes"], design["arena_bytes"], "{design}");
        // What is said of the blob is what was said before there was one.
        let on_board = &inspected["on_board"];
        for name in ["flash_bytes", "arena_bytes", "ram_bytes"] {
            assert_eq!(on_board[name], design[name], "{name}: {design}");
        }
        for name in ["instructions", "cycles", "seconds"] {
            assert_eq!(on_board["plans"][0][name], design[name], "{name}: {design}");
        }
        if image().is_none() {
            continue;
        }
        let bench: Value =
            serde_json::from_str(&place.ok(&format!("firmware bench --model run{number} --count 1 --json")).stdout)
                .unwrap();
        let sample = bench["measurements"].as_array().unwrap().iter().find(|line| line["name"] == "sample").unwrap();
        let (measured, promised) = (sample["value"].as_f64().unwrap(), design["instructions"].as_f64().unwrap());
        assert!((promised / measured - 1.0).abs() < 0.15, "{promised} promised, {measured} measured: {design}");
    }
}

#[test]
fn what_does_not_fit_says_what_would_have_to_give() {
    let place = Place::new();
    place.write("windows.csv", tables::windows());
    let fit = |more: &str| format!("fit --data windows.csv --label state {more}");
    place.refused_with(&fit("--flash 20K --ram 8K"), &["--flash 20480", "smallest network", "more flash"]);
    place.refused_with(&fit("--flash 64K --ram 1K"), &["--ram 1024", "stack", "more memory"]);
    place.refused_with(&fit("--flash 64K --ram 8K --within 1us"), &["--within", "ms", "faster clock"]);
    place.refused_with(&fit("--flash lots --ram 8K"), &["lots", "64K"]);
    place.refused_with(&fit("--flash 64K --ram 8K --clock fast"), &["fast", "64MHz"]);
    place.refused_with(&fit("--flash 64K --ram 8K --board nrf52"), &["the boards are", "microbit"]);
    place.refused_with(&fit("--flash 64K --ram 8K --within 5"), &["50ms"]);
    place.refused_with("fit --data nothing.csv --flash 64K --ram 8K", &["nothing.csv"]);
}
