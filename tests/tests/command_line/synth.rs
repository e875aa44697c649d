//! `mote synth` and `mote synth-check`: labelled rows from labelled rows, what is said of them, and what cannot be made.

use serde_json::Value;

use super::mote::Place;
use super::tables;

const TRAIN: &str = "train --data w.csv --label state --class-conditional --hidden 16,16 --activation silu --steps 300 --batch 64 --plan ddim:12 --out run";

/// A place with a network of two classes, and whole numbers as a third column.
fn trained() -> Place {
    let place = Place::new();
    let table: String = tables::windows()
        .lines()
        .enumerate()
        .map(|(k, line)| format!("{},{line}\n", if k == 0 { "count".into() } else { (k % 7).to_string() }))
        .collect();
    place.write("w.csv", table);
    place.ok(TRAIN);
    place
}

/// The columns of each row and its class.
fn rows(csv: &str) -> Vec<(Vec<f32>, String)> {
    let cells = |line: &str| line.split(',').map(str::to_string).collect::<Vec<_>>();
    csv.lines()
        .skip(1)
        .map(|line| {
            let mut cells = cells(line);
            let class = cells.pop().unwrap();
            (cells.iter().map(|cell| cell.parse().unwrap()).collect(), class)
        })
        .collect()
}

#[test]
fn rows_are_of_their_class_in_the_limits_of_the_data_and_the_same_again() {
    let place = trained();
    let made = place.ok("synth run --per-class 50 --out more.csv");
    assert!(made.stdout.contains("busy") && made.stdout.contains("nearest real row"), "{}", made.stdout);
    let text = place.text("more.csv");
    assert!(text.starts_with("count,heat,damp,state\n"));
    let (real, synthetic) = (rows(&place.text("w.csv")), rows(&text));
    for class in ["busy", "idle"] {
        let of = |rows: &[(Vec<f32>, String)]| -> Vec<Vec<f32>> {
            rows.iter().filter(|row| row.1 == class).map(|row| row.0.clone()).collect()
        };
        let (own, made) = (of(&real), of(&synthetic));
        assert_eq!(made.len(), 50);
        assert!(made.iter().all(|row| row[0].fract() == 0.0 && (0.0..=6.0).contains(&row[0])));
        for column in 1..3 {
            let mean = |rows: &[Vec<f32>]| rows.iter().map(|row| row[column]).sum::<f32>() / rows.len() as f32;
            // Busy rows lie at 21 and -340, idle ones at 19 and -260, with deviations of .5 and 10.
            let tolerance = if column == 1 { 0.4 } else { 12.0 };
            assert!((mean(&made) - mean(&own)).abs() < tolerance, "{class} {column}: {} {}", mean(&made), mean(&own));
            let most = real.iter().map(|row| row.0[column]).fold(f32::MIN, f32::max);
            assert!(made.iter().all(|row| row[column] <= most));
        }
        // Each is somewhere else than every real row.
        assert!(made.iter().all(|row| own.iter().all(|real| row[1..] != real[1..])));
    }
    let mut again = place.command("synth run --per-class 50 --out again.csv");
    again.env("RAYON_NUM_THREADS", "1");
    assert!(again.output().unwrap().status.success());
    assert_eq!(place.text("again.csv"), text);
    assert_ne!(place.ok("synth run --per-class 50 --seed 1").stdout, text);
    // More rows begin with the same ones.
    let more = rows(&place.ok("synth run --per-class 60 --class idle --agree 0").stdout);
    assert_eq!(more[..50], rows(&place.ok("synth run --per-class 50 --class idle --agree 0").stdout)[..]);
}

#[test]
fn rows_start_from_a_file_and_stand_behind_it() {
    let place = trained();
    place.write("few.csv", "count,heat,damp,kind\n3,21,-340,busy\n4,19.5,-262,idle\n2,18.75,-255,idle\n");
    place.ok("synth run --data few.csv --label kind --class idle --per-class 7 --append --out more.csv.gz");
    place.ok("synth run --data few.csv --label kind --class idle --per-class 7 --append --out more.csv");
    let all = rows(&place.text("more.csv"));
    assert_eq!(all.len(), 10);
    assert_eq!(all[..3], rows(&place.text("few.csv"))[..]);
    // What starts from three rows stays in their limits.
    assert!(all.iter().all(|(row, _)| (2.0..=4.0).contains(&row[0]) && (18.75..=21.0).contains(&row[1])));
    let report = place.ok("synth run --data few.csv --label kind --per-class 5 --out rows.npy --json").stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["classes"][1]["class"], "idle");
    assert_eq!(report["classes"][1]["real"], 2);
    assert!(report["blob_bytes"].as_u64().unwrap() > 1000 && report["digest"].as_str().unwrap().len() == 16);
    let (shape, values) = tables::read_npy(&place.bytes("rows.npy"));
    let made: u64 = (0..2).map(|class| report["classes"][class]["synthetic"].as_u64().unwrap()).sum();
    assert_eq!((shape, values.len() as u64), (format!("{made},3"), 3 * made));
    let labels = place.bytes("rows.labels.npy");
    assert!(labels.ends_with(&1i32.to_le_bytes()) && labels.starts_with(b"\x93NUMPY"));
}

