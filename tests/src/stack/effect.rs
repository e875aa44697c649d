//! What a Thumb instruction does to the stack and to the way on. Encodings: Armv7-M Architecture Reference Manual (Arm DDI 0403E, sections A5 and A7).

use super::thumb::{Instruction, decode};

/// What an instruction does, as far as the stack is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// The stack grows by so many bytes, or shrinks.
    Moves(i64),
    /// A call.
    Calls(u64),
    /// A jump for good.
    Jumps(u64),
    /// A jump or not.
    MayJump(u64),
    /// Back to the caller.
    Returns,
    /// A call or a jump through a register.
    Indirect {
        /// Whether it is a call.
        returns: bool,
    },
    /// The ways on lie in a table behind it, as so many bytes each.
    Table(usize),
    /// A load of the program counter, by which kernels go into the middle of an unrolled loop: to a place that the function took by ADR, or to
    /// one further on in the same row of instructions.
    Placed,
    /// The stack pointer is computed.
    Unknown,
    /// What follows depends on a condition, with these outcomes.
    Condition([Block; 2]),
    /// Never goes on.
    Ends,
}

/// The instructions after an IT, for one outcome of its condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    /// How many are left.
    left: u32,
    /// Which of them run, the next one first.
    run: u16,
}

impl Block {
    /// The lowest bit that is set of an IT says how many follow it, and each bit above whether one is for the condition's last bit or against it.
    fn outcomes(it: u16) -> [Self; 2] {
        let left = 4 - (it & 0xf).trailing_zeros();
        let last = it >> 4 & 1;
        let bits = (1..left).map(|i| (it >> (4 - i) & 1 == last, i));
        let holds = bits.fold(1, |run, (same, i)| run | u16::from(same) << i);
        [Self { left, run: holds }, Self { left, run: !holds & ((1 << left) - 1) }]
    }

    /// Whether the next instruction runs, and the block after it.
    pub(super) fn step(self) -> (bool, Self) {
        match self.left {
            0 => (true, self),
            left => (self.run & 1 == 1, Self { left: left - 1, run: self.run >> 1 }),
        }
    }
}

impl Instruction {
    pub(super) fn bytes(self) -> u64 {
        if self.second.is_some() { 4 } else { 2 }
    }

    pub(super) fn effect(self) -> Effect {
        match self.second {
            None => self.short(),
            Some(second) => self.long(second),
        }
    }

    /// Of an instruction of 16 bits.
    fn short(self) -> Effect {
        let first = self.first;
        let words = |register_bits: u16| i64::from(register_bits.count_ones()) * 4;
        match first {
            // PUSH and POP, with the link register or the program counter as the ninth bit.
            _ if first & 0xfe00 == 0xb400 => Effect::Moves(words(first & 0x1ff)),
            _ if first & 0xff00 == 0xbd00 => Effect::Returns,
            _ if first & 0xff00 == 0xbc00 => Effect::Moves(-words(first & 0xff)),
            // ADD and SUB of the stack pointer and seven bits of words.
            _ if first & 0xff80 == 0xb000 => Effect::Moves(-4 * i64::from(first & 0x7f)),
            _ if first & 0xff80 == 0xb080 => Effect::Moves(4 * i64::from(first & 0x7f)),
            // ADD and MOV to the stack pointer, and to the program counter.
            _ if [0x4485, 0x4487, 0x4685, 0x4687].contains(&(first & 0xff87)) => Effect::Unknown,
            0x4770 => Effect::Returns,
            // BX and BLX.
            _ if first & 0xff07 == 0x4700 => Effect::Indirect { returns: first & 0x80 != 0 },
            // UDF, and BKPT, after which a debugger goes on.
            _ if first & 0xff00 == 0xde00 => Effect::Ends,
            _ if first & 0xff00 == 0xbf00 && first & 0xf != 0 => Effect::Condition(Block::outcomes(first)),
            // CBZ and CBNZ.
            _ if first & 0xf500 == 0xb100 => {
                Effect::MayJump(self.address + 4 + u64::from((first >> 9 & 1) << 6 | (first >> 3 & 0x1f) << 1))
            }
            _ if first >> 11 == 0b11100 => self.target().map_or(Effect::Unknown, Effect::Jumps),
            _ => self.target().map_or(Effect::None, Effect::MayJump),
        }
    }

