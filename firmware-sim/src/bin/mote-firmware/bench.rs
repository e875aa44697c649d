//! Instruction counts: of the network, of a normal, and of a whole sample.

use crate::request::Request;
use core::hint::black_box;
use mote_core::model::{Bound, NamedPlan};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_core::sampler::SampleOptions;
use mote_core::score::Denoiser;
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;

/// A denoiser whose evaluations are counted.
struct Counted<'c, D> {
    inner: D,
    counter: &'c mut Counter,
    instructions: u64,
    evaluations: u64,
}

impl<D: Denoiser> Denoiser for Counted<'_, D> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        let ((), instructions) = self.counter.measure(|| self.inner.predict(level, class, x, out));
        self.instructions += instructions;
        self.evaluations += 1;
    }
}

/// Prints the counts of one sample's parts; `parse` is what the model took to check.
#[inline(never)]
pub fn run<'m>(
    console: &mut Console,
    counter: &mut Counter,
    parse: u64,
    bound: &mut Bound<'_, 'm>,
    plan: &NamedPlan<'m>,
    options: SampleOptions,
    request: &Request<'_>,
) {
    counter.check(console);
    Counter::print(console, "parse", parse, 1);
    normals(console, counter, request.seed);

    let stream = Stream::nth(request.seed, request.first);
    let mut noise = Ziggurat::new(stream.clone());
    let ((), instructions) = counter.measure(|| {
        let (run, mut denoiser) = bound.start(plan, options, &mut noise);
        black_box(run.finish(&mut denoiser, &mut noise));
    });
    Counter::print(console, "sample", instructions, 1);

    let mut noise = Ziggurat::new(stream);
    let (run, inner) = bound.start(plan, options, &mut noise);
    let mut counted = Counted { inner, counter, instructions: 0, evaluations: 0 };
    black_box(run.finish(&mut counted, &mut noise));
    Counter::print(console, "evaluation", counted.instructions, counted.evaluations);
}

/// Normals as the sampler draws them, many at a time.
fn normals(console: &mut Console, counter: &mut Counter, seed: u64) {
    const ROUNDS: u64 = 256;
    let mut noise = Ziggurat::new(Stream::new(seed));
    let mut out = [0.0; 32];
    let ((), instructions) = counter.measure(|| {
        for _ in 0..ROUNDS {
            noise.fill(black_box(&mut out));
        }
    });
    Counter::print(console, "normal", instructions, ROUNDS * out.len() as u64);
}
