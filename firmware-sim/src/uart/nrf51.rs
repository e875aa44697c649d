//! The UART of Nordic's nRF51 (nRF51 Series Reference Manual, chapters "GPIO" and "UART"): six bytes of room to receive, one to send.

use super::{get, set};

/// The pins' registers: where output pins are set, and their configurations, a word each.
const PINS: u32 = 0x5000_0000;
const OUTPUT_SET: u32 = 0x508;
const PIN_CONFIG: u32 = 0x700;

const START_RECEIVING: u32 = 0x000;
const START_SENDING: u32 = 0x008;
const ARRIVED: u32 = 0x108;
const SENT: u32 = 0x11c;
const ERRORS: u32 = 0x480;
const ENABLE: u32 = 0x500;
const PIN_SEND: u32 = 0x50c;
const PIN_RECEIVE: u32 = 0x514;
const RECEIVED: u32 = 0x518;
const SEND: u32 = 0x51c;
const BAUD: u32 = 0x524;
/// 115,200 baud, as the manual's table has it.
const BAUD_115200: u32 = 0x01d7_e000;
/// Of `ERRORS`: a byte arrived while there was no room; writing it clears it.
const LOST: u32 = 1;

pub(super) fn start(base: u32, txd: u32, rxd: u32) {
    // The line rests high; an output, and an input with its buffer on.
    set(PINS, OUTPUT_SET, 1u32 << (txd % 32));
    set(PINS, PIN_CONFIG + 4 * txd, 3u32);
    set(PINS, PIN_CONFIG + 4 * rxd, 0u32);
    set(base, PIN_SEND, txd);
    set(base, PIN_RECEIVE, rxd);
    set(base, BAUD, BAUD_115200);
    set(base, ENABLE, 4u32);
    set(base, START_RECEIVING, 1u32);
    set(base, START_SENDING, 1u32);
}

pub(super) fn read(base: u32) -> Option<u8> {
    (get::<u32>(base, ARRIVED) != 0).then(|| {
        // Cleared first, so that a byte which arrives now is told again.
        set(base, ARRIVED, 0u32);
        get::<u32>(base, RECEIVED) as u8
    })
}

pub(super) fn write(base: u32, byte: u8) {
    set(base, SENT, 0u32);
    set(base, SEND, u32::from(byte));
    while get::<u32>(base, SENT) == 0 {}
}

pub(super) fn overrun(base: u32) -> bool {
    let lost = get::<u32>(base, ERRORS) & LOST != 0;
    if lost {
        set(base, ERRORS, LOST);
    }
    lost
}
