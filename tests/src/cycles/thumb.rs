//! Cortex-M0, M3 and M4, by the tables of their Technical Reference Manuals.
//!
//! Sources: Cortex-M0 (Arm DDI 0432C, table 3-1, one-cycle multiplier), Cortex-M3 (DDI 0337H, table 18-1), Cortex-M4 (DDI 0439D, table 3-1). Loads count
//! in full, though the M3 and the M4 may overlap neighbouring ones; a taken branch refills the pipeline in two cycles more than its own.

use super::{Core, Instruction, Timing};

/// What the emulator's pages have on these cores, bytes.
pub(super) const PAGE: u64 = 1024;

/// One of these cores.
pub(super) struct Thumb {
    pub core: Core,
}

/// Whether a Thumb instruction may go elsewhere than to the next one: branches, and what writes the program counter.
pub(super) fn branches(Instruction { first, second, .. }: Instruction) -> bool {
    match second {
        // B with and without a condition, BX and BLX, MOV and ADD to the program counter, CBZ and CBNZ, POP with it.
        None => {
            (first >> 12 == 0xd && first >> 8 & 0xf < 0xe)
                || first >> 11 == 0b11100
                || first >> 8 == 0x47
                || (first & 0xfd87 == 0x4487)
                || first & 0xf500 == 0xb100
                || first >> 8 == 0xbd
        }
        Some(second) => {
            // Every branch and hardware loop, LDR to the program counter, and LDM with it.
            (first >> 11 == 0b11110 && second & 0x8000 != 0)
                || (first & 0xff70 == 0xf850 && second >> 12 == 0xf)
                || (first & 0xfe50 == 0xe810 && second & 0x8000 != 0)
        }
    }
}

/// The cycles of a load or store, 0 for anything else: one, and another for each register; LDRD and STRD take three.
pub(super) fn loads_and_stores(Instruction { first, second, .. }: Instruction) -> u64 {
    let registers = match second {
        // LDM and STM; PUSH and POP, with one for LR or PC.
        None if first >> 12 == 0xc => (first & 0xff).count_ones(),
        None if first & 0xf600 == 0xb400 => (first & 0x1ff).count_ones(),
        // Loads and stores of one register.
        None if first >> 11 == 0b01001 || matches!(first >> 12, 5..=9) => 1,
        None => return 0,
        Some(second) => match first {
            _ if first & 0xfe40 == 0xe800 => second.count_ones(),
            _ if first & 0xfe40 == 0xe840 => 2,
            _ if first & 0xfe00 == 0xf800 => 1,
            _ => return 0,
        },
    };
    1 + u64::from(registers)
}

impl Timing for Thumb {
    fn is_long(&self, first: u16) -> bool {
        first >> 11 > 0b11100
    }

    fn page(&self) -> u64 {
        PAGE
    }

    fn branches(&self, instruction: Instruction) -> bool {
        branches(instruction)
    }

    fn cycles(&mut self, instruction: Instruction, to: Option<Instruction>) -> u64 {
        let Instruction { first, second, .. } = instruction;
        let refill = if to.is_some() { 2 } else { 0 };
        let own = match (loads_and_stores(instruction), second) {
            (0, None) => 1,
            // MLA and MLS on the M3.
            (0, Some(second)) if first & 0xfff0 == 0xfb00 && second & 0xf000 != 0xf000 && self.core == Core::M3 => 2,
            // Long multiplications: 3 to 5 or 4 to 7 by their values.
            (0, Some(_)) if first & 0xff80 == 0xfb80 && self.core == Core::M3 => {
                if first & 0x40 == 0 {
                    5
                } else {
                    7
                }
            }
            (0, Some(_)) => 1,
            (cycles, _) => cycles,
        };
        own + refill
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::cycles_of;

    fn cycles(core: Core, halves: &[u16]) -> u64 {
        cycles_of(&mut Thumb { core }, halves)
    }

    #[test]
    fn instructions_take_what_the_manuals_say() {
        // Encodings by the Architecture Reference Manual.
        assert_eq!(cycles(Core::M0, &[0xc80c]), 3); // ldmia r0!, {r2, r3}
        assert_eq!(cycles(Core::M4, &[0xe8b0, 0x00f0]), 5); // ldmia.w r0!, {r4-r7}
        assert_eq!(cycles(Core::M4, &[0xe8f1, 0x2302]), 3); // ldrd r2, r3, [r1], #8
        assert_eq!(cycles(Core::M4, &[0xfb24, 0x9902]), 1); // smlad r9, r4, r2, r9
        assert_eq!(cycles(Core::M3, &[0xfb0c, 0x8802]), 2); // mla r8, r12, r2, r8
        assert_eq!(cycles(Core::M3, &[0xfb85, 0x6808]), 5); // smull r6, r8, r5, r8
        assert_eq!(cycles(Core::M4, &[0xfb85, 0x6808]), 1);
        assert_eq!(cycles(Core::M0, &[0x4366]), 1); // muls r6, r4, r6
        assert_eq!(cycles(Core::M0, &[0x6812]), 2); // ldr r2, [r2]
        assert_eq!(cycles(Core::M0, &[0xb570]), 5); // push {r4, r5, r6, lr}
    }

    #[test]
    fn what_may_go_elsewhere_is_known() {
        let branches = |first, second| branches(Instruction { address: 0, first, second });
        // bne, b, bx lr, pop {r4, pc}, mov pc, r3; bne.w, bl, ldr pc, [lr, #28], pop.w {r4-r11, pc}, le lr.
        for first in [0xd1fd, 0xe7fc, 0x4770, 0xbd10, 0x469f] {
            assert!(branches(first, None), "{first:x}");
        }
        for (first, second) in
            [(0xf47f, 0xaffe), (0xf7ff, 0xfffe), (0xf8de, 0xf01c), (0xe8bd, 0x8ff0), (0xf00f, 0xc003)]
        {
            assert!(branches(first, Some(second)), "{first:x}");
        }
        // cmp r0, r1, mov r8, r3, push {r4, lr}; ldrd, smlad, adr.w.
        for first in [0x4288, 0x4698, 0xb510] {
            assert!(!branches(first, None), "{first:x}");
        }
        for (first, second) in [(0xe8f1, 0x2302), (0xfb24, 0x9902), (0xf20f, 0x0410)] {
            assert!(!branches(first, Some(second)), "{first:x}");
        }
    }
}
