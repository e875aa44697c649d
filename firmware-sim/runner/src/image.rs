use crate::{Board, Error};
use object::{Object, ObjectSection, ObjectSegment, SectionFlags};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Runs the model in its partition.
    Model {
        /// Bytes of working memory for it, or the default.
        arena_bytes: Option<u32>,
    },
    /// Runs the model in its partition, with the approximate mathematics of the feature `micromath`.
    Approximate,
    /// Runs ensembles of stochastic processes; it knows no model.
    Ensembles,
    /// Does a job on the signal behind the model in its partition.
    Jobs {
        /// Bytes of working memory for the model, or the default.
        arena_bytes: Option<u32>,
    },
    /// Counts the layers of a model one by one, and holds the board's kernel to portable code.
    Kernels,
    /// Answers a host over the serial port.
    Serve {
        /// Bytes of working memory for its models, or the default.
        arena_bytes: Option<u32>,
    },
}

impl Program {
    /// The binary's name.
    fn binary(self) -> &'static str {
        match self {
            Self::Model { .. } | Self::Approximate => "mote-firmware",
            Self::Ensembles => "mote-ensembles",
            Self::Jobs { .. } => "mote-jobs",
            Self::Kernels => "mote-kernels",
            Self::Serve { .. } => "mote-serve",
        }
    }

    /// What is added to the board's name to make the image's.
    fn label(self) -> String {
        match self {
            Self::Model { arena_bytes: Some(bytes) } => bytes.to_string(),
            Self::Model { arena_bytes: None } => "default".to_owned(),
            Self::Approximate => "micromath".to_owned(),
            Self::Ensembles => "ensembles".to_owned(),
            Self::Jobs { arena_bytes: Some(bytes) } => format!("jobs-{bytes}"),
            Self::Jobs { arena_bytes: None } => "jobs".to_owned(),
            Self::Kernels => "kernels".to_owned(),
            Self::Serve { arena_bytes: Some(bytes) } => format!("serve-{bytes}"),
            Self::Serve { arena_bytes: None } => "serve".to_owned(),
        }
    }

    fn arena_bytes(self) -> Option<u32> {
        match self {
            Self::Model { arena_bytes } | Self::Jobs { arena_bytes } | Self::Serve { arena_bytes } => arena_bytes,
            Self::Approximate | Self::Ensembles | Self::Kernels => None,
        }
    }

    /// The features of the images' crate.
    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Approximate => &["--features", "micromath"],
            Self::Jobs { .. } => &["--features", "imputation"],
            Self::Model { .. } | Self::Ensembles | Self::Kernels | Self::Serve { .. } => &[],
        }
    }
}

/// A firmware image, built for a board.
#[derive(Clone, Debug)]
pub struct Image {
    path: PathBuf,
    board: Board,
    program: Program,
}

/// What an image takes on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Bytes of flash: code, constants and the initial values of statics, the small built-in model included.
    pub flash: u64,
    /// Bytes of memory for statics, the arena included and the stack not.
    pub statics: u64,
    /// Bytes of the built-in model, 0 where the image has none.
    pub built_in_model: u64,
}

