//! Jobs on signals that lie in the partition behind their model: what is behind the noise, what is missing, what does not belong, or a variation of it. See README.md for the records.
#![no_std]
#![no_main]

mod failure;
mod partition;
mod vary;

use failure::Failure;
use mote_core::job::{
    CALIBRATION_NUMBERS, ConditionalDraw, Detector, Evidence, Filled, ImputationDraw, Level, Scoring, SignalDenoiser,
};
use mote_core::model::{Arena, Bound, Imputation, Model};
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
/// Values of a signal that is drawn or scored, for which a board keeps a state and an estimate. A signal that a network slides over to denoise it may be of any length.
const ROOM: usize = 512;
/// Noise levels that a draw visits, or a detector asks.
const LEVELS: usize = 64;

const NO_LEVEL: Level = Level { index: 0, noise: NoiseLevel { alpha: 0.0, sigma: 0.0 } };

/// What a draw, a detector or a network that does not slide works on.
struct Room {
    state: [f32; ROOM],
    estimate: [f32; ROOM],
    known: [f32; ROOM],
    deviations: [f32; ROOM],
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
        room: Room {
            state: [0.0; ROOM],
            estimate: [0.0; ROOM],
            known: [0.0; ROOM],
            deviations: [0.0; ROOM],
            levels: [NO_LEVEL; LEVELS],
        },
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
    model.bind(arena).map_err(Failure::Arena)?.self_test().map_err(Failure::SelfTest)?;
    if let (Task::Impute, Some(imputation)) = (job.task, model.imputation()) {
        return draw_gaps((&model, &imputation), &job, arena, room, console, counter);
    }
    let mut bound = model.bind(arena).map_err(Failure::Arena)?;
    match job.task {
        Task::Denoise if model.dim_out() < model.dim_in() => denoise(&model, &mut bound, &job, console, counter),
        Task::Denoise => denoise_windows(&model, &mut bound, &job, room, console, counter)?,
        Task::Impute | Task::Draw => draw(&model, &mut bound, &job, room, console, counter)?,
        Task::Detect => detect(&model, &mut bound, &job, room, console, counter)?,
        Task::Vary => vary::vary(&model, &mut bound, &job, room, console, counter)?,
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

/// Takes steps as long as there are any; gives how many there were, and their instructions.
fn walk(counter: &mut Counter, mut step: impl FnMut() -> bool) -> (u64, u64) {
    let (mut steps, mut instructions) = (0, 0);
    loop {
        let (more, count) = counter.measure(&mut step);
        if !more {
            return (steps, instructions);
        }
        (steps, instructions) = (steps + 1, instructions + count);
    }
}

/// The part of the room that a signal takes, with its values in the scale of training.
fn place<'r>(
    model: &Model<'_>,
    room: &'r mut Room,
    values: impl ExactSizeIterator<Item = f32>,
) -> Result<([&'r mut [f32]; 3], &'r mut [Level]), Failure> {
    let length = values.len();
    // A network that does not slide sees one window, and one that does sees whole samples.
    let whole = if model.dim_out() < model.dim_in() { model.dim_out() } else { length.max(model.dim_in()) };
    if length == 0 || !length.is_multiple_of(whole.max(1)) {
        return Err(Failure::Job);
    }
    let Room { state, estimate, known, levels, .. } = room;
    let (Some(state), Some(estimate), Some(known)) =
        (state.get_mut(..length), estimate.get_mut(..length), known.get_mut(..length))
    else {
        return Err(Failure::TooLong { values: length, room: ROOM });
    };
    known.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    model.scale(known);
    Ok(([state, estimate, known], levels))
}

/// Takes window after window in whole, for a network that does not slide.
#[inline(never)]
fn denoise_windows(
    model: &Model<'_>,
    bound: &mut Bound<'_, '_>,
    job: &Job,
    room: &mut Room,
    console: &mut Console,
    counter: &mut Counter,
) -> Result<(), Failure> {
    let level = model.nearest_level(job.sigma);
    let (mut digest, mut number, mut instructions) = (Digest::new(), 0, 0);
    for values in job.signals() {
        let ([state, estimate, known], _) = place(model, room, values)?;
        let ((), count) = counter.measure(|| {
            for (x, y) in state.iter_mut().zip(known.iter()) {
                *x = level.noise.alpha * y;
            }
            bound.estimator().estimate(level, None, state, estimate);
        });
        instructions += count;
        print(console, &mut digest, number, estimate);
        number += 1;
    }
    Counter::print(console, "denoise-window", instructions, number as u64);
    console.record(format_args!("digest value={:016x} samples={number}", digest.finish()));
    Ok(())
}

/// Scores window after window.
#[inline(never)]
fn detect(
    model: &Model<'_>,
    bound: &mut Bound<'_, '_>,
    job: &Job,
    room: &mut Room,
    console: &mut Console,
    counter: &mut Counter,
) -> Result<(), Failure> {
    let (mut digest, mut number, mut instructions) = (Digest::new(), 0, 0);
    // A network that does not slide has the channels of its calibration.
    let slides = model.dim_out() < model.dim_in();
    let each = job.levels().len() * CALIBRATION_NUMBERS;
    let channels = if slides { model.dim_out() } else { job.calibration.len() / each.max(1) };
    let table = model.network().levels();
    for values in job.signals() {
        let ([state, errors, window], levels) = place(model, room, values)?;
        let levels = levels.get_mut(..job.levels().len()).ok_or(Failure::Job)?;
        for (place, index) in levels.iter_mut().zip(job.levels()) {
            *place = Level { index, noise: table.noise(index).ok_or(Failure::Job)? };
        }
        let detector = Detector { judgement: job.judgement, levels, seeds: job.seeds, calibration: job.calibration };
        detector.check(channels).map_err(Failure::Calibration)?;
        let mut scoring = Scoring::new();
        let mut estimator = bound.estimator();
        let score = loop {
            let (score, count) =
                counter.measure(|| scoring.step(&detector, &mut estimator, channels, window, [state, errors]));
            instructions += count;
            if let Some(score) = score {
                break score;
            }
        };
        print(console, &mut digest, number, &[score]);
        number += 1;
    }
    Counter::print(console, "detect-window", instructions, number as u64);
    console.record(format_args!("digest value={:016x} samples={number}", digest.finish()));
    Ok(())
}

/// Draws what is missing in each signal, so many times, by a model that fills gaps: pairs of draws, the second the mirror of the first.
#[inline(never)]
fn draw_gaps(
    (model, imputation): (&Model<'_>, &Imputation<'_>),
    job: &Job,
    arena: &mut Arena<ARENA_BYTES>,
    room: &mut Room,
    console: &mut Console,
    counter: &mut Counter,
) -> Result<(), Failure> {
    let plan = imputation.plan();
    let (mut digest, mut rows, mut filling, mut signals) = (Digest::new(), 0, 0, 0);
    let (mut steps, mut instructions) = (0, 0);
    let pairs = job.repeats.div_ceil(2);
    for (values, first) in job.signals().zip((job.number..).step_by(pairs.max(1) as usize)) {
        let length = values.len();
        place(model, room, values)?;
        let Room { state, estimate, known, deviations, .. } = &mut *room;
        let [state, next, known, deviations] =
            [state, estimate, known, deviations].map(|buffer| buffer.get_mut(..length).unwrap_or_default());
        // The memory that gaps take is the one that the model is bound in afterwards.
        let (filled, count) = counter.measure(|| imputation.autoregression().fill(known, deviations, arena.floats()));
        filled.map_err(Failure::Gap)?;
        (filling, signals) = (filling + count, signals + 1);
        let mut bound = model.bind(arena).map_err(Failure::Arena)?;
        let Some(mut imputer) = bound.imputer() else { return Err(Failure::Job) };
        let filled = Filled { values: known, deviations };
        for number in 0..job.repeats {
            let mut noise = Ziggurat::new(Stream::nth(job.seed, first + number / 2));
            let mut draw = ImputationDraw::start(plan, filled, number % 2 == 1, &mut noise, state);
            let (taken, count) = walk(counter, || draw.step(&mut imputer, &mut noise, state, next));
            (steps, instructions) = (steps + taken, instructions + count);
            for row in state.chunks(imputer.channels().max(1)) {
                print(console, &mut digest, rows, row);
                rows += 1;
            }
        }
    }
    Counter::print(console, "impute-fill", filling, signals);
    Counter::print(console, "impute-step", instructions, steps);
    console.record(format_args!("digest value={:016x} samples={rows}", digest.finish()));
    Ok(())
}

/// Draws, once, what is missing in the first signal, or what may be behind its noise.
#[inline(never)]
fn draw(
    model: &Model<'_>,
    bound: &mut Bound<'_, '_>,
    job: &Job,
    room: &mut Room,
    console: &mut Console,
    counter: &mut Counter,
) -> Result<(), Failure> {
    let values = job.signals().next().ok_or(Failure::Job)?;
    let ([state, estimate, known], levels) = place(model, room, values)?;
    let levels = model.ladder(levels);
    let (what, evidence, levels) = match job.task {
        Task::Draw => {
            let start = model.nearest_level(job.sigma).noise.relative_sigma();
            let first = levels.iter().position(|level| level.noise.relative_sigma() <= start).unwrap_or(0);
            ("draw-evaluation", Evidence::Noisy(known), levels.get(first..).unwrap_or_default())
        }
        _ => ("impute-evaluation", Evidence::Known(known), levels),
    };
    let mut noise = Ziggurat::new(Stream::nth(job.seed, job.number));
    let mut estimator = bound.estimator();
    let mut draw = ConditionalDraw::start(levels, job.repeats as usize, evidence, None, &mut noise, state);
    let (evaluations, instructions) = walk(counter, || draw.step(&mut estimator, &mut noise, state, estimate));
    let mut digest = Digest::new();
    let channels = model.dim_out().max(1);
    for (number, row) in state.chunks(channels).enumerate() {
        print(console, &mut digest, number, row);
    }
    Counter::print(console, what, instructions, evaluations);
    console.record(format_args!("digest value={:016x} samples={}", digest.finish(), state.len() / channels));
    Ok(())
}