#[test]
fn what_cannot_be_made_is_refused() {
    let place = trained();
    place.write("plain.csv", tables::normals(30, 3));
    place.write("few.csv", "count,heat,damp,kind\n3,21,-340,busy\n4,20.5,-342,busy\n");
    place.write("other.csv", "count,heat,damp,kind\n3,21,-340,busy\n4,20.5,-342,lazy\n");
    place.write("wide.csv", "a,b,c,d,kind\n3,21,-340,1,busy\n4,20.5,-342,2,idle\n");
    place.ok("train --data plain.csv --split alternate --hidden 8 --steps 2 --plan ddim:2 --out bare");
    place.write("log.csv", tables::log(200, 0.0));
    place.ok(
        "train --data log.csv --window 9 --sliding --columns a,b --hidden 8 --activation silu --steps 2 --out slide",
    );
    std::fs::copy(place.path("run/model.mote"), place.path("model.mote")).unwrap();
    for (arguments, parts) in [
        ("synth run --data plain.csv", &["plain.csv has no labels", "--label"][..]),
        ("synth run --data few.csv --label kind", &["class idle has no rows", "--class"]),
        ("synth run --data few.csv --label kind --class busy --per-class 3000", &["2 real rows", "at most 2000"]),
        ("synth run --data other.csv --label kind", &["class lazy", "busy, idle"]),
        ("synth run --data wide.csv --label kind", &["rows of 4 values", "have 3"]),
        ("synth run --class lazy", &["busy, idle"]),
        ("synth bare", &["no classes", "--class-conditional"]),
        ("synth slide", &["slides", "without --sliding"]),
        ("synth model.mote", &["a blob on its own", "--data"]),
        ("synth run --sigma 1e9", &["--sigma", "levels are from"]),
        ("synth run --sigma 0", &["--sigma 0", "levels are from"]),
        ("synth run --sigma NaN", &["levels are from"]),
        ("synth run --per-class 0", &["--per-class"]),
        ("synth run --eta 2", &["--eta 2", "0 to 1"]),
        ("synth run --agree 1", &["--agree 1", "0 keeps all"]),
        ("synth run --shift -1", &["--shift"]),
        ("synth run --out rows.txt", &["rows.txt", ".npy, .csv"]),
        ("synth run --grid a.png", &["--grid", "not images"]),
        ("synth nowhere", &["nowhere"]),
        ("synth-check", &["--data"]),
        ("synth-check --data plain.csv", &["no labels", "--label"]),
        ("synth-check --data w.csv --label state --rows 5000", &["--rows 5000", "training rows"]),
        ("synth-check --data w.csv --label state --sigma 0", &["--sigma 0", "above 0"]),
        ("synth-check --data w.csv --label state --weight -1", &["--weight"]),
        ("synth-check --data w.csv --label state --c 0", &["--c 0"]),
        ("synth-check --recipe slide/recipe.toml", &["slides", "sliding"]),
    ] {
        place.refused_with(arguments, parts);
    }
}

#[test]
fn a_check_that_shows_no_gain_fails_and_says_by_how_much() {
    let place = Place::new();
    place.write("w.csv", tables::windows());
    // The classes lie four deviations apart: nothing is left to be gained.
    let check = "synth-check --data w.csv --label state --draws 3 --rows 20 --per-class 10 --steps 30 --sigma 0.5 --weight 0.5,1 --json";
    let (one, other) = (place.mote(check), place.mote(check));
    assert_eq!(one.code, Some(1), "{}", one.stderr);
    assert!(one.stderr.contains("not shown to help"), "{}", one.stderr);
    assert_eq!(one.stdout, other.stdout);
    let report: Value = serde_json::from_str(&one.stdout).unwrap();
    let sets = report["sets"].as_array().unwrap();
    // Rows of a table have no neighbours, so there are no shifts: real rows, pure noise and one sigma, two weights each.
    assert_eq!(
        sets.iter().map(|set| set["set"].as_str().unwrap()).collect::<Vec<_>>(),
        ["real", "pure-noise", "pure-noise", "synthetic", "synthetic"]
    );
    assert!(sets[0]["test_mean"].as_f64().unwrap() > 0.9);
    for set in sets {
        assert_eq!(set["test"].as_array().unwrap().len(), 3);
        let mean: f64 = set["test"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).sum::<f64>() / 3.0;
        let gain = set["test_gain"]["mean"].as_f64().unwrap();
        assert!((mean - sets[0]["test_mean"].as_f64().unwrap() - gain).abs() < 1e-12);
    }
    assert_eq!(sets.iter().filter(|set| set["chosen"] == true).count(), 1);
    let copies = &report["copies"][1];
    assert!(copies["rows"].as_u64().unwrap() <= 60 && copies["median"].as_f64().unwrap() > 0.0);
    assert!(copies["labels_told"].as_f64().unwrap() > 0.9);
}
