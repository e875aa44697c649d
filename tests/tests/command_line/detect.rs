//! `mote detect`: windows with a fault score above those without, and alarms name the place; `mote verify`: the same bits on a board.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::Duration;

use mote_tests::qemu::image;
use serde_json::Value;

use super::mote::Place;
use super::tables;

const TRAIN: &str = "train --data log.csv --window 9 --sliding --stretch 16 --time-column t --group who --columns a,b --hidden 32,32 --activation silu --noise-range 0.05,0.7 --levels 5 --steps 3000 --batch 128 --out run";
const LOG: &str = "--time-column t --group who";
const BLOB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-sim/models/digits-48-48.mote");

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
    let report = place.ok(&detect("--data offset.csv --labels labels.csv --plot scores.svg --json")).stdout;
    let picture = place.text("scores.svg");
    assert!(["normal", "strange", "threshold"].iter().all(|name| picture.contains(name)));
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["auroc"].as_f64().unwrap() > 0.95, "{report}");
    assert_eq!(report["found"], 1.0);
    // A sensor that is stuck is too quiet for one that has noise.
    place.write("stuck.csv", faulty(320, 160, 176, |_| 0.7));
    let alarms = place.ok(&detect("--data stuck.csv --alarms")).stdout;
    assert!(alarms.lines().any(|line| line.starts_with("0,160,")), "{alarms}");
}

#[test]
fn a_calibration_lasts_in_a_file_and_is_for_one_blob() {
    let place = Place::new();
    place.write("log.csv", tables::log(1500, 0.02));
    place.ok(&TRAIN.replace("--steps 3000", "--steps 100"));
    place.write("offset.csv", faulty(320, 160, 172, |a| a + 1.5));
    let made = "--length 16 --by pattern --seeds 1 --at 0.1,0.3 --quantile 0.9";
    // Made alone, and made while something is judged: the same file, and the same scores by it as at once.
    place.ok(&format!("detect run {made} --save-calibration alone.json"));
    let at_once = place.ok(&format!("detect run {LOG} {made} --data offset.csv --save-calibration both.json")).stdout;
    assert_eq!(place.bytes("alone.json"), place.bytes("both.json"));
    let later = place.ok(&format!("detect run/model.mote {LOG} --data offset.csv --calibration alone.json")).stdout;
    assert_eq!(at_once, later);
    let kept: Value = serde_json::from_str(&place.text("alone.json")).unwrap();
    assert_eq!((&kept["judgement"], &kept["length"], &kept["seeds"]), (&"pattern".into(), &16.into(), &1.into()));
    // Two levels of two channels, and a mean square and six pairs for each.
    assert_eq!((kept["levels"].as_array().unwrap().len(), kept["numbers"].as_array().unwrap().len()), (2, 52));
    assert_eq!(kept["blob_bytes"].as_u64().unwrap(), place.bytes("run/model.mote").len() as u64);

    let by = |file: &str, more: &str| format!("detect run {LOG} --data offset.csv --calibration {file} {more}");
    place.refused_with(&by("alone.json", "--length 8"), &["--length", "cannot be used with"]);
    place.refused_with(&by("nowhere.json", ""), &["cannot read the calibration nowhere.json"]);
    place.refused_with(&by("log.csv", ""), &["log.csv is no calibration", "--save-calibration"]);
    let text = place.text("alone.json");
    let numbers = text.find("\"numbers\"").unwrap();
    let fewer = text[numbers..].find(',').unwrap() + numbers;
    place.write("few.json", format!("{}{}", &text[..numbers + 13], &text[fewer + 1..]));
    place.refused_with(&by("few.json", ""), &["few.json", "51 numbers", "take 52"]);
    place.ok(&TRAIN.replace("--steps 3000", "--steps 20").replace("--out run", "--out other"));
    place.refused_with(
        &format!("detect other {LOG} --data offset.csv --calibration alone.json"),
        &["alone.json was made with another model", "--save-calibration"],
    );
    place.refused_with(
        &format!("verify other {LOG} --data offset.csv --detect alone.json"),
        &["alone.json was made with another model"],
    );
    place.refused_with("detect run", &["--data"]);
    // For firmware: the same numbers as sources.
    place.ok("export run --format rust --out firmware --name wind --calibration alone.json");
    let source = place.text("firmware/wind.rs");
    for part in [
        "pub mod detector",
        "pub const THRESHOLD: f32 = ",
        "pub const LENGTH: usize = 16",
        "[f32; 52]",
        "Judgement::Pattern",
    ] {
        assert!(source.contains(part), "no {part} in {source}");
    }
    place.refused_with("export run --format c --out firmware --calibration alone.json", &["--format rust"]);
    place.refused_with("export other --format rust --out f --calibration alone.json", &["another model"]);
}

