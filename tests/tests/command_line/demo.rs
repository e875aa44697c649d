//! `mote demo`: the main job, cut short.

use super::mote::Place;

#[test]
fn the_demo_leaves_a_whole_run_and_prints_its_table() {
    let place = Place::new();
    let ended = place.ok("demo --out demo --steps 60 --no-board");
    for part in
        ["sliced W2", "floor (training rows)", "unipc2:5:s, int8", "dpm++2m-sde:20:k4, float", "blob", "--no-board"]
    {
        assert!(ended.stdout.contains(part), "no \"{part}\" in:\n{}", ended.stdout);
    }
    for name in ["model.mote", "samples.png", "loss.svg", "metrics.csv", "recipe.toml", "quality.json", "report.html"] {
        assert!(place.path("demo").join(name).is_file(), "no {name}");
    }
    // The page shows the picture and the quality, and asks no other machine for anything.
    let page = place.text("demo/report.html");
    assert!(page.contains("data:image/png;base64,") && page.contains("<svg") && page.contains("int8"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
}

#[test]
fn the_demo_replaces_no_other_run() {
    let place = Place::new();
    place.trained("run", "");
    place.refused_with("demo --out run --steps 60 --no-board", &["holds a run already", "--out"]);
}
