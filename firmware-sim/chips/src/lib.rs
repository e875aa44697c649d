//! What the images for chips that one can buy have in common: find the model, check it and the chip, and print samples on a serial line.
//!
//! A board is its memory map (`memory`) and a program in `src/bin`, which starts the clocks and the serial line and calls [`show`].
#![no_std]

mod decimal;
mod partition;

use core::fmt::{self, Write};
use decimal::Thousandths;
use mote_core::model::{Arena, Model};
use mote_core::random::{StreamSequence, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};

/// Bytes of working memory for the model; `mote inspect MODEL` says what one needs.
pub const ARENA_BYTES: usize = 16384;

/// Of all samples: sample k of the host with this seed is sample k here.
const SEED: u64 = 0;

/// Prints samples of the model for ever, one a line, with a pause after each; or once why there are none, and then waits for ever.
///
/// The line's end is that of terminals, carriage return and line feed.
pub fn show(board: &str, serial: &mut impl Write, arena: &mut Arena<ARENA_BYTES>, mut pause: impl FnMut()) -> ! {
    // Writing to the line cannot fail: it waits.
    let _ = samples(board, serial, arena, &mut pause);
    loop {
        pause();
    }
}

/// Ends where the model does not suit.
fn samples(
    board: &str,
    serial: &mut impl Write,
    arena: &mut Arena<ARENA_BYTES>,
    pause: &mut impl FnMut(),
) -> fmt::Result {
    let (bytes, source) = partition::find();
    let model = match Model::parse(bytes) {
        Ok(model) => model,
        Err(error) => return write!(serial, "error: the model in flash is refused: {error}\r\n"),
    };
    write!(serial, "mote on {board}: {source} model of {} bytes\r\n", model.blob_bytes())?;
    let mut bound = match model.bind(arena) {
        Ok(bound) => bound,
        Err(error) => return write!(serial, "error: {error}; raise ARENA_BYTES in chips/src/lib.rs\r\n"),
    };
    // This chip gives the bits of the machine that made the model, or it does not get further.
    if let Err(error) = bound.self_test() {
        return write!(serial, "error: {error}\r\n");
    }
    let Some(plan) = model.plan(0) else { return write!(serial, "error: the model has no plan\r\n") };
    write!(serial, "self-test passed; plan {}\r\n", plan.name)?;
    let mut streams = StreamSequence::starting_at(SEED, 0);
    for number in 0..=u32::MAX {
        let mut noise = Ziggurat::new(streams.next_stream());
        let (run, mut denoiser) = bound.start(&plan, SampleOptions::default(), &mut noise);
        let sample = run.finish(&mut denoiser, &mut noise);
        let mut digest = Digest::new();
        digest.update(sample);
        write!(serial, "sample {number} digest {:016x}:", digest.finish())?;
        for (value, (mean, deviation)) in sample.iter().zip(model.scaling()) {
            write!(serial, " {}", Thousandths(value * deviation + mean))?;
        }
        serial.write_str("\r\n")?;
        pause();
    }
    Ok(())
}

/// An image in release form has no panic left: this calls a function that does not exist, so a call of it does not link.
#[cfg(all(target_os = "none", not(debug_assertions)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn mote_chip_can_panic() -> !;
    }
    // SAFETY: never linked, so never called.
    unsafe { mote_chip_can_panic() }
}

/// An image in debug form stops for the debugger.
#[cfg(all(target_os = "none", debug_assertions))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
