//! What a core's Technical Reference Manual says that a loop of an image takes, in cycles: an estimate without waiting memory.
//!
//! Sources: Cortex-M0 (Arm DDI 0432C, table 3-1, one-cycle multiplier), Cortex-M3 (DDI 0337H, table 18-1), Cortex-M4 (DDI 0439D, table 3-1). Loads count
//! in full, though the M3 and the M4 may overlap neighbouring ones; a taken branch refills the pipeline in two cycles more than its own.

use object::{Object, ObjectSection, ObjectSymbol};

/// A core, as far as its cycles differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// Cortex-M0.
    M0,
    /// Cortex-M3.
    M3,
    /// Cortex-M4, and by the same table M7 and M33, which take fewer.
    M4,
}

/// A loop: from a branch's target to the branch, which is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Instructions of a turn.
    pub instructions: u32,
    /// Cycles of a turn, at the most where they depend on values.
    pub cycles: u32,
}

/// One Thumb instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction {
    pub(crate) address: u64,
    pub(crate) first: u16,
    /// The second half-word of a long one.
    pub(crate) second: Option<u16>,
}

impl Instruction {
    /// Where a branch within a function goes.
    pub(crate) fn target(self) -> Option<u64> {
        let extended = |value: u32, bits: u32| i64::from((value << (32 - bits)) as i32 >> (32 - bits));
        let first = u32::from(self.first);
        let offset = match self.second {
            None if first >> 12 == 0xd && first >> 8 & 0xf < 0xe => extended(first & 0xff, 8) * 2,
            None if first >> 11 == 0b11100 => extended(first & 0x7ff, 11) * 2,
            // B.W with a condition: sign, J2, J1, six and eleven bits.
            Some(second) if first >> 11 == 0b11110 && second & 0xd000 == 0x8000 && first >> 7 & 7 != 7 => {
                let second = u32::from(second);
                let high = (first >> 10 & 1) << 19 | (second >> 11 & 1) << 18 | (second >> 13 & 1) << 17;
                extended(high | (first & 0x3f) << 11 | (second & 0x7ff), 20) * 2
            }
            _ => return None,
        };
        (self.address + 4).checked_add_signed(offset)
    }

    fn cycles(self, core: Core) -> u32 {
        let Self { first, second, .. } = self;
        match second {
            // LDM, STM, PUSH and POP.
            None if first >> 12 == 0xc || first & 0xf600 == 0xb400 => 1 + (first & 0xff).count_ones(),
            // Loads and stores of one register.
            None if first >> 11 == 0b01001 || matches!(first >> 12, 5..=9) => 2,
            None => 1,
            Some(second) => match first {
                _ if first & 0xfe40 == 0xe800 => 1 + second.count_ones(),
                // LDRD and STRD.
                _ if first & 0xfe40 == 0xe840 => 3,
                // Loads and stores of one register.
                _ if first & 0xfe00 == 0xf800 => 2,
                // MLA and MLS.
                _ if first & 0xfff0 == 0xfb00 && second & 0xf000 != 0xf000 => 2,
                // Long multiplications: 3 to 5 or 4 to 7 by their values.
                _ if first & 0xff80 == 0xfb80 && core == Core::M3 => {
                    if first & 0x40 == 0 {
                        5
                    } else {
                        7
                    }
                }
                _ => 1,
            },
        }
    }
}

/// The shortest loop of the function whose symbol contains `name`.
///
/// # Panics
/// If the bytes are no ELF file, or no function of that name has a loop.
#[must_use]
pub fn innermost_loop(elf: &[u8], name: &str, core: Core) -> Loop {
    let elf = object::File::parse(elf).expect("an ELF file");
    let symbol =
        elf.symbols().find(|symbol| symbol.size() > 0 && symbol.name().is_ok_and(|found| found.contains(name)));
    let symbol = symbol.unwrap_or_else(|| panic!("no function {name}"));
    let section = elf.section_by_index(symbol.section_index().expect("its section")).expect("its section");
    // The lowest bit of a function's address says that it is Thumb code.
    let start = symbol.address() & !1;
    let code = section.data_range(start, symbol.size()).expect("its bytes").expect("its bytes");
    let instructions = decode(start, code);
    let loops = instructions.iter().enumerate().filter_map(|(last, branch)| {
        let target = branch.target().filter(|target| *target <= branch.address)?;
        let first = instructions.iter().position(|instruction| instruction.address == target)?;
        let turn = &instructions[first..=last];
        // The branch itself is taken: two cycles more.
        let cycles = turn.iter().map(|instruction| instruction.cycles(core)).sum::<u32>() + 2;
        Some(Loop { instructions: turn.len() as u32, cycles })
    });
    loops.min_by_key(|found| found.instructions).unwrap_or_else(|| panic!("no loop in {name}"))
}

/// The instructions of Thumb code, one after the other.
pub(crate) fn decode(start: u64, code: &[u8]) -> Vec<Instruction> {
    let mut halves = code.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let (mut address, mut instructions) = (start, Vec::new());
    while let Some(first) = halves.next() {
        let second = if first >> 11 > 0b11100 { halves.next() } else { None };
        instructions.push(Instruction { address, first, second });
        address += if second.is_some() { 4 } else { 2 };
    }
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(core: Core, halves: &[u16]) -> u32 {
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        decode(0, &bytes).iter().map(|instruction| instruction.cycles(core)).sum()
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
    }

    #[test]
    fn branches_go_where_they_say() {
        let target = |halves: &[u16]| {
            let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
            decode(0x1000, &bytes)[0].target()
        };
        assert_eq!(target(&[0xd1fd]), Some(0xffe)); // bne back by 6 of 4 ahead
        assert_eq!(target(&[0xe7fc]), Some(0xffc)); // b
        assert_eq!(target(&[0xf47f, 0xaffe]), Some(0x1000)); // bne.w to itself
        assert_eq!(target(&[0x4288]), None); // cmp r0, r1
    }
}
