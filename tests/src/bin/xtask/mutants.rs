//! `cargo xtask mutants`: errors put into a copy of the sources on purpose, each of which the rows of `mote theory` that it concerns
//! must notice, for every seed.

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How to run the mutants.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Run every mutant with the seeds 1 to this number
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Run only the mutants with this in their name
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

/// The list of mutants.
const LIST: &str = "tests/mutants.toml";
/// The copy, which cargo builds as a workspace of its own.
const COPY: &str = "target/mutants/source";
/// Where it is built; kept, so that a mutant builds only what it changes.
const BUILT: &str = "target/mutants/target";
/// The packages of the copy.
const PACKAGES: [&str; 3] = ["core", "host-cli/laboratory", "host-cli/picture"];

#[derive(Debug, Deserialize)]
struct List {
    mutant: Vec<Mutant>,
}

/// One error, and what must notice it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    text: String,
    replacement: String,
    must_fail: BTreeSet<String>,
}

/// What the rows of one seed came to.
#[derive(Debug, Deserialize)]
struct Outcome {
    seed: u64,
    failures: BTreeSet<String>,
}

/// Runs the sources as they are and then each mutant; gives whether every one was noticed by its rows and nothing else.
pub fn run(options: &Options) -> Result<bool> {
    let text = fs::read_to_string(LIST).with_context(|| format!("cannot read {LIST}"))?;
    let list: List = toml::from_str(&text).with_context(|| format!("{LIST} is no list of mutants"))?;
    let word = options.only.as_deref().unwrap_or("");
    let mutants: Vec<_> = list.mutant.iter().filter(|mutant| mutant.name.contains(word)).collect();
    ensure!(!mutants.is_empty(), "no mutant in {LIST} has \"{word}\" in its name");
    // All are looked at before any is built.
    for mutant in &mutants {
        mutant.source()?;
    }
    sync(None)?;
    let program = build().context("without a mutant")?;
    let mut held = true;
    for outcome in outcomes(&program, options.seeds)? {
        if !outcome.failures.is_empty() {
            held = false;
            println!("FAILED without a mutant, seed {}: {}", outcome.seed, joined(&outcome.failures));
        }
    }
    if !held {
        return Ok(false);
    }
    println!("ok      without a mutant: no row fails, {} seeds", options.seeds);
    for mutant in mutants {
        sync(Some(mutant))?;
        let program = build().with_context(|| mutant.name.clone())?;
        let outcomes = outcomes(&program, options.seeds).with_context(|| mutant.name.clone())?;
        held &= mutant.judge(&outcomes);
    }
    // What lies in the copy is then what it seems to be.
    sync(None)?;
    Ok(held)
}

impl Mutant {
    /// Its file with the error in it.
    fn source(&self) -> Result<String> {
        let known = PACKAGES.iter().any(|package| Path::new(&self.file).starts_with(package));
        ensure!(known, "mutant \"{}\": {} is in none of {}", self.name, self.file, PACKAGES.join(", "));
        let source = fs::read_to_string(&self.file)
            .with_context(|| format!("mutant \"{}\": cannot read {}", self.name, self.file))?;
        self.applied_to(&source)
    }

    fn applied_to(&self, source: &str) -> Result<String> {
        let count = source.matches(&self.text).count();
        if self.text.is_empty() || count != 1 {
            bail!(
                "mutant \"{}\": its text occurs {count} times in {}, not once: bring {LIST} up to date",
                self.name,
                self.file
            );
        }
        ensure!(self.text != self.replacement, "mutant \"{}\" changes nothing", self.name);
        Ok(source.replace(&self.text, &self.replacement))
    }

    /// Whether the rows that fail for every seed are those that must; says so.
    fn judge(&self, outcomes: &[Outcome]) -> bool {
        let mut times: BTreeMap<&String, usize> = BTreeMap::new();
        for row in outcomes.iter().flat_map(|outcome| &outcome.failures) {
            *times.entry(row).or_default() += 1;
        }
        let (always, sometimes): (Vec<_>, Vec<_>) = times.into_iter().partition(|(_, count)| *count == outcomes.len());
        let always: BTreeSet<_> = always.into_iter().map(|(row, _)| row.clone()).collect();
        let held = !always.is_empty() && always == self.must_fail;
        println!(
            "{} {}: {}, {} seeds",
            if held { "ok     " } else { "FAILED " },
            self.name,
            joined(&always),
            outcomes.len()
        );
        if !held {
            println!("        must fail: {}", joined(&self.must_fail));
        }
        for (row, count) in sometimes {
            println!("        for {count} of {} seeds also {row}", outcomes.len());
        }
        held
    }
}

fn joined(rows: &BTreeSet<String>) -> String {
    if rows.is_empty() { "no row".into() } else { rows.iter().cloned().collect::<Vec<_>>().join(", ") }
}

