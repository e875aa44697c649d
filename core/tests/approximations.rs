//! The samples of a host with the feature `micromath`, as one digest; the board's test of the same name holds an image with the feature to it.
#![cfg(feature = "micromath")]

use mote_core::model::{Arena, Model, arena_bytes};
use mote_core::sampler::{Digest, SampleOptions};

const GOLDEN: &[u8] = include_bytes!("golden/v1-digits-random.mote");

#[test]
fn the_host_draws_the_samples_that_the_board_draws() {
    let model = Model::parse(GOLDEN).unwrap();
    let mut arena = Arena::<{ arena_bytes(GOLDEN) }>::new();
    let mut bound = model.bind(&mut arena).unwrap();
    let plan = model.plan_named("ddpm").unwrap();
    let mut digest = Digest::new();
    let mut sample = [0.0; 64];
    for number in 0..32 {
        bound.sample(&plan, SampleOptions::default(), 42, number, &mut sample);
        digest.update(&sample);
    }
    assert_eq!(format!("{:016x}", digest.finish()), "b3165147662d2ce5");
}
