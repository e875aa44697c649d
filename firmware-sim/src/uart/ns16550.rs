//! A 16550 (Texas Instruments, TL16C550D, section "Principles of operation"): sixteen bytes of room either way.

use super::{get, set};

const DATA: u32 = 0;
const BUFFERS: u32 = 2;
const LINE: u32 = 3;
const STATUS: u32 = 5;
/// Of `STATUS`: a byte has arrived.
const ARRIVED: u8 = 1;
/// Of `STATUS`: a byte arrived while there was no room; reading clears it, with the status of the byte that is next.
const LOST: u8 = 1 << 1;
/// Of `STATUS`: there is room to send.
const ROOM: u8 = 1 << 5;

pub(super) fn start(base: u32) {
    // Eight bits, no parity, one stop bit; the emulated line has no baud rate to set.
    set(base, LINE, 3u8);
    // Both buffers on and empty.
    set(base, BUFFERS, 7u8);
}

pub(super) fn read(base: u32) -> Option<u8> {
    (get::<u8>(base, STATUS) & ARRIVED != 0).then(|| get::<u8>(base, DATA))
}

pub(super) fn write(base: u32, byte: u8) {
    while get::<u8>(base, STATUS) & ROOM == 0 {}
    set(base, DATA, byte);
}

pub(super) fn overrun(base: u32) -> bool {
    get::<u8>(base, STATUS) & LOST != 0
}
