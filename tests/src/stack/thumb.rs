//! Thumb code as instructions with their addresses (Arm DDI 0403E, sections A5 and A7).

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
