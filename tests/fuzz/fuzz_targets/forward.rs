//! A model of any bytes evaluates any floats at any level, and gives the same bits twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mote_core::model::{ARENA_BYTES_MAX, Arena, Model};
use mote_core::sampler::Digest;

fuzz_target!(|input: &[u8]| {
    let (blob, mut choices) = mote_fuzz::divide(input);
    let Ok(model) = Model::parse(&blob) else { return };
    let mut arena = Box::new(Arena::<ARENA_BYTES_MAX>::new());
    let mut bound = model.bind(&mut arena).expect("every model fits");
    let level = usize::from(choices.half());
    let class = (choices.byte() % 2 == 1).then(|| choices.half());
    let x: Vec<f32> = (0..model.dim_in()).map(|_| choices.float()).collect();
    let mut digests = [0; 2];
    for digest in &mut digests {
        let mut out = vec![0.0; model.dim_out()];
        bound.evaluate(level, class, &x, &mut out);
        let mut found = Digest::new();
        found.update(&out);
        *digest = found.finish();
    }
    assert_eq!(digests[0], digests[1]);
});
