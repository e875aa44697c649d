//! `mote inspect`, `evaluate` and `quantize`.

use mote_core::model::Model;
use serde_json::Value;

use crate::mote::Place;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn inspect_has_stable_names_and_adds_up() {
    let place = Place::new();
    place.trained("run", "--hidden 16,24 --plan ddpm:7 --plan dpm++2m:3");
    let found = json(&place.ok("inspect run --json").stdout);
    assert_eq!(
        keys(&found),
        [
            "arena_bytes",
            "classes",
            "dim",
            "flash",
            "image",
            "layers",
            "log_snr",
            "multiply_accumulates",
            "name",
            "noise_levels",
            "on_board",
            "plans",
            "prediction",
            "quantisation",
            "role",
            "self_test"
        ]
    );
    assert_eq!(
        keys(&found["layers"][0]),
        ["activation", "class_biases", "input_codes", "inputs", "level_biases", "outputs", "residual", "weight_bytes"]
    );
    assert_eq!(
        keys(&found["plans"][0]),
        ["evaluations", "history", "multiply_accumulates", "name", "start_scale", "stochastic"]
    );
    assert_eq!(keys(&found["flash"]), ["level_table", "plans", "rest", "total", "weights"]);
    assert_eq!(
        keys(&found["on_board"]),
        ["arena_bytes", "board", "clock_hz", "core", "flash_bytes", "plans", "ram_bytes"]
    );
    assert_eq!(keys(&found["on_board"]["plans"][0]), ["cycles", "instructions", "name", "seconds"]);
    assert_eq!(found["quantisation"], "8-bit weights, wide activations");
    // 2 -> 16 -> 24 -> 2.
    let weights = 2 * 16 + 16 * 24 + 24 * 2;
    assert_eq!(found["multiply_accumulates"], weights);
    // Rows and columns are filled up to whole tiles of four: 4 x 16, 16 x 24 and 24 x 4.
    assert_eq!(found["flash"]["weights"], 4 * 16 + 16 * 24 + 24 * 4);
    assert_eq!(found["plans"][0]["multiply_accumulates"], 7 * weights);
    assert_eq!((&found["plans"][0]["stochastic"], &found["plans"][1]["stochastic"]), (&true.into(), &false.into()));
    assert_eq!(found["flash"]["total"], place.bytes("run/model.mote").len());
    let text = place.ok("inspect run/model.mote").stdout;
    assert!(text.contains("ddpm:7") && text.contains("16 -> 24"), "{text}");
    // Another board, whose codes are words, and half the clock.
    let small = json(&place.ok("inspect run --board microbit --clock 32MHz --json").stdout);
    let (first, second) = (&found["on_board"], &small["on_board"]);
    assert_eq!((&first["board"], &second["board"]), (&"mps2-an386".into(), &"microbit".into()));
    assert_eq!(first["arena_bytes"], found["arena_bytes"]);
    assert!(second["arena_bytes"].as_u64() > first["arena_bytes"].as_u64());
    for (line, clock) in [(first, 64e6), (second, 32e6)] {
        let plan = &line["plans"][1];
        // Three evaluations, and no board makes more than two products an instruction at these widths.
        assert!(plan["instructions"].as_f64().unwrap() > 0.5 * 3.0 * f64::from(weights), "{line}");
        let (cycles, seconds) = (plan["cycles"][1].as_f64().unwrap(), plan["seconds"][1].as_f64().unwrap());
        assert!((seconds * clock / cycles - 1.0).abs() < 1e-4, "{line}");
    }
    let text = place.ok("inspect run --clock 16MHz").stdout;
    assert!(text.contains("on a Cortex-M4F (mps2-an386) at 16 MHz") && text.contains(" ms\n"), "{text}");
    place.refused_with("inspect run --board nrf52", &["the boards are", "microbit"]);
    place.refused_with("inspect run --clock fast", &["fast", "64MHz"]);
}

#[test]
fn evaluate_measures_the_floor_and_each_plan_in_float_and_integers() {
    let place = Place::new();
    place.trained("run", "--steps 1500 --plan dpm++2m:6 --split alternate");
    let found = json(&place.ok("evaluate run --json").stdout);
    let names: Vec<_> = found.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["floor (training rows)", "dpm++2m:6, float", "dpm++2m:6, int8"]);
    assert_eq!(
        keys(&found[1]),
        [
            "arithmetic",
            "balance",
            "block_rows",
            "blocks",
            "c2st",
            "coverage",
            "density",
            "energy",
            "evaluations",
            "frechet",
            "memorisation",
            "mmd2",
            "name",
            "nearest_neighbour",
            "plan",
            "precision",
            "recall",
            "sliced_w2"
        ]
    );
    let distance = |row: usize| found[row]["sliced_w2"]["mean"].as_f64().unwrap();
    assert!(distance(0) < 0.2 && distance(1) < 0.5, "{} {}", distance(0), distance(1));
    assert!((distance(2) / distance(1) - 1.0).abs() < 0.1, "{} {}", distance(1), distance(2));
    let text = place.ok("evaluate run --csv table.csv").stdout;
    // A title, the floor (one block), two rows with their errors; a blank; titles, training rows and three rows of classes.
    assert_eq!(text.lines().count(), 6 + 1 + 5, "{text}");
    let csv = place.text("table.csv");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.starts_with("name,plan,arithmetic,evaluations,blocks,block_rows,sliced_w2,sliced_w2_standard_error,"));
}

