//! The deepest that a function's stack can get, by its instructions and those of everything that it calls: a bound that no run exceeds.
//!
//! Each function is followed along every branch with the depth of the stack in hand; where two ways meet, their depths must be the same. What cannot be
//! followed is an error, never a guess: a cycle of calls, a stack pointer that is computed. A call through a register may reach every function whose address
//! stands in data, in a pool of constants, or in a pair of MOVW and MOVT. Encodings are those of the Armv7-M Architecture Reference Manual (Arm DDI 0403E, sections
//! A5 and A7), for code of Cortex-M3 and later ones. Interrupts come on top of it.

mod effect;
mod thumb;

use effect::{Block, Effect, pairs};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use std::collections::{BTreeMap, BTreeSet};
use thumb::{Instruction, decode};

/// Why a depth cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbounded {
    /// The function calls something by its address in a register, and no function's address is taken.
    Indirect(String),
    /// The function calls itself, through others or not.
    Recursive(String),
    /// An instruction is not understood here, and has to do with the stack or the way on.
    Unknown(String),
}

/// The functions of a program.
#[derive(Debug, Default)]
pub struct Program {
    /// By address.
    functions: BTreeMap<u64, Function>,
    /// Where code begins after data, as a table of branches is.
    code_begins: BTreeSet<u64>,
    /// The functions that a call through a register may reach.
    taken: BTreeSet<u64>,
}

#[derive(Debug)]
struct Function {
    name: String,
    code: Vec<u8>,
}

