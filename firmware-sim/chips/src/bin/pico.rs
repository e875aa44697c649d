//! Raspberry Pi Pico: samples on UART0, pins GP0 and GP1, 115,200 baud, at 125 MHz.
#![no_std]
#![no_main]

use core::fmt;
use cortex_m_rt::entry;
use mote_chips::{ARENA_BYTES, show};
use mote_core::model::Arena;
use rp2040_pac::{CLOCKS, PLL_SYS, Peripherals, RESETS, UART0, XOSC};

/// The second stage of the boot for the Pico's flash, which makes it readable as memory.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

/// What the clocks below come to.
const CLOCK_HZ: u32 = 125_000_000;
const BAUD: u32 = 115_200;

#[entry]
fn main() -> ! {
    static mut ARENA: Arena<ARENA_BYTES> = Arena::new();
    // SAFETY: the only copy, made once, before anything else runs.
    let chip = unsafe { Peripherals::steal() };
    start_clocks(&chip.RESETS, &chip.XOSC, &chip.PLL_SYS, &chip.CLOCKS);
    chip.RESETS.reset().modify(|_, w| w.io_bank0().clear_bit().pads_bank0().clear_bit().uart0().clear_bit());
    loop {
        let done = chip.RESETS.reset_done().read();
        if done.io_bank0().bit() && done.pads_bank0().bit() && done.uart0().bit() {
            break;
        }
    }
    chip.IO_BANK0.gpio(0).gpio_ctrl().write(|w| w.funcsel().uart());
    chip.IO_BANK0.gpio(1).gpio_ctrl().write(|w| w.funcsel().uart());
    show("Raspberry Pi Pico", &mut Serial::new(chip.UART0), ARENA, || cortex_m::asm::delay(CLOCK_HZ))
}

/// Runs the cores and the serial lines at 125 MHz, from the crystal of 12 MHz (RP2040 Datasheet, sections 2.15, 2.16 and 2.18).
fn start_clocks(resets: &RESETS, crystal: &XOSC, pll: &PLL_SYS, clocks: &CLOCKS) {
    // A millisecond for the crystal, in units of 256 of its cycles.
    // SAFETY: fourteen bits of delay.
    crystal.startup().write(|w| unsafe { w.delay().bits(47) });
    crystal.ctrl().write(|w| w.freq_range()._1_15mhz().enable().enable());
    while crystal.status().read().stable().bit_is_clear() {}

    // 12 MHz * 125 / (6 * 2): an oscillator of 1500 MHz, divided by twelve.
    resets.reset().modify(|_, w| w.pll_sys().clear_bit());
    while resets.reset_done().read().pll_sys().bit_is_clear() {}
    // SAFETY: dividers within their fields and their ranges: 1 to 63, 16 to 320, and 1 to 7.
    unsafe {
        pll.cs().write(|w| w.refdiv().bits(1));
        pll.fbdiv_int().write(|w| w.fbdiv_int().bits(125));
    }
    pll.pwr().modify(|_, w| w.pd().clear_bit().vcopd().clear_bit());
    while pll.cs().read().lock().bit_is_clear() {}
    // SAFETY: as above.
    pll.prim().write(|w| unsafe { w.postdiv1().bits(6).postdiv2().bits(2) });
    pll.pwr().modify(|_, w| w.postdivpd().clear_bit());

    // The source is changed without a glitch, and has been changed once its bit of SELECTED is set.
    clocks.clk_ref_ctrl().modify(|_, w| w.src().xosc_clksrc());
    while clocks.clk_ref_selected().read().bits() != 1 << 2 {}
    clocks.clk_sys_ctrl().modify(|_, w| w.auxsrc().clksrc_pll_sys());
    clocks.clk_sys_ctrl().modify(|_, w| w.src().clksrc_clk_sys_aux());
    while clocks.clk_sys_selected().read().bits() != 1 << 1 {}
    clocks.clk_peri_ctrl().write(|w| w.auxsrc().clk_sys().enable().set_bit());
}

/// UART0, an Arm PL011.
struct Serial(UART0);

impl Serial {
    /// Opens the line: 8 bits, no parity, with its queue.
    fn new(line: UART0) -> Self {
        // Clock over 16 times the rate, in 64ths: 67 and 52/64 (RP2040 Datasheet, section 4.2.7.1).
        let divider = (CLOCK_HZ * 4 + BAUD / 2) / BAUD;
        // SAFETY: sixteen bits of the whole and six of the fraction.
        unsafe {
            line.uartibrd().write(|w| w.bits(divider / 64));
            line.uartfbrd().write(|w| w.bits(divider % 64));
        }
        // SAFETY: 3 is eight bits. This write also makes the two dividers count.
        line.uartlcr_h().write(|w| unsafe { w.wlen().bits(3) }.fen().set_bit());
        line.uartcr().write(|w| w.uarten().set_bit().txe().set_bit());
        Self(line)
    }
}

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while self.0.uartfr().read().txff().bit_is_set() {}
            // SAFETY: eight bits of data.
            self.0.uartdr().write(|w| unsafe { w.data().bits(byte) });
        }
        Ok(())
    }
}
