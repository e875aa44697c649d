use super::{Board, QEMU_ARM, Region, Storage, Timer, Uart};

/// BBC micro:bit: an nRF51822, a Cortex-M0 at 16 MHz with 256 KiB of flash, which the model shares, and 16 KiB of memory.
pub(super) const BOARD: Board = Board {
    name: "microbit",
    core: "Cortex-M0",
    target: "thumbv6m-none-eabi",
    flags: &[],
    emulator: QEMU_ARM,
    machine: "microbit",
    flash: Region { origin: 0x0000_0000, bytes: 0x0001_0000 },
    model: Region { origin: 0x0001_0000, bytes: 0x0003_0000 },
    storage: Storage::Nvmc { base: 0x4001_e000 },
    ram: Region { origin: 0x2000_0000, bytes: 0x4000 },
    stack_bytes: 4096,
    uart: Uart::Nrf51 { base: 0x4000_2000, txd: 24, rxd: 25 },
    timer: Timer::SysTick { hz: 16_000_000 },
    icount_shift: 6,
};
