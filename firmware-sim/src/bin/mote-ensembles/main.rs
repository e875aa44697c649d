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

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut STATES: [f32; ROOM] = [0.0; ROOM];
    static mut CONSOLE: Console = Console::new();
    static mut COMMAND_LINE: [u8; 512] = [0; 512];

    // SAFETY: nothing else takes the peripherals.
    let peripherals = unsafe { cortex_m::Peripherals::steal() };
    let mut counter = Counter::new(peripherals.SYST);
    float_mode::insist(CONSOLE);
    let line = semihosting::command_line(COMMAND_LINE).ok_or(RequestError::TooLong);
    let request = match line.and_then(Request::parse) {
        Ok(request) => request,
        Err(error) => fault::finish(CONSOLE, &Failure::Request(error)),
    };
    introduce(CONSOLE, &request.experiment);
    if request.task == Task::Bench {
        bench::run(CONSOLE, &mut counter, &request.experiment, STATES);
    }
    if let Err(failure) = run(CONSOLE, &request, STATES) {
        fault::finish(CONSOLE, &failure);
    }
    Memory::print(CONSOLE, size_of_val(STATES));
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
