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
    fs::write(out.join("memory.x"), memory_map(&board, &target))?;
    fs::write(out.join("arena_bytes.rs"), format!("{arena}usize"))?;
    println!("cargo::rustc-env=MOTE_BOARD={name}");
    println!("cargo::rustc-link-search={}", out.display());
    // Here rather than in .cargo/config.toml, where RUSTFLAGS of the environment would replace them.
    for kind in ["bins", "examples"] {
        if target.starts_with(RISC_V) {
            println!("cargo::rustc-link-arg-{kind}=-Tmemory.x");
        }
        println!("cargo::rustc-link-arg-{kind}=-Tlink.x");
        println!("cargo::rustc-link-arg-{kind}=--nmagic");
    }
    Ok(())
}

/// How the names of RISC-V's targets begin; those of all others are Cortex-M's.
const RISC_V: &str = "riscv32";

/// The regions as the linker script of the start-up crate, cortex-m-rt's or riscv-rt's, wants them.
///
/// The stack lies below everything else in memory: one that outgrows its place leaves memory and faults.
fn memory_map(board: &mote_boards::Board, target: &str) -> String {
    let (bottom, top) = (board.ram.origin, board.ram.origin + board.stack_bytes);
    let regions = format!(
        "  FLASH : ORIGIN = {:#010x}, LENGTH = {}\n  STACK : ORIGIN = {bottom:#010x}, LENGTH = {}\n  \
         RAM : ORIGIN = {top:#010x}, LENGTH = {}\n",
        board.flash.origin,
        board.flash.bytes,
        board.stack_bytes,
        board.ram.bytes - board.stack_bytes,
    );
    let stack = format!("_stack_end = {bottom:#010x};\n_stack_start = {top:#010x};\n");
    let places =
        [("TEXT", "FLASH"), ("RODATA", "FLASH"), ("DATA", "RAM"), ("BSS", "RAM"), ("HEAP", "RAM"), ("STACK", "STACK")];
    let aliases: String = if target.starts_with(RISC_V) {
        places.iter().map(|(use_, region)| format!("REGION_ALIAS(\"REGION_{use_}\", {region});\n")).collect()
    } else {
        String::new()
    };
    format!("MEMORY {{\n{regions}}}\n{stack}{aliases}")
}
