//! The firmware image of the default board, and what to do on a machine that cannot build or run it.

use mote_qemu::{BOARDS, Image, emulator_version};
use std::env;
use std::sync::OnceLock;
use std::time::Duration;

/// The longest that any run of the emulator may take; most take a third of a second.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The image with the default arena, built once for all tests of a program.
///
/// Gives `None`, and says so loudly, where QEMU or the board's target is missing; where `CI` is set that is a failure.
///
/// # Panics
/// If the image does not build, or a tool is missing in CI.
pub fn image() -> Option<&'static Image> {
    static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
    IMAGE
        .get_or_init(|| {
            let built = emulator_version().and_then(|_| Image::build(&BOARDS[0], None));
            match built {
                Ok(image) => Some(image),
                Err(error) if error.is_missing_tool() && env::var_os("CI").is_none() => {
                    eprintln!("\n*** SKIPPED, NOT TESTED: host against board ***\n*** {error} ***\n");
                    None
                }
                Err(error) => panic!("{error}"),
            }
        })
        .as_ref()
}
