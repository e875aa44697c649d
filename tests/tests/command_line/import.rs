//! `mote import`: a network that PyTorch made becomes a run like any other.

use serde_json::Value;

use crate::mote::Place;
use crate::tables::{normals, numbers};

/// Made by host-cli/src/import/fixtures/make.py: 3 -> 8 -> 8 -> 3, two classes, with PyTorch's outputs.
const WEIGHTS: &[u8] = include_bytes!("../../../host-cli/src/import/fixtures/concatenated.safetensors");

const RECIPE: &str = "\
[data]
source = 'rows.csv'
label = 'kind'
[network]
hidden = [8, 8]
activation = 'silu'
residual = true
features = 4
conditioning = 'first-layer'
class_conditional = true
[training]
steps = 20
batch = 16
[blob]
plans = ['dpm++2m:6', 'ddpm:5']
[import]
layers = 'hid.{i}'
last = 'out'
";

fn place() -> Place {
    let place = Place::new();
    let rows: String =
        normals(120, 3).lines().enumerate().map(|(row, line)| format!("{line},{}\n", ["a", "b"][row % 2])).collect();
    place.write("rows.csv", format!("x,y,z,kind\n{rows}"));
    place.write("w.safetensors", WEIGHTS);
    place.write("r.toml", RECIPE);
    place
}

#[test]
fn an_imported_network_is_a_run_like_any_other() {
    let place = place();
    let ended = place.ok("import w.safetensors --recipe r.toml --out run --json");
    assert!(ended.stderr.contains("the outputs of 8 tests agree"), "{}", ended.stderr);
    let outcome: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(outcome["proof"]["largest_difference"].as_f64().unwrap() <= 1e-5, "{outcome}");
    // 9 x 8 + 8 x 8 + 8 x 3 weights and 8 + 8 + 3 biases.
    assert_eq!(outcome["parameters"], 179);
    // The scaling is the file's, not that of the rows.
    let data: Value = serde_json::from_str(&place.text("run/data.json")).unwrap();
    assert_eq!(data["scaling"], serde_json::json!({ "mean": [1.0, 2.0, 3.0], "std": [0.5, 1.0, 2.0] }));
    for arguments in
        ["sample run --count 9", "sample run --count 9 --float", "sample run --count 9 --class b --plan ddpm:5"]
    {
        let rows = numbers(&place.ok(arguments).stdout);
        assert!(rows.len() == 9 && rows.iter().flatten().all(|x| x.is_finite()), "{arguments}");
    }
    place.ok("evaluate run");
    place.ok("inspect run");
    place.ok("quantize run --plan ddim:3 --out other.mote");
    // The run's own recipe makes the same run again, and the network can be trained on.
    place.ok("import w.safetensors --recipe run/recipe.toml --out again");
    for name in ["recipe.toml", "data.json", "checkpoint.safetensors", "model.mote"] {
        assert_eq!(place.bytes(&format!("run/{name}")), place.bytes(&format!("again/{name}")), "{name}");
    }
    place.ok("train --resume run");
    assert_ne!(place.bytes("run/checkpoint.safetensors"), place.bytes("again/checkpoint.safetensors"));
}

#[test]
fn what_cannot_be_imported_is_one_line_and_leaves_no_run() {
    let place = place();
    let import = "import w.safetensors --recipe r.toml --out run";
    let recipe = |from: &str, to: &str| {
        assert!(RECIPE.contains(from));
        place.write("r.toml", RECIPE.replace(from, to));
    };
    recipe("residual = true", "residual = false");
    place.refused_with(import, &["w.safetensors", "test_output", "largest difference", "bound is 1e-5", "[network]"]);
    recipe("hid.{i}", "hidden.{i}");
    place.refused_with(import, &["no tensor hidden.0.weight", "hid.0.weight", "[import]"]);
    recipe("hidden = [8, 8]", "hidden = [8, 16]");
    place.refused_with(import, &["tensor hid.1.weight", "expected [16, 8]", "got [8, 8]"]);
    recipe("last = 'out'", "lats = 'out'");
    place.refused_with(import, &["r.toml: line ", "lats"]);
    place.write("r.toml", RECIPE);
    place.write("w.safetensors", &WEIGHTS[..WEIGHTS.len() / 2]);
    place.refused_with(import, &["w.safetensors", "not a whole safetensors file"]);
    place.refused_with(
        "import none.safetensors --recipe r.toml --out run",
        &["cannot read the weights none.safetensors"],
    );
    place.write("w.safetensors", WEIGHTS);
    place.ok(import);
    place.refused_with(import, &["holds a run already", "--force"]);
    place.ok(&format!("{import} --force"));
}
