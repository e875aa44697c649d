//! A variation of a row that lies behind the model.

use super::failure::Failure;
use super::partition::Job;
use super::{ROOM, Room, print};
use mote_core::job::Variation;
use mote_core::model::{Bound, Model};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::Digest;
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;

/// Varies the first row, once: from the level whose noise is nearest to sigma down, without fresh noise on the way.
#[inline(never)]
pub fn vary(
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
    let (Some(state), Some(estimate), Some(row)) =
        (room.state.get_mut(..length), room.estimate.get_mut(..length), room.known.get_mut(..length))
    else {
        return Err(too_long);
    };
    row.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    model.scale(row);
    let first = model.nearest_level(job.sigma).noise.relative_sigma();
    let levels = model.ladder(&mut room.levels);
    let skipped = levels.partition_point(|level| level.noise.relative_sigma() > first);
    let class = u16::try_from(job.repeats).ok().filter(|class| usize::from(*class) < model.classes());
    let mut noise = Ziggurat::new(Stream::nth(job.seed, job.number));
    let mut estimator = bound.estimator();
    let levels = levels.get(skipped..).unwrap_or_default();
    let mut run = Variation::start(levels, 0.0, class, row, &mut noise, state);
    let (mut evaluations, mut instructions) = (0, 0);
    loop {
        let (more, count) = counter.measure(|| run.step(&mut estimator, &mut noise, state, estimate));
        if !more {
            break;
        }
        (evaluations, instructions) = (evaluations + 1, instructions + count);
    }
    let mut digest = Digest::new();
    print(console, &mut digest, 0, state);
    Counter::print(console, "vary-evaluation", instructions, evaluations);
    console.record(format_args!("digest value={:016x} samples=1", digest.finish()));
    Ok(())
}
