//! `mote report`: one page with everything about a run.

use crate::mote::Place;

#[test]
fn the_page_stands_alone_and_shows_every_sampler() {
    let place = Place::new();
    place.trained("run", "--plan dpm++2m:6");
    let header = "steps,regularisation,memorisation,frechet,sliced_w2,nearest_neighbour";
    place.write("run/frontier.csv", format!("{header}\n100,decay .1,.61,.7,.07,.7\n200,decay .1,.66,.6,.06,.7\n"));
    place.ok("report run --quick --out page.html");
    let page = place.text("page.html");
    let parts =
        ["Samples", "From noise to samples", "Quality against evaluations", "Quality against memorisation", "Sizes"];
    for part in parts.iter().chain(&["What quantisation costs", "Training", "Make it again"]) {
        assert!(page.contains(&format!("<h2>{part}")), "no {part}");
    }
    for part in ["ddpm:20", "ddim:5", "dpm++2m-sde:10", "mote report run --seed 7 --quick --out page.html", "decay .1"]
    {
        assert!(page.contains(part), "no {part}");
    }
    // Nothing is fetched and nothing runs.
    for foreign in ["src=\"http", "<link", "<script", "href="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<img ").count(), page.matches(" alt=\"").count());
    assert!(page.matches("role=\"img\" aria-label=\"").count() >= 6);
    // The same run gives the same page.
    place.ok("report run --quick --out page2.html");
    assert_eq!(place.text("page2.html").replace("page2.html", "page.html"), page);
}

#[test]
fn what_cannot_be_reported_is_one_line() {
    let place = Place::new();
    place.trained("run", "");
    place.refused_with("report nowhere", &["nowhere is not a run"]);
    place.write("run/frontier.csv", "steps,regularisation\n100,none\n");
    place.refused_with("report run --quick", &["run/frontier.csv", "memorisation"]);
}
