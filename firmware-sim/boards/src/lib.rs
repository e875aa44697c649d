//! The boards that the firmware image is built for.
//!
//! A new board is one file with one [`Board`], and one line in [`BOARDS`]. The image's build script takes its memory map
//! from here, the image its timer, and the runner the target to build for and the machine to start.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs, missing_debug_implementations)]

mod microbit;
mod mps2_an385;
mod mps2_an386;
mod mps2_an500;
mod mps2_an505;
mod mps3_an547;
mod riscv32_virt;

/// Every board, the default one first.
pub const BOARDS: &[Board] = &[
    mps2_an386::BOARD,
    mps2_an385::BOARD,
    mps2_an500::BOARD,
    mps2_an505::BOARD,
    mps3_an547::BOARD,
    microbit::BOARD,
    riscv32_virt::BOARD,
];

/// The emulator of Arm's boards.
const QEMU_ARM: Emulator =
    Emulator { program: "qemu-system-arm", variable: "MOTE_QEMU", package: "qemu-system-arm", flags: &[] };

/// A program that emulates boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emulator {
    /// Its name, found on the path.
    pub program: &'static str,
    /// The environment's variable that names another program instead.
    pub variable: &'static str,
    /// The package of Debian and Ubuntu that holds it.
    pub package: &'static str,
    /// Arguments that its boards need.
    pub flags: &'static [&'static str],
}

/// What instructions are counted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The 24-bit timer of every Cortex-M (Armv7-M Architecture Reference Manual, DDI 0403, section B3.3).
    SysTick {
        /// Its frequency in Hz.
        hz: u32,
    },
    /// The counter of retired instructions, `rdinstret` (RISC-V Unprivileged Specification, chapter "Zicntr").
    Retired,
}

/// The serial port that `mote-serve` listens on, at the address of its first register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uart {
    /// The UART of Arm's Cortex-M System Design Kit (DDI 0479, section "APB UART").
    Cmsdk {
        /// Address.
        base: u32,
        /// The clock's ticks in a bit: its frequency over 115,200.
        divisor: u32,
    },
    /// The UART of Nordic's nRF51 (nRF51 Series Reference Manual, chapter "UART").
    Nrf51 {
        /// Address.
        base: u32,
        /// The pin that it sends on.
        txd: u32,
        /// The pin that it receives on.
        rxd: u32,
    },
    /// A 16550 (Texas Instruments, TL16C550D, section "Principles of operation").
    Ns16550 {
        /// Address.
        base: u32,
    },
}

/// What the model partition is made of, for an image that writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Memory, made to behave as flash by the image: what these emulated boards have in its place.
    Memory,
    /// The flash of Nordic's nRF51, behind its controller at this address (nRF51 Series Reference Manual, chapter "NVMC").
    Nvmc {
        /// Address of the controller.
        base: u32,
    },
}

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
    /// The board's name.
    pub name: &'static str,
    /// The core, as a reader knows it.
    pub core: &'static str,
    /// The Rust target.
    pub target: &'static str,
    /// Flags of the compiler, besides the target.
    pub flags: &'static [&'static str],
    /// The program that emulates the board.
    pub emulator: Emulator,
    /// The emulator's name of the machine.
    pub machine: &'static str,
    /// Flash for the image.
    pub flash: Region,
    /// Flash for the model: a partition of its own, so that one image serves every model.
    pub model: Region,
    /// What the partition is made of.
    pub storage: Storage,
    /// Memory, the stack included.
    pub ram: Region,
    /// Bytes of memory kept for the stack. They lie at the bottom, so that a stack that outgrows them faults.
    pub stack_bytes: u32,
    /// The serial port.
    pub uart: Uart,
    /// What instructions are counted with.
    pub timer: Timer,
    /// The emulator's time for an instruction is `2^icount_shift` nanoseconds.
    pub icount_shift: u32,
}

impl Board {
    /// Ticks of the timer as instructions, rounded to nearest: `ticks * 10^9 / (hz * 2^icount_shift)`, and `ticks / 2^icount_shift` for a counter
    /// of instructions, which QEMU lets run in nanoseconds.
    #[must_use]
    pub const fn instructions(&self, ticks: u64) -> u64 {
        let (scale, divisor) = match self.timer {
            Timer::SysTick { hz } => (1_000_000_000, (hz as u64) << self.icount_shift),
            Timer::Retired => (1, 1 << self.icount_shift),
        };
        (ticks * scale + divisor / 2) / divisor
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
