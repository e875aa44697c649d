use super::{Board, Emulator, Region, Storage, Timer, Uart};

/// QEMU's own RISC-V machine without firmware: an RV32IMAC whose program, model and data share one memory.
///
/// Nothing is unmapped below its memory, so start-up makes the stretch below the stack forbidden ground by physical memory protection.
pub(super) const BOARD: Board = Board {
    name: "riscv32-virt",
    core: "RV32IMAC",
    target: "riscv32imac-unknown-none-elf",
    flags: &[],
    emulator: Emulator {
        program: "qemu-system-riscv32",
        variable: "MOTE_QEMU_RISCV32",
        package: "qemu-system-misc",
        flags: &["-bios", "none"],
    },
    machine: "virt",
    flash: Region { origin: 0x8000_0000, bytes: 0x0010_0000 },
    model: Region { origin: 0x8010_0000, bytes: 0x0030_0000 },
    storage: Storage::Memory,
    ram: Region { origin: 0x8041_0000, bytes: 0x0020_0000 },
    stack_bytes: 4096,
    uart: Uart::Ns16550 { base: 0x1000_0000 },
    timer: Timer::Retired,
    icount_shift: 0,
};
