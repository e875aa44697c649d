//! Jobs on a signal that lies in the partition behind its model: what is behind the noise, or what is missing. See README.md for the records.
#![no_std]
#![no_main]

mod failure;
mod partition;

use failure::Failure;
use mote_core::job::{ConditionalDraw, Evidence, Level, SignalDenoiser};
use mote_core::model::{Arena, Bound, Model};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::Digest;
use mote_core::schedule::NoiseLevel;
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;
use mote_firmware::memory::Memory;
use mote_firmware::{BOARD, fault, float_mode, semihosting};
use partition::{Job, Task};

/// Bytes of working memory for the model.
const ARENA_BYTES: usize = include!(concat!(env!("OUT_DIR"), "/arena_bytes.rs"));
/// Values of a signal that is drawn, for which a board keeps a state and an estimate. A signal that is denoised may be of any length.
const ROOM: usize = 512;
/// Noise levels that a draw visits.
const LEVELS: usize = 64;

const NO_LEVEL: Level = Level { index: 0, noise: NoiseLevel { alpha: 0.0, sigma: 0.0 } };

/// What a draw works on.
struct Room {
    state: [f32; ROOM],
    estimate: [f32; ROOM],
    known: [f32; ROOM],
    levels: [Level; LEVELS],
}

/// Everything that the image keeps outside of its stack.
struct Statics {
    arena: Arena<ARENA_BYTES>,
    room: Room,
    console: Console,
}

mote_firmware::entry!(
    run,
    Statics = Statics {
        arena: Arena::new(),
        room: Room { state: [0.0; ROOM], estimate: [0.0; ROOM], known: [0.0; ROOM], levels: [NO_LEVEL; LEVELS] },
        console: Console::new(),
    }
);

fn run(Statics { arena, room, console }: &'static mut Statics) -> ! {
    let mut counter = Counter::new();
    float_mode::insist(console);
    console.record(format_args!("image format=1 board={} arena={ARENA_BYTES}", BOARD.name));
    counter.check(console);
    if let Err(failure) = work(arena, room, console, &mut counter) {
        fault::finish(console, &failure);
    }
    Memory::print(console, ARENA_BYTES);
    semihosting::exit(0)
}

fn work(
    arena: &mut Arena<ARENA_BYTES>,
    room: &mut Room,
    console: &mut Console,
    counter: &mut Counter,
) -> Result<(), Failure> {
    let (bytes, rest) = partition::model();
    let model = Model::parse(bytes).map_err(Failure::Model)?;
    let job = Job::read(rest).ok_or(Failure::Job)?;
    let mut bound = model.bind(arena).map_err(Failure::Arena)?;
    bound.self_test().map_err(Failure::SelfTest)?;
    match job.task {
        Task::Denoise => denoise(&model, &mut bound, &job, console, counter),
        Task::Impute => impute(&model, &mut bound, &job, room, console, counter)?,
    }
    Ok(())
}

/// Prints one row of results and takes it into the digest.
fn print(console: &mut Console, digest: &mut Digest, number: usize, values: &[f32]) {
    digest.update(values);
    console.piece(format_args!("sample number={number} values="));
    console.bits(values);
    console.end();
}

/// Takes the signal in sample by sample.
#[inline(never)]
fn denoise(model: &Model<'_>, bound: &mut Bound<'_, '_>, job: &Job, console: &mut Console, counter: &mut Counter) {
    const CHANNELS: usize = 64;
    let channels = model.dim_out().clamp(1, CHANNELS);
    let level = model.nearest_level(job.sigma);
    let (mut digest, mut number, mut instructions) = (Digest::new(), 0, 0);
    let (mut sample, mut out) = ([0.0; CHANNELS], [0.0; CHANNELS]);
    for mut values in job.signals() {
        let mut denoiser = SignalDenoiser::new(bound.estimator(), level, None);
        loop {
            let left = values.len() >= channels;
            for (place, value) in sample.iter_mut().zip(values.by_ref().take(channels)) {
                *place = value;
            }
            let (ready, count) = counter.measure(|| {
                if !left {
                    return denoiser.finish(&mut out);
                }
                model.scale(sample.get_mut(..channels).unwrap_or_default());
                denoiser.push(sample.get(..channels).unwrap_or_default(), &mut out)
            });
            instructions += count;
            if ready {
                print(console, &mut digest, number, out.get(..channels).unwrap_or_default());
                number += 1;
            } else if !left {
                break;
            }
        }
    }
    Counter::print(console, "denoise-sample", instructions, number as u64);
    console.record(format_args!("digest value={:016x} samples={number}", digest.finish()));
}

/// Draws what is missing in the first signal, once.
#[inline(never)]
fn impute(
    model: &Model<'_>,
    bound: &mut Bound<'_, '_>,
    job: &Job,
    room: &mut Room,
    console: &mut Console,
    counter: &mut Counter,
) -> Result<(), Failure> {
    let Some(values) = job.signals().next() else { return Err(Failure::Job) };
    let length = values.len();
    let too_long = Failure::TooLong { values: length, room: ROOM };
    let (Some(state), Some(estimate), Some(known)) =
        (room.state.get_mut(..length), room.estimate.get_mut(..length), room.known.get_mut(..length))
    else {
        return Err(too_long);
    };
    known.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    model.scale(known);
    let levels = model.ladder(&mut room.levels);
    let mut noise = Ziggurat::new(Stream::nth(job.seed, job.number));
    let mut estimator = bound.estimator();
    let evidence = Evidence::Known(known);
    let mut draw = ConditionalDraw::start(levels, job.repeats as usize, evidence, None, &mut noise, state);
    let (mut evaluations, mut instructions) = (0, 0);
    loop {
        let (more, count) = counter.measure(|| draw.step(&mut estimator, &mut noise, state, estimate));
        if !more {
            break;
        }
        (evaluations, instructions) = (evaluations + 1, instructions + count);
    }
    let mut digest = Digest::new();
    let channels = model.dim_out().max(1);
    for (number, row) in state.chunks(channels).enumerate() {
        print(console, &mut digest, number, row);
    }
    Counter::print(console, "impute-evaluation", instructions, evaluations);
    console.record(format_args!("digest value={:016x} samples={}", digest.finish(), length / channels));
    Ok(())
}
