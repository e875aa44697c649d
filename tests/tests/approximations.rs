//! The feature `micromath` beside libm: size, instructions and error in one table, and the host's bits with the feature on a board that has it.
//!
//!     cargo test -p mote-tests --test approximations -- --nocapture

use micromath::F32;
use mote_core::model::{Arena, Model};
use mote_core::sampler::{Digest, SampleOptions};
use mote_qemu::{BOARDS, Program, Report, Request, Task, run};
use mote_tests::qemu::{TIME_LIMIT, image_of};
use std::path::{Path, PathBuf};

/// What the host gives with the feature, by the test of `mote-core` of this name.
const WITH_THE_FEATURE: &str = "b3165147662d2ce5";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/golden/v1-digits-random.mote")
}

fn request() -> Request {
    Request { seed: 42, count: 32, plan: Some("ddpm".into()), task: Task::Bench, values: false, ..Request::default() }
}

/// The request's samples by this host, which has libm.
fn by_libm() -> u64 {
    let blob = std::fs::read(golden()).unwrap();
    let model = Model::parse(&blob).unwrap();
    let mut arena = Box::new(Arena::<4096>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let plan = model.plan_named("ddpm").unwrap();
    let (mut digest, mut sample) = (Digest::new(), [0.0; 64]);
    for number in 0..32 {
        bound.sample(&plan, SampleOptions::default(), 42, number, &mut sample);
        digest.update(&sample);
    }
    digest.finish()
}

/// The largest relative error of an exponential and the largest absolute one of a logarithm, against double precision, where `mote_core::math` uses them.
fn errors(exp: fn(f32) -> f32, ln: fn(f32) -> f32) -> (f64, f64) {
    let arguments = || (1..40_000).map(|i| (1e-6 * libm::exp(f64::from(i) * 0.00045)) as f32);
    let signed = arguments().filter(|x| *x < 80.0).flat_map(|x| [x, -x]);
    let of_exp = signed.map(|x| (f64::from(exp(x)) / libm::exp(f64::from(x)) - 1.0).abs()).fold(0.0, f64::max);
    let of_ln = arguments().map(|x| (f64::from(ln(x)) - libm::log(f64::from(x))).abs()).fold(0.0, f64::max);
    (of_exp, of_ln)
}

#[test]
fn micromath_is_smaller_and_less_exact_and_host_and_board_agree_on_it() {
    // As `mote_core::math` does: below 1 the logarithm of the inverse, since micromath inverts by an approximation.
    let rough_ln = |x: f32| if x < 1.0 { -F32(1.0 / x).ln().0 } else { F32(x).ln().0 };
    let errors = [errors(libm::expf, libm::logf), errors(|x| F32(x).exp().0, rough_ln)];
    println!("board          mathematics  flash B  instructions a normal  exp, relative  ln, absolute");
    for board in BOARDS.iter().filter(|board| ["mps2-an386", "microbit"].contains(&board.name)) {
        let programs = [("libm", Program::Model { arena_bytes: None }), ("micromath", Program::Approximate)];
        let mut found: Vec<(u64, Report)> = Vec::new();
        for ((name, program), (exp, ln)) in programs.into_iter().zip(errors) {
            let Some(image) = image_of(program, board) else { return };
            let size = image.size().unwrap();
            let report = run(&image, Some(&golden()), &request(), TIME_LIMIT).unwrap();
            let (flash, normal) = (size.flash - size.built_in_model, report.counts["normal"].each());
            println!("{:14} {name:11} {flash:8} {normal:22.1} {exp:14.1e} {ln:13.1e}", board.name);
            found.push((flash, report));
        }
        let [(libm_flash, libm), (flash, approximate)] = &found[..] else { panic!("two") };
        assert_eq!(libm.digest, by_libm(), "{}", board.name);
        assert_eq!(format!("{:016x}", approximate.digest), WITH_THE_FEATURE, "{}", board.name);
        assert!(libm.digest != approximate.digest && flash < libm_flash, "{}", board.name);
    }
    let [exact, rough] = errors;
    // Both within an ulp or so: 2^-23 of the result, and of a logarithm of at most 18.
    assert!(exact.0 < 1.2e-7 && exact.1 < 2e-6, "{exact:?}");
    assert!(rough.0 < 2.5e-3 && rough.1 < 1e-4 && rough.0 > 1e-4, "{rough:?}");
}
