//! The boards that the firmware image is built for.
//!
//! A new board is one file with one [`Board`], and one line in [`BOARDS`]. The image's build script takes its memory map
//! from here, the image its timer, and the runner the machine to start.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

mod mps2_an386;

/// Every board, the default one first.
pub const BOARDS: &[Board] = &[mps2_an386::BOARD];

/// A stretch of the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Address of its first byte.
    pub origin: u32,
    /// Its length in bytes.
    pub bytes: u32,
}

/// What the image and the runner must know of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// The board's name, which is also QEMU's name of the machine.
    pub name: &'static str,
    /// The Rust target.
    pub target: &'static str,
    /// Flash for the image.
    pub flash: Region,
    /// Flash for the model: a partition of its own, so that one image serves every model.
    pub model: Region,
    /// Memory, the stack included.
    pub ram: Region,
    /// Bytes of memory kept for the stack. They lie at the bottom, so that a stack that outgrows them faults.
    pub stack_bytes: u32,
    /// Frequency of the timer that instructions are counted with, in Hz.
    pub timer_hz: u32,
    /// The emulator's time for an instruction is `2^icount_shift` nanoseconds.
    pub icount_shift: u32,
}

impl Board {
    /// Timer ticks as instructions, `ticks * 10^9 / (timer_hz * 2^icount_shift)`, rounded to nearest.
    #[must_use]
    pub const fn instructions(&self, ticks: u64) -> u64 {
        let ticks_times_shift = (self.timer_hz as u64) << self.icount_shift;
        (ticks * 1_000_000_000 + ticks_times_shift / 2) / ticks_times_shift
    }
}

/// The board of this name, or `None`.
#[must_use]
pub const fn find(name: &str) -> Option<Board> {
    let mut rest = BOARDS;
    while let [board, after @ ..] = rest {
        if same(board.name.as_bytes(), name.as_bytes()) {
            return Some(*board);
        }
        rest = after;
    }
    None
}

/// Equality of bytes, which `==` cannot yet decide in a constant.
const fn same(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([x, after_x @ ..], [y, after_y @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (after_x, after_y);
    }
    a.is_empty() && b.is_empty()
}
