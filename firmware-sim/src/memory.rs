//! How much memory the image takes: its statics, and the stack by the paint that is left.

use crate::console::Console;
use crate::machine::PAINT;

unsafe extern "C" {
    static __sdata: u32;
    static __edata: u32;
    static __sbss: u32;
    static __ebss: u32;
    static _stack_start: u32;
    static _stack_end: u32;
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Statics that start with a value, which flash holds too.
    pub data: usize,
    /// Statics that start as zeros, the arena among them.
    pub bss: usize,
    /// The deepest that the stack has been.
    pub stack: usize,
    /// The stack's place.
    pub stack_reserved: usize,
}

impl Memory {
    /// Measures the statics by the linker's symbols and the stack by the first word that lost its paint.
    pub fn measure() -> Self {
        let (bottom, top) = ((&raw const _stack_end), (&raw const _stack_start));
        let words = (top.addr() - bottom.addr()) / 4;
        let clean = (0..words)
            // SAFETY: every word from `_stack_end` up to `_stack_start` is memory of the stack, painted before `main`. A volatile
            // read of one that is in use gives some value and disturbs nothing.
            .take_while(|i| unsafe { bottom.add(*i).read_volatile() } == PAINT)
            .count();
        Self {
            data: (&raw const __edata).addr() - (&raw const __sdata).addr(),
            bss: (&raw const __ebss).addr() - (&raw const __sbss).addr(),
            stack: 4 * (words - clean),
            stack_reserved: 4 * words,
        }
    }

    /// Measures, and prints the record; `arena` is the part of the statics that is lent to what the image does.
    pub fn print(console: &mut Console, arena: usize) {
        let Self { data, bss, stack, stack_reserved } = Self::measure();
        console.record(format_args!(
            "memory data={data} bss={bss} arena={arena} stack={stack} stack-reserved={stack_reserved}"
        ));
    }
}
