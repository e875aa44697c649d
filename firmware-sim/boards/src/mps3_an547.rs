use super::{Board, QEMU_ARM, Region, Storage, Timer, Uart};

/// Arm MPS3 with application note 547: a Cortex-M55 with integer vectors (MVE) at 32 MHz, in its secure state.
///
/// Flash is the instruction memory that is coupled to the core, the model lies in the code memory beside it, and memory is the coupled
/// data memory. `-mve.fp` keeps the compiler from vectors of floats: those flush subnormals to zero whatever FPSCR says
/// (they use the standard FPSCR value of the Armv8-M Architecture Reference Manual, DDI 0553), and so would give other bits than scalar floats.
pub(super) const BOARD: Board = Board {
    name: "mps3-an547",
    core: "Cortex-M55",
    target: "thumbv8m.main-none-eabihf",
    flags: &["-Ctarget-cpu=cortex-m55", "-Ctarget-feature=-mve.fp"],
    emulator: QEMU_ARM,
    machine: "mps3-an547",
    flash: Region { origin: 0x1000_0000, bytes: 0x0008_0000 },
    model: Region { origin: 0x1100_0000, bytes: 0x0020_0000 },
    storage: Storage::Memory,
    ram: Region { origin: 0x3000_0000, bytes: 0x0008_0000 },
    stack_bytes: 4096,
    uart: Uart::Cmsdk { base: 0x5930_3000, divisor: 278 },
    timer: Timer::SysTick { hz: 32_000_000 },
    icount_shift: 6,
};
