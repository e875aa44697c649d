use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The image's sources are not where they were when this program was built.
    #[error("no firmware sources in {path}: set MOTE_FIRMWARE_DIR to the folder firmware-sim of a Mote checkout")]
    Sources {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// Cargo could not be started.
    #[error("cannot start cargo ({source}): install Rust from https://rustup.rs, or set CARGO to the program's path")]
    Cargo {
        /// Why.
        source: io::Error,
    },
    /// The compiler has no core library for the board.
    #[error("the compiler cannot build for {target}: run `rustup target add {target}`")]
    Target {
        /// The board's target.
        target: &'static str,
    },
    /// The image does not build.
    #[error("the firmware image does not build: `cargo build --release` in {folder} says\n{message}")]
    Build {
        /// The sources.
        folder: PathBuf,
        /// The end of what cargo said.
        message: String,
    },
    /// The image is too large for the board.
    #[error(
        "the image does not fit {board}: its {region} is {bytes} bytes too small; take less working memory or another board"
    )]
    NoRoom {
        /// The board.
        board: &'static str,
        /// `flash` or `memory`.
        region: &'static str,
        /// By how many bytes.
        bytes: u64,
    },
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The image is not an ELF file that makes sense.
    #[error("{path} is no image: {message}")]
    Image {
        /// The image.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// QEMU is not there.
    #[error(
        "cannot start {program} ({source}): install it with `apt-get install {package}` (Debian, Ubuntu) or \
         `brew install qemu` (macOS), or set {variable} to the program's path"
    )]
    Qemu {
        /// The program.
        program: PathBuf,
        /// The package of Debian and Ubuntu that holds it.
        package: &'static str,
        /// The environment's variable that names another program.
        variable: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The emulator did not come to its end in time and was stopped.
    #[error("the device was stopped after {seconds} s; its last line: {last}")]
    TimedOut {
        /// The time limit.
        seconds: u64,
        /// The last line that it printed.
        last: String,
    },
    /// The image ended with an error of its own.
    #[error("the device says: {text} (exit code {code}, {kind})")]
    Device {
        /// Its exit code; the image's README says what each means.
        code: i32,
        /// The kind of error, a word.
        kind: String,
        /// The error in words.
        text: String,
    },
    /// The emulator ended without a word from the image.
    #[error("QEMU ended with {status}; it says: {message}")]
    Emulator {
        /// How it ended.
        status: ExitStatus,
        /// Its messages.
        message: String,
    },
    /// The emulated board never opened its serial port.
    #[error("the emulated board did not open its serial port within {seconds} s; it says: {message}")]
    NoPort {
        /// The time limit.
        seconds: u64,
        /// The emulator's messages.
        message: String,
    },
    /// The image's records are not those that this program knows.
    #[error("the device's records do not hold {missing}: image and program are of different versions")]
    Records {
        /// What was looked for.
        missing: &'static str,
    },
    /// The file is no model, so the device ran its built-in one.
    #[error("{path} does not start with MOTE, so the device found no model in it")]
    NotAModel {
        /// The file.
        path: PathBuf,
    },
    /// The model is longer than the board's partition for it.
    #[error("{path} has {bytes} bytes, and the model partition of {board} holds {room}")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The board.
        board: &'static str,
        /// The partition's length.
        room: u32,
    },
}

impl Error {
    /// Whether the board is too small for the model, rather than something being wrong.
    #[must_use]
    pub fn is_too_small(&self) -> bool {
        matches!(self, Self::NoRoom { .. } | Self::TooLong { .. })
    }

    /// Whether a tool is missing on this machine rather than something being wrong.
    #[must_use]
    pub fn is_missing_tool(&self) -> bool {
        matches!(self, Self::Qemu { .. } | Self::Target { .. } | Self::Cargo { .. })
    }
}
