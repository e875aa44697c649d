//! A model in flash that samples while a control loop runs: one step of the sampler a tick, so that the loop never waits for more.
//!
//!     cargo build --release --example control_loop    # in this folder; it prints the sample's digest as mote-firmware does
#![no_std]
#![no_main]

use mote_core::model::{Arena, Model, arena_bytes};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};
use mote_firmware::console::Console;
use mote_firmware::semihosting;

/// The model, in flash; `mote export --format rust` writes such a line, with constants for its sizes and plans.
const BLOB: &[u8] = include_bytes!("../models/built-in.mote");

/// What the loop is there for; here it counts.
fn control(ticks: &mut u32) {
    *ticks += 1;
}

/// What outlives the stack.
struct Statics {
    arena: Arena<{ arena_bytes(BLOB) }>,
    sample: [f32; 2],
}

mote_firmware::entry!(run, Statics = Statics { arena: Arena::new(), sample: [0.0; 2] });

fn run(Statics { arena, sample }: &'static mut Statics) -> ! {
    let Ok(model) = Model::parse(BLOB) else { semihosting::exit(2) };
    let Ok(mut bound) = model.bind(arena) else { semihosting::exit(3) };
    // This processor gives the bits of the one that made the model.
    let Ok(()) = bound.self_test() else { semihosting::exit(4) };
    let Some(plan) = model.plan_named("ddpm") else { semihosting::exit(5) };

    let mut noise = Ziggurat::new(Stream::nth(42, 3));
    let (mut run, mut denoiser) = bound.start(&plan, SampleOptions::default(), &mut noise);
    let mut ticks = 0;
    loop {
        control(&mut ticks);
        // One row of the plan; false, once none is left.
        if !run.step(&mut denoiser, &mut noise) {
            break;
        }
    }
    for (out, x) in sample.iter_mut().zip(run.state()) {
        *out = *x;
    }
    let mut digest = Digest::new();
    digest.update(sample);
    model.unscale(sample);
    Console::new().record(format_args!("digest value={:016x} samples=1 ticks={ticks}", digest.finish()));
    semihosting::exit(0)
}
