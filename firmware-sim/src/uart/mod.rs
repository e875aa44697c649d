//! Serial ports, a driver a file: without interrupts, as a device that answers one request at a time needs none.
//!
//! A driver looks whether a byte has arrived and takes it, and sends one when there is room. Its registers are those of the board's list.

mod cmsdk;
mod nrf51;
mod ns16550;

use crate::BOARD;
use mote_boards::Uart;

/// The board's serial port.
#[derive(Debug)]
pub struct Serial(());

impl Serial {
    /// Sets the port up: 115,200 baud, 8 bits, no parity, one stop bit. Nothing else may use it.
    #[must_use]
    pub fn new() -> Self {
        match BOARD.uart {
            Uart::Cmsdk { base, divisor } => cmsdk::start(base, divisor),
            Uart::Nrf51 { base, txd, rxd } => nrf51::start(base, txd, rxd),
            Uart::Ns16550 { base } => ns16550::start(base),
        }
        Self(())
    }

    /// The next byte that has arrived.
    pub fn read(&mut self) -> Option<u8> {
        match BOARD.uart {
            Uart::Cmsdk { base, .. } => cmsdk::read(base),
            Uart::Nrf51 { base, .. } => nrf51::read(base),
            Uart::Ns16550 { base } => ns16550::read(base),
        }
    }

    /// Sends a byte, once there is room for it.
    pub fn write(&mut self, byte: u8) {
        match BOARD.uart {
            Uart::Cmsdk { base, .. } => cmsdk::write(base, byte),
            Uart::Nrf51 { base, .. } => nrf51::write(base, byte),
            Uart::Ns16550 { base } => ns16550::write(base, byte),
        }
    }

    /// Whether bytes were lost since this was asked last.
    pub fn overrun(&mut self) -> bool {
        match BOARD.uart {
            Uart::Cmsdk { base, .. } => cmsdk::overrun(base),
            Uart::Nrf51 { base, .. } => nrf51::overrun(base),
            Uart::Ns16550 { base } => ns16550::overrun(base),
        }
    }
}

impl Default for Serial {
    fn default() -> Self {
        Self::new()
    }
}

/// A register of this many bytes from the port's first one.
fn register<T>(base: u32, offset: u32) -> *mut T {
    core::ptr::with_exposed_provenance_mut(base.wrapping_add(offset) as usize)
}

/// Reads a register.
fn get<T>(base: u32, offset: u32) -> T {
    // SAFETY: drivers name registers of the board's own port, at addresses that are multiples of their size; reading one disturbs nothing but the
    // port, which `Serial` has for itself.
    unsafe { register::<T>(base, offset).read_volatile() }
}

/// Writes a register.
fn set<T>(base: u32, offset: u32, value: T) {
    // SAFETY: as in `get`.
    unsafe { register::<T>(base, offset).write_volatile(value) }
}
