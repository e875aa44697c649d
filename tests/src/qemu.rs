//! The firmware images of the boards, and what to do on a machine that cannot build or run them.

use mote_qemu::{BOARDS, Board, Image, Program, emulator_version};
use object::{Object, ObjectSymbol};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, fs};

/// The longest that any run of the emulator may take; most take a third of a second.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The image that runs models, with the default arena, built once for all tests of a program.
///
/// Gives `None`, and says so loudly, where QEMU or the board's target is missing; where `CI` is set that is a failure.
///
/// # Panics
/// If the image does not build, or a tool is missing in CI.
pub fn image() -> Option<&'static Image> {
    static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
    IMAGE.get_or_init(|| image_of(Program::Model { arena_bytes: None }, &BOARDS[0])).as_ref()
}

/// The image that runs ensembles; everything else is as for [`image`].
///
/// # Panics
/// As [`image`].
pub fn ensembles_image() -> Option<&'static Image> {
    static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
    IMAGE.get_or_init(|| image_of(Program::Ensembles, &BOARDS[0])).as_ref()
}

/// The image that runs models, with the default arena, for each board that this machine can build for and emulate.
///
/// # Panics
/// As [`image`].
pub fn images() -> &'static [Image] {
    static IMAGES: OnceLock<Vec<Image>> = OnceLock::new();
    let build = || BOARDS.iter().filter_map(|board| image_of(Program::Model { arena_bytes: None }, board)).collect();
    IMAGES.get_or_init(build)
}

/// The image that answers a host, for each board that this machine can build for and emulate.
///
/// # Panics
/// As [`image`].
pub fn serve_images() -> Vec<Image> {
    let arena_bytes = |board: &Board| Some(if board.ram.bytes < 0x1_0000 { 4096 } else { 16384 });
    let build = |board| image_of(Program::Serve { arena_bytes: arena_bytes(board) }, board);
    BOARDS.iter().filter_map(build).collect()
}

/// An image for a board; everything else is as for [`image`].
///
/// # Panics
/// As [`image`].
pub fn image_of(program: Program, board: &Board) -> Option<Image> {
    match emulator_version(board).and_then(|_| Image::of(program, board)) {
        Ok(image) => Some(image),
        Err(error) if error.is_missing_tool() && env::var_os("CI").is_none() => {
            eprintln!("\n*** SKIPPED, NOT TESTED: host against {} ***\n*** {error} ***\n", board.name);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The symbols of an image that it must not hold: those of panics, of double-precision routines and of allocators.
///
/// # Panics
/// If the image cannot be read, or holds no symbol that contains `known`: then the list is not the real one.
pub fn forbidden_symbols(image: &Image, known: &str) -> Vec<String> {
    let bytes = fs::read(image.path()).expect("an image");
    let elf = object::File::parse(&*bytes).expect("an ELF file");
    let names: Vec<_> = elf.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    let starts = names.iter().any(|name| ["Reset", "_start"].contains(name));
    assert!(starts && names.iter().any(|name| name.contains(known)), "no symbols");
    forbidden_names(&names)
}

/// Those of some symbols that nothing on a board may have: of panics, of double-precision routines and of allocators.
pub fn forbidden_names(names: &[&str]) -> Vec<String> {
    let double = |name: &str| {
        // The names of the ARM ABI and those of compiler-builtins, which may stand inside a mangled name.
        let routines =
            ["adddf3", "subdf3", "muldf3", "divdf3", "powidf2", "extendsfdf2", "truncdfsf2", "fixdf", "fixunsdf"];
        let conversions =
            ["floatsidf", "floatdidf", "floatunsidf", "floatundidf", "eqdf2", "ledf2", "gedf2", "unorddf2"];
        name.starts_with("__aeabi_d")
            || name.starts_with("__aeabi_cd")
            || name.starts_with("__aeabi_") && name.ends_with("2d")
            || routines.iter().chain(&conversions).any(|routine| name.contains(routine))
    };
    let panics = |name: &str| name.contains("panicking") || name.contains("begin_unwind") || name.contains("can_panic");
    let allocates = |name: &str| {
        let routines = ["malloc", "calloc", "realloc", "free", "_sbrk"];
        routines.contains(&name)
            || ["__rust_alloc", "__rust_realloc", "__rg_", "__rdl_"].iter().any(|part| name.contains(part))
    };
    let bad = |name: &&&str| double(name) || panics(name) || allocates(name);
    names.iter().filter(bad).map(|name| (*name).to_owned()).collect()
}

/// Builds something of the images' workspace for a target and a board, beside its images: how that ended, and the folder that it is in.
pub(crate) fn build_for(target: &str, board: &str, arguments: &[&str]) -> (Output, PathBuf) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(root).join("target"), PathBuf::from);
    let folder = std::path::absolute(base.join("firmware")).expect("a path");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--release", "--locked", "--target", target, "--target-dir"])
        .arg(&folder)
        .args(arguments)
        .current_dir(Path::new(root).join("firmware-sim"))
        .env("MOTE_BOARD", board);
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(name);
    }
    let output = command.output().expect("cargo starts");
    (output, folder.join(target).join("release"))
}

/// Builds something of the images' crate for the default board.
fn build_for_board(arguments: &[&str]) -> (Output, PathBuf) {
    build_for(BOARDS[0].target, BOARDS[0].name, arguments)
}

/// What the build of the default board's image says when a panic is put into it; `None`, loudly, where a tool is missing.
///
/// # Panics
/// If it builds all the same.
pub fn image_with_a_panic() -> Option<String> {
    // The tools are there, and the image without the panic builds.
    image()?;
    let (output, _) = build_for_board(&["--bin", "mote-firmware", "--features", "panic-on-purpose"]);
    assert!(!output.status.success(), "an image with a panic in it links");
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// An example of the images' crate, built for the default board; `None`, loudly, where a tool is missing.
///
/// # Panics
/// If it does not build.
pub fn example(name: &str) -> Option<PathBuf> {
    image()?;
    let (output, folder) = build_for_board(&["--example", name]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(folder.join("examples").join(name))
}
