//! Hazard3, the RISC-V core of the RP2350, with its fast multiplier: every instruction of RV32IMC takes a cycle, a load that the next instruction
//! computes with one more, and so does a branch that was predicted wrong or goes to a long instruction at an odd half-word.
//!
//! Source: "Instruction Cycle Counts" of the Hazard3 manual (L. Wren), with its predictor: the last backward branch that was taken is taken again, all others are not.

use super::{Instruction, Timing};

/// What matters of an instruction: the register that it loads, and those that it computes with, as bits; 0 is always zero.
#[derive(Clone, Copy, Default)]
struct Registers {
    loaded: u32,
    used: u32,
}

/// The state of the pipeline.
#[derive(Default)]
pub(super) struct Hazard3 {
    /// The register that the last instruction loaded.
    loaded: u32,
    /// The branch that is predicted to be taken.
    predicted: Option<u64>,
}

/// Of a conditional branch, a jump, and anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Branch,
    Jump,
    Other,
}

fn kind(Instruction { first, second, .. }: Instruction) -> Kind {
    let quadrant_and_function = (first & 3, first >> 13);
    match (second, first & 0x7f) {
        (Some(_), 0x63) => Kind::Branch,
        (Some(_), 0x67 | 0x6f) => Kind::Jump,
        (None, _) => match quadrant_and_function {
            (1, 6 | 7) => Kind::Branch,
            (1, 1 | 5) => Kind::Jump,
            // C.JR and C.JALR, which C.MV and C.ADD would be without a second register.
            (2, 4) if first & 0x7c == 0 => Kind::Jump,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

fn registers(Instruction { first, second, .. }: Instruction) -> Registers {
    let bit = |register: u16| 1u32 << (register & 31) & !1;
    let Some(second) = second else { return compressed(first) };
    let (rd, rs1, rs2) = (first >> 7, first >> 15 | second << 1, second >> 4);
    match first & 0x7f {
        0x03 => Registers { loaded: bit(rd), used: bit(rs1) },
        // Immediate values, what is stored, and jumps through a register.
        0x13 | 0x23 | 0x67 => Registers { loaded: 0, used: bit(rs1) },
        0x33 | 0x63 => Registers { loaded: 0, used: bit(rs1) | bit(rs2) },
        _ => Registers::default(),
    }
}

fn compressed(first: u16) -> Registers {
    const SP: u32 = 1 << 2;
    let bit = |register: u16| 1u32 << (register & 31) & !1;
    // Three bits name x8 to x15.
    let (low, high) = (bit((first >> 2 & 7) + 8), bit((first >> 7 & 7) + 8));
    let (full_low, full_high) = (bit(first >> 2), bit(first >> 7));
    let (loaded, used) = match (first & 3, first >> 13) {
        (0, 0) => (0, SP),
        (0, 2) => (low, high),
        (0, 6) | (1, 6 | 7) => (0, high),
        (1, 0 | 3) | (2, 0) => (0, full_high),
        // Two registers where the code says 3, else one and an immediate.
        (1, 4) => (0, if first >> 10 & 3 == 3 { high | low } else { high }),
        (2, 2) => (full_high, SP),
        (2, 6) => (0, SP),
        // C.MV uses the second alone, C.ADD both, C.JR and C.JALR the first.
        (2, 4) if full_low != 0 && first >> 12 & 1 == 0 => (0, full_low),
        (2, 4) => (0, full_low | full_high),
        _ => (0, 0),
    };
    Registers { loaded, used }
}

impl Timing for Hazard3 {
    fn is_long(&self, first: u16) -> bool {
        first & 3 == 3
    }

    fn page(&self) -> u64 {
        4096
    }

    fn branches(&self, instruction: Instruction) -> bool {
        kind(instruction) != Kind::Other
    }

    fn cycles(&mut self, instruction: Instruction, to: Option<Instruction>) -> u64 {
        let Registers { loaded, used } = registers(instruction);
        let mut cycles = 1 + u64::from(used & self.loaded != 0);
        self.loaded = loaded;
        let predicted = self.predicted == Some(instruction.address);
        if let Some(to) = to {
            cycles += u64::from(!predicted) + u64::from(to.second.is_some() && to.address & 2 != 0);
            if to.address <= instruction.address && kind(instruction) == Kind::Branch {
                self.predicted = Some(instruction.address);
            }
        } else if predicted {
            cycles += 1;
            self.predicted = None;
        }
        cycles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::cycles_of;

    fn cycles(halves: &[u16]) -> u64 {
        cycles_of(&mut Hazard3::default(), halves)
    }

    #[test]
    fn loads_that_are_used_at_once_take_a_cycle_more() {
        // By the unprivileged specification: lbu a7, 0(a0); mul a7, a7, a6; add a2, a2, a7.
        let (lbu, mul, add) = ([0x4883, 0x0005], [0x88b3, 0x0308], [0x0633, 0x0116]);
        assert_eq!(cycles(&[lbu, mul, add].concat()), 4);
        assert_eq!(cycles(&[lbu, add].concat()), 3);
        assert_eq!(cycles(&[mul, add].concat()), 2);
        // c.lw a4, 0(a0); c.sw a4, 4(a0): what is stored comes in time; c.add a0, a4 would wait, and c.mv a4, a0 does not.
        assert_eq!(cycles(&[0x4118, 0xc158]), 2);
        assert_eq!(cycles(&[0x4118, 0x953a]), 3);
        assert_eq!(cycles(&[0x4118, 0x872a]), 2);
    }

    #[test]
    fn a_loop_is_predicted_from_its_second_turn_on() {
        let mut core = Hazard3::default();
        let branch = Instruction { address: 0x1010, first: 0xfe63, second: Some(0xfe73) };
        let start = Instruction { address: 0x1000, first: 0x4883, second: Some(0x0005) };
        assert!(core.branches(branch));
        assert_eq!([Some(start), Some(start), None, None].map(|to| core.cycles(branch, to)), [2, 1, 2, 1]);
        let odd = Instruction { address: 0x1002, ..start };
        assert_eq!(core.cycles(branch, Some(odd)), 3);
    }
}
