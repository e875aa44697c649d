//! A variation of a row that lies behind the model.

use super::failure::Failure;
use super::partition::Job;
use super::{Room, place, print, walk};
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
    let values = job.signals().next().ok_or(Failure::Job)?;
    let ([state, estimate, row], levels) = place(model, room, values)?;
    let first = model.nearest_level(job.sigma).noise.relative_sigma();
    let levels = model.ladder(levels);
    let skipped = levels.partition_point(|level| level.noise.relative_sigma() > first);
    let class = u16::try_from(job.repeats).ok().filter(|class| usize::from(*class) < model.classes());
    let mut noise = Ziggurat::new(Stream::nth(job.seed, job.number));
    let mut estimator = bound.estimator();
    let levels = levels.get(skipped..).unwrap_or_default();
    let mut run = Variation::start(levels, 0.0, class, row, &mut noise, state);
    let (evaluations, instructions) = walk(counter, || run.step(&mut estimator, &mut noise, state, estimate));
    let mut digest = Digest::new();
    print(console, &mut digest, 0, state);
    Counter::print(console, "vary-evaluation", instructions, evaluations);
    console.record(format_args!("digest value={:016x} samples=1", digest.finish()));
    Ok(())
}
