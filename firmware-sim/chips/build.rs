//! Gives the linker the memory map of the board that is built for.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// A feature, the target of its chip, and its memory map; a new board is a line here.
const BOARDS: [(&str, &str, &str); 2] = [
    ("nucleo-f446re", "thumbv7em-none-eabihf", include_str!("memory/nucleo-f446re.x")),
    ("pico", "thumbv6m-none-eabi", include_str!("memory/pico.x")),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=memory");
    let chosen = |name: &str| env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"))).is_some();
    let (target, out) = (env::var("TARGET")?, PathBuf::from(env::var("OUT_DIR")?));
    let mut boards = BOARDS.iter().filter(|(name, ..)| chosen(name));
    // Without one there is the library alone, and nothing to link.
    let Some((name, wanted, memory)) = boards.next() else { return Ok(()) };
    if let Some((other, ..)) = boards.next() {
        println!("cargo::error=an image is for one board: take one of the features {name} and {other}");
    }
    if target != *wanted {
        println!("cargo::error={name} needs --target {wanted}, and this build is for {target}");
    }
    fs::write(out.join("memory.x"), memory)?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=--nmagic");
    Ok(())
}
