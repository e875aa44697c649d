//! The C library from C: compiled by the host's compiler and by the board's, run on both, measured and taken apart.

use mote_core::model::{Arena, Model, arena_bytes};
use mote_core::sampler::{Digest, SampleOptions};
use mote_tests::c_library::{BOARD_FLAGS, BOARD_TARGET, archive, compile, model_files, root, run_on_board, sources};
use mote_tests::qemu::{forbidden_names, image_with_a_panic};
use object::{Object, ObjectSection, ObjectSymbol};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const GOLDEN: &[u8] = include_bytes!("../../core/tests/golden/v1-digits-random.mote");

/// The sample that the example in C draws, drawn by Rust on the host: what the example prints.
fn expected() -> String {
    let model = Model::parse(GOLDEN).unwrap();
    let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
    let mut bound = model.bind(&mut arena).unwrap();
    let mut sample = [0.0; 64];
    bound.sample(&model.plan(1).unwrap(), SampleOptions::default(), 42, 3, &mut sample);
    let mut digest = Digest::new();
    digest.update(&sample);
    format!("digest {:016x}\n", digest.finish())
}

/// Builds the example for the board; `None` where a tool is missing.
fn board_example(folder: &Path, blob: &[u8], libraries: &Path) -> Option<Result<PathBuf, String>> {
    let model = model_files(folder, blob);
    let (sample, start) = (sources("examples/sample.c"), sources("examples/mps2_an386.c"));
    let out = folder.join("sample.elf");
    let flags = format!("{BOARD_FLAGS} -I {} -T {}", folder.display(), sources("examples/mps2_an386.ld").display());
    let output = compile("arm-none-eabi-gcc", &flags, &[&sample, &start, &model], libraries, &out)?;
    Some(if output.status.success() { Ok(out) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) })
}

#[test]
fn the_example_in_c_gives_the_digest_of_rust_on_the_board() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(Some(BOARD_TARGET), &[]) else { return };
    let Some(built) = board_example(folder.path(), GOLDEN, &libraries) else { return };
    let Some(ended) = run_on_board(&built.unwrap()) else { return };
    assert_eq!(ended, (Some(0), expected()));
}

#[test]
fn the_example_in_c_refuses_a_damaged_blob_by_name_on_the_board() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(Some(BOARD_TARGET), &[]) else { return };
    let mut blob = GOLDEN.to_vec();
    blob[5000] ^= 1;
    let Some(built) = board_example(folder.path(), &blob, &libraries) else { return };
    let Some(ended) = run_on_board(&built.unwrap()) else { return };
    assert_eq!(ended, (Some(1), "MOTE_STATUS_CHECKSUM_MISMATCH\n".to_owned()));
}

#[test]
fn the_example_in_c_gives_the_digest_of_rust_on_the_host() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(None, &[]) else { return };
    let model = model_files(folder.path(), GOLDEN);
    let say = folder.path().join("say.c");
    fs::write(&say, "#include <stdio.h>\nvoid say(const char *line);\nvoid say(const char *line) { puts(line); }\n")
        .unwrap();
    let out = folder.path().join("sample");
    let flags = format!("-O1 -I {}", folder.path().display());
    let Some(output) = compile("cc", &flags, &[&sources("examples/sample.c"), &say, &model], &libraries, &out) else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ended = Command::new(&out).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned()), (Some(0), expected()));
}

/// A program that parses and samples and does nothing else. It brings what every C run-time has: the routines that move memory.
const LEAST: &str = "
#include \"mote.h\"
static mote_model model;
static mote_session session;
static uint32_t arena[448];
static float out[64];
int main(void)
{
    const mote_request request = {0};
    mote_status status = mote_model_parse(&model, (const uint8_t *)0x100000, 61376);
    if (status == MOTE_STATUS_OK) status = mote_session_bind(&session, &model, arena, sizeof arena);
    if (status == MOTE_STATUS_OK) status = mote_session_sample(&session, &request, out, 64);
    return status;
}
#define MOVE(name) void name(char *to, const char *from, size_t n); \\
    void name(char *to, const char *from, size_t n) { while (n--) *to++ = *from++; }
