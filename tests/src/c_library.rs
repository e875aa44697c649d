//! The C library as a C program meets it: the archive, a compiler, a board's emulator, and what to do where one is missing.

use mote_core::model::arena_bytes;
use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The target of the board that the C example is for.
pub const BOARD_TARGET: &str = "thumbv7em-none-eabihf";

/// What a compiler for the board is asked for.
pub const BOARD_FLAGS: &str = "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -Os -ffreestanding -nostdlib -Wl,--gc-sections \
                               -Wl,--no-warn-rwx-segments";

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder of the C library's sources.
pub fn sources(folder: &str) -> PathBuf {
    root().join("core/c").join(folder)
}

/// Builds `libmote.a` for a target, or for the host, and gives the folder that it is in; `more` are further arguments of Cargo's.
///
/// Gives `None`, and says so loudly, where the target is not installed; where `CI` is set that is a failure.
///
/// # Panics
/// If it does not build.
pub fn archive(target: Option<&str>, more: &[&str]) -> Option<PathBuf> {
    let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    // A folder for each set of features, since the archive of another would stand in its place.
    let folder = std::path::absolute(base.join(format!("c-library{}", more.concat()))).expect("a path");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(&folder).args(more);
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    // Flags of the tests' own build say nothing about the library's.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(name);
    }
    let output = command.current_dir(sources("archive")).output().expect("cargo starts");
    let message = String::from_utf8_lossy(&output.stderr);
    if message.contains("target may not be installed") {
        return skipped(&format!("install it with `rustup target add {}`", target.unwrap_or_default()));
    }
    assert!(output.status.success(), "the archive does not build:\n{message}");
    Some(target.map_or(folder.clone(), |target| folder.join(target)).join("release"))
}

/// Writes what `mote export --format c` writes of a model with 64 components and two plans, as far as the examples use it, and gives the source's path.
///
/// # Panics
/// If the blob is no model, or the folder cannot be written.
pub fn model_files(folder: &Path, blob: &[u8]) -> PathBuf {
    let header = format!(
        "#ifndef MODEL_H\n#define MODEL_H\n#include \"mote.h\"\n#define MODEL_BLOB_BYTES {}\n#define MODEL_ARENA_BYTES {}\n\
         #define MODEL_DIM 64\n#define MODEL_PLANS 2\nextern const uint8_t model_blob[MODEL_BLOB_BYTES];\n\
         mote_status model_open(mote_model *model, mote_session *session, uint32_t *arena, size_t bytes);\n#endif\n",
        blob.len(),
        arena_bytes(blob),
    );
    std::fs::write(folder.join("model.h"), header).unwrap();
    let source = format!(
        "#include \"model.h\"\n_Alignas(16) const uint8_t model_blob[MODEL_BLOB_BYTES] = {{{}}};\n\
         mote_status model_open(mote_model *model, mote_session *session, uint32_t *arena, size_t bytes) {{\n\
         mote_status status = mote_model_parse(model, model_blob, MODEL_BLOB_BYTES);\n\
         if (status == MOTE_STATUS_OK) status = mote_session_bind(session, model, arena, bytes);\n\
         return status == MOTE_STATUS_OK ? mote_session_self_test(session) : status;\n}}\n",
        blob.iter().map(u8::to_string).collect::<Vec<_>>().join(","),
    );
    std::fs::write(folder.join("model.c"), source).unwrap();
    folder.join("model.c")
}

/// Says that something is left out, which is a failure where `CI` is set.
///
/// # Panics
/// There.
pub fn skipped<T>(way_out: &str) -> Option<T> {
    assert!(env::var_os("CI").is_none(), "the C library is not tested: {way_out}");
    eprintln!("\n*** SKIPPED, NOT TESTED: the C library *** {way_out} ***\n");
    None
}

/// Runs a compiler with arguments separated by blanks and with paths, C11 and every warning an error.
///
/// # Panics
/// If it starts and cannot be waited for.
pub fn compile(compiler: &str, flags: &str, paths: &[&Path], libraries: &Path, out: &Path) -> Option<Output> {
    let output = Command::new(compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"])
        .arg(out)
        .args(flags.split_whitespace())
        .arg("-I")
        .arg(sources("include"))
        .args(paths)
        .arg("-L")
        .arg(libraries)
        .arg("-lmote")
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skipped(&format!("{compiler} is missing: install it with `cargo xtask setup`"))
        }
        Err(error) => panic!("{compiler}: {error}"),
    }
}

/// Runs an image on the board under QEMU; gives its exit code, if it ended in time, and its lines.
///
/// # Panics
/// If the emulator starts and cannot be waited for.
pub fn run_on_board(image: &Path) -> Option<(Option<i32>, String)> {
    let program = env::var_os("MOTE_QEMU").unwrap_or_else(|| "qemu-system-arm".into());
    let child = Command::new(program)
        .args(["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-chardev", "stdio,id=console", "-semihosting-config", "enable=on,target=native,chardev=console"])
        .arg("-kernel")
        .arg(image)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    match child {
        Ok(child) => Some(wait(child, crate::qemu::TIME_LIMIT)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skipped("qemu-system-arm is missing: install it with `cargo xtask setup`")
        }
        Err(error) => panic!("QEMU: {error}"),
    }
}

/// Waits for a program that prints little, but no longer than the limit.
fn wait(mut child: Child, limit: Duration) -> (Option<i32>, String) {
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > limit {
            child.kill().expect("a child");
            return (None, String::new());
        }
        sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("its output");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}