/// Rows of recording x alone.
fn recording(log: &str) -> String {
    log.lines().filter(|line| !line.contains(",y,")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_log_on_standard_input_is_judged_as_its_rows_come() {
    let place = Place::new();
    place.write("log.csv", tables::log(1500, 0.02));
    place.ok(&TRAIN.replace("--steps 3000", "--steps 100"));
    place.ok("detect run --length 16 --save-calibration c.json");
    let log = faulty(320, 160, 172, |a| a + 1.5);
    place.write("whole.csv", &log);
    let detect = |more: &str| format!("detect run {LOG} --calibration c.json --data - {more}");
    let whole = place.ok(&format!("detect run {LOG} --calibration c.json --data whole.csv")).stdout;
    let scores = |text: &str, group: &str| -> Vec<String> {
        let cells = |line: &str| line.split(',').map(str::to_string).collect::<Vec<_>>();
        let rows = text.lines().skip(1).map(cells).filter(|cells| cells[0] == group);
        rows.map(|cells| format!("{} {} {}", cells[1], cells[3], cells[4])).collect()
    };

    // One line comes back for each window, while the log is still open.
    let mut child = place.command(&detect("")).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || output.lines().for_each(|line| said.send(line.unwrap()).unwrap()));
    // A guard against hanging, and no measure of time.
    let hear = || heard.recv_timeout(Duration::from_secs(120)).expect("a line before the log has ended");
    let mut lines = log.lines();
    writeln!(input, "{}", lines.next().unwrap()).unwrap();
    assert_eq!(hear(), "group,first_row,time,score,alarm");
    let mut streamed = String::from("\n");
    for _ in 0..20 {
        // 16 rows of x and of y, of which the last of x is the one before the last.
        for line in lines.by_ref().take(32) {
            writeln!(input, "{line}").unwrap();
        }
        streamed += &format!("{}\n{}\n", hear(), hear());
    }
    drop(input);
    assert!(child.wait().unwrap().success());
    assert_eq!(scores(&streamed, "x"), scores(&whole, "0"));
    assert_eq!(scores(&streamed, "y"), scores(&whole, "1"));
    assert!(streamed.contains("x,160,1.60,"), "{streamed}");

    // Rows that are missing by their times, a reading that is none, and a long gap: 16 rows of x end at 0.15, and the next window starts after the gap.
    let row = |time: u32, a: &str| format!("{:.2},x,{a},0.5,\n", f64::from(time) * 0.01);
    let mut gaps = String::from("t,who,a,b,note\n");
    (0..16)
        .filter(|time| !(5..8).contains(time))
        .for_each(|time| gaps += &row(time, if time == 2 { "NaN" } else { "1" }));
    (0..16).for_each(|time| gaps += &row(300 + time, "0.3"));
    let ended = place.fed(&detect("--json"), &gaps);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let rows: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> =
        rows.iter().map(|row| (row["time"].as_str().unwrap(), row["first_row"].as_u64().unwrap())).collect();
    assert_eq!(places, [("0.00", 0), ("3.00", 16)]);
    assert!(
        rows.iter().all(|row| row["score"].is_f64())
            && ended.stderr.contains("3 rows missing by their times, 1 values missing")
    );
    // A sensor that says nothing: its window has no score, and a line says so.
    let silent = recording(&tables::log_without_readings(16));
    let ended = place.fed(&detect(""), &silent);
    assert!(ended.stdout.ends_with("x,0,0.00,,0\n"), "{}", ended.stdout);
    assert!(ended.stderr.contains("holds no value at all"), "{}", ended.stderr);

    // Refused with the line, after what was judged before it.
    let slow: String =
        std::iter::once("t,who,a,b,note\n".to_string()).chain((0..20).map(|time| row(2 * time, "1"))).collect();
    for (log, parts) in [
        (slow, &["line 10", "the model's rate", "0.01 s"][..]),
        (format!("{}0.5,x,broken,1,\n", recording(&tables::log(16, 0.0))), &["standard input", "broken"]),
        ("t,who,a\n1,x,2\n".into(), &["standard input", "\"b\""]),
        (String::new(), &["standard input", "no line came"]),
    ] {
        let ended = place.fed(&detect(""), &log);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let error = ended.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    place.refused_with(&detect("--labels x.csv"), &["--labels", "--data"]);
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
    // Two recordings, and so two stretches, of unequal lengths.
    let noisy: String = tables::log(60, 0.2)
        .lines()
        .enumerate()
        .filter(|(number, line)| !line.contains(",y,") || *number < 31)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    place.write("noisy.csv", &noisy);
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
    assert_eq!(report["quality"][0]["values"], 120 + 30);
    assert!(report["instructions"].as_f64().unwrap() > 500.0 && report["stack_bytes"].as_u64().unwrap() > 500);

    // Draws behind the noise, and scores with the figures of the board's own.
    let report = place.ok(&format!("verify run {LOG} --data noisy.csv --noise 0.2 --draw 7 --json")).stdout;
    assert_eq!(serde_json::from_str::<Value>(&report).unwrap()["same_bits"], true);
    place.ok(&format!("detect run {LOG} --normal log.csv --length 8 --save-calibration c.json"));
    let labels: String = (0..9).map(|window| if window % 2 == 0 { "0\n" } else { "1\n" }).collect();
    place.write("labels.csv", &labels);
    place.write("short.csv", labels.replacen("0\n", "", 1));
    // 60 and 15 samples: seven windows of eight, and one.
    let verify = |labels: &str| format!("verify run {LOG} --data noisy.csv --detect c.json --labels {labels} --json");
    place.refused_with(&verify("labels.csv"), &["9 rows", "8 windows"]);
    let report: Value = serde_json::from_str(&place.ok(&verify("short.csv")).stdout).unwrap();
    assert_eq!(report["same_bits"], true);
    assert_eq!(report["detection"]["windows"], 8);
    let host = place.ok(&format!("detect run {LOG} --data noisy.csv --calibration c.json --labels short.csv --json"));
    let host: Value = serde_json::from_str(&host.stdout).unwrap();
    assert_eq!(report["detection"]["auroc"], host["auroc"]);
    assert_eq!(report["detection"]["alarms"], host["alarms"]);
    // A live device, by the same file: the host's scores.
    let rows: Vec<&str> = noisy.lines().skip(1).filter(|line| line.contains(",x,")).take(16).collect();
    let cells = |line: &&str| line.split(',').skip(2).take(2).collect::<Vec<_>>().join(",");
    let window = |rows: &[&str]| rows.iter().map(cells).collect::<Vec<_>>().join(",") + "\n";
    place.write("windows.csv", window(&rows[..8]) + &window(&rows[8..]));
    let at = "--board mps2-an386 --model run";
    let live = place.ok(&format!("device score windows.csv {at} --calibration c.json")).stdout;
    let scores = host["scores"].as_array().unwrap();
    let threshold = host["threshold"].as_f64().unwrap() as f32;
    assert_eq!(live.lines().count(), 3);
    assert_eq!(live.lines().next(), Some("score,alarm"));
    for (line, host) in live.lines().skip(1).zip(&scores[..2]) {
        let (score, alarm) = line.split_once(',').unwrap();
        let host = host.as_f64().unwrap() as f32;
        assert_eq!(score.parse::<f32>().unwrap().to_bits(), host.to_bits());
        assert_eq!(alarm, if host > threshold { "1" } else { "0" });
    }
    place.write("narrow.csv", "1,2,3\n");
    place.refused_with(
        &format!("device score narrow.csv {at} --calibration c.json"),
        &["narrow.csv line 1: 3 values", "8 samples of 2"],
    );
    place.refused_with(
        &format!("device score windows.csv --calibration c.json {at}")
            .replace("--model run", &format!("--model {BLOB}")),
        &["made with another model", "--save-calibration"],
    );
    place.refused_with(
        "device score windows.csv --calibration c.json --tcp 127.0.0.1:1",
        &["cannot reach the device at 127.0.0.1:1"],
    );
    place.refused_with("device score windows.csv --tcp 127.0.0.1:1", &["--noise"]);
    place.refused_with(
        "device score windows.csv --noise 0.1 --calibration c.json --tcp 127.0.0.1:1",
        &["cannot be used with"],
    );
    let empty = tables::log_without_readings(8) + &tables::log(30, 0.2).lines().skip(17).collect::<Vec<_>>().join("\n");
    place.write("empty.csv", empty);
    place
        .refused_with(&format!("verify run {LOG} --data empty.csv --detect c.json"), &["empty.csv", "no value at all"]);
}

#[test]
fn a_board_denoises_whole_windows_of_a_model_that_does_not_slide() {
    if image().is_none() {
        return;
    }
    let place = Place::new();
    place.write("log.csv", tables::log(300, 0.0));
    place.ok(&TRAIN
        .replace("--sliding --stretch 16 ", "")
        .replace("--noise-range 0.05,0.7 --levels 5 --steps 3000", "--steps 50"));
    // 60 and 15 samples of windows of nine: seven and two windows, of which the last ends with the recording.
    let noisy: String = tables::log(60, 0.2)
        .lines()
        .enumerate()
        .filter(|(n, line)| !line.contains(",y,") || *n < 31)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    place.write("noisy.csv", &noisy);
    let report =
        place.ok(&format!("verify run {LOG} --data noisy.csv --noise 0.2 --reference noisy.csv --json")).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["same_bits"], &report["quality"][0]["values"]), (&true.into(), &150.into()));
    // What the board gave, put together again, is as far from the noisy log as what the host gives.
    let host = place.ok(&format!("denoise run {LOG} --data noisy.csv --noise 0.2 --reference noisy.csv --json")).stdout;
    let host: Value = serde_json::from_str(&host).unwrap();
    assert_eq!(report["quality"][0]["rmse_after"], host["quality"][0]["rmse_after"]);
    // The other jobs, on windows too.
    place.ok(&format!("detect run {LOG} --normal log.csv --by pattern --seeds 1 --at 0.3 --save-calibration c.json"));
    place.write(
        "gap.csv",
        noisy.replacen(noisy.lines().find(|line| line.starts_with("0.02,x,")).unwrap(), "0.02,x,,0.5,ok", 1),
    );
    for job in [
        "--data noisy.csv --detect c.json",
        "--data noisy.csv --noise 0.2 --draw 3",
        "--data gap.csv --impute 4 --repeats 1",
    ] {
        let report: Value = serde_json::from_str(&place.ok(&format!("verify run {LOG} {job} --json")).stdout).unwrap();
        assert_eq!(report["same_bits"], true, "{job}");
    }
}

