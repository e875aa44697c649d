//! What a layer takes in cycles: the instructions that an emulated board runs, by the published timing of its core, memory without waits.
//!
//! The emulator logs where each run of instructions starts, so that trip counts and branches are those of the layer itself; what an instruction takes is
//! each table's own: `thumb` for the older cores of Arm, `helium` for the Cortex-M55, `hazard3` for RISC-V.

mod hazard3;
mod helium;
mod thumb;

use mote_qemu::{Image, trace_kernels};
use object::{Object, ObjectSection, ObjectSymbol};
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// A core, as far as its cycles differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// Cortex-M0.
    M0,
    /// Cortex-M3.
    M3,
    /// Cortex-M4, and by the same table M7 and M33, which take fewer.
    M4,
    /// Cortex-M55.
    M55,
    /// Hazard3, the RISC-V core of the RP2350.
    Hazard3,
}

/// What a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Instructions in the functions that were followed: nearly all.
    pub instructions: u64,
    /// Cycles of these, at the most where they depend on values.
    pub cycles: u64,
}

/// One instruction: its half-words, the second of a long one.
#[derive(Clone, Copy, Debug)]
struct Instruction {
    address: u64,
    first: u16,
    second: Option<u16>,
}

impl Instruction {
    fn end(self) -> u64 {
        self.address + if self.second.is_some() { 4 } else { 2 }
    }
}

/// The timing of a core, one instruction after another.
trait Timing {
    /// Whether an instruction has two half-words, by the first.
    fn is_long(&self, first: u16) -> bool;
    /// The emulator's pages, bytes: a run of instructions ends with its page.
    fn page(&self) -> u64;
    /// Whether it may go elsewhere than to the next one.
    fn branches(&self, instruction: Instruction) -> bool;
    /// The cycles that it takes more than those before it; `to` is the instruction that it branches to, if it does.
    fn cycles(&mut self, instruction: Instruction, to: Option<Instruction>) -> u64;
}

/// The functions that are followed: the network's, and the image's that calls it, where a layer starts.
const FOLLOWED: [&str; 2] = ["7network", "Room3run"];

/// What the first layer of a model takes on a board, by a run that is logged to a file; the other file holds the model twice, as for
/// [`mote_qemu::run_kernels`].
///
/// # Panics
/// If the run fails, or the image's code is not what was logged.
#[must_use]
pub fn estimate_of_first_layer(image: &Image, doubled: &Path, log: &Path, core: Core, limit: Duration) -> Estimate {
    let bytes = fs::read(image.path()).expect("an image");
    let (code, entry) = functions(&bytes);
    let ranges: Vec<_> = code.iter().map(|(range, _)| range.clone()).collect();
    trace_kernels(image, doubled, &ranges, log, limit).expect("the image of kernels runs");
    let starts = first_call(&fs::read_to_string(log).expect("a log"), entry);
    let mut timing: Box<dyn Timing> = match core {
        Core::M55 => Box::new(helium::Helium::default()),
        Core::Hazard3 => Box::new(hazard3::Hazard3::default()),
        _ => Box::new(thumb::Thumb { core }),
    };
    follow(&decode(&code, &*timing), &starts, &mut *timing)
}

/// The addresses and the code of functions.
type Functions<'a> = Vec<(Range<u64>, &'a [u8])>;

/// Every function that is followed, and where the one that runs a layer starts.
fn functions(bytes: &[u8]) -> (Functions<'_>, u64) {
    let elf = object::File::parse(bytes).expect("an ELF file");
    let mut entry = None;
    let mut code = Vec::new();
    for symbol in elf.symbols().filter(|symbol| symbol.size() > 0) {
        let name = symbol.name().unwrap_or_default();
        if !FOLLOWED.iter().any(|part| name.contains(part)) {
            continue;
        }
        let section = symbol.section_index().and_then(|index| elf.section_by_index(index).ok());
        let Some(section) = section.filter(|section| section.kind() == object::SectionKind::Text) else { continue };
        // The lowest bit of a function's address says that it is Thumb code.
        let start = symbol.address() & !1;
        let bytes = section.data_range(start, symbol.size()).expect("its bytes").expect("its bytes");
        code.push((start..start + symbol.size(), bytes));
        if name.contains(FOLLOWED[1]) {
            entry = Some(start);
        }
    }
    (code, entry.expect("the function that runs a layer"))
}

