use super::{Board, QEMU_ARM, Region, Storage, Timer, Uart};

/// Arm MPS2 with application note 505: a Cortex-M33 with floating point and DSP instructions at 20 MHz, in its secure state.
///
/// Flash is the 4 MiB of static memory at the secure alias of the code region, memory the second block of static memory.
pub(super) const BOARD: Board = Board {
    name: "mps2-an505",
    core: "Cortex-M33F",
    target: "thumbv8m.main-none-eabihf",
    flags: &[],
    emulator: QEMU_ARM,
    machine: "mps2-an505",
    flash: Region { origin: 0x1000_0000, bytes: 0x0010_0000 },
    model: Region { origin: 0x1010_0000, bytes: 0x0030_0000 },
    storage: Storage::Memory,
    ram: Region { origin: 0x3800_0000, bytes: 0x0020_0000 },
    stack_bytes: 4096,
    uart: Uart::Cmsdk { base: 0x5020_0000, divisor: 174 },
    timer: Timer::SysTick { hz: 20_000_000 },
    icount_shift: 6,
};