#[test]
fn short_windows_are_judged_by_their_likelihood() {
    let place = Place::new();
    place.write("log.csv", tables::log(600, 0.2));
    let train = "train --data log.csv --window 4 --time-column t --group who --columns a,b --hidden 32,32 --activation silu --steps 600 --batch 128 --out run";
    place.ok(train);
    // A wave of the same channels, and the same with b turned over in every fourth window: values that are usual, one by one.
    let other = tables::log(160, 0.2);
    let turned: String = other
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_string).collect();
            // Rows of the two groups alternate.
            if number > 0 && (number - 1) / 2 / 4 % 4 == 3 {
                let b: f32 = cells[3].parse().unwrap();
                cells[3] = if (number - 1) / 2 % 2 == 0 { b + 1.5 } else { b - 1.5 }.to_string();
            }
            cells.join(",") + "\n"
        })
        .collect();
    place.write("turned.csv", turned);
    let labels: String = (0..80).map(|window| if window % 4 == 3 { "1\n" } else { "0\n" }).collect();
    place.write("labels.csv", labels);
    let detect = |flags: &str| format!("detect run --time-column t --group who --likelihood {flags}");
    let ended = place.ok(&detect("--data turned.csv --labels labels.csv --json"));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["windows"], 80);
    assert!(report["auroc"].as_f64().unwrap() > 0.95, "{report}");
    let again = place.ok(&detect("--data turned.csv --labels labels.csv --json"));
    assert_eq!(again.stdout, ended.stdout);

    place.refused_with(&detect("--data turned.csv --by pattern"), &["--likelihood", "--by"]);
    place.refused_with(&detect("--data -"), &["--likelihood", "--data"]);
    std::fs::copy(place.path("run/model.mote"), place.path("alone.mote")).unwrap();
    let alone = detect("--data turned.csv").replace("detect run", "detect alone.mote");
    place.refused_with(&alone, &["--likelihood", "folder of a run"]);
    place.ok(&train
        .replace("--window 4", "--window 5 --sliding")
        .replace("--steps 600", "--steps 10")
        .replace("--out run", "--out slides"));
    let slides = detect("--data turned.csv").replace("detect run", "detect slides");
    place.refused_with(&slides, &["--likelihood", "--sliding"]);
}
