//! `cargo xtask test`: everything that a change must pass, stage after stage, up to the first failure.

use super::generated;
use super::report::{Line, Outcome, render};
use super::run::{Invocation, Tally};
use super::setup::{self, Boards};
use anyhow::{Context as _, Result};
use mote_qemu::BOARDS;
use mote_tests::chips::{CHIPS, Chip};
use std::time::{Duration, Instant};

/// What to run besides the usual, and what to leave out.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Add the long loops: two million mutations of models, errors seeded into the theory, the C library for
    /// every target, and Miri and fuzzing where nightly Rust and cargo-fuzz are there
    #[arg(long)]
    long: bool,
    /// Leave out the boards; a failure where CI is set
    #[arg(long)]
    skip_qemu: bool,
}

/// The files of tests that run images in QEMU.
const BOARD_TESTS: [&str; 10] = [
    "approximations",
    "c_library",
    "chips",
    "ensembles_on_board",
    "every_board",
    "host_against_qemu",
    "jobs_on_board",
    "kernels_on_board",
    "live_board",
    "stack",
];

/// The tests that run the `mote` program, which has to be built before them.
const COMMAND_LINE_TESTS: &str = "command_line";

enum Work {
    SetUp(Boards),
    Commands(Vec<Invocation>),
    GeneratedFiles,
    Skipped,
}

/// Runs all stages and prints the table; gives whether everything held.
pub fn test(options: &Options) -> Result<bool> {
    let in_ci = std::env::var_os("CI").is_some();
    let mut problem = None;
    let mut lines = Vec::new();
    for (name, work) in stages(options)? {
        if problem.is_some() {
            lines.push(Line { name, outcome: Outcome::NotRun, time: Duration::ZERO, tally: Tally::default() });
            continue;
        }
        eprintln!("\n== {name}");
        let start = Instant::now();
        let mut tally = Tally::default();
        let failure = perform(&work, &mut tally);
        let outcome = match (&failure, &work) {
            (Some(_), _) => Outcome::Failed,
            (None, Work::Skipped) => Outcome::Skipped,
            (None, _) => Outcome::Passed,
        };
        lines.push(Line { name, outcome, time: start.elapsed(), tally });
        problem = failure.map(|failure| format!("{name}: {failure}"));
        if problem.is_none() && outcome == Outcome::Skipped && in_ci {
            problem = Some(format!("{name}: skipped, and CI is set"));
        }
    }
    if let Some(problem) = &problem {
        eprintln!("\nFAILED in {problem}");
    }
    println!("{}", render(&lines).trim_end());
    Ok(problem.is_none())
}

/// Does the work of a stage; gives what failed and how to repeat it.
fn perform(work: &Work, tally: &mut Tally) -> Option<String> {
    match work {
        Work::SetUp(boards) => setup::install(*boards).err().map(|error| format!("{error:#}")),
        Work::GeneratedFiles => generated::check().err().map(|error| format!("{error:#}")),
        Work::Skipped => None,
        Work::Commands(commands) => commands.iter().find_map(|command| {
            eprintln!("+ {command}");
            match command.run() {
                Err(error) => Some(format!("{error:#}")),
                Ok((success, tests)) => {
                    tally.add(tests);
                    (!success).then(|| format!("repeat it with\n  {command}"))
                }
            }
        }),
    }
}

fn stages(options: &Options) -> Result<Vec<(&'static str, Work)>> {
    let cargo = |lines: &[&str]| Work::Commands(lines.iter().map(|line| Invocation::cargo(line)).collect());
    let boards = if options.skip_qemu { Boards::Skipped } else { Boards::Wanted };
    let firmware = "--manifest-path firmware-sim/Cargo.toml";
    let own_tests = tests_without_boards()?;
    let core_and_system = |profile: &str| {
        cargo(&[
            &format!(
                "test --no-fail-fast {profile} --features mote-core/imputation -p mote-core -p mote-device -p mote-experiments -p mote-link -p mote-qemu"
            ),
            &format!("test --no-fail-fast {profile} -p mote-tests {own_tests}"),
        ])
    };
    let board_tests = BOARD_TESTS.map(|name| format!("--test {name}")).join(" ");
    let board = |profile: &str| match boards {
        Boards::Wanted => cargo(&[&format!("test --no-fail-fast {profile} -p mote-tests {board_tests}")]),
        Boards::Skipped => Work::Skipped,
    };
    let mut stages = vec![
        ("set-up", Work::SetUp(boards)),
        // The samplers are modules of a macro's list, where rustfmt does not find them by itself.
        (
            "format",
            cargo(&[
                &format!("fmt --all --check -- {}", files_of("core/src/sampler")),
                &format!("fmt {firmware} --all --check"),
                "fmt --manifest-path core/c/archive/Cargo.toml --check",
                "fmt --manifest-path tests/fuzz/Cargo.toml --check",
            ]),
        ),
        // In release, as the tests of mote-cli and the documentation are, so that its libraries are checked once.
        ("lints", cargo(&["clippy --release --workspace --all-targets -- -D warnings"])),
        ("lints for the boards", Work::Commands(board_lints(firmware))),
        ("core and system, debug", core_and_system("")),
        ("host against board, debug", board("")),
        ("core and system, release", core_and_system("--release")),
        ("host against board, release", board("--release")),
        (
            "command line, release",
            cargo(&[
                "test --no-fail-fast --release -p mote-cli -p mote-laboratory -p mote-picture",
                "build --release -p mote-cli",
                &format!("test --no-fail-fast --release -p mote-tests --test {COMMAND_LINE_TESTS}"),
            ]),
        ),
        (
            "documentation",
            Work::Commands(vec![
                Invocation::cargo("doc --release --workspace --no-deps").with("RUSTDOCFLAGS", "-D warnings"),
            ]),
        ),
        // With this feature's approximations neither schedules nor the golden file's bits hold; what it changes is tested.
        (
            "feature micromath",
            cargo(&[
                "clippy --release -p mote-core --all-targets --features micromath -- -D warnings",
                "test --release -p mote-core --features micromath --lib math::",
                "test --release -p mote-core --features micromath --test approximations",
            ]),
        ),
        // The bits of a host without vectors, held to the digest of all others; the kernels' own tests compare the two shape by shape.
        (
            "feature portable",
            cargo(&[
                "clippy --release -p mote-core --all-targets --features portable -- -D warnings",
                "test --release -p mote-core --features portable --test golden",
                "test --release -p mote-tests --features portable --test every_board -- the_host_gives",
            ]),
        ),
        ("generated files", Work::GeneratedFiles),
        ("package", package()?),
    ];
    if options.long {
        let mutations = "test --release -p mote-tests --test hostile_blobs";
        stages.push(("long: mutations", Work::Commands(vec![Invocation::cargo(mutations).with("MOTE_LONG", "1")])));
        stages.push(("long: seeded errors", cargo(&["xtask mutants"])));
        let miri = Invocation::cargo("+nightly miri --version").succeeds();
        // Reads and runs small blobs at every address, with each cast of `core` in each alignment; then all of the C interface.
        let lines = [
            "+nightly miri test -p mote-tests --test hostile_blobs -- a_blob_gives_the_same_bits",
            "+nightly miri test -p mote-tests --test c_abi",
        ];
        stages.push(("long: Miri", if miri { cargo(&lines) } else { Work::Skipped }));
    }
    if options.long {
        stages.push(("long: C library for every target", Work::Commands(c_library_builds())));
        let there = Invocation::cargo("+nightly fuzz --version").succeeds();
        stages.push(("long: fuzzing", if there { Work::Commands(fuzzing()) } else { Work::Skipped }));
    }
    Ok(stages)
}

