//! Instruction counts: of a path's step, of the start of a block, and of a normal of each generator.

use core::hint::black_box;
use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_experiments::Experiment;
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;

/// Prints the counts.
#[inline(never)]
pub fn run(console: &mut Console, counter: &mut Counter, experiment: &Experiment, room: &mut [f32]) {
    counter.check(console);
    let Some(out) = room.get_mut(..BLOCK) else { return };
    normals(console, counter, "normal-box-muller", &mut BlockSequence::new(experiment.seed).next_normals(), out);
    normals(console, counter, "normal-ziggurat", &mut Ziggurat::new(Stream::new(experiment.seed)), out);
    let mut blocks = experiment.blocks();
    let (block, instructions) = counter.measure(|| black_box(blocks.next()));
    let Some((_, mut noise)) = block else { return };
    Counter::print(console, "block-start", instructions, 1);
    let (states, instructions) = counter.measure(|| black_box(experiment.run(&mut noise, room)).len());
    Counter::print(console, "path-step", instructions, u64::from(experiment.steps) * states as u64);
}

/// Normals as a stepper takes them, a block's at a time.
#[inline(never)]
fn normals(console: &mut Console, counter: &mut Counter, what: &str, noise: &mut impl NormalSource, out: &mut [f32]) {
    const ROUNDS: u64 = 32;
    let ((), instructions) = counter.measure(|| {
        for _ in 0..ROUNDS {
            noise.fill(black_box(&mut *out));
        }
    });
    Counter::print(console, what, instructions, ROUNDS * out.len() as u64);
}
