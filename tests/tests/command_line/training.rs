//! `mote train`: any shape of data and network, and a folder that explains itself.

use serde_json::Value;

use crate::mote::Place;
use crate::tables::{gzipped, normals, npy, numbers};

fn assert_finite(place: &Place, run: &str, plans: &[&str]) {
    for plan in plans {
        let csv = place.ok(&format!("sample {run} --plan {plan} --count 20")).stdout;
        assert!(numbers(&csv).iter().flatten().all(|x| x.is_finite()), "{run} {plan}: {csv}");
        assert_eq!(csv.lines().count(), 21);
    }
}

#[test]
fn a_run_explains_itself() {
    let place = Place::new();
    let ended = place.trained("run", "--steps 450 --plan dpm++2m:8");
    assert_eq!(ended.stdout, "");
    let names =
        ["checkpoint.safetensors", "data.json", "loss.svg", "metrics.csv", "model.mote", "recipe.toml", "report.html"]
            .map(String::from);
    assert_eq!(place.names("run"), names);

    let metrics = place.text("run/metrics.csv");
    assert_eq!(metrics.lines().next(), Some("step,loss,validation_loss,seconds"));
    let lines = numbers(&metrics);
    assert_eq!(lines.iter().map(|line| line[0]).collect::<Vec<_>>(), [200.0, 400.0, 450.0]);
    assert!(lines.iter().flatten().all(|x| x.is_finite()));

    let drawing = place.text("run/loss.svg");
    let drawing = roxmltree::Document::parse(&drawing).expect("well-formed XML");
    assert_eq!(drawing.root_element().tag_name().name(), "svg");

    // One file that needs no other: nothing is loaded from elsewhere.
    let page = place.text("run/report.html");
    assert!(page.contains("<svg") && !page.contains("src=\"http") && !page.contains("<link"), "{page}");

    let data: Value = serde_json::from_str(&place.text("run/data.json")).unwrap();
    assert_eq!(data["columns"], serde_json::json!(["heat", "damp"]));
    assert_eq!(data["classes"], serde_json::json!(["busy", "idle"]));
    assert_eq!(data["rows"], 200);

    let recipe: toml::Table = toml::from_str(&place.text("run/recipe.toml")).unwrap();
    assert_eq!(recipe["data"]["label"].as_str(), Some("state"));
    assert_eq!(recipe["training"]["steps"].as_integer(), Some(450));
    assert_eq!(recipe["blob"]["plans"][0].as_str(), Some("dpm++2m:8"));
}

#[test]
fn the_recipe_of_a_run_makes_the_same_run() {
    let place = Place::new();
    place.trained("one", "--seed 5 --activation silu --residual --hidden 16,16 --learning-rate 0.0017 --ema 0.99");
    place.ok("train --recipe one/recipe.toml --out two");
    for name in ["recipe.toml", "model.mote", "checkpoint.safetensors", "data.json"] {
        assert_eq!(place.bytes(&format!("one/{name}")), place.bytes(&format!("two/{name}")), "{name}");
    }
}

#[test]
fn csv_gzip_and_npy_of_the_same_numbers_make_the_same_network() {
    let place = Place::new();
    let text = normals(60, 3);
    let bytes: Vec<u8> = text
        .split([',', '\n'])
        .filter(|c| !c.is_empty())
        .flat_map(|c| c.parse::<f32>().unwrap().to_le_bytes())
        .collect();
    place.write("a.csv", &text);
    place.write("a.csv.gz", gzipped(&text));
    place.write("a.npy", npy("<f4", "(60, 3)", &bytes));
    for kind in ["csv", "csv.gz", "npy"] {
        place.ok(&format!("train --data a.{kind} --hidden 8 --steps 20 --batch 16 --out {kind}"));
    }
    assert_eq!(place.bytes("csv/checkpoint.safetensors"), place.bytes("csv.gz/checkpoint.safetensors"));
    assert_eq!(place.bytes("csv/checkpoint.safetensors"), place.bytes("npy/checkpoint.safetensors"));
}

