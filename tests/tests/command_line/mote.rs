//! The binary, run in a temporary folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The binary: `MOTE_BIN`, or the release build in the workspace's target folder.
pub fn binary() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let built = workspace.join(target).join("release/mote");
    let binary = std::env::var_os("MOTE_BIN").map_or(built, PathBuf::from);
    assert!(
        binary.is_file(),
        "{} is not there: build it with `cargo build --release -p mote-cli`, or name it by MOTE_BIN",
        binary.display()
    );
    binary
}

/// What a command left behind.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// A folder of its own for one test.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).expect("a temporary file");
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).expect("text")
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `mote` with arguments separated by blanks, to be run in the folder.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `mote` to its end.
    pub fn mote(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments).output().expect("mote starts"))
    }

    /// Runs `mote` to its end with this on its standard input.
    pub fn fed(&self, arguments: &str, input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("mote starts");
        // One that stops at an error does not read on.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Ended::of(child.wait_with_output().expect("mote ends"))
    }

    /// Runs `mote` and expects success.
    pub fn ok(&self, arguments: &str) -> Ended {
        let ended = self.mote(arguments);
        assert_eq!(ended.code, Some(0), "mote {arguments}: {}", ended.stderr);
        ended
    }

    /// Runs `mote` and expects exit code 2 and one clear line, which is returned; other lines may only be progress, and
    /// the folder must hold what it held before.
    pub fn refused(&self, arguments: &str) -> String {
        let before = self.everything();
        let ended = self.mote(arguments);
        assert_eq!(ended.code, Some(2), "mote {arguments}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "mote {arguments}: {}", ended.stderr);
        let errors: Vec<_> = ended.stderr.lines().filter(|line| !is_talk(line)).collect();
        assert_eq!(errors.len(), 1, "mote {arguments}: {}", ended.stderr);
        assert!(errors[0].starts_with("error: "), "mote {arguments}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "mote {arguments}");
        assert!(self.everything() == before, "mote {arguments} left something behind");
        errors[0].into()
    }

    /// Runs `mote`, expects it to be refused, and expects each part in its one line.
    pub fn refused_with(&self, arguments: &str, parts: &[&str]) {
        let line = self.refused(arguments);
        for part in parts {
            assert!(line.contains(part), "mote {arguments}: no \"{part}\" in: {line}");
        }
    }

    /// Every file with its contents.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    found.push((path.clone(), Vec::new()));
                    walk(&path, found);
                } else {
                    found.push((path.clone(), fs::read(&path).expect("a file")));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found);
        found.sort();
        found
    }

    /// Trains the usual small network on the usual small table into `run`, but for the flags in `more`.
    pub fn trained(&self, run: &str, more: &str) -> Ended {
        if !self.path("windows.csv").exists() {
            self.write("windows.csv", super::tables::windows());
        }
        let mut arguments = format!("train --data windows.csv --label state --out {run} {more}");
        for (flag, usual) in
            [("--hidden", "16"), ("--batch", "32"), ("--steps", "60"), ("--plan", "dpm++2m:20 --plan ddpm:20")]
        {
            if !more.contains(flag) {
                arguments += &format!(" {flag} {usual}");
            }
        }
        self.ok(&arguments)
    }
}

/// Lines that are neither the error nor part of one.
fn is_talk(line: &str) -> bool {
    let starts = ["training ", "training: ", "loss ", "warning: ", "measuring ", "building ", "16 samples, plan "];
    starts.iter().any(|start| line.starts_with(start))
}
