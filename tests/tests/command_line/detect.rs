//! `mote detect`: windows with a fault score above those without, and alarms name the place; `mote verify`: the same bits on a board.

use mote_tests::qemu::image;
use serde_json::Value;

use super::mote::Place;
use super::tables;

const TRAIN: &str = "train --data log.csv --window 9 --sliding --stretch 16 --time-column t --group who --columns a,b --hidden 32,32 --activation silu --noise-range 0.05,0.7 --levels 5 --steps 3000 --batch 128 --out run";
const LOG: &str = "--time-column t --group who";

/// The log's lines with the readings of a changed from one row of recording x on.
fn faulty(rows: usize, from: usize, to: usize, change: impl Fn(f32) -> f32) -> String {
    let log = tables::log(rows, 0.02);
    let lines = log.lines().enumerate().map(|(number, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        let row = number.wrapping_sub(1) / 2;
        match cells[1] {
            "x" if (from..to).contains(&row) => {
                let a = change(cells[2].parse().unwrap());
                format!("{},x,{a},{},{}\n", cells[0], cells[3], cells[4])
            }
            _ => format!("{line}\n"),
        }
    });
    lines.collect()
}

#[test]
fn a_fault_raises_an_alarm_where_it_is() {
    let place = Place::new();
    place.write("log.csv", tables::log(1500, 0.02));
    place.ok(TRAIN);
    place.write("offset.csv", faulty(320, 160, 172, |a| a + 1.5));
    place.write("normal.csv", tables::log(800, 0.02));
    let detect = |more: &str| format!("detect run {LOG} --length 16 --normal normal.csv --quantile 0.98 {more}");
    // Rows 160 to 171 of recording x, the first signal, lie in the window that starts at 160.
    for by in ["sensors", "pattern"] {
        let alarms = place.ok(&detect(&format!("--data offset.csv --alarms --by {by}"))).stdout;
        assert!(alarms.lines().any(|line| line.starts_with("0,160,1.6,") && line.ends_with(",1")), "{by}: {alarms}");
    }
    // Without --normal, the validation part of the run's own data.
    place.ok(&format!("detect run {LOG} --length 16 --data offset.csv --out scores.csv"));
    assert_eq!(place.text("scores.csv").lines().count(), 1 + 2 * 20);

    let labels: String = (0..40).map(|window| if window == 10 { "1\n" } else { "0\n" }).collect();
    place.write("labels.csv", labels);
    let report = place.ok(&detect("--data offset.csv --labels labels.csv --json")).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["auroc"].as_f64().unwrap() > 0.95, "{report}");
    assert_eq!(report["found"], 1.0);
    // A sensor that is stuck is too quiet for one that has noise.
    place.write("stuck.csv", faulty(320, 160, 176, |_| 0.7));
    let alarms = place.ok(&detect("--data stuck.csv --alarms")).stdout;
    assert!(alarms.lines().any(|line| line.starts_with("0,160,")), "{alarms}");
}

#[test]
fn what_cannot_be_judged_is_refused_with_the_way_out() {
    let place = Place::new();
    place.write("log.csv", tables::log(200, 0.02));
    place.ok(&TRAIN.replace("--steps 3000", "--steps 20"));
    let detect = |more: &str| format!("detect run {LOG} {more}");
    place.write("few.csv", tables::log(40, 0.02));
    place.refused_with(
        &detect("--data log.csv --normal few.csv"),
        &["8 normal windows of 9", "at least 20", "--normal"],
    );
    place.refused_with(&detect("--data few.csv --normal log.csv --length 60"), &["few.csv", "--length"]);
    place.refused_with(&detect("--data log.csv --quantile 1"), &["--quantile 1"]);
    place.refused_with(&detect("--data log.csv --normal log.csv --at 0"), &["--at"]);
    place.write("labels.csv", "0\n1\n");
    place.refused_with(&detect("--data log.csv --normal log.csv --labels labels.csv"), &["labels.csv", "2 rows", "44"]);
    std::fs::rename(place.path("run/model.mote"), place.path("alone.mote")).unwrap();
    place.refused_with(&format!("detect alone.mote {LOG} --data log.csv"), &["--normal"]);
}

#[test]
fn a_board_does_the_hosts_job() {
    let place = Place::new();
    place.write("log.csv", tables::log(200, 0.0));
    place.ok(&TRAIN.replace("--steps 3000", "--steps 100"));
    let recording: String =
        tables::log(60, 0.2).lines().filter(|line| !line.contains(",y,")).map(|line| format!("{line}\n")).collect();
    place.write("noisy.csv", &recording);
    place.refused_with(
        &format!("verify run {LOG} --data noisy.csv --noise 0.2 --board nrf"),
        &["the boards are", "microbit"],
    );
    if image().is_none() {
        return;
    }
    let report =
        place.ok(&format!("verify run {LOG} --data noisy.csv --noise 0.2 --reference noisy.csv --json")).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["same_bits"], true);
    assert_eq!(report["quality"][0]["values"], 120);
    assert!(report["instructions"].as_f64().unwrap() > 500.0 && report["stack_bytes"].as_u64().unwrap() > 500);
}