/// Where runs of instructions start, from the first call of the function at `entry` to the second.
fn first_call(log: &str, entry: u64) -> Vec<u64> {
    let starts = log.lines().filter_map(|line| {
        let field = line.strip_prefix("Trace ")?.split('[').nth(1)?.split('/').nth(1)?;
        u64::from_str_radix(field, 16).ok()
    });
    let mut starts = starts.skip_while(|start| *start != entry);
    let first = starts.next();
    first.into_iter().chain(starts.take_while(|start| *start != entry)).collect()
}

/// The instructions of the functions by their addresses. What lies between them, as addresses of tails do, decodes to something that never runs.
fn decode(code: &[(Range<u64>, &[u8])], timing: &dyn Timing) -> HashMap<u64, Instruction> {
    let mut instructions = HashMap::new();
    for (range, bytes) in code {
        let half = |offset: usize| bytes.get(offset..offset + 2).map(|half| u16::from_le_bytes([half[0], half[1]]));
        // From every half-word, since data in between may put what follows out of step.
        for offset in (0..bytes.len()).step_by(2) {
            let Some(first) = half(offset) else { break };
            let second = if timing.is_long(first) { half(offset + 2) } else { None };
            let address = range.start + offset as u64;
            instructions.insert(address, Instruction { address, first, second });
        }
    }
    instructions
}

/// Adds up the instructions from each start to a branch or to the end of its page.
fn follow(code: &HashMap<u64, Instruction>, starts: &[u64], timing: &mut dyn Timing) -> Estimate {
    let mut estimate = Estimate { instructions: 0, cycles: 0 };
    for (i, start) in starts.iter().enumerate() {
        let next = starts.get(i + 1).copied();
        let mut instruction = code[start];
        loop {
            let ends = timing.branches(instruction);
            let to = next.filter(|next| ends && *next != instruction.end()).and_then(|next| code.get(&next).copied());
            estimate.instructions += 1;
            estimate.cycles += timing.cycles(instruction, to);
            let end = instruction.end();
            let at_next_page = next == Some(end) && end / timing.page() != start / timing.page();
            match code.get(&end) {
                Some(following) if !ends && !at_next_page => instruction = *following,
                _ => break,
            }
        }
    }
    estimate
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes half-words that lie one after another from an address on, and the cycles of them all if none branches.
    pub(super) fn cycles_of(timing: &mut dyn Timing, halves: &[u16]) -> u64 {
        let mut halves = halves.iter().copied();
        let (mut address, mut cycles) = (0x1000, 0);
        while let Some(first) = halves.next() {
            let second = if timing.is_long(first) { halves.next() } else { None };
            let instruction = Instruction { address, first, second };
            cycles += timing.cycles(instruction, None);
            address = instruction.end();
        }
        cycles
    }

    #[test]
    fn a_log_is_followed_from_branch_to_branch() {
        // movs r3, #1; subs r3, r3, #1; bne back by one; bx lr, entered at 0x100 and run twice through the loop.
        let bytes: Vec<u8> = [0x2301u16, 0x3b01, 0xd1fd, 0x4770].iter().flat_map(|half| half.to_le_bytes()).collect();
        let mut timing = thumb::Thumb { core: Core::M4 };
        let code = decode(&[(0x100..0x108, &bytes)], &timing);
        let line = |pc: u32| format!("Trace 0: 0x7f0 [00800400/{pc:08x}/00000010/ff000200] f\n");
        let log: String = [0x90, 0x100, 0x102, 0x106, 0x100, 0x102].map(line).concat();
        let starts = first_call(&log, 0x100);
        assert_eq!(starts, [0x100, 0x102, 0x106]);
        // Two turns of two, one of them with the branch taken for two cycles more, the move, and the return, whose end is not seen.
        assert_eq!(follow(&code, &starts, &mut timing), Estimate { instructions: 6, cycles: 8 });
    }
}
