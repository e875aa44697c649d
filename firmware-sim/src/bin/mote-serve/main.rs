//! The live device: it starts the newest of two models that passes its checks, and answers a host over the serial port, for good.
//!
//! The logic is in `mote-link`; this crate knows the board, the port and the flash. `docs/protocol.md` says what is spoken.
#![no_std]
#![no_main]

mod nvmc;
mod partition;

use core::convert::Infallible;
use core::mem::MaybeUninit;
use mote_core::network::WIDTH_MAX;
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;
use mote_firmware::uart::Serial;
use mote_firmware::{BOARD, float_mode, semihosting};
use mote_link::device::{Closed, Device, Memory, Meter, Port};

/// Bytes of working memory for the model.
const ARENA_BYTES: usize = include!(concat!(env!("OUT_DIR"), "/arena_bytes.rs"));
/// The widest window: what the format allows, or what a small chip has room for.
const WIDTH: usize = if BOARD.ram.bytes < 0x1_0000 { 128 } else { WIDTH_MAX };

/// Numbers of a detector's calibration that there is room for: 13 for each level and channel.
const CALIBRATION: usize = if BOARD.ram.bytes < 0x1_0000 { 32 * 13 } else { 1024 };

/// The device of this image.
type Live = Device<'static, Line, Instructions>;

/// Everything that the image keeps outside of its stack, the device among it, which is larger than anything that it calls.
struct Statics {
    arena: [u32; ARENA_BYTES / 4],
    floats: [f32; 3 * WIDTH],
    calibration: [f32; CALIBRATION],
    console: Console,
    device: MaybeUninit<Live>,
}

mote_firmware::entry!(
    start,
    Statics = Statics {
        arena: [0; ARENA_BYTES / 4],
        floats: [0.0; 3 * WIDTH],
        calibration: [0.0; CALIBRATION],
        console: Console::new(),
        device: MaybeUninit::uninit()
    }
);

fn start(Statics { arena, floats, calibration, console, device }: &'static mut Statics) -> ! {
    float_mode::insist(console);
    let device = make(device, Memory { words: arena, floats, calibration });
    let Err(Closed) = device.serve(&mut partition::slots()).map(|never: Infallible| match never {});
    // A serial port is never gone.
    semihosting::exit(0)
}

/// Makes the device in its place. A function of its own, so that its part of the stack is given back.
#[inline(never)]
fn make(place: &'static mut MaybeUninit<Live>, memory: Memory<'static>) -> &'static mut Live {
    place.write(Device::new(Line(Serial::new()), Instructions(Counter::new()), BOARD.name, memory))
}

/// The serial port as a line.
struct Line(Serial);

impl Port for Line {
    fn read(&mut self) -> Result<Option<u8>, Closed> {
        Ok(self.0.read())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        bytes.iter().for_each(|byte| self.0.write(*byte));
        Ok(())
    }

    fn overrun(&mut self) -> bool {
        self.0.overrun()
    }
}

/// The board's timer as a meter.
struct Instructions(Counter);

impl Meter for Instructions {
    fn measure<T>(&mut self, call: impl FnOnce() -> T) -> (T, u64) {
        self.0.measure(call)
    }
}
