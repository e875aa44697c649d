//! Cortex-M55: one instruction a cycle at most, and two beats of a vector a cycle, so that a vector instruction keeps its unit for two.
//!
//! A load or store of vectors and an instruction that computes with them overlap by a cycle; two of a kind do not. That is how Arm's reference book on
//! Helium (J. Marsh, 2020) explains the pipeline, and the model that the Slothy optimiser schedules by (Abdulrahman, Becker, Kannwischer and Klein, TCHES
//! 2024), whose waits for results are left out. A taken branch counts three cycles, one that ends a hardware loop one, and loads into other registers
//! what they do on the M4.

use super::{Instruction, Timing};

/// Where an instruction works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Scalar,
    /// Loads and stores of vectors.
    Memory,
    /// Arithmetic on vectors.
    Vector,
}

fn unit(instruction: Instruction) -> Unit {
    let Some(second) = instruction.second else { return Unit::Scalar };
    match (instruction.first >> 8 | 0x10, second >> 8 & 0xf) {
        // Loads and stores of the coprocessors that vectors are: contiguous, gathered, by two and by four.
        (0xfc | 0xfd, 0xe | 0xf) => Unit::Memory,
        // VMOV between two registers and two lanes takes one cycle.
        (0xfc, 0xa | 0xb) if instruction.first & 0xffe0 == 0xec00 => Unit::Scalar,
        // Those of other registers, VPUSH and VPOP: a cycle for each two.
        (0xfc | 0xfd, 0xa | 0xb) => Unit::Memory,
        (0xfe | 0xff, _) => Unit::Vector,
        _ => Unit::Scalar,
    }
}

/// The state of the pipeline.
#[derive(Default)]
pub(super) struct Helium {
    now: u64,
    memory_free: u64,
    vector_free: u64,
}

impl Timing for Helium {
    fn is_long(&self, first: u16) -> bool {
        first >> 11 > 0b11100
    }

    fn page(&self) -> u64 {
        super::thumb::PAGE
    }

    fn branches(&self, instruction: Instruction) -> bool {
        super::thumb::branches(instruction)
    }

    fn cycles(&mut self, instruction: Instruction, to: Option<Instruction>) -> u64 {
        let before = self.now;
        match unit(instruction) {
            Unit::Scalar => self.now += super::thumb::loads_and_stores(instruction).max(1),
            Unit::Memory => {
                self.now = self.now.max(self.memory_free) + 1;
                self.memory_free = self.now + 1;
            }
            Unit::Vector => {
                self.now = self.now.max(self.vector_free) + 1;
                self.vector_free = self.now + 1;
            }
        }
        let hardware_loop = instruction.first & 0xffcf == 0xf00f;
        if to.is_some() && !hardware_loop {
            self.now += 2;
        }
        self.now - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::cycles_of;

    #[test]
    fn loads_overlap_with_products_and_not_with_each_other() {
        // As llvm-mc encodes them: vldrb.u8 q0, [r1], #16; vmladava.s8 r6, q0, q4.
        let (load, product) = ([0xfcb1, 0x1e10], [0xeef0, 0x6f28]);
        let cycles = |instructions: &[[u16; 2]]| cycles_of(&mut Helium::default(), &instructions.concat());
        assert_eq!(cycles(&[load, product, load, product]), 4);
        assert_eq!(cycles(&[load, load, product]), 4);
        assert_eq!(cycles(&[product, product, product]), 5);
        // add r1, r11 and ldrd r6, r8, [sp, #8] are no vectors, and count as on the M4.
        assert_eq!(cycles_of(&mut Helium::default(), &[0x4459, 0xe9dd, 0x6802]), 1 + 3);
    }
}
