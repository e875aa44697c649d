//! Data that cannot be learned from: one clear line, exit code 2, nothing left behind.

use crate::mote::Place;
use crate::tables::{gzipped, normals, npy};

const TRAIN: &str = "train --hidden 8 --steps 5 --batch 8 --out run --data";

/// Writes a file, expects it to be refused, and expects the parts in the one line.
fn refused(name: &str, contents: &[u8], more: &str, parts: &[&str]) {
    let place = Place::new();
    place.write(name, contents);
    place.refused_with(&format!("{TRAIN} {name} {more}"), parts);
}

/// A good table with one line, counted from 1 with the header, put in another's place.
fn with_line(number: usize, line: &str) -> Vec<u8> {
    let mut lines = vec!["a,b".to_string()];
    lines.extend((0..40).map(|row| format!("{},{}", row % 7, row % 5)));
    lines[number - 1] = line.into();
    (lines.join("\n") + "\n").into_bytes()
}

#[test]
fn files_that_are_not_there_or_no_tables() {
    let place = Place::new();
    place.refused_with(&format!("{TRAIN} none.csv"), &["none.csv", "no such file"]);
    place.refused_with(&format!("{TRAIN} digit"), &["did you mean", "digits"]);
    refused("a.xlsx", b"PK", "", &["a.xlsx", ".csv, .csv.gz or .npy"]);
    refused("a.csv", b"", "", &["a.csv", "empty"]);
    refused("a.csv", b"a,b\n", "", &["a.csv", "two"]);
    refused("a.csv", b"\xff\xfe\n1\n2\n", "", &["a.csv", "UTF-8"]);
    refused("a.csv.gz", &gzipped(&normals(40, 2))[..100], "", &["a.csv.gz", "cut short"]);
    refused("a.csv.gz", normals(40, 2).as_bytes(), "", &["a.csv.gz", "corrupt"]);
    refused("a.csv", normals(3, 2).as_bytes(), "", &["3 rows", "empty"]);
    refused("a.csv", normals(40, 513).as_bytes(), "", &["513", "512"]);
}

#[test]
fn cells_are_named_by_line_and_column() {
    refused("a.csv", &with_line(12, "1,2,3"), "", &["line 12", "3", "2"]);
    refused("a.csv", &with_line(12, "1"), "", &["line 12"]);
    refused("a.csv", &with_line(30, "1,tall"), "", &["line 30", "b", "tall", "not a number"]);
    for (cell, what) in [("nan", "nan"), ("NaN", "NaN"), ("inf", "inf"), ("-Infinity", "nfinit"), ("", "empty")] {
        let line = format!("{cell},2");
        refused("a.csv", &with_line(9, &line), "", &["line 9", "column 1", what, "--missing drop"]);
    }
    let all_missing: String = (0..40).map(|_| "nan,1\n").collect();
    refused("a.csv", format!("a,b\n{all_missing}").as_bytes(), "--missing drop", &["0 of 40 rows"]);
}

#[test]
fn labels_that_are_not_there() {
    refused("a.csv", &with_line(2, "1,2"), "--label kind", &["kind", "a, b"]);
    refused("a.csv", &with_line(2, "1,2"), "--label 3", &["3", "a, b"]);
    refused("a.csv", &with_line(2, "1,2"), "--class-conditional", &["--class-conditional", "--label"]);
    refused("a.csv", b"a\n1\n2\n3\n", "--label a", &["no features"]);
}

#[test]
fn arrays_of_a_wrong_kind_or_length() {
    let values = vec![0; 40 * 2 * 4];
    refused("a.npy", &npy("<c8", "(20, 2)", &values), "", &["a.npy", "c8"]);
    refused("a.npy", &npy("<U2", "(20, 2)", &values), "", &["a.npy", "U2"]);
    refused("a.npy", &npy("|O", "(20, 2)", &values), "", &["a.npy"]);
    refused("a.npy", &npy("<f4", "(2, 2, 2, 2)", &values[..64]), "", &["a.npy", "dimensions"]);
    let whole = npy("<f4", "(40, 2)", &values);
    for length in [3, 9, 40, 128, whole.len() - 1] {
        refused("a.npy", &whole[..length], "", &["a.npy"]);
    }
    refused("a.npy", b"PK\x03\x04 not an array at all, but long enough to be one", "", &["a.npy"]);
    let mut infinite = vec![0; 320];
    infinite[12..16].copy_from_slice(&f32::INFINITY.to_le_bytes());
    refused("a.npy", &npy("<f4", "(40, 2)", &infinite), "", &["row 2", "column 2", "--missing drop"]);
}
