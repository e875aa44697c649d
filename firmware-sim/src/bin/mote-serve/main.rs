//! The live device: it starts the newest of two models that passes its checks, and answers a host over the serial port, for good.
//!
//! The logic is in `mote-link`; this crate knows the board, the port and the flash. `docs/protocol.md` says what is spoken.
#![no_std]
#![no_main]

mod nvmc;
mod partition;

use core::convert::Infallible;
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

/// Everything that the image keeps outside of its stack.
struct Statics {
    arena: [u32; ARENA_BYTES / 4],
    floats: [f32; 3 * WIDTH],
    console: Console,
}

mote_firmware::entry!(
    start,
    Statics = Statics { arena: [0; ARENA_BYTES / 4], floats: [0.0; 3 * WIDTH], console: Console::new() }
);

fn start(Statics { arena, floats, console }: &'static mut Statics) -> ! {
    let counter = Counter::new();
    float_mode::insist(console);
    let mut slots = partition::slots();
    let memory = Memory { words: arena, floats };
    let mut device = Device::new(Line(Serial::new()), Instructions(counter), BOARD.name, memory);
    let Err(Closed) = device.serve(&mut slots).map(|never: Infallible| match never {});
    // A serial port is never gone.
    semihosting::exit(0)
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
