use super::{Board, QEMU_ARM, Region, Storage, Timer, Uart};

/// Arm MPS2 with application note 500: a Cortex-M7 with floating point at 25 MHz. Its flash is static memory, 4 MiB.
pub(super) const BOARD: Board = Board {
    name: "mps2-an500",
    core: "Cortex-M7F",
    target: "thumbv7em-none-eabihf",
    flags: &[],
    emulator: QEMU_ARM,
    machine: "mps2-an500",
    flash: Region { origin: 0x0000_0000, bytes: 0x0010_0000 },
    model: Region { origin: 0x0010_0000, bytes: 0x0030_0000 },
    storage: Storage::Memory,
    ram: Region { origin: 0x2000_0000, bytes: 0x0040_0000 },
    stack_bytes: 4096,
    uart: Uart::Cmsdk { base: 0x4000_4000, divisor: 217 },
    timer: Timer::SysTick { hz: 25_000_000 },
    icount_shift: 6,
};
