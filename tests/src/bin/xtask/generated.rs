//! Files in the repository that a program writes: the tables of core, the C header, and models with random weights.

use anyhow::{Context as _, Result, bail, ensure};
use mote_core::job::CALIBRATION_NUMBERS;
use mote_core::network::{WeightFormat, WeightLayout};
use mote_link::frame::PAYLOAD_MAX;
use mote_link::message::{Judging, Request};
use mote_tests::random_model::RandomModel;
use mote_tests::{c_header, tables};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What to do with a file that stands in a tagged version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// Refuse to write it.
    Keep,
    /// Write it all the same.
    Overwrite,
}

/// The golden files, which must stay readable once a version with them is released: one for each layout of weights, one for each role,
/// and one of packed weights.
fn golden() -> [(&'static str, RandomModel); 5] {
    [
        ("core/tests/golden/v1-digits-random.mote", RandomModel::digits()),
        (
            "core/tests/golden/v1-digits-row-pairs.mote",
            RandomModel { layout: WeightLayout::RowPairs, ..RandomModel::digits() },
        ),
        (
            "core/tests/golden/v1-digits-packed.mote",
            RandomModel { layout: WeightLayout::RowPairs, ..RandomModel::digits() }
                .of_small_weights(WeightFormat::Bits4),
        ),
        ("core/tests/golden/v1-slide-random.mote", RandomModel::slide()),
        ("core/tests/golden/v1-gaps-random.mote", RandomModel::gaps()),
    ]
}

/// The model that is built into firmware images, which may change at any time.
const BUILT_IN: &str = "firmware-sim/models/built-in.mote";

/// Where fuzzing starts from: small models with every feature of the format, and after each the bytes that choose what is done with it; and requests.
fn fuzz_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let everything = RandomModel::small_with_everything();
    let packed = everything.clone().of_small_weights(WeightFormat::Bits4);
    let centre = RandomModel { centre: Some(3), ..everything.clone() };
    let seeds = [
        ("tests/fuzz/seeds/tiny", RandomModel::tiny().blob()),
        ("tests/fuzz/seeds/everything", everything.blob()),
        ("tests/fuzz/seeds/centre", centre.blob()),
        ("tests/fuzz/seeds/packed", packed.blob()),
        ("tests/fuzz/seeds/gaps", RandomModel::gaps().blob()),
    ];
    let models = seeds.map(|(path, blob)| (path, blob.into_iter().chain(0..32).collect()));
    models.into_iter().chain([("tests/fuzz/seeds/detector", detector_requests())]).collect()
}

/// For a device's line: the payloads of a conversation that sets a detector of the built-in model up and scores a window, a byte of length before each.
fn detector_requests() -> Vec<u8> {
    let (numbers, window) = (1f32.to_le_bytes().repeat(CALIBRATION_NUMBERS), 0.5f32.to_le_bytes().repeat(2));
    let (seeds, channels, threshold, levels) = (1, 1, 0.5, &[0][..]);
    let requests = [
        Request::Hello { version: mote_link::VERSION },
        Request::Detector { judging: Judging::Sensors, seeds, channels, threshold, levels },
        Request::Calibration { from: 0, values: &numbers },
        Request::Window { from: 0, values: &window },
        Request::Detect,
        Request::Boot,
        Request::Boot,
        Request::Boot,
        Request::Values { from: 0 },
    ];
    let mut out = Vec::new();
    for request in requests {
        let mut payload = [0; PAYLOAD_MAX];
        let payload = postcard::to_slice(&request, &mut payload).expect("it fits");
        out.push(payload.len() as u8);
        out.extend_from_slice(payload);
    }
    out
}

fn write(path: &str, bytes: &[u8]) -> Result<()> {
    let same = fs::read(path).is_ok_and(|there| there == bytes);
    if !same {
        let part = format!("{path}.part");
        fs::write(&part, bytes)
            .and_then(|()| fs::rename(&part, path))
            .with_context(|| format!("cannot write {path}"))?;
    }
    eprintln!("{path}: {}", if same { "unchanged" } else { "written" });
    Ok(())
}

/// Writes the tables.
pub fn write_tables() -> Result<()> {
    tables::all().iter().try_for_each(|table| write(table.path, table.text.as_bytes()))
}

/// Writes the header of the C library.
pub fn write_header() -> Result<()> {
    write(c_header::PATH, c_header::text(Path::new("."))?.as_bytes())
}

/// Writes the models.
pub fn write_models(released: Released) -> Result<()> {
    for (path, model) in golden() {
        let golden = model.blob();
        if released == Released::Keep
            && let Some(tag) = first_release_with(path)?
            && fs::read(path).ok().as_ref() != Some(&golden)
        {
            bail!("{path} is part of {tag}, whose files must stay readable: add a new file, or insist with --force");
        }
        write(path, &golden)?;
    }
    write(BUILT_IN, &RandomModel::tiny().blob())?;
    fuzz_seeds().iter().try_for_each(|(path, bytes)| write(path, bytes))
}

/// Checks that the files are what their programs write, and that a released golden file is the released one.
pub fn check() -> Result<()> {
    for table in tables::all() {
        let there = fs::read(table.path).with_context(|| format!("cannot read {}", table.path))?;
        ensure!(there == table.text.as_bytes(), "{} is not what `cargo xtask tables` writes", table.path);
    }
    let header = fs::read_to_string(c_header::PATH).with_context(|| format!("cannot read {}", c_header::PATH))?;
    ensure!(header == c_header::text(Path::new("."))?, "{} is not what `cargo xtask header` writes", c_header::PATH);
    let mut files = vec![(BUILT_IN, RandomModel::tiny().blob())];
    for (path, model) in golden() {
        let released = match first_release_with(path)? {
            Some(tag) => git(&["show", &format!("{tag}:{path}")])?.context("git show gave nothing")?,
            None => model.blob(),
        };
        files.push((path, released));
    }
    for (path, expected) in files.into_iter().chain(fuzz_seeds()) {
        let there = fs::read(path).with_context(|| format!("cannot read {path}"))?;
        ensure!(there == expected, "{path} is not what `cargo xtask golden` writes");
    }
    Ok(())
}

/// What a git command prints, or `None` where it fails.
fn git(arguments: &[&str]) -> Result<Option<Vec<u8>>> {
    let output = Command::new("git").args(arguments).stderr(Stdio::null()).output().context("cannot run git")?;
    Ok(output.status.success().then_some(output.stdout))
}

/// The oldest version tag (`v1.2.3`) whose tree holds the file. A source archive without history has none.
fn first_release_with(path: &str) -> Result<Option<String>> {
    let tags = git(&["tag", "--list", "v*", "--sort=creatordate"])?.unwrap_or_default();
    for tag in String::from_utf8_lossy(&tags).lines() {
        if git(&["cat-file", "-e", &format!("{tag}:{path}")])?.is_some() {
            return Ok(Some(tag.to_string()));
        }
    }
    Ok(None)
}
