//! `mote train --window --sliding` and `mote denoise`: from a log to a log without its noise, and what is no signal for a model.

use serde_json::Value;

use super::mote::Place;
use super::tables;

const TRAIN: &str = "train --data log.csv --window 9 --sliding --time-column t --group who --columns a,b --hidden 16,16 --activation silu --steps 400 --batch 64 --out run";

/// A place with a log of two recordings and a network that slides over its two channels.
fn trained() -> Place {
    let place = Place::new();
    place.write("log.csv", tables::log(600, 0.0));
    place.ok(TRAIN);
    place
}

fn gain(report: &str) -> f64 {
    let report: Value = serde_json::from_str(report).unwrap();
    report["quality"][0]["gain_db"].as_f64().unwrap()
}

#[test]
fn a_log_loses_its_noise_and_keeps_its_other_columns() {
    let place = trained();
    place.write("clean.csv", tables::log(200, 0.0));
    place.write("noisy.csv", tables::log(200, 0.3));
    let options = "--time-column t --group who";
    let out = place.ok(&format!("denoise run --data noisy.csv {options}")).stdout;
    let noisy = tables::log(200, 0.3);
    let rows = || out.lines().zip(noisy.lines());
    assert_eq!(out.lines().count(), noisy.lines().count());
    assert_eq!(out.lines().next(), noisy.lines().next());
    for (after, before) in rows().skip(1) {
        let cells = |line: &str| line.split(',').map(str::to_string).collect::<Vec<_>>();
        let (after, before) = (cells(after), cells(before));
        assert_eq!((&after[..2], &after[4]), (&before[..2], &before[4]), "time, recording and note are as they were");
        assert!(after[2..4] != before[2..4]);
    }
    // Noise as given and as estimated: both far above no gain at all, which a smooth signal of two waves leaves room for.
    for noise in ["--noise 0.3", ""] {
        let report = place.ok(&format!("denoise run --data noisy.csv {options} --reference clean.csv --json {noise}"));
        assert!(gain(&report.stdout) > 3.0, "{noise}: {}", report.stdout);
    }
    place.ok(&format!("denoise run --data noisy.csv {options} --out out.csv.gz --plot picture.png"));
    assert!(place.bytes("picture.png").starts_with(b"\x89PNG") && !place.bytes("out.csv.gz").is_empty());
}

#[test]
fn a_value_that_is_missing_stays_missing_and_is_counted() {
    let place = trained();
    let mut lines: Vec<String> = tables::log(60, 0.2).lines().map(str::to_string).collect();
    let cells: Vec<&str> = lines[10].split(',').collect();
    lines[10] = format!("{},{},NaN,{},{}", cells[0], cells[1], cells[3], cells[4]);
    place.write("gap.csv", lines.join("\n") + "\n");
    let ended = place.ok("denoise run --data gap.csv --time-column t --group who --noise 0.2");
    assert!(ended.stderr.contains("1 of 240 value is missing"), "{}", ended.stderr);
    let row: Vec<&str> = ended.stdout.lines().nth(10).unwrap().split(',').collect();
    assert!(row[2].is_empty() && !row[3].is_empty(), "{row:?}");
}

