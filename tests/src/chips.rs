//! The images for chips that one can buy: built, looked at, and run where an emulator knows the chip.

use crate::qemu::build_for;
use object::{Object, ObjectSymbol};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// A board that one can buy.
#[derive(Clone, Copy, Debug)]
pub struct Chip {
    /// Its name, which is that of its image and of its feature.
    pub board: &'static str,
    /// The Rust target.
    pub target: &'static str,
    /// QEMU's machine with this chip or one that has all that the image touches at the same places, and which serial line of it the image prints on.
    pub machine: Option<(&'static str, usize)>,
}

/// Every board of `firmware-sim/chips`.
///
/// A Netduino Plus 2 has an STM32F405: the same core, and the flash, memory and USART2 of an STM32F446.
pub const CHIPS: [Chip; 2] = [
    Chip { board: "nucleo-f446re", target: "thumbv7em-none-eabihf", machine: Some(("netduinoplus2", 1)) },
    Chip { board: "pico", target: "thumbv6m-none-eabi", machine: None },
];

/// The image for a chip; `None`, loudly, where its target is missing, which is a failure where `CI` is set.
///
/// # Panics
/// If it does not build.
#[must_use]
pub fn image(chip: &Chip) -> Option<PathBuf> {
    let Chip { board, target, .. } = *chip;
    let (output, folder) = build_for(target, board, &["-p", "mote-chips", "--bin", board, "--features", board]);
    let message = String::from_utf8_lossy(&output.stderr);
    if message.contains("target may not be installed") {
        return skipped(board, &format!("install its target with `rustup target add {target}`"));
    }
    assert!(output.status.success(), "the image for {board} does not build:\n{message}");
    Some(folder.join(board))
}

fn skipped<T>(board: &str, way_out: &str) -> Option<T> {
    assert!(env::var_os("CI").is_none(), "{board} is not tested: {way_out}");
    eprintln!("\n*** SKIPPED, NOT TESTED: the image for {board} *** {way_out} ***\n");
    None
}

/// The address of a linker's symbol.
///
/// # Panics
/// If the image has no such symbol.
#[must_use]
pub fn address(image: &Path, symbol: &str) -> u64 {
    let bytes = fs::read(image).expect("an image");
    let elf = object::File::parse(&*bytes).expect("an ELF file");
    let found = elf.symbols().find(|found| found.name() == Ok(symbol));
    found.unwrap_or_else(|| panic!("no symbol {symbol}")).address()
}

/// Runs an image in QEMU, with a model in its partition or an empty one, and gives the first lines that it prints on its serial line.
///
/// # Panics
/// If the lines do not come in time.
#[must_use]
pub fn first_lines(chip: &Chip, image: &Path, model: Option<&Path>, count: usize) -> Option<Vec<String>> {
    let (machine, line) = chip.machine?;
    let program = env::var_os("MOTE_QEMU").unwrap_or_else(|| "qemu-system-arm".into());
    let mut command = Command::new(program);
    command.args(["-M", machine, "-display", "none", "-monitor", "none"]);
    for _ in 0..line {
        command.args(["-serial", "null"]);
    }
    command.args(["-serial", "stdio"]).arg("-kernel").arg(image);
    if let Some(model) = model {
        let address = address(image, "_model_start");
        command.arg("-device").arg(format!("loader,file={},addr={address:#x},force-raw=on", model.display()));
    }
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return skipped(chip.board, "qemu-system-arm is missing: install it with `cargo xtask setup`");
        }
        Err(error) => panic!("QEMU: {error}"),
    };
    // The image prints for ever, so lines are taken as they come.
    let output = child.stdout.take().expect("its output");
    let (sender, receiver) = channel();
    let reader = thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        lines.take(count).all(|line| sender.send(line).is_ok())
    });
    let end = Instant::now() + crate::qemu::TIME_LIMIT;
    let mut lines = Vec::new();
    while lines.len() < count
        && let Ok(line) =
            receiver.recv_timeout(end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)))
    {
        lines.push(line.trim_end().to_owned());
    }
    child.kill().expect("a child");
    child.wait().expect("a child");
    reader.join().expect("a thread without a panic");
    assert_eq!(lines.len(), count, "{} printed only {lines:?}", chip.board);
    Some(lines)
}