#[test]
fn quantize_takes_other_plans_and_widths() {
    let place = Place::new();
    place.trained("run", "");
    let before = place.bytes("run/model.mote");
    place.ok("quantize run --plan ddim:9 --plan ddpm:4:karras --activation-bits auto --out wide.mote");
    assert_eq!(place.bytes("run/model.mote"), before);
    let found = json(&place.ok("inspect wide.mote --json").stdout);
    assert_eq!((&found["plans"][0]["name"], &found["plans"][1]["name"]), (&"ddim:9".into(), &"ddpm:4:k".into()));
    assert!(found["layers"][1]["input_codes"][1].as_i64().unwrap() > 255);
    place.ok("quantize run --activation-bits 8 --out narrow.mote");
    let narrow = json(&place.ok("inspect narrow.mote --json").stdout);
    assert_eq!(narrow["layers"][1]["input_codes"], serde_json::json!([0, 255]));
    // What a recipe says nothing of is wide.
    assert!(json(&place.ok("inspect run --json").stdout)["layers"][1]["input_codes"][1].as_i64().unwrap() > 255);
    place.ok("sample wide.mote --plan ddpm:4:k");
    place.ok("quantize run --plan ddim:9");
    assert_ne!(place.bytes("run/model.mote"), before);
}

#[test]
fn quantize_fine_tunes_four_bits_and_says_what_they_cost() {
    let place = Place::new();
    place.trained("run", "--hidden 16,24 --steps 300 --plan dpm++2m:4 --split alternate");
    let found = json(&place.ok("quantize run --weight-bits 4 --fine-tune 60 --measure --json --out small.mote").stdout);
    assert_eq!(
        keys(&found),
        [
            "activation_bits",
            "blob_bytes",
            "correction",
            "costs",
            "fine_tuned",
            "keeps_quality",
            "signal",
            "weight_bits"
        ]
    );
    assert_eq!(
        (&found["weight_bits"], &found["fine_tuned"], &found["correction"]),
        (&"4".into(), &60.into(), &true.into())
    );
    let cost = &found["costs"][0][0];
    assert_eq!(
        keys(cost),
        [
            "activation_bits",
            "blob_bytes",
            "change",
            "change_error",
            "correction",
            "fine_tuned",
            "float_sliced_w2",
            "keeps",
            "paired_rms",
            "plan",
            "sliced_w2",
            "weight_bits"
        ]
    );
    let of = |name: &str| cost[name].as_f64().unwrap();
    assert!((of("sliced_w2") / of("float_sliced_w2") - 1.0 - of("change")).abs() < 1e-9);
    assert_eq!(cost["keeps"], of("change") <= 0.03);
    let small = place.bytes("small.mote");
    assert_eq!(small.len() as f64, of("blob_bytes"));
    // Half a byte for each of the weights 2 -> 16 -> 24 -> 2, filled up to whole tiles of four.
    let weights: usize =
        Model::parse(&small).unwrap().network().layers().iter().map(|layer| layer.weights().len()).sum();
    assert_eq!(weights, (4 * 16 + 16 * 24 + 24 * 4) / 2);
    let levels = found["signal"]["levels"].as_array().unwrap();
    assert_eq!((levels.len(), levels[0]["weights"].as_array().unwrap().len()), (4, 3));
    let text = place.ok("inspect small.mote").stdout;
    assert!(text.contains("4-bit weights") && text.contains("fine-tuned 60 steps"), "{text}");
    // The label of a run's samples says so too.
    place.ok("quantize run --weight-bits 4");
    let rows = json(&place.ok("evaluate run --json").stdout);
    assert_eq!((&rows[2]["name"], &rows[2]["arithmetic"]), (&"dpm++2m:4, 4-bit weights".into(), &"int8".into()));
}