impl Image {
    /// Builds the image that runs models, with an arena of so many bytes or of the default size.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn build(board: &Board, arena_bytes: Option<u32>) -> Result<Self, Error> {
        Self::of(Program::Model { arena_bytes }, board)
    }

    /// Builds an image for a board, in release form.
    ///
    /// The sources are those that this crate was built beside, or the folder that `MOTE_FIRMWARE_DIR` names; everything built goes
    /// to `target/firmware` of the checkout, or `firmware` in `CARGO_TARGET_DIR`. Processes that build at the same time wait for each other.
    ///
    /// # Errors
    /// [`Error`] says what is missing and how to get it.
    pub fn of(program: Program, board: &Board) -> Result<Self, Error> {
        let sources = sources()?;
        let folder = target_folder(&sources)?;
        let images = folder.join("images");
        fs::create_dir_all(&images).map_err(|source| Error::File { path: images.clone(), source })?;
        // Until the image has its own name, nobody else may build another one in its place.
        let lock_path = folder.join("build.lock");
        let at_lock = |source| Error::File { path: lock_path.clone(), source };
        let lock = File::create(&lock_path).map_err(at_lock)?;
        lock.lock().map_err(at_lock)?;
        cargo_build(&sources, &folder, board, program)?;

        let built = folder.join(board.target).join("release").join(program.binary());
        let path = images.join(format!("{}-{}.elf", board.name, program.label()));
        let partial = path.with_extension("partial");
        fs::copy(&built, &partial).map_err(|source| Error::File { path: built, source })?;
        fs::rename(&partial, &path).map_err(|source| Error::File { path: path.clone(), source })?;
        Ok(Self { path, board: *board, program })
    }

    /// The ELF file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The board that it is for.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Reads from the file what the image takes.
    ///
    /// # Errors
    /// [`Error`] if the file cannot be read, or is no ELF file.
    pub fn size(&self) -> Result<ImageSize, Error> {
        let bytes = fs::read(&self.path).map_err(|source| Error::File { path: self.path.clone(), source })?;
        let broken = |error: object::Error| Error::Image { path: self.path.clone(), message: error.to_string() };
        let elf = object::File::parse(&*bytes).map_err(broken)?;
        // What the file holds for the board's memory lies in flash, whatever address it is copied to at the start.
        let flash = elf.segments().map(|segment| segment.file_range().1).sum();
        let statics = elf
            .sections()
            .filter(|section| {
                let allocated = match section.flags() {
                    SectionFlags::Elf { sh_flags } => sh_flags & u64::from(object::elf::SHF_ALLOC) != 0,
                    _ => false,
                };
                allocated && section.address() >= u64::from(self.board.ram.origin + self.board.stack_bytes)
            })
            .map(|section| section.size())
            .sum();
        let built_in_model = match self.program {
            Program::Model { .. } | Program::Approximate => {
                let path = sources()?.join("models/built-in.mote");
                fs::metadata(&path).map_err(|source| Error::File { path, source })?.len()
            }
            Program::Ensembles | Program::Jobs { .. } | Program::Kernels | Program::Serve { .. } => 0,
        };
        Ok(ImageSize { flash, statics, built_in_model })
    }
}

/// The folder of the images' sources.
fn sources() -> Result<PathBuf, Error> {
    let path = env::var_os("MOTE_FIRMWARE_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), PathBuf::from);
    if path.join("src/lib.rs").is_file() { Ok(path) } else { Err(Error::Sources { path }) }
}

fn target_folder(sources: &Path) -> Result<PathBuf, Error> {
    let path =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| sources.join("../target"), PathBuf::from).join("firmware");
    std::path::absolute(&path).map_err(|source| Error::File { path, source })
}

fn cargo_build(sources: &Path, folder: &Path, board: &Board, program: Program) -> Result<(), Error> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--release", "--locked", "--color=never", "--target", board.target, "--target-dir"])
        .arg(folder)
        .args(["--bin", program.binary()])
        .args(program.features())
        .current_dir(sources)
        .env("MOTE_BOARD", board.name)
        .env_remove("MOTE_ARENA_BYTES");
    if let Some(bytes) = program.arena_bytes() {
        command.env("MOTE_ARENA_BYTES", bytes.to_string());
    }
    // Flags of the host's build say nothing about the board's.
    for name in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(name);
    }
    // The board's name among the flags keeps what is built for one board apart from what is built for another of the same target.
    let name = format!("mote_board=\"{}\"", board.name);
    let flags = ["--cfg", &name].into_iter().chain(board.flags.iter().copied()).collect::<Vec<_>>();
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let output = command.output().map_err(|source| Error::Cargo { source })?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    if message.contains("target may not be installed") {
        return Err(Error::Target { target: board.target });
    }
    if let Some((region, bytes)) = overflow(&message) {
        return Err(Error::NoRoom { board: board.name, region, bytes });
    }
    // The end holds the error, whatever was compiled before it.
    let lines: Vec<_> = message.lines().filter(|line| !line.trim_start().starts_with("Compiling")).collect();
    let end = lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n");
    Err(Error::Build { folder: sources.to_owned(), message: end })
}

/// The memory region that the linker says is too small, and by how many bytes.
fn overflow(message: &str) -> Option<(&'static str, u64)> {
    let (_, rest) = message.split_once("will not fit in region '")?;
    let (region, rest) = rest.split_once("': overflowed by ")?;
    let bytes = rest.split(' ').next()?.parse().ok()?;
    Some((if region == "FLASH" { "flash" } else { "memory" }, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_word_for_too_little_room_is_understood() {
        let said = "  = note: rust-lld: error: section '.bss' will not fit in region 'RAM': overflowed by 4820 bytes\n";
        assert_eq!(overflow(said), Some(("memory", 4820)));
        assert_eq!(overflow("rust-lld: error: undefined symbol: f"), None);
    }
}
