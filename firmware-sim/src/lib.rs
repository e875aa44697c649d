//! What the firmware images share: the board, the timer, the debugger, and how an image ends.
//!
//! | image | does |
//! |---|---|
//! | `mote-firmware` | runs the model in its partition |
//! | `mote-ensembles` | runs an ensemble of a stochastic process |
//! | `mote-serve` | answers a host over the serial port |
//!
//! The logic is in `mote-core`; see README.md for requests and records.
#![no_std]

pub mod console;
pub mod counter;
pub mod entry;
pub mod failure;
pub mod fault;
pub mod float_mode;
pub mod machine;
pub mod memory;
pub mod semihosting;
pub mod uart;

use mote_boards::Board;

/// The board that the images are built for.
pub const BOARD: Board = match mote_boards::find(env!("MOTE_BOARD")) {
    Some(board) => board,
    None => panic!("the build script lets no other name through"),
};