#[test]
fn quantize_chooses_the_smallest_format_that_keeps_quality() {
    let place = Place::new();
    place.trained("run", "--steps 300 --plan dpm++2m:4 --split alternate");
    let found = json(&place.ok("quantize run --choose --limit 1000 --json").stdout);
    // Two widths of weights, two of activations, with and without the correction; nothing loses a thousand per cent.
    let costs = found["costs"].as_array().unwrap();
    assert_eq!(costs.len(), 8);
    assert!(costs.iter().all(|rows| rows[0]["keeps"] == true));
    assert_eq!(found["keeps_quality"], true);
    let least = costs.iter().map(|rows| rows[0]["blob_bytes"].as_u64().unwrap()).min().unwrap();
    assert_eq!((found["blob_bytes"].as_u64().unwrap(), place.bytes("run/model.mote").len() as u64), (least, least));
    let none = place.mote("quantize run --choose --limit=-1000 --json");
    assert!(none.stderr.contains("no format keeps quality within -1000%"), "{}", none.stderr);
    assert_eq!(json(&none.stdout)["keeps_quality"], false);
}

#[test]
fn files_of_samples_are_measured_against_a_run_or_another_file() {
    let place = Place::new();
    place.trained("run", "--steps 200 --plan dpm++2m:6 --split alternate");
    place.ok("sample run --count 300 --out samples.csv");
    let found = json(&place.ok("evaluate run --samples samples.csv --json").stdout);
    assert_eq!((&found[1]["name"], &found[1]["blocks"]), (&"samples".into(), &3.into()));
    // Fresh moons against moons are at the floor: within 2 of each other, at .03 or so; far from the table's samples.
    let found = json(&place.ok("evaluate --samples moons:5 --against moons --json").stdout);
    let distance = |row: usize| found[row]["sliced_w2"]["mean"].as_f64().unwrap();
    assert!(distance(0) < 0.1 && distance(1) < 0.1, "{found}");
    place.write("narrow.csv", "1\n2\n3\n");
    place.refused_with("evaluate run --samples narrow.csv", &["narrow.csv", "1 features", "2 in windows.csv"]);
    place.refused_with("evaluate --samples samples.csv", &["required", "<RUN>"]);
    place.refused_with("evaluate --samples samples.csv --against mons", &["did you mean", "moons"]);
}

#[test]
fn classes_are_asked_for_in_their_shares_and_judged() {
    let place = Place::new();
    place.trained(
        "run",
        "--class-conditional --steps 1500 --hidden 32,32 --batch 64 --plan dpm++2m:8 --split alternate",
    );
    let found = json(&place.ok("evaluate run --json").stdout);
    // The classes lie four deviations apart in either feature: a best judge errs once in 400 rows.
    let right = |row: usize| found[row]["labels_right"]["mean"].as_f64().unwrap();
    assert!(right(0) > 0.95 && right(1) > 0.9 && right(2) > 0.9, "{found}");
    assert!(found[1]["balance"]["total_variation"].as_f64().unwrap() < 0.1, "{found}");
    let one = json(&place.ok("evaluate run --class busy --guidance 1.5 --json").stdout);
    assert!(one[1]["balance"]["shares"][0].as_f64().unwrap() > 0.9, "{one}");
    place.refused_with("evaluate run --class hot", &["--class hot", "busy, idle"]);
    place.refused_with("evaluate run --class none --guidance 2", &["--guidance 2", "--class none"]);
    place.trained("plain", "");
    place.refused_with("evaluate plain --guidance 2", &["--guidance 2", "no classes"]);
    place.refused_with("evaluate plain --class busy", &["--class busy", "no classes"]);
}

#[test]
fn likelihood_and_bound_of_a_set_in_the_plane() {
    let place = Place::new();
    let train = "train --data moons --hidden 32,32 --activation silu --batch 128 --plan dpm++2m:10 --out run";
    place.ok(&format!("{train} --steps 1500"));
    let found = json(&place.ok("evaluate run --likelihood --bound --rows 100 --json").stdout);
    assert_eq!((&found[0]["rows"], &found[0]["probes"]), (&100.into(), &serde_json::Value::Null));
    let nats = |row: usize| found[row]["nats"]["mean"].as_f64().unwrap();
    let error = |row: usize| found[row]["nats"]["standard_error"].as_f64().unwrap();
    // The bound lies below; the errors of both, since one is drawn with noise.
    assert!(nats(1) < nats(0) + 3.0 * error(0).hypot(error(1)), "{found}");
    // Better than the normal law of unit variance that scaled data would be taken for, -(1 + ln 2 pi) nats.
    assert!(nats(0) > -2.838 && nats(0) < 1.0, "{found}");
    assert!(found[0]["halving"].as_f64().unwrap().abs() < 0.1, "{found}");
    place.ok("sample run --count 200 --scatter moons.png");
    assert!(place.bytes("moons.png").starts_with(b"\x89PNG"));
    place.refused_with("train --data moon --out other", &["did you mean", "`moons`"]);
    place.refused_with("train --data moons:x --out other", &["moons:7"]);
}
