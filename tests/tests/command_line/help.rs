//! Help and completions.

use std::process::Command;

use crate::mote::Place;

#[test]
fn every_verb_has_help_with_an_example() {
    let place = Place::new();
    let verbs = [
        "train",
        "export",
        "distill",
        "search-plan",
        "fit",
        "frontier",
        "import",
        "quantize",
        "sample",
        "synth",
        "synth-check",
        "inspect",
        "evaluate",
    ];
    for verb in verbs.into_iter().chain(["report", "theory", "completions"]) {
        let help = place.ok(&format!("{verb} --help")).stdout;
        assert!(help.contains(&format!("Usage: mote {verb}")), "{help}");
        let example = help.split(&format!("mote {verb}")).count() > 2;
        assert!(example, "{verb}: no example in\n{help}");
        assert_eq!(place.ok(&format!("help {verb}")).stdout, help);
    }
    let all = place.ok("--help").stdout;
    for verb in verbs.into_iter().chain(["demo", "report", "firmware", "theory", "completions"]) {
        assert!(all.contains(&format!("\n  {verb} ")), "{all}");
        place.ok(&format!("{verb} -h"));
    }
    assert!(place.ok("--version").stdout.starts_with("mote "));
    assert_eq!(place.mote("").code, Some(2));
}

#[test]
fn completions_are_scripts() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.ok(&format!("completions {shell}")).stdout;
        assert!(script.len() > 1000 && script.contains("evaluate"), "{shell}: {script}");
        place.write(shell, script);
    }
    let checked = Command::new("bash").arg("-n").arg(place.path("bash")).output().expect("bash");
    assert!(checked.status.success() && checked.stderr.is_empty());
    place.refused_with("completions tcsh", &["tcsh", "bash"]);
}
