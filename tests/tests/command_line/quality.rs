//! `mote inspect`, `evaluate` and `quantize`.

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
            "plans",
            "prediction",
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
    // 2 -> 16 -> 24 -> 2.
    let weights = 2 * 16 + 16 * 24 + 24 * 2;
    assert_eq!(found["multiply_accumulates"], weights);
    assert_eq!(found["flash"]["weights"], weights);
    assert_eq!(found["plans"][0]["multiply_accumulates"], 7 * weights);
    assert_eq!((&found["plans"][0]["stochastic"], &found["plans"][1]["stochastic"]), (&true.into(), &false.into()));
    assert_eq!(found["flash"]["total"], place.bytes("run/model.mote").len());
    let text = place.ok("inspect run/model.mote").stdout;
    assert!(text.contains("ddpm:7") && text.contains("16 -> 24"), "{text}");
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
            "block_rows",
            "blocks",
            "evaluations",
            "frechet",
            "memorisation",
            "mmd2",
            "name",
            "nearest_neighbour",
            "sliced_w2"
        ]
    );
    let distance = |row: usize| found[row]["sliced_w2"]["mean"].as_f64().unwrap();
    assert!(distance(0) < 0.2 && distance(1) < 0.5, "{} {}", distance(0), distance(1));
    assert!((distance(2) / distance(1) - 1.0).abs() < 0.1, "{} {}", distance(1), distance(2));
    let text = place.ok("evaluate run").stdout;
    assert_eq!(text.lines().count(), 4, "{text}");
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
    let narrow = json(&place.ok("inspect run --json").stdout);
    assert_eq!(narrow["layers"][1]["input_codes"], serde_json::json!([0, 255]));
    place.ok("sample wide.mote --plan ddpm:4:k");
    place.ok("quantize run --plan ddim:9");
    assert_ne!(place.bytes("run/model.mote"), before);
}
