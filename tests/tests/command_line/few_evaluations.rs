//! `mote distill`, `search-plan` and `frontier`.

use serde_json::Value;

use crate::mote::Place;

/// A network of the plane that samples soundly, in a few seconds.
const MOONS: &str =
    "train --data moons --hidden 32,32 --activation silu --steps 2500 --batch 128 --plan dpm++2m:10:flow --out moons";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Sliced W2 of the float rows of `mote evaluate`.
fn sliced_w2(place: &Place, arguments: &str) -> f64 {
    let rows = json(&place.ok(&format!("evaluate {arguments} --json")).stdout);
    let float = rows.as_array().unwrap().iter().find(|row| row["arithmetic"] == "float").expect("a float row");
    float["sliced_w2"]["mean"].as_f64().unwrap()
}

#[test]
fn a_student_does_in_two_evaluations_what_its_teacher_cannot() {
    let place = Place::new();
    place.ok(MOONS);
    place.ok("distill moons --evaluations 2 --steps 2000 --batch 128 --trajectories 4096 --out student");
    assert_eq!(
        place.names("student"),
        ["checkpoint.safetensors", "data.json", "metrics.csv", "model.mote", "recipe.toml"]
    );
    let (teacher, student) = (sliced_w2(&place, "moons --plan ddim:2:trailing"), sliced_w2(&place, "student"));
    assert!(student < 0.6 * teacher, "student {student}, teacher {teacher}");
    assert!(place.text("student/recipe.toml").contains("[distillation]\nteacher = \"moons\""));
    // A blob like any other, and a run like any other but for going on by the data.
    assert!(place.ok("sample student --count 3").stdout.lines().count() == 4);
    place.refused_with("train --resume student", &["student", "distill"]);
    place.refused_with("search-plan student", &["student", "teacher"]);
    place.refused_with("distill moons --out student", &["holds a run already", "--force"]);
    // What is refused, or fails, leaves the run that it would have replaced.
    let before = place.bytes("student/model.mote");
    place.refused_with("distill moons --out student --force --learning-rate nan", &["learning_rate"]);
    place.refused_with("distill moons --out moons --force", &["--out moons", "teacher"]);
    assert!(place.bytes("student/model.mote") == before && place.path("moons/checkpoint.safetensors").exists());
}

#[test]
fn a_student_that_cannot_be_is_refused_in_one_line() {
    let place = Place::new();
    place.trained("run", "");
    for (arguments, parts) in [
        ("--plan dpm++2m:2", &["dpm++2m:2", "ddim"][..]),
        ("--guidance 2", &["--guidance", "no classes", "--class-conditional"]),
        ("--evaluations 0", &["0", "1..=16"]),
        ("--plan ddim:2:[1,0]", &["[1,0]"]),
    ] {
        place.refused_with(&format!("distill run --out new {arguments}"), parts);
        assert!(!place.path("new").exists(), "{arguments}");
    }
}

#[test]
fn the_search_finds_a_plan_that_the_other_commands_take() {
    let place = Place::new();
    place.ok(MOONS);
    let found = json(&place.ok("search-plan moons --evaluations 5 --samples 1000 --passes 2 --refine 1 --json").stdout);
    let best = found["best"].as_str().unwrap();
    let plans = found["plans"].as_array().unwrap();
    assert!(plans.len() > 20 && plans.iter().all(|plan| plan["evaluations"].as_u64().unwrap() <= 5));
    // The best is the one with the lowest figure on noise that the search did not see.
    let confirmed: Vec<f64> = plans.iter().filter_map(|plan| plan["confirmed"].as_f64()).collect();
    assert_eq!(plans[0]["plan"], best);
    assert!(confirmed.len() >= 2 && confirmed.iter().all(|score| *score >= confirmed[0]));
    place.ok(&format!("quantize moons --plan {best} --out best.mote"));
    assert!(place.ok("sample best.mote --count 2").stdout.lines().count() == 3);
    // On the noise that all were scored on, the best is no worse than a plan that one would take without a search.
    let score = |plan: &Value| plan["score"].as_f64().unwrap();
    let usual = plans.iter().find(|plan| plan["plan"] == "dpm++2m:5").expect("every sampler on every grid");
    assert!(score(&plans[0]) <= score(usual), "{best}: {} against {}", score(&plans[0]), score(usual));
}

#[test]
fn a_frontier_is_kept_line_by_line_and_gone_on_with() {
    let place = Place::new();
    place.trained("run", "");
    let arguments = "frontier run --steps 20,40 --weight-decay 0,0.5";
    let points = json(&place.ok(&format!("{arguments} --json")).stdout);
    assert_eq!(points.as_array().unwrap().len(), 4);
    let csv = place.text("run/frontier.csv");
    assert_eq!(csv.lines().count(), 5);
    // Nothing is left to train, so the file stays as it is; one more length is one more line.
    place.ok(arguments);
    assert_eq!(place.text("run/frontier.csv"), csv);
    place.ok("frontier run --steps 30 --weight-decay 0.5");
    assert_eq!(place.text("run/frontier.csv").lines().count(), 6);
    place.write("run/frontier.csv", "steps,regularisation\nx,y\n");
    place.refused_with(arguments, &["frontier.csv"]);
}
