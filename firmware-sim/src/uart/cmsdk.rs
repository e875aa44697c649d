//! The UART of Arm's Cortex-M System Design Kit (DDI 0479, section "APB UART"): one byte of room either way.

use super::{get, set};

const DATA: u32 = 0x00;
const STATE: u32 = 0x04;
const CONTROL: u32 = 0x08;
const DIVISOR: u32 = 0x10;
/// Of `STATE`: there is no room to send.
const SENDING: u32 = 1;
/// Of `STATE`: a byte has arrived.
const ARRIVED: u32 = 1 << 1;
/// Of `STATE`: a byte arrived while there was no room; writing it clears it.
const LOST: u32 = 1 << 3;

pub(super) fn start(base: u32, divisor: u32) {
    set(base, DIVISOR, divisor);
    // Sender and receiver on, no interrupts.
    set(base, CONTROL, 3u32);
}

pub(super) fn read(base: u32) -> Option<u8> {
    (get::<u32>(base, STATE) & ARRIVED != 0).then(|| get::<u32>(base, DATA) as u8)
}

pub(super) fn write(base: u32, byte: u8) {
    while get::<u32>(base, STATE) & SENDING != 0 {}
    set(base, DATA, u32::from(byte));
}

pub(super) fn overrun(base: u32) -> bool {
    let lost = get::<u32>(base, STATE) & LOST != 0;
    if lost {
        set(base, STATE, LOST);
    }
    lost
}