#define CLEAR(name) void name(char *to, size_t n); void name(char *to, size_t n) { while (n--) *to++ = 0; }
MOVE(__aeabi_memcpy) MOVE(__aeabi_memcpy4) MOVE(__aeabi_memcpy8) CLEAR(__aeabi_memclr) CLEAR(__aeabi_memclr4) CLEAR(__aeabi_memclr8)
void *memset(void *to, int byte, size_t n);
void *memset(void *to, int byte, size_t n)
{
    for (char *x = to; n--;) *x++ = (char)byte;
    return to;
}
int memcmp(const void *a, const void *b, size_t n);
int memcmp(const void *a, const void *b, size_t n)
{
    for (const unsigned char *x = a, *y = b; n--; x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}
";

#[test]
fn parsing_and_sampling_keep_their_promise_of_size_on_the_board() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(Some(BOARD_TARGET), &[]) else { return };
    let program = folder.path().join("least.c");
    fs::write(&program, LEAST).unwrap();
    let out = folder.path().join("least.elf");
    let flags = format!(
        "{BOARD_FLAGS} -fno-builtin -fno-tree-loop-distribute-patterns -T {}",
        sources("examples/mps2_an386.ld").display()
    );
    let paths: [&Path; 2] = [&program, &sources("examples/mps2_an386.c")];
    let Some(output) = compile("arm-none-eabi-gcc", &flags, &paths, &libraries, &out) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = fs::read(&out).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let size = |name: &str| elf.section_by_name(name).unwrap().size();
    let of_the_program = ["main", "reset", "say", "leave", "ask", "fault", "memcmp", "memset"];
    let own: u64 = elf
        .symbols()
        .filter(|symbol| {
            symbol.name().is_ok_and(|name| of_the_program.contains(&name) || name.starts_with("__aeabi_mem"))
        })
        .map(|symbol| symbol.size())
        .sum();
    let (text, constants) = (size(".text") - own, size(".rodata"));
    println!("library: {text} bytes of text, {constants} bytes of constants; the program's own text {own}");
    // What is counted is the library's: parser, network and sampler cannot be smaller than this.
    assert!(text > 6 * 1024 && own < 1024, "{text} and {own}");
    assert!(text <= 12 * 1024, "{text} bytes of text");
}

#[test]
fn an_archive_with_a_panic_in_it_does_not_link() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(Some(BOARD_TARGET), &["--features=panic-on-purpose"]) else { return };
    // The example does not call the function with the panic in it, and links; a program that calls it does not.
    let Some(built) = board_example(folder.path(), GOLDEN, &libraries) else { return };
    built.unwrap();
    let program = folder.path().join("version.c");
    fs::write(&program, "#include \"mote.h\"\nint main(void) { return mote_version()[0]; }\n").unwrap();
    let flags = format!("{BOARD_FLAGS} -T {}", sources("examples/mps2_an386.ld").display());
    let paths: [&Path; 2] = [&program, &sources("examples/mps2_an386.c")];
    let out = folder.path().join("version.elf");
    let message = |libraries: &Path| {
        let output = compile("arm-none-eabi-gcc", &flags, &paths, libraries, &out).unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (linked, words) = message(&libraries);
    assert!(!linked && words.contains("mote_library_can_panic"), "{words}");
    let (linked, words) = message(&archive(Some(BOARD_TARGET), &[]).unwrap());
    assert!(linked, "without the panic: {words}");
}

#[test]
fn an_image_with_a_panic_in_it_does_not_link() {
    let Some(message) = image_with_a_panic() else { return };
    assert!(message.contains("mote_firmware_can_panic"), "{message}");
}

#[test]
fn the_archive_holds_no_allocator_and_the_functions_of_the_header() {
    let folder = TempDir::new().unwrap();
    let Some(libraries) = archive(Some(BOARD_TARGET), &[]) else { return };
    let Some(built) = board_example(folder.path(), GOLDEN, &libraries) else { return };
    let bytes = fs::read(built.unwrap()).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let names: Vec<_> = elf.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    assert!(names.contains(&"mote_session_step"), "no symbols");
    assert_eq!(forbidden_names(&names), Vec::<String>::new());

    // Every function of the header is in the archive, by compiling a table of them all.
    let header = fs::read_to_string(sources("include/mote.h")).unwrap();
    let code = header.lines().filter(|line| !line.starts_with([' ', '/', '#']));
    let functions: Vec<_> = code.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next()).collect();
    assert_eq!(functions.len(), 15, "{functions:?}");
    let table = functions.iter().map(|name| format!("(void (*)(void)){name},")).collect::<String>();
    let program = folder.path().join("table.c");
    let text = format!(
        "#include \"mote.h\"\nvoid (*const volatile table[])(void) = {{{table}}};\nint main(void) {{ return table[0] == 0; }}\n"
    );
    fs::write(&program, text).unwrap();
    let flags = format!("{BOARD_FLAGS} -T {}", sources("examples/mps2_an386.ld").display());
    let paths: [&Path; 2] = [&program, &sources("examples/mps2_an386.c")];
    let output = compile("arm-none-eabi-gcc", &flags, &paths, &libraries, &folder.path().join("table.elf")).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_library_and_the_host_use_the_same_numerical_libraries() {
    let versions = |lock: &str, package: &str| {
        let text = fs::read_to_string(root().join(lock)).unwrap();
        let head = format!("name = \"{package}\"\nversion = ");
        text.split(&head).skip(1).map(|rest| rest.lines().next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for package in ["libm", "rand_core", "rand_xoshiro", "bytemuck", "crc"] {
        let (host, library) = (versions("Cargo.lock", package), versions("core/c/archive/Cargo.lock", package));
        assert!(library.len() == 1 && host.contains(&library[0]), "{package}: host {host:?}, library {library:?}");
    }
}
