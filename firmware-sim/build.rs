//! Writes the linker's memory map for the board, and the arena's size for the image.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Bytes of the arena where the builder names no other number.
const DEFAULT_ARENA_BYTES: u32 = 4096;

fn main() -> ExitCode {
    match prepare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=MOTE_BOARD");
    println!("cargo::rerun-if-env-changed=MOTE_ARENA_BYTES");

    let name = env::var("MOTE_BOARD").unwrap_or_else(|_| mote_boards::BOARDS[0].name.to_owned());
    let board = mote_boards::find(&name).ok_or_else(|| {
        let known: Vec<_> = mote_boards::BOARDS.iter().map(|board| board.name).collect();
        format!("MOTE_BOARD: no board is called '{name}'; there are {}", known.join(", "))
    })?;
    let target = env::var("TARGET")?;
    if target != board.target {
        return Err(format!("{name} needs --target {}, and this build is for {target}", board.target).into());
    }

    let room = board.ram.bytes - board.stack_bytes;
    let arena = match env::var("MOTE_ARENA_BYTES") {
        Err(_) => DEFAULT_ARENA_BYTES,
        Ok(text) => text.parse().ok().filter(|bytes| (4..=room).contains(bytes)).ok_or_else(|| {
            format!("MOTE_ARENA_BYTES is '{text}'; it takes a number of bytes from 4 to {room} on {name}")
        })?,
    };

    let out = PathBuf::from(env::var("OUT_DIR")?);
    // The stack lies below everything else in memory: one that outgrows its place leaves memory and faults.
    let memory = format!(
        "MEMORY {{\n  FLASH : ORIGIN = {:#010x}, LENGTH = {}\n  RAM : ORIGIN = {:#010x}, LENGTH = {room}\n}}\n\
         _stack_end = {:#010x};\n_stack_start = {:#010x};\n",
        board.flash.origin,
        board.flash.bytes,
        board.ram.origin + board.stack_bytes,
        board.ram.origin,
        board.ram.origin + board.stack_bytes,
    );
    fs::write(out.join("memory.x"), memory)?;
    fs::write(out.join("arena_bytes.rs"), format!("{arena}usize"))?;
    println!("cargo::rustc-env=MOTE_BOARD={name}");
    println!("cargo::rustc-link-search={}", out.display());
    // Here rather than in .cargo/config.toml, where RUSTFLAGS of the environment would replace them.
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=--nmagic");
    Ok(())
}
