//! Plans, blobs and networks of another run, and classes that a model does not have.

use crate::mote::Place;

/// Two runs of tables: one with two features and two classes, one with three features and none.
fn two_runs() -> Place {
    let place = Place::new();
    place.trained("run", "--steps 5 --class-conditional --plan dpm++2m:6");
    place.write("three.csv", crate::tables::normals(60, 3));
    place.ok("train --data three.csv --hidden 16 --batch 16 --steps 5 --plan ddpm:5 --out other");
    place
}

#[test]
fn a_plan_of_another_model_is_answered_with_the_model_s_own() {
    let place = two_runs();
    for arguments in
        ["sample run --plan ddpm:5", "sample run --float --plan ddpm:5", "sample run/model.mote --plan ddpm:5"]
    {
        place.refused_with(arguments, &["no plan \"ddpm:5\"", "it has dpm++2m:6", "mote quantize --plan"]);
    }
}

#[test]
fn a_blob_of_another_run_is_not_taken_for_the_run_s_own() {
    let place = two_runs();
    let own = place.bytes("run/model.mote");
    let verbs = ["sample run --float", "evaluate run", "report run --quick"];
    place.write("run/model.mote", place.bytes("other/model.mote"));
    for arguments in verbs {
        place.refused_with(arguments, &["run/model.mote", "another run", "3-16-3", "2-16-2", "mote quantize"]);
    }
    // The same layers, but units of other data, no classes, and another prediction.
    place.write(
        "moved.csv",
        place.text("windows.csv").lines().map(|line| line.replace(",-", ",-1") + "\n").collect::<String>(),
    );
    for (flags, part) in [
        ("--data moved.csv --label state --class-conditional", "units"),
        ("--data windows.csv --label state", "0 classes, the run 2"),
        ("--data windows.csv --label state --class-conditional --objective x0", "predicts"),
    ] {
        place.ok(&format!("train {flags} --hidden 16 --batch 32 --steps 5 --plan dpm++2m:6 --out third --force"));
        place.write("run/model.mote", place.bytes("third/model.mote"));
        for arguments in verbs {
            place.refused_with(arguments, &["run/model.mote", "another run", part]);
        }
    }
    place.ok("quantize run");
    assert_eq!(place.bytes("run/model.mote"), own);
}

#[test]
fn a_network_of_another_run_is_not_taken_for_the_run_s_own() {
    let place = two_runs();
    place.write("run/checkpoint.safetensors", place.bytes("other/checkpoint.safetensors"));
    let quantising = ["quantize run --out q.mote", "evaluate run --plan ddim:4"];
    for arguments in ["sample run --float", "evaluate run", "report run --quick"].into_iter().chain(quantising) {
        place.refused_with(arguments, &["run/checkpoint.safetensors", "another network", "run/recipe.toml", "--force"]);
    }
}

#[test]
fn classes_and_guidance_that_a_model_does_not_have() {
    let place = two_runs();
    for class in ["2", "-1", "65536", "hot"] {
        place.refused_with(&format!("sample run --class {class}"), &[&format!("--class {class}"), "busy, idle"]);
    }
    place.refused_with("sample run --guidance 2", &["--guidance 2", "--class"]);
    place.refused_with("sample other --guidance 2", &["--guidance 2", "no classes", "--class-conditional"]);
    place.refused_with("sample other --class 0 --guidance 2", &["--class 0", "no classes"]);
    place.refused_with("evaluate other --guidance 2", &["--guidance 2", "no classes"]);
    place.refused_with("quantize other --choose --guidance 2", &["--guidance", "no classes"]);
    place.refused_with("distill other --guidance 2 --out student", &["--guidance", "no classes"]);
}
