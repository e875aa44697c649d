use super::{Board, QEMU_ARM, Region, Storage, Timer, Uart};

/// Arm MPS2 with application note 385: a Cortex-M3 at 25 MHz, without floating point. Its flash is static memory, 4 MiB.
pub(super) const BOARD: Board = Board {
    name: "mps2-an385",
    core: "Cortex-M3",
    target: "thumbv7m-none-eabi",
    flags: &[],
    emulator: QEMU_ARM,
    machine: "mps2-an385",
    flash: Region { origin: 0x0000_0000, bytes: 0x0010_0000 },
    model: Region { origin: 0x0010_0000, bytes: 0x0030_0000 },
    storage: Storage::Memory,
    ram: Region { origin: 0x2000_0000, bytes: 0x0040_0000 },
    stack_bytes: 4096,
    uart: Uart::Cmsdk { base: 0x4000_4000, divisor: 217 },
    timer: Timer::SysTick { hz: 25_000_000 },
    icount_shift: 6,
};