    /// Of an instruction of 32 bits.
    fn long(self, second: u16) -> Effect {
        let first = self.first;
        let words = i64::from(second.count_ones()) * 4;
        let doubles = i64::from(second & 0xff) * 4;
        match first {
            // STMDB and LDMIA of the stack pointer, written back.
            0xe92d => Effect::Moves(words),
            0xe8bd if second & 0x8000 != 0 => Effect::Returns,
            0xe8bd => Effect::Moves(-words),
            // VPUSH and VPOP.
            _ if first & 0xffbf == 0xed2d => Effect::Moves(doubles),
            _ if first & 0xffbf == 0xecbd => Effect::Moves(-doubles),
            // STR and STRD before a word that the stack grows by, LDR and LDRD after one that it shrinks by.
            0xf84d if second & 0x0f00 == 0x0d00 => Effect::Moves(i64::from(second & 0xff)),
            0xf85d if second & 0xff00 == 0xfb00 => Effect::Returns,
            0xf85d if second & 0x0f00 == 0x0b00 => Effect::Moves(-i64::from(second & 0xff)),
            0xe96d => Effect::Moves(doubles),
            0xe8fd => Effect::Moves(-doubles),
            // ADD and SUB of a constant to the stack pointer, from the stack pointer.
            _ if first & 0xfbff == 0xf1ad && second & 0x8f00 == 0x0d00 => constant(first, second, Effect::Moves, 1),
            _ if first & 0xfbff == 0xf10d && second & 0x8f00 == 0x0d00 => constant(first, second, Effect::Moves, -1),
            _ if first & 0xfbff == 0xf2ad && second & 0x8f00 == 0x0d00 => Effect::Moves(twelve_bits(first, second)),
            _ if first & 0xfbff == 0xf20d && second & 0x8f00 == 0x0d00 => Effect::Moves(-twelve_bits(first, second)),
            // Any other result in the stack pointer: data processing with a constant, with registers; and loads of it or of the program counter.
            _ if first & 0xf800 == 0xf000 && second & 0x8f00 == 0x0d00 && first & 0x10 == 0 => Effect::Unknown,
            _ if first & 0xfe00 == 0xea00 && second & 0x0f00 == 0x0d00 && first & 0x10 == 0 => Effect::Unknown,
            _ if first & 0xff70 == 0xf850 && second >> 12 == 13 => Effect::Unknown,
            _ if first & 0xff70 == 0xf850 && second >> 12 == 15 => Effect::Placed,
            // TBB and TBH.
            0xe8df if second & 0xffe0 == 0xf000 => Effect::Table(if second & 0x10 == 0 { 1 } else { 2 }),
            _ if first >> 11 == 0b11110 && second & 0xd000 == 0xd000 => Effect::Calls(self.far(second)),
            _ if first >> 11 == 0b11110 && second & 0xd000 == 0x9000 => Effect::Jumps(self.far(second)),
            _ if first & 0xfff0 == 0xf7f0 && second & 0xf000 == 0xa000 => Effect::Ends,
            _ => self.target().map_or(Effect::None, Effect::MayJump),
        }
    }

    /// The place that ADR takes, forwards.
    pub(super) fn place(self) -> Option<u64> {
        let second = self.second.filter(|second| self.first & 0xfbff == 0xf20f && second & 0x8000 == 0)?;
        ((self.address + 4) & !3).checked_add_signed(twelve_bits(self.first, second))
    }

    /// Where BL and B.W without a condition go: 24 bits of half-words and their sign.
    fn far(self, second: u16) -> u64 {
        let (first, second) = (i64::from(self.first), i64::from(second));
        let sign = first >> 10 & 1;
        let (j1, j2) = (second >> 13 & 1, second >> 11 & 1);
        let high = (!(j1 ^ sign) & 1) << 23 | (!(j2 ^ sign) & 1) << 22;
        let offset = (high | (first & 0x3ff) << 12 | (second & 0x7ff) << 1) - (sign << 24);
        (self.address + 4).checked_add_signed(offset).expect("an address")
    }
}

/// What pairs of MOVW and MOVT put into a register, as a compiler writes them.
pub(super) fn pairs(start: u64, code: &[u8]) -> Vec<u32> {
    let (mut low, mut found) = ([0; 16], Vec::new());
    for Instruction { first, second, .. } in decode(start, code) {
        let Some(second) = second.filter(|_| first & 0xfb70 == 0xf240) else { continue };
        let value = u32::from(first & 0xf) << 12 | twelve_bits(first, second) as u32;
        let register = &mut low[usize::from(second >> 8 & 0xf)];
        if first & 0x80 == 0 {
            *register = value;
        } else {
            found.push(value << 16 | *register);
        }
    }
    found
}

fn twelve_bits(first: u16, second: u16) -> i64 {
    i64::from((first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xff)
}

/// A modified constant (section A5.3.2): a byte, or eight bits with a leading one turned to the right by 8 to 31.
fn constant(first: u16, second: u16, effect: impl Fn(i64) -> Effect, sign: i64) -> Effect {
    let bits = twelve_bits(first, second);
    match bits >> 8 {
        0 => effect(sign * (bits & 0xff)),
        // A byte repeated makes no frame.
        1..=3 => Effect::Unknown,
        _ => {
            let turned = (0x80 | bits as u32 & 0x7f).rotate_right((bits >> 7) as u32);
            effect(sign * i64::from(turned))
        }
    }
}
