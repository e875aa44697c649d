//! NUCLEO-F446RE: samples on the serial line of the board's USB connector, 115,200 baud, from the clock that reset leaves on, 16 MHz.
#![no_std]
#![no_main]

use core::fmt;
use cortex_m_rt::entry;
use mote_chips::{ARENA_BYTES, show};
use mote_core::model::Arena;
use stm32f4::stm32f446::{Peripherals, USART2};

/// The internal oscillator (RM0390, section 6.2.2).
const CLOCK_HZ: u32 = 16_000_000;
const BAUD: u32 = 115_200;

#[entry]
fn main() -> ! {
    static mut ARENA: Arena<ARENA_BYTES> = Arena::new();
    // SAFETY: the only copy, made once, before anything else runs.
    let mut serial = Serial::new(unsafe { Peripherals::steal() });
    show("NUCLEO-F446RE", &mut serial, ARENA, || cortex_m::asm::delay(CLOCK_HZ))
}

/// USART2, which the board's debugger hands on over USB (UM1724, section 6.8).
struct Serial(USART2);

impl Serial {
    /// Leads pin PA2 to the line and opens it: 8 bits, no parity.
    fn new(chip: Peripherals) -> Self {
        chip.RCC.ahb1enr().modify(|_, w| w.gpioaen().enabled());
        chip.RCC.apb1enr().modify(|_, w| w.usart2en().enabled());
        chip.GPIOA.afrl().modify(|_, w| w.afrl2().af7());
        chip.GPIOA.moder().modify(|_, w| w.moder2().alternate());
        // Sixteen samples a bit, so the divider counts sixteenths: mantissa and fraction are one number (RM0390, section 25.4.4).
        let divider = ((CLOCK_HZ + BAUD / 2) / BAUD) as u16;
        // SAFETY: twelve bits of mantissa and four of fraction: 139, or 8 and 11/16.
        chip.USART2.brr().write(|w| unsafe { w.bits(divider) });
        chip.USART2.cr1().write(|w| w.ue().enabled().te().enabled());
        Self(chip.USART2)
    }
}

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while self.0.sr().read().txe().bit_is_clear() {}
            self.0.dr().write(|w| w.dr().set(byte.into()));
        }
        Ok(())
    }
}
