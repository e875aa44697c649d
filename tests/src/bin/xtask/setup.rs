//! What the tests need on a machine besides a Rust toolchain: the boards' targets, rustfmt, clippy, QEMU and a C compiler for boards.

use super::run::Invocation;
use anyhow::{Context as _, Result, bail};
use mote_qemu::{BOARDS, Emulator};
use std::path::Path;
use std::process::Command;

/// Whether images are to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boards {
    /// Yes, so QEMU must be there.
    Wanted,
    /// No.
    Skipped,
}

/// Installs what is missing, or says what to install.
pub fn install(boards: Boards) -> Result<()> {
    board_targets()?;
    component("rustfmt", "fmt")?;
    component("clippy", "clippy")?;
    if boards == Boards::Wanted {
        for Emulator { program, package, .. } in BOARDS.iter().map(|board| board.emulator) {
            let elsewhere = "`brew install qemu` (macOS), or leave the boards out with --skip-qemu";
            package_with(program, package, &format!("`sudo dnf install {program}-core` (Fedora) or {elsewhere}"))?;
        }
        // Without the C library that comes with it: nothing here links one.
        let elsewhere = "`sudo dnf install arm-none-eabi-gcc-cs` (Fedora) or `brew install arm-none-eabi-gcc` (macOS)";
        package_with("arm-none-eabi-gcc", "gcc-arm-none-eabi", elsewhere)?;
    }
    Ok(())
}

/// Whether a version of Rust is there, or could be installed.
pub fn toolchain(version: &str) -> bool {
    let there = || Invocation::cargo(&format!("+{version} --version")).succeeds();
    there() || (run(&Invocation::new("rustup", &format!("toolchain install {version} --profile minimal"))) && there())
}

/// Runs a command that installs something.
fn run(line: &Invocation) -> bool {
    eprintln!("set-up: {line}");
    line.run().is_ok_and(|(success, _)| success)
}

fn board_targets() -> Result<()> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().context("cannot run rustc")?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_string();
    for target in BOARDS.iter().map(|board| board.target) {
        let there = || Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir();
        let installed = there() || run(&Invocation::new("rustup", &format!("target add {target}"))) && there();
        if !installed {
            bail!("the target {target} is missing: install it with `rustup target add {target}` (https://rustup.rs)")
        }
    }
    Ok(())
}

fn component(name: &str, subcommand: &str) -> Result<()> {
    let there = || Invocation::cargo(&format!("{subcommand} --version")).succeeds();
    if there() || (run(&Invocation::new("rustup", &format!("component add {name}"))) && there()) {
        return Ok(());
    }
    bail!("{name} is missing: install it with `rustup component add {name}` (https://rustup.rs)")
}

/// Installs the Debian package that a program is in, or says how to get it.
fn package_with(program: &'static str, package: &str, elsewhere: &str) -> Result<()> {
    let there = || Invocation::new(program, "--version").succeeds();
    if there() {
        return Ok(());
    }
    if Invocation::new("apt-get", "--version").succeeds() {
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
        let apt = |arguments: &str| {
            let line = if root {
                Invocation::new("apt-get", arguments)
            } else {
                Invocation::new("sudo", &format!("-n DEBIAN_FRONTEND=noninteractive apt-get {arguments}"))
            };
            run(&line.with("DEBIAN_FRONTEND", "noninteractive"))
        };
        if root || Invocation::new("sudo", "-n true").succeeds() {
            // An update that fails for one source may still have found the package.
            apt("update --quiet");
            if apt(&format!("install --quiet --yes --no-install-recommends {package}")) && there() {
                return Ok(());
            }
        }
    }
    bail!("{program} is missing: install it with `sudo apt-get install {package}` (Debian, Ubuntu), {elsewhere}")
}
