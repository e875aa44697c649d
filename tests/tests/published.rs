//! What is said of the published crate holds: its features, its oldest Rust, and what compatibility is promised by name.

use mote_core::model::{Model, ParseError};
use mote_tests::random_model::RandomModel;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(path: &str) -> toml::Table {
    toml::from_str(&text(path)).unwrap()
}

#[test]
fn the_table_of_features_is_that_of_the_manifest() {
    let manifest = manifest("core/Cargo.toml");
    let features: BTreeSet<_> = manifest["features"].as_table().unwrap().keys().cloned().collect();
    let page = text("core/README.md");
    let (_, section) = page.split_once("## Features").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let told: BTreeSet<_> = rows.map(|(name, _)| name.to_owned()).chain(["default".to_owned()]).collect();
    assert_eq!(told, features);
    // "`packed` alone is on by default."
    assert_eq!(manifest["features"]["default"].as_array().unwrap(), &[toml::Value::from("packed")]);
    assert!(section.contains("`packed` alone is on by default"));
}

#[test]
fn the_page_names_the_oldest_rust_of_the_manifest() {
    let manifest = manifest("core/Cargo.toml");
    let oldest = manifest["package"]["rust-version"].as_str().unwrap();
    assert!(text("core/README.md").contains(&format!("Rust {oldest} or newer")), "{oldest}");
}

#[test]
fn the_licences_of_the_crate_are_those_of_the_project() {
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert_eq!(text(&format!("core/{name}")), text(name));
    }
}

#[test]
fn a_file_of_a_newer_version_is_refused_by_its_number() {
    let mut blob = RandomModel::tiny().blob();
    blob[4..6].copy_from_slice(&2u16.to_le_bytes());
    // Before its checksum, which a newer version might take in another way.
    let Err(error) = Model::parse(&blob) else { panic!("it is read") };
    assert_eq!(error, ParseError::Version(2));
    assert!(error.to_string().contains('2'));
    let page = text("docs/compatibility.md");
    assert!(page.contains("`ParseError::Version`") && page.contains("`MOTE_STATUS_UNSUPPORTED_VERSION`"));
    assert!(text("core/c/include/mote.h").contains("MOTE_STATUS_UNSUPPORTED_VERSION = "));
}