/// What crates.io would get of the core, built from that alone; and the core by the oldest Rust that it says it takes.
fn package() -> Result<Work> {
    let text = std::fs::read_to_string("core/Cargo.toml").context("cannot read core/Cargo.toml")?;
    let manifest: toml::Table = toml::from_str(&text).context("core/Cargo.toml is no manifest")?;
    let oldest = manifest["package"]["rust-version"].as_str().context("core/Cargo.toml states no rust-version")?;
    if !setup::toolchain(oldest) {
        eprintln!("Rust {oldest} is missing: install it with `rustup toolchain install {oldest}` (https://rustup.rs)");
        return Ok(Work::Skipped);
    }
    Ok(Work::Commands(vec![
        Invocation::cargo("package --locked --allow-dirty -p mote-core"),
        Invocation::cargo(&format!("+{oldest} check --locked -p mote-core")),
    ]))
}

/// The C library in release form for each target of a board.
fn c_library_builds() -> Vec<Invocation> {
    let mut targets: Vec<_> = BOARDS.iter().map(|board| board.target).collect();
    targets.sort_unstable();
    targets.dedup();
    let archive = "build --release --locked --manifest-path core/c/archive/Cargo.toml --target-dir target/c-library";
    targets.iter().map(|target| Invocation::cargo(&format!("{archive} --target {target}"))).collect()
}

/// Each fuzz target for ten minutes, from the corpus that is kept and the seeds.
fn fuzzing() -> Vec<Invocation> {
    let line = |target| {
        let folders = format!("tests/fuzz/corpus/{target} tests/fuzz/seeds");
        Invocation::cargo(&format!(
            "+nightly fuzz run {target} --fuzz-dir tests/fuzz {folders} -- -max_len=6000 -max_total_time=600 -timeout=20"
        ))
    };
    ["parse", "forward", "sample", "c_interface", "frames"].map(line).into()
}

/// Lints of core and of the images for each processor, in the flags of the first board that has it.
fn board_lints(firmware: &str) -> Vec<Invocation> {
    let mut lints = Vec::new();
    let mut seen = Vec::new();
    for board in BOARDS.iter().filter(|board| {
        let new = !seen.contains(&(board.target, board.flags));
        seen.push((board.target, board.flags));
        new
    }) {
        let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", board.target.to_uppercase().replace(['-', '.'], "_"));
        for what in [
            "-p mote-core -p mote-link".to_string(),
            format!("{firmware} --workspace --features imputation --lib --bins --examples"),
        ] {
            let line = format!("clippy --release {what} --target {} -- -D warnings", board.target);
            lints.push(Invocation::cargo(&line).with("MOTE_BOARD", board.name).with(&flags, &board.flags.join(" ")));
        }
    }
    lints.extend(CHIPS.iter().map(|Chip { board, target, .. }| {
        Invocation::cargo(&format!(
            "clippy --release {firmware} -p mote-chips --features {board} --target {target} -- -D warnings"
        ))
    }));
    lints
}

/// Arguments that choose every test of mote-tests but those of the boards.
fn tests_without_boards() -> Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir("tests/tests").context("cannot list tests/tests")? {
        let path = entry.context("cannot list tests/tests")?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        // A test is a file, or a folder with a main.rs.
        let is_test = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        if is_test && name != COMMAND_LINE_TESTS && !BOARD_TESTS.contains(&name) {
            names.push(name.to_string());
        }
    }
    names.sort();
    Ok(names.iter().fold("--lib --bins".to_string(), |line, name| line + " --test " + name))
}

/// The Rust files of a folder, one after another; none where it cannot be read, which the compiler then says.
fn files_of(folder: &str) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}