/// Makes the copy equal to the sources, but for the mutant; files that are the same are not touched, so that cargo does not build
/// them anew.
fn sync(mutant: Option<&Mutant>) -> Result<()> {
    let mut wanted: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    for package in PACKAGES {
        collect(Path::new(package), &mut wanted)?;
    }
    wanted.insert("Cargo.toml".into(), manifest()?.into_bytes());
    if let Some(mutant) = mutant {
        wanted.insert(PathBuf::from(&mutant.file), mutant.source()?.into_bytes());
    }
    let copy = Path::new(COPY);
    let mut there = BTreeMap::new();
    for package in PACKAGES.iter().filter(|package| copy.join(package).is_dir()) {
        collect(&copy.join(package), &mut there)?;
    }
    for path in there.keys().filter(|path| !wanted.contains_key(path.strip_prefix(copy).unwrap_or(path))) {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    for (path, bytes) in &wanted {
        write(&copy.join(path), bytes)?;
    }
    // Cargo takes the packages that the copy does not need off its lock file; the versions stay.
    if !copy.join("Cargo.lock").exists() {
        fs::copy("Cargo.lock", copy.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// All files below a folder.
fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(path, bytes);
        }
    }
    Ok(())
}

/// The workspace's manifest, with the packages of the copy only.
fn manifest() -> Result<String> {
    let text = fs::read_to_string("Cargo.toml").context("cannot read Cargo.toml")?;
    let mut manifest: toml::Table = toml::from_str(&text).context("Cargo.toml is no manifest")?;
    let workspace =
        manifest.get_mut("workspace").and_then(toml::Value::as_table_mut).context("no workspace in Cargo.toml")?;
    workspace.remove("default-members");
    workspace.remove("exclude");
    workspace.insert("members".into(), toml::Value::from(PACKAGES.to_vec()));
    toml::to_string(&manifest).context("cannot write the copy's manifest")
}

/// Builds the table of the copy; gives the program.
fn build() -> Result<PathBuf> {
    let root = std::env::current_dir().context("no working folder")?;
    let built = root.join(BUILT);
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--release", "-p", "mote-laboratory", "--example", "theory", "--target-dir"])
        .arg(&built)
        .current_dir(COPY)
        .stdin(Stdio::null())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the copy in {COPY} does not build");
    Ok(built.join("release/examples/theory"))
}

/// Runs rows with the seeds 1 to `seeds`.
fn outcomes(program: &Path, seeds: u64) -> Result<Vec<Outcome>> {
    let mut command = Command::new(program);
    command.arg("--failures").stdin(Stdio::null()).stderr(Stdio::inherit());
    (1..=seeds).for_each(|seed| _ = command.args(["--seed", &seed.to_string()]));
    let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
    let text = String::from_utf8(output.stdout).context("its output is no text")?;
    let outcomes: Vec<Outcome> =
        text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("its output is not understood")?;
    let failed = outcomes.iter().any(|outcome| !outcome.failures.is_empty());
    ensure!(outcomes.len() as u64 == seeds, "{} stopped after {} seeds", program.display(), outcomes.len());
    ensure!(output.status.code() == Some(i32::from(failed)), "it ended with {}, failed rows: {failed}", output.status);
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant() -> Mutant {
        Mutant {
            name: "a plus".into(),
            file: "core/src/a.rs".into(),
            text: "a - b".into(),
            replacement: "a + b".into(),
            must_fail: ["sum".to_string()].into(),
        }
    }

    #[test]
    fn a_mutant_is_one_replacement_or_an_error_with_its_name() {
        assert_eq!(mutant().applied_to("x = a - b;").unwrap(), "x = a + b;");
        for source in ["x = b - a;", "x = a - b; y = a - b;"] {
            let error = mutant().applied_to(source).unwrap_err().to_string();
            assert!(error.contains("\"a plus\"") && error.contains("core/src/a.rs"), "{error}");
        }
    }

    #[test]
    fn the_rows_that_always_fail_are_those_that_must() {
        let outcome = |seed, rows: &[&str]| Outcome { seed, failures: rows.iter().map(ToString::to_string).collect() };
        let judge = |outcomes: &[Outcome]| mutant().judge(outcomes);
        assert!(judge(&[outcome(1, &["sum"]), outcome(2, &["sum"])]));
        assert!(judge(&[outcome(1, &["sum", "tail"]), outcome(2, &["sum"])]));
        assert!(!judge(&[outcome(1, &["sum"]), outcome(2, &[])]));
        assert!(!judge(&[outcome(1, &["sum", "mean"]), outcome(2, &["sum", "mean"])]));
        assert!(!judge(&[outcome(1, &[]), outcome(2, &[])]));
    }

    #[test]
    fn the_list_is_read_and_every_mutant_applies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let list: List = toml::from_str(&fs::read_to_string(root.join(LIST)).unwrap()).unwrap();
        let mut names = BTreeSet::new();
        for mutant in &list.mutant {
            mutant.applied_to(&fs::read_to_string(root.join(&mutant.file)).unwrap()).unwrap();
            assert!(!mutant.must_fail.is_empty(), "{}", mutant.name);
            assert!(names.insert(&mutant.name), "{} is there twice", mutant.name);
        }
        assert!(!names.is_empty());
    }
}
