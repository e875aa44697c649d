//! The firmware image: it finds its model, checks it and itself, does what it is asked, prints records and exits.
//!
//! The logic is in `mote-core`; this crate knows the board, the timer and the debugger. See README.md for the records.
#![no_std]
#![no_main]

mod bench;
mod failure;
mod partition;
mod request;

use failure::Failure;
use mote_core::model::{Arena, Bound, Model, NamedPlan, ParseError, SelfTestError};
use mote_core::random::{StreamSequence, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;
use mote_firmware::memory::Memory;
use mote_firmware::{BOARD, fault, float_mode, machine, semihosting};
use partition::Source;
use request::{Request, RequestError, Task};

/// Bytes of working memory for the model.
const ARENA_BYTES: usize = include!(concat!(env!("OUT_DIR"), "/arena_bytes.rs"));

/// Everything that the image keeps outside of its stack.
struct Statics {
    arena: Arena<ARENA_BYTES>,
    console: Console,
    command_line: [u8; 256],
}

mote_firmware::entry!(run, Statics = Statics { arena: Arena::new(), console: Console::new(), command_line: [0; 256] });

fn run(Statics { arena, console, command_line }: &'static mut Statics) -> ! {
    let mut counter = Counter::new();
    float_mode::insist(console);
    let line = semihosting::command_line(command_line).ok_or(RequestError::TooLong);
    let request = match line.and_then(Request::parse) {
        Ok(request) => request,
        Err(error) => fault::finish(console, &Failure::Request(error)),
    };
    #[cfg(feature = "panic-on-purpose")]
    assert!(request.count < 99, "on purpose");
    match request.task {
        Task::Fault => machine::undefined(),
        Task::Overflow => machine::overflow(),
        Task::Run | Task::Bench => {}
    }

    let (bytes, source) = partition::find();
    let (model, parse) = counter.measure(|| parse(bytes));
    // By reference: a move would be one more copy on the stack.
    let model = match &model {
        Ok(model) => model,
        Err(error) => fault::finish(console, &Failure::Model(*error)),
    };
    introduce(console, model, source);
    let mut bound = match model.bind(arena) {
        Ok(bound) => bound,
        Err(error) => fault::finish(console, &Failure::Arena(error)),
    };
    if let Err(error) = self_test(&mut bound) {
        fault::finish(console, &Failure::SelfTest(error));
    }
    let (plan, options) = match choose(model, &request) {
        Ok(chosen) => chosen,
        Err(failure) => fault::finish(console, &failure),
    };
    if request.task == Task::Bench {
        bench::run(console, &mut counter, parse, &mut bound, &plan, options, &request);
    }
    sample(console, &mut bound, &plan, options, &request);
    Memory::print(console, ARENA_BYTES);
    semihosting::exit(0)
}

/// Checks the model. A function of its own, like those below, so that its part of the stack is given back.
#[inline(never)]
fn parse(bytes: &[u8]) -> Result<Model<'_>, ParseError> {
    Model::parse(bytes)
}

/// Checks that the model gives the bits here that it gave where it was made.
#[inline(never)]
fn self_test(bound: &mut Bound<'_, '_>) -> Result<(), SelfTestError> {
    bound.self_test()
}

/// Prints what the image and the model are.
#[inline(never)]
fn introduce(console: &mut Console, model: &Model<'_>, source: Source) {
    console.record(format_args!("image format=1 board={} arena={ARENA_BYTES}", BOARD.name));
    let source = match source {
        Source::Partition => "partition",
        Source::BuiltIn => "built-in",
    };
    console.record(format_args!(
        "model source={source} bytes={} arena={} dim={} classes={} self-test={:016x}",
        model.blob_bytes(),
        model.arena_bytes(),
        model.dim_out(),
        model.classes(),
        model.self_test().digest,
    ));
    for plan in model.plans() {
        console.record(format_args!("plan rows={} name={}", plan.plan.len(), plan.name));
    }
}

/// Finds the plan by name, then by number, and checks the class.
fn choose<'m>(model: &'m Model<'m>, request: &Request<'m>) -> Result<(NamedPlan<'m>, SampleOptions), Failure<'m>> {
    let asked = request.plan.unwrap_or("0");
    let numbered = || asked.parse().ok().and_then(|number| model.plan(number));
    let plan = model.plan_named(asked).or_else(numbered).ok_or(Failure::Plan { asked, model })?;
    if let Some(class) = request.class.filter(|class| usize::from(*class) >= model.classes()) {
        return Err(Failure::Class { asked: class, classes: model.classes() });
    }
    let mut options = SampleOptions::default();
    (options.class, options.guidance) = (request.class, request.guidance);
    Ok((plan, options))
}

/// Draws the samples, and prints their bits and their digest.
#[inline(never)]
fn sample<'m>(
    console: &mut Console,
    bound: &mut Bound<'_, 'm>,
    plan: &NamedPlan<'m>,
    options: SampleOptions,
    request: &Request<'_>,
) {
    let mut digest = Digest::new();
    for seed in (request.seed..=u64::MAX).take(request.seeds as usize) {
        let mut streams = StreamSequence::starting_at(seed, request.first);
        for number in (request.first..).take(request.count as usize) {
            let mut noise = Ziggurat::new(streams.next_stream());
            let (run, mut denoiser) = bound.start(plan, options, &mut noise);
            let sample = run.finish(&mut denoiser, &mut noise);
            digest.update(sample);
            if request.values {
                console.piece(format_args!("sample seed={seed} number={number} values="));
                console.bits(sample);
                console.end();
            }
        }
    }
    let samples = u64::from(request.seeds) * u64::from(request.count);
    console.record(format_args!("digest value={:016x} samples={samples}", digest.finish()));
}
