//! Pictures of the theory.

use crate::mote::Place;

/// Width and height in the header of a PNG, fields 1 and 2 of its first chunk (RFC 2083, section 4.1.1).
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!((&bytes[..8], &bytes[12..16]), (&b"\x89PNG\r\n\x1a\n"[..], &b"IHDR"[..]));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// A number in the first tag of an SVG.
fn svg_size(svg: &str, name: &str) -> u32 {
    let value = svg.split(&format!("{name}=\"")).nth(1).expect(name);
    value.split('"').next().unwrap().parse().expect(name)
}

#[test]
fn pictures_are_written_in_both_kinds_and_the_same_again() {
    let place = Place::new();
    let names = "brownian-zoom noise-schedules";
    let ended = place.ok(&format!("gallery {names} --out new/g --seed 3 --scale 3"));
    let files = ["brownian-zoom.svg", "brownian-zoom.png", "noise-schedules.svg", "noise-schedules.png"];
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), files.map(|file| format!("new/g/{file}")));
    let mut sorted = files;
    sorted.sort_unstable();
    assert_eq!(place.names("new/g"), sorted);
    for picture in names.split(' ') {
        let svg = place.text(&format!("new/g/{picture}.svg"));
        let (width, height) = png_size(&place.bytes(&format!("new/g/{picture}.png")));
        assert_eq!((width, height), (3 * svg_size(&svg, "width"), 3 * svg_size(&svg, "height")));
        assert!(svg.contains("(no unit)") && svg.trim_end().ends_with("</svg>"));
    }
    place.ok("gallery brownian-zoom --out again --seed 3 --scale 3");
    place.ok("gallery brownian-zoom --out other --seed 4 --format svg");
    for file in &files[..2] {
        assert_eq!(place.bytes(&format!("again/{file}")), place.bytes(&format!("new/g/{file}")));
    }
    assert_ne!(place.bytes("other/brownian-zoom.svg"), place.bytes("new/g/brownian-zoom.svg"));
    assert_eq!(place.names("other"), ["brownian-zoom.svg"]);
}

#[test]
fn all_pictures_come_with_a_page() {
    let place = Place::new();
    place.ok("gallery --format svg");
    let listed = place.ok("gallery --list").stdout;
    let page = place.text("gallery/index.html");
    assert!(listed.lines().count() >= 13, "{listed}");
    for line in listed.lines() {
        let (name, title) = line.split_once("  ").expect("name and title");
        assert!(place.text(&format!("gallery/{name}.svg")).starts_with("<svg"));
        assert!(page.contains(&format!("src=\"{name}.svg\"")) && page.contains(title.trim()), "{line}");
    }
    let json: serde_json::Value = serde_json::from_str(&place.ok("gallery --list --json").stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), listed.lines().count());
    assert!(json[0]["caption"].as_str().unwrap().len() > 50);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let place = Place::new();
    place.write("file", "");
    place.refused_with("gallery brownian-path", &["\"brownian-path\"", "did you mean brownian-paths?", "--list"]);
    place.refused_with("gallery ou-paths --format jpg", &["jpg", "svg, png, both"]);
    place.refused_with("gallery ou-paths --scale 0", &["--scale", "1..=4"]);
    place.refused_with("gallery ou-paths --seed -1", &["-1"]);
    place.refused_with("gallery ou-paths --out file/g", &["file/g", "--out"]);
    place.refused_with("gallery ou-paths --out /proc/g", &["/proc/g", "--out"]);
    let help = place.ok("gallery --help").stdout;
    assert!(help.contains("Usage: mote gallery") && help.split("mote gallery").count() > 2, "{help}");
}