#[test]
fn draws_give_intervals_that_hold_and_are_kept_with_the_run() {
    let place = trained();
    place.write("clean.csv", tables::log(200, 0.0));
    place.write("noisy.csv", tables::log(200, 0.3));
    let bars =
        |more: &str| format!("denoise run --data noisy.csv --time-column t --group who --noise 0.3 --draws 12 {more}");
    let report = |more: &str| -> Value {
        serde_json::from_str(&place.ok(&bars(&format!("--reference clean.csv --json {more}"))).stdout).unwrap()
    };
    let first = report("");
    assert!(place.path("run/denoise-spread.json").exists());
    let row = &first["bars"]["intervals"][0];
    assert_eq!(row["values"], 800);
    // Found on other stretches of the same waves: near what was asked, and far from an interval that is not looked after.
    let coverage = row["coverage"].as_f64().unwrap();
    assert!((0.75..=0.99).contains(&coverage), "{first}");
    // The spread is read back, and the same seed gives the same bits.
    assert_eq!(first, report(""));
    assert_ne!(first["bars"]["intervals"][0]["crps"], report("--seed 1")["bars"]["intervals"][0]["crps"]);
    let narrow = report("--spread 0.1");
    assert!(narrow["bars"]["intervals"][0]["coverage"].as_f64().unwrap() < coverage / 2.0, "{narrow}");
    // The mean absolute error of the estimate, apart from the program.
    let clean = place.text("clean.csv");
    let out = place.ok(&bars("--interval bars.csv --plot bars.png")).stdout;
    let cells = |text: &str| -> Vec<f64> {
        let rows = text.lines().skip(1).map(|line| line.split(',').map(str::to_string).collect::<Vec<_>>());
        rows.flat_map(|cells| [cells[2].parse().unwrap(), cells[3].parse::<f64>().unwrap()]).collect()
    };
    let errors: f64 = cells(&out).iter().zip(cells(&clean)).map(|(a, b)| (a - b).abs()).sum::<f64>() / 800.0;
    // Channels of deviation 1 in training, but for the length of the log.
    assert!((first["bars"]["estimate_crps"].as_f64().unwrap() / errors - 1.0).abs() < 0.05, "{first} {errors}");
    let text = place.text("bars.csv");
    assert_eq!(text.lines().count(), 1 + 800);
    for line in text.lines().skip(1) {
        let cells: Vec<f64> = line.split(',').skip(3).map(|cell| cell.parse().unwrap()).collect();
        assert!(cells[1] <= cells[0] && cells[0] <= cells[2], "{line}");
    }
    assert!(place.bytes("bars.png").starts_with(b"\x89PNG"));

    place.refused_with(&bars("--coverage 0"), &["--coverage 0"]);
    place.refused_with(&bars("--spread 0"), &["--spread 0"]);
    place.refused_with("denoise run --data noisy.csv --interval x.csv", &["--draws"]);
    // A blob without its run is drawn as it is, and that is said.
    std::fs::rename(place.path("run/model.mote"), place.path("alone.mote")).unwrap();
    let ended = place.ok("denoise alone.mote --data noisy.csv --group who --noise 0.3 --draws 4");
    assert!(ended.stderr.contains("lies in no run"), "{}", ended.stderr);
}

#[test]
fn what_is_no_signal_for_the_model_is_refused_with_the_way_out() {
    let place = trained();
    let denoise = |data: &str, more: &str| format!("denoise run --data {data} {more}");
    place.write("noisy.csv", tables::log(60, 0.2));
    place.write("empty.csv", tables::log_without_readings(60));
    let even = tables::log(60, 0.2);
    let slow = even.lines().enumerate().map(|(number, line)| {
        let (time, rest) = line.split_once(',').unwrap();
        if number == 0 { format!("{line}\n") } else { format!("{},{rest}\n", 2.0 * time.parse::<f64>().unwrap()) }
    });
    place.write("slow.csv", slow.collect::<String>());
    let options = "--time-column t --group who";
    place.refused_with(&denoise("empty.csv", options), &["empty.csv", "every value is missing"]);
    place.refused_with(&denoise("slow.csv", options), &["slow.csv", "0.02", "0.01", "resample"]);
    place.refused_with(&denoise("noisy.csv", "--time-column t --noise 0.2"), &["noisy.csv: line", "--group"]);
    place.refused_with(&denoise("noisy.csv", "--group who --noise 0"), &["--noise 0", "above 0"]);
    place.refused_with(&denoise("noisy.csv", "--group who --out a.txt"), &["a.txt", ".npy"]);
    place.write("other.csv", tables::windows());
    place.refused_with(&denoise("other.csv", ""), &["other.csv", "no column \"a\""]);
    place.write("constant.csv", "a,b\n".to_string() + &"1,2\n".repeat(50));
    place.refused_with(&denoise("constant.csv", ""), &["constant.csv", "never changes", "--noise"]);
    // A model that samples has no windows, and a model that slides samples nothing.
    place.write("windows.csv", tables::windows());
    place.ok("train --data windows.csv --label state --hidden 16 --steps 20 --batch 16 --out sampler");
    place.refused_with("denoise sampler --data noisy.csv", &["--window"]);
    place.refused_with("sample run", &["mote denoise"]);
    place.refused_with("evaluate run", &["slides", "mote denoise"]);
}

#[test]
fn windows_that_cannot_be_cut_are_refused_before_a_folder_is_made() {
    let place = Place::new();
    place.write("log.csv", tables::log(60, 0.0));
    let train = |more: &str| format!("train --data log.csv --group who --columns a,b --out run {more}");
    for (more, parts) in [
        ("--window 300", &["--window 300", "512"][..]),
        ("--window 8 --sliding", &["odd number"]),
        ("--window 8 --split shuffled", &["windows overlap", "--split groups"]),
        ("--window 59", &["no whole window", "59"]),
        ("--window 9 --sliding --noise-range 1,0.1", &["noise.range"]),
        ("--window 9 --sliding --noise-range 1", &["--noise-range", "two numbers"]),
        ("--window 9 --sliding --levels 0", &["noise_levels = 0"]),
        ("--sliding", &["--window"]),
    ] {
        place.refused_with(&train(more), parts);
        assert!(!place.path("run").exists(), "{more}");
    }
}
