//! A model of any bytes samples by any of its plans: whole and put down after every step, with the same bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mote_core::model::{ARENA_BYTES_MAX, Arena, Model};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::{Digest, SampleOptions};

fuzz_target!(|input: &[u8]| {
    let (blob, mut choices) = mote_fuzz::divide(input);
    let Ok(model) = Model::parse(&blob) else { return };
    let mut arena = Box::new(Arena::<ARENA_BYTES_MAX>::new());
    let mut bound = model.bind(&mut arena).expect("every model fits");
    let _ = bound.self_test();
    let Some(plan) = model.plan(usize::from(choices.byte()) % model.plan_count().max(1)) else { return };
    let mut options = SampleOptions::default();
    options.class = (choices.byte() % 2 == 1).then(|| choices.half());
    options.guidance = (choices.byte() % 2 == 1).then(|| choices.float());
    let (seed, number) = (choices.word().into(), u32::from(choices.byte()));

    let mut out = vec![0.0; model.dim_out()];
    bound.sample(&plan, options, seed, number, &mut out);
    let mut whole = Digest::new();
    whole.update(&out);

    let mut noise = Ziggurat::new(Stream::nth(seed, number));
    let mut steps = bound.start(&plan, options, &mut noise).0.steps_taken();
    let mut parts = Digest::new();
    loop {
        let (mut run, mut denoiser) = bound.resume(&plan, options, steps);
        if !run.step(&mut denoiser, &mut noise) {
            parts.update(run.state());
            break;
        }
        steps = run.steps_taken();
    }
    assert_eq!((steps, parts.finish()), (plan.plan.len(), whole.finish()));
});
