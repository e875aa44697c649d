//! The ensembles' image: it reads an experiment, runs its blocks of paths, prints records and exits.
//!
//! The logic is in `mote-core` and `mote-experiments`; see README.md for requests and records.
#![no_std]
#![no_main]

mod bench;
mod failure;

use failure::Failure;
use mote_core::sampler::Digest;
use mote_experiments::{Experiment, ROOM, Request, RequestError, Task};
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;
use mote_firmware::memory::Memory;
use mote_firmware::{BOARD, fault, float_mode, semihosting};

/// Everything that the image keeps outside of its stack.
struct Statics {
    states: [f32; ROOM],
    console: Console,
    command_line: [u8; 512],
}

mote_firmware::entry!(
    start,
    Statics = Statics { states: [0.0; ROOM], console: Console::new(), command_line: [0; 512] }
);

fn start(Statics { states, console, command_line }: &'static mut Statics) -> ! {
    let mut counter = Counter::new();
    float_mode::insist(console);
    let line = semihosting::command_line(command_line).ok_or(RequestError::TooLong);
    let request = match line.and_then(Request::parse) {
        Ok(request) => request,
        Err(error) => fault::finish(console, &Failure::Request(error)),
    };
    introduce(console, &request.experiment);
    if request.task == Task::Bench {
        bench::run(console, &mut counter, &request.experiment, states);
    }
    if let Err(failure) = run(console, &request, states) {
        fault::finish(console, &failure);
    }
    Memory::print(console, size_of_val(states));
    semihosting::exit(0)
}

/// Prints what is going to be run. A function of its own, like the next, so that its part of the stack is given back.
#[inline(never)]
fn introduce(console: &mut Console, experiment: &Experiment) {
    console.record(format_args!("image format=1 board={} arena={}", BOARD.name, ROOM * size_of::<f32>()));
    console.record(format_args!(
        "ensemble process={} stepper={} noise={} steps={} paths={}",
        experiment.process.name(),
        experiment.method.name(),
        experiment.noise.name(),
        experiment.steps,
        experiment.paths(),
    ));
}

/// Runs the blocks, and prints the bits of the final states and their digest.
#[inline(never)]
fn run(console: &mut Console, request: &Request, room: &mut [f32]) -> Result<(), Failure<'static>> {
    let Request { experiment, values, .. } = request;
    let mut digest = Digest::new();
    let mut paths = 0;
    for (number, mut noise) in experiment.blocks() {
        let states = experiment.run(&mut noise, room);
        if let Some(path) = states.iter().position(|x| !x.is_finite()) {
            return Err(Failure::Exploded { block: number, path });
        }
        digest.update(states);
        paths += states.len();
        if *values {
            console.piece(format_args!("block number={number} values="));
            console.bits(states);
            console.end();
        }
    }
    console.record(format_args!("digest value={:016x} paths={paths}", digest.finish()));
    Ok(())
}
