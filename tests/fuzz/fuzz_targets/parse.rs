//! Any bytes: refused in words, or a model whose every part can be looked at.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mote_core::model::{ARENA_BYTES_MAX, Model, arena_bytes};

fuzz_target!(|input: &[u8]| {
    // As they are, which tests the checks of the frame, and with the frame made right.
    look(input);
    look(&mote_fuzz::divide(input).0);
});

fn look(blob: &[u8]) {
    let model = match Model::parse(blob) {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(model.blob_bytes(), blob.len());
    assert!(model.arena_bytes() <= ARENA_BYTES_MAX && model.arena_bytes() == arena_bytes(blob));
    assert!(model.scaling().all(|(mean, deviation)| mean.is_finite() && deviation > 0.0));
    assert_eq!(model.plans().count(), model.plan_count());
    for plan in model.plans() {
        assert!(!plan.name.is_empty() && model.plan_named(plan.name).is_some());
        assert!(plan.plan.rows().all(|row| row.is_finite() && usize::from(row.level) < model.network().levels().len()));
    }
    for layer in model.network().layers().iter() {
        assert!(layer.rows() <= model.network().width() && layer.multiply_accumulates() <= blob.len() + 3 * 512);
    }
}