impl Program {
    /// Reads the functions of an ELF file.
    ///
    /// # Panics
    /// If the bytes are no ELF file with symbols.
    #[must_use]
    pub fn of(elf: &[u8]) -> Self {
        let elf = object::File::parse(elf).expect("an ELF file");
        let mut functions = BTreeMap::new();
        for symbol in elf.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
            let section = elf.section_by_index(symbol.section_index().expect("its section")).expect("its section");
            // The lowest bit of a function's address says that it is Thumb code.
            let start = symbol.address() & !1;
            let code = section.data_range(start, symbol.size()).expect("its bytes").expect("its bytes").to_vec();
            let name = symbol.name().expect("its name").to_owned();
            functions.insert(start, Function { name, code });
        }
        assert!(!functions.is_empty(), "no functions");
        // Mapping symbols (ELF for the Arm Architecture, section "Mapping symbols") say where code and data begin.
        let begins = |kind: &str| -> BTreeSet<u64> {
            let marks = elf.symbols().filter(|symbol| symbol.name().is_ok_and(|name| name.starts_with(kind)));
            marks.map(|symbol| symbol.address()).collect()
        };
        let mut program = Self { functions, code_begins: begins("$t"), taken: BTreeSet::new() };
        // The vectors are for the processor alone.
        let sections = elf.sections().filter(|section| section.address() != 0 || section.name() != Ok(".vectors"));
        let kinds = [SectionKind::Text, SectionKind::Data, SectionKind::ReadOnlyData];
        for section in sections.filter(|section| kinds.contains(&section.kind())) {
            let words = section.data().expect("its bytes").chunks_exact(4).map(|word| word.try_into().expect("four"));
            program.take(words.map(u32::from_le_bytes));
        }
        let pairs: Vec<_> =
            program.functions.iter().flat_map(|(start, function)| pairs(*start, &function.code)).collect();
        program.take(pairs.into_iter());
        program
    }

    /// Notes the functions whose addresses are among some words.
    fn take(&mut self, words: impl Iterator<Item = u32>) {
        let found = words.filter(|word| word & 1 == 1).map(|word| u64::from(word & !1));
        self.taken.extend(found.filter(|address| self.functions.contains_key(address)));
    }

    /// The most bytes of stack that a function and all that it calls can take.
    ///
    /// # Errors
    /// [`Unbounded`] where that cannot be told.
    ///
    /// # Panics
    /// If there is no function of this name.
    pub fn deepest(&self, name: &str) -> Result<u64, Unbounded> {
        let found = self.functions.iter().find(|(_, function)| function.name == name);
        let (start, _) = found.unwrap_or_else(|| panic!("no function {name}"));
        self.depth(*start, &mut BTreeMap::new())
    }

    /// The depth of the function at an address; `known` holds what is known, and `None` for functions on the way here.
    fn depth(&self, start: u64, known: &mut BTreeMap<u64, Option<u64>>) -> Result<u64, Unbounded> {
        let Some(Function { name, code }) = self.functions.get(&start) else {
            return Err(Unbounded::Unknown(format!("a call to {start:#x}, where no function begins")));
        };
        match known.insert(start, None) {
            Some(Some(depth)) => {
                known.insert(start, Some(depth));
                return Ok(depth);
            }
            Some(None) => return Err(Unbounded::Recursive(name.clone())),
            None => {}
        }
        let end = start + code.len() as u64;
        // The depth before each instruction that is reached. An IT block is gone through twice, once for either outcome, which its instructions then share.
        let mut seen: BTreeMap<(u64, Block), i64> = BTreeMap::new();
        let mut ways = vec![(start, Block::default(), 0)];
        let mut deepest = 0;
        while let Some((address, block, depth)) = ways.pop() {
            let strange = |what: &str| Unbounded::Unknown(format!("{name} at {address:#x}: {what}"));
            if let Some(before) = seen.insert((address, block), depth) {
                if before != depth {
                    return Err(strange("two ways meet at different depths"));
                }
                continue;
            }
            let at = usize::try_from(address - start).expect("within the function");
            let Some(instruction) = decode(address, &code[at..code.len().min(at + 4)]).first().copied() else {
                return Err(strange("runs past its end"));
            };
            let next = address + instruction.bytes();
            let (runs, after) = block.step();
            let effect = if runs { instruction.effect() } else { Effect::None };
            let mut below = |target| -> Result<(), Unbounded> {
                let below = self.depth(target, known)?;
                deepest = deepest.max(depth + i64::try_from(below).expect("a depth"));
                Ok(())
            };
            match effect {
                Effect::None => ways.push((next, after, depth)),
                Effect::Condition(outcomes) => ways.extend(outcomes.map(|block| (next, block, depth))),
                Effect::Moves(bytes) => {
                    deepest = deepest.max(depth + bytes);
                    ways.push((next, after, depth + bytes));
                }
                Effect::Calls(target) => {
                    below(target)?;
                    ways.push((next, after, depth));
                }
                Effect::Jumps(target) | Effect::MayJump(target) => {
                    if (start..end).contains(&target) {
                        ways.push((target, Block::default(), depth));
                    } else {
                        // A call in the last place: what it takes comes on top of what is there.
                        below(target)?;
                    }
                    if matches!(effect, Effect::MayJump(_)) {
                        ways.push((next, after, depth));
                    }
                }
                Effect::Returns | Effect::Ends => {}
                Effect::Indirect { returns } => {
                    if self.taken.is_empty() {
                        return Err(Unbounded::Indirect(name.clone()));
                    }
                    self.taken.iter().try_for_each(|target| below(*target))?;
                    if returns {
                        ways.push((next, after, depth));
                    }
                }
                Effect::Table(width) => {
                    let Some(close) = self.code_begins.range(next..end).next() else {
                        return Err(strange("a table without an end"));
                    };
                    let table = code.get(at + 4..usize::try_from(close - start).expect("within")).unwrap_or_default();
                    for entry in table.chunks_exact(width) {
                        let halves = entry.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                        // A byte that fills the table up points into it.
                        ways.extend((next + 2 * halves >= *close).then_some((next + 2 * halves, after, depth)));
                    }
                }
                Effect::Placed => {
                    let places: Vec<_> = decode(start, code).into_iter().filter_map(Instruction::place).collect();
                    let inside = places.into_iter().filter(|place| (start..end).contains(place));
                    let before = ways.len();
                    ways.extend(inside.map(|place| (place, Block::default(), depth)));
                    if ways.len() == before {
                        return Err(strange("a jump to nowhere in particular"));
                    }
                }
                Effect::Unknown => return Err(strange("not understood")),
            }
        }
        let deepest = u64::try_from(deepest).expect("at least 0");
        known.insert(start, Some(deepest));
        Ok(deepest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(functions: &[(&str, u64, &[u16])]) -> Program {
        let function = |(name, start, halves): &(&str, u64, &[u16])| {
            let code = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
            (*start, Function { name: (*name).to_owned(), code })
        };
        Program { functions: functions.iter().map(function).collect(), ..Program::default() }
    }

    fn depth(halves: &[u16]) -> Result<u64, Unbounded> {
        program(&[("f", 0x100, halves)]).deepest("f")
    }

    #[test]
    fn frames_are_added_up_as_the_manual_says() {
        // push {r4-r7, lr}; sub sp, #16; add sp, #16; pop {r4-r7, pc}
        assert_eq!(depth(&[0xb5f0, 0xb084, 0xb004, 0xbdf0]), Ok(36));
        // push {r4, lr}; stmdb sp!, {r8-r11}; sub.w sp, sp, #768; then the way back, bx lr.
        let halves = [0xb510, 0xe92d, 0x0f00, 0xf5ad, 0x7d40, 0xf50d, 0x7d40, 0xe8bd, 0x0f00, 0xe8bd, 0x4010, 0x4770];
        assert_eq!(depth(&halves), Ok(8 + 16 + 768));
        // str r8, [sp, #-4]!; vpush {d8-d9}; vpop {d8-d9}; ldr r8, [sp], #4; bx lr
        assert_eq!(depth(&[0xf84d, 0x8d04, 0xed2d, 0x8b04, 0xecbd, 0x8b04, 0xf85d, 0x8b04, 0x4770]), Ok(20));
        // subw sp, sp, #2000; addw sp, sp, #2000; bx lr
        assert_eq!(depth(&[0xf2ad, 0x7dd0, 0xf20d, 0x7dd0, 0x4770]), Ok(2000));
    }

    #[test]
    fn the_deepest_way_counts_through_calls_and_last_calls() {
        // f: push {r7, lr}; bl g; pop {r7, lr} as a pair; b.w h. g: sub sp, #8; add sp, #8; bx lr. h: sub sp, #64; add sp, #64; bx lr.
        let f = [0xb580, 0xf000, 0xf87d, 0xe8bd, 0x4080, 0xf000, 0xb8f9];
        let g = [0xb082, 0xb002, 0x4770];
        let h = [0xb090, 0xb010, 0x4770];
        let program = program(&[("f", 0x100, &f), ("g", 0x200, &g), ("h", 0x300, &h)]);
        assert_eq!(program.deepest("g"), Ok(8));
        assert_eq!(program.deepest("h"), Ok(64));
        // 8 + 8 in the call, 0 + 64 in the last one.
        assert_eq!(program.deepest("f"), Ok(64));
    }

    #[test]
    fn branches_are_followed_both_ways() {
        // cbz r0, over; sub sp, #32; add sp, #32; over: bx lr
        assert_eq!(depth(&[0xb108, 0xb088, 0xb008, 0x4770]), Ok(32));
        // it eq; bxeq lr; push {r7, lr}; pop {r7, pc}
        assert_eq!(depth(&[0xbf08, 0x4770, 0xb580, 0xbd80]), Ok(8));
        // push {r7, lr}; itte ne; subne sp, #8; addne sp, #8; nop; pop {r7, pc}
        assert_eq!(depth(&[0xb580, 0xbf1a, 0xb082, 0xb002, 0xbf00, 0xbd80]), Ok(16));
        // push {r7, lr}; ite eq; popeq {r7, pc}; subne sp, #4; add sp, #4; pop {r7, pc}
        assert_eq!(depth(&[0xb580, 0xbf0c, 0xbd80, 0xb081, 0xb001, 0xbd80]), Ok(12));
    }

    #[test]
    fn a_call_through_a_register_may_reach_every_function_whose_address_is_taken() {
        // f: push {r7, lr}; movw r2, #0x301; movt r2, #0; blx r2; pop {r7, pc}
        let f = [0xb580, 0xf240, 0x3201, 0xf2c0, 0x0200, 0x4790, 0xbd80];
        let mut program = program(&[
            ("f", 0x100, &f),
            ("g", 0x200, &[0xb082, 0xb002, 0x4770]),
            ("h", 0x300, &[0xb090, 0xb010, 0x4770]),
        ]);
        let code = program.functions[&0x100].code.clone();
        assert_eq!(pairs(0x100, &code), [0x301]);
        program.take([0x201, 0x300, 0x203].into_iter());
        // An even number is no address of a function, and one in the middle is none either.
        assert_eq!(program.taken, [0x200].into());
        assert_eq!(program.deepest("f"), Ok(16));
        program.take(pairs(0x100, &code).into_iter());
        assert_eq!(program.deepest("f"), Ok(8 + 64));
    }

    #[test]
    fn a_table_leads_to_each_of_its_entries() {
        // tbb [pc, r0]; entries 1 and 2 with two bytes in all; 0x106: bx lr; 0x108: sub sp, #8; add sp, #8; bx lr
        let mut program = program(&[("f", 0x100, &[0xe8df, 0xf000, 0x0201, 0x4770, 0xb082, 0xb002, 0x4770])]);
        program.code_begins.insert(0x106);
        assert_eq!(program.deepest("f"), Ok(8));
    }

    #[test]
    fn a_loop_entered_in_its_middle_is_followed_from_its_start() {
        // adr.w r4, 8 on; ldr pc, [lr, #24]; there: push {r4, lr}; pop {r4, pc}
        assert_eq!(depth(&[0xf20f, 0x0404, 0xf8de, 0xf018, 0xb510, 0xbd10]), Ok(8));
        assert!(matches!(depth(&[0xf8de, 0xf018, 0xb510, 0xbd10]), Err(Unbounded::Unknown(_))));
    }

    #[test]
    fn what_cannot_be_followed_is_an_error() {
        assert_eq!(depth(&[0x4790, 0x4770]), Err(Unbounded::Indirect("f".into()))); // blx r2
        assert_eq!(depth(&[0xf7ff, 0xfffe, 0x4770]), Err(Unbounded::Recursive("f".into()))); // bl f
        assert!(matches!(depth(&[0x46bd, 0x4770]), Err(Unbounded::Unknown(_)))); // mov sp, r7
        assert!(matches!(depth(&[0xe8df, 0xf000]), Err(Unbounded::Unknown(_)))); // tbb [pc, r0] without a table
        // cbz r0, over; push {r7, lr}; over: bx lr, at two depths.
        assert!(matches!(depth(&[0xb100, 0xb580, 0x4770]), Err(Unbounded::Unknown(_))));
        assert!(matches!(depth(&[0xb580]), Err(Unbounded::Unknown(_)))); // no end
    }
}
