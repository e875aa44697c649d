//! The stack of the C library on a Cortex-M4: what its instructions allow at the most, beside what a run paints over.

use mote_tests::c_library::{BOARD_FLAGS, BOARD_TARGET, archive, compile, model_files, run_on_board, sources};
use mote_tests::qemu::image;
use mote_tests::stack::{Program, Unbounded};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const GOLDEN: &[u8] = include_bytes!("../../../core/tests/golden/v1-digits-row-pairs.mote");

/// What a program that parses, checks and samples may take of stack in the library, whatever its model and its input.
const AT_MOST: u64 = 1792;

#[test]
fn no_run_of_the_c_library_is_deeper_than_its_instructions_allow() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(Some(BOARD_TARGET), &[]) else { return };
    let model = model_files(folder.path(), GOLDEN);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/painted.c");
    let start = sources("examples/mps2_an386.c");
    let out = folder.path().join("painted.elf");
    let script = sources("examples/mps2_an386.ld");
    let flags = format!("{BOARD_FLAGS} -I {} -T {}", folder.path().display(), script.display());
    let Some(output) = compile("arm-none-eabi-gcc", &flags, &[&program, &start, &model], &libraries, &out) else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let program = Program::of(&fs::read(&out).unwrap());
    for function in ["mote_model_parse", "mote_session_bind", "mote_session_self_test", "mote_session_sample"] {
        println!("{function}: at most {} bytes", program.deepest(function).unwrap());
    }
    let bound = program.deepest("work").unwrap_or_else(|error| panic!("{error:?}"));
    let Some((Some(0), line)) = run_on_board(&out) else { panic!("the program fails on the board") };
    let painted = line.trim_end().strip_prefix("stack ").map(|hex| u64::from_str_radix(hex, 16).unwrap()).unwrap();
    println!("all of it: at most {bound} bytes by its instructions, {painted} painted over");
    // A run that is far from the bound would be one that does not sample.
    assert!(painted <= bound && 2 * painted > bound, "{painted} painted, at most {bound}");
    assert!(bound <= AT_MOST, "{bound}");
}

#[test]
fn the_image_formats_its_records_through_pointers_which_no_bound_covers() {
    let Some(image) = image() else { return };
    // As docs/memory.md says: any formatter may call any other by what the addresses tell, so of the image there is the painted figure alone.
    let told = Program::of(&fs::read(image.path()).unwrap()).deepest("main");
    assert!(matches!(told, Err(Unbounded::Recursive(_))), "{told:?}");
}