#[test]
fn any_dimension_and_width_trains_and_samples() {
    let place = Place::new();
    for (dim, hidden, more) in [
        (1, "8", ""),
        (512, "512", ""),
        (7, "33,100", ""),
        (3, "24,24,24", "--residual"),
        (3, "24,24,24", "--residual --activation silu"),
        (5, "40,40", "--activation-bits auto"),
        (5, "16,40", "--activation-bits auto --activation silu"),
    ] {
        place.write("n.csv", normals(40, dim));
        place.ok(&format!(
            "train --data n.csv --hidden {hidden} --steps 5 --batch 16 --plan ddpm:4 --plan dpm++2m:3 --out run --force {more}"
        ));
        assert_finite(&place, "run", &["ddpm:4", "dpm++2m:3"]);
        let found: Value = serde_json::from_str(&place.ok("inspect run --json").stdout).unwrap();
        let widths: Vec<_> = found["layers"].as_array().unwrap().iter().map(|l| l["outputs"].to_string()).collect();
        assert_eq!(widths.join(","), format!("{hidden},{dim}"));
    }
}

#[test]
fn every_schedule_works_with_every_objective_that_fits_it() {
    let place = Place::new();
    let objectives = ["v", "x0", "flow", "epsilon", "score", "edm-f", "sliced", "explicit"];
    for schedule in ["cosine", "vp-linear", "edm", "sub-vp", "ve-geometric", "ddpm-linear", "flow", "zero-terminal"] {
        // From pure noise the noise does not lead to the data: only the first three objectives fit.
        let fitting = if ["flow", "zero-terminal"].contains(&schedule) { 3 } else { objectives.len() };
        let plans =
            "--plan dpm++2m:5 --plan ddpm:5 --plan ddpm-large:4 --plan ddim:5:karras --plan dpm++2m-sde:6:karras";
        for (number, objective) in objectives.iter().enumerate() {
            let flags = format!("--schedule {schedule} --objective {objective} --activation silu --force");
            if number < fitting {
                place.trained("run", &format!("--steps 10 {flags} {plans}"));
                assert_finite(&place, "run", &["dpm++2m:5", "ddpm:5", "ddpm-large:4", "ddim:5:k", "dpm++2m-sde:6:k"]);
            } else {
                let train = "train --data windows.csv --label state --out run";
                place.refused_with(&format!("{train} {flags}"), &["pure noise", "v, x0 or flow"]);
            }
        }
    }
}

#[test]
fn rows_with_missing_values_are_left_out_on_request_and_counted() {
    let place = Place::new();
    let mut text = String::from("a,b\n");
    for row in 0..40 {
        text += &match row {
            3 => "nan,1\n".into(),
            9 => "2,\n".into(),
            17 => "inf,2\n".into(),
            _ => format!("{},{}\n", row % 7, row % 5),
        };
    }
    place.write("gaps.csv", text);
    let ended = place.ok("train --data gaps.csv --missing drop --hidden 8 --steps 5 --batch 8 --out run");
    let warning = ended.stderr.lines().find(|line| line.starts_with("warning: ")).expect("a warning");
    assert!(warning.contains("gaps.csv: 3 rows") && warning.contains("37 kept"), "{warning}");
    let data: Value = serde_json::from_str(&place.text("run/data.json")).unwrap();
    assert_eq!(data["rows"], 37);
}

#[test]
fn a_constant_feature_is_named_and_sampled_as_a_number_near_its_value() {
    let place = Place::new();
    let rows: String = (0..60).map(|row| format!("{},7.5,{}\n", (row * 13) % 29, (row * 7) % 11)).collect();
    place.write("c.csv", "a,stuck,b\n".to_string() + &rows);
    let ended = place.ok("train --data c.csv --hidden 16,16 --steps 1500 --batch 64 --out run");
    let warning = ended.stderr.lines().find(|line| line.starts_with("warning: ")).expect("a warning");
    assert!(warning.contains("stuck"), "{warning}");
    let samples = numbers(&place.ok("sample run --count 100").stdout);
    assert!(samples.iter().flatten().all(|x| x.is_finite()));
    // The scaled feature is 0 in every row; its scale is 1. A network after 1500 steps is near, not there.
    let error = samples.iter().map(|row| (row[1] - 7.5).abs()).sum::<f64>() / 100.0;
    assert!(error < 0.25, "mean error {error}");
}
