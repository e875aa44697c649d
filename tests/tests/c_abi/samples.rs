//! The bits of Rust, and what a model says of itself.

use crate::program::{Program, centre, everything, ok};
use mote_c::*;
use mote_core::model::{Arena, Model};
use mote_core::sampler::{Digest, SampleOptions};
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

/// The same sample by Rust's own functions.
fn by_rust(bytes: &[u8], request: &MoteRequest) -> Vec<u32> {
    let model = Model::parse(bytes).unwrap();
    let mut arena = Box::new(Arena::<32768>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut options = SampleOptions::default();
    options.class = (request.flags & MOTE_REQUEST_CLASS != 0).then_some(request.class_number);
    options.guidance = (request.flags & MOTE_REQUEST_GUIDANCE != 0).then_some(request.guidance);
    let mut out = vec![0.0; model.dim_out()];
    let plan = model.plan(request.plan.into()).unwrap();
    bound.sample(&plan, options, request.seed, request.number, &mut out);
    out.iter().map(|x: &f32| x.to_bits()).collect()
}

fn requests() -> Vec<MoteRequest> {
    let class = |class_number, flags, guidance| MoteRequest { class_number, flags, guidance, ..MoteRequest::default() };
    let kinds = [class(0, 0, 0.0), class(2, MOTE_REQUEST_CLASS, 0.0), class(1, 3, -1.5)];
    let seeds = [(0, 0), (u64::MAX, 2)];
    let plans = kinds.iter().flat_map(|kind| [0, 1].map(|plan| MoteRequest { plan, ..*kind }));
    let all = plans.flat_map(|kind| seeds.map(|(seed, number)| MoteRequest { seed, number, ..kind }));
    // An interpreter takes minutes for all; these few have every kind, plan and seed among them.
    all.step_by(if cfg!(miri) { 5 } else { 1 }).collect()
}

#[test]
fn a_sample_has_the_bits_of_rust_whole_and_in_steps() {
    let bytes = everything();
    let mut program = Program::bound(&bytes);
    assert_eq!(program.self_test(), MoteStatus::Ok);
    for request in requests() {
        let expected = by_rust(&bytes, &request);
        assert_eq!(program.sample(&request), Ok(expected.clone()), "{request:?}");
        assert_eq!(program.start(&request), MoteStatus::Ok);
        // Three levels, so three steps; what is past the last one changes nothing. An evaluation in between disturbs nothing.
        let x = [0.5; 5];
        let steps: Vec<_> = (0..5)
            .map(|_| {
                program.evaluate(1, None, &x, 5).unwrap();
                program.step().unwrap()
            })
            .collect();
        assert_eq!(steps, [0, 0, 1, 1, 1]);
        assert_eq!(program.read(), Ok(expected), "{request:?}");
    }
}

#[test]
fn two_sessions_of_one_model_do_not_disturb_each_other() {
    let bytes = everything();
    let (mut one, mut two) = (Program::bound(&bytes), Program::bound(&bytes));
    // SAFETY: the first program's model outlives the second one's session.
    let status = unsafe {
        mote_session_bind(two.session.as_mut_ptr(), one.model.as_ptr(), two.arena.as_mut_ptr(), 4 * two.arena.len())
    };
    assert_eq!(status, MoteStatus::Ok);
    let [first, second] = [MoteRequest { seed: 5, plan: 1, ..Default::default() }, MoteRequest::default()];
    assert_eq!((one.start(&first), two.start(&second)), (MoteStatus::Ok, MoteStatus::Ok));
    for _ in 0..3 {
        assert_eq!(one.step(), two.step());
    }
    assert_eq!((one.read(), two.read()), (Ok(by_rust(&bytes, &first)), Ok(by_rust(&bytes, &second))));
}

#[test]
fn an_evaluation_has_the_bits_of_rust() {
    for (bytes, dim_out) in [(everything(), 5), (centre(), 3)] {
        let mut program = Program::bound(&bytes);
        assert_eq!(program.self_test(), MoteStatus::Ok);
        let model = Model::parse(&bytes).unwrap();
        let mut arena = Box::new(Arena::<32768>::new());
        let x = [0.5, -1.0, f32::NAN, 1e30, f32::INFINITY];
        for (level, class) in [(0, None), (2, Some(2))] {
            let mut out = vec![0.0; dim_out];
            model.bind(&mut arena).unwrap().evaluate(level.into(), class, &x, &mut out);
            let expected: Vec<_> = out.iter().map(|x: &f32| x.to_bits()).collect();
            assert_eq!(program.evaluate(level, class, &x, dim_out), Ok(expected));
        }
        let levels = model.network().levels().len() as u16;
        assert_eq!(program.evaluate(levels, None, &x, dim_out), Err(MoteStatus::LevelOutOfRange));
        assert_eq!(program.evaluate(0, Some(3), &x, dim_out), Err(MoteStatus::ClassOutOfRange));
        assert_eq!(program.evaluate(0, None, &x[..4], dim_out), Err(MoteStatus::BufferTooShort));
        assert_eq!(program.evaluate(0, None, &x, dim_out - 1), Err(MoteStatus::BufferTooShort));
    }
}

#[test]
fn a_model_and_its_plans_are_described() {
    let bytes = everything();
    let program = Program::parsed(&bytes);
    let model = Model::parse(&bytes).unwrap();
    let expected = MoteModelInfo {
        arena_bytes: model.arena_bytes() as u32,
        blob_bytes: bytes.len() as u32,
        role: MOTE_ROLE_SAMPLER,
        dim_in: 5,
        dim_out: 5,
        classes: 3,
        levels: 3,
        plans: 2,
        image_height: 0,
        image_width: 0,
    };
    assert_eq!(program.info(), expected);
    let info = Program::parsed(&centre()).info();
    assert_eq!((info.role, info.dim_out, info.plans), (MOTE_ROLE_CENTRE_DENOISER, 3, 0));

    let find = |name: &str| {
        let (mut plan, name) = (77, CString::new(name).unwrap());
        // SAFETY: a text with a zero at its end, and a number.
        ok(unsafe { mote_plan_find(program.model.as_ptr(), name.as_ptr(), &mut plan) }).map(|()| plan)
    };
    assert_eq!((find("dpm++2m"), find("ddpm")), (Ok(0), Ok(1)));
    for name in ["", "dpm", "dpm++2m:3", "DDPM", "x".repeat(99).as_str()] {
        assert_eq!(find(name), Err(MoteStatus::UnknownPlan), "{name}");
    }
    for (number, name, stochastic) in [(0, "dpm++2m", 0), (1, "ddpm", 1)] {
        let mut plan = MaybeUninit::<MotePlanInfo>::zeroed();
        // SAFETY: the object is there, and the call fills it.
        let plan = unsafe {
            assert_eq!(mote_plan_describe(program.model.as_ptr(), number, plan.as_mut_ptr()), MoteStatus::Ok);
            plan.assume_init()
        };
        // SAFETY: a name ends in a zero byte.
        assert_eq!(unsafe { CStr::from_ptr(plan.name.as_ptr()) }.to_str(), Ok(name));
        assert_eq!((plan.steps, plan.stochastic, plan.guidance), (3, stochastic, 0.0));
    }
    let mut plan = MaybeUninit::<MotePlanInfo>::zeroed();
    // SAFETY: the object is there.
    assert_eq!(unsafe { mote_plan_describe(program.model.as_ptr(), 2, plan.as_mut_ptr()) }, MoteStatus::UnknownPlan);
}

#[test]
fn a_sample_is_brought_to_the_datas_units() {
    // Mean 0.25 and deviation 2 in random models; what is past the sample stays.
    let mut values = [1.0, -1.0, 0.0, 0.5, 4.0, 7.0];
    let program = Program::parsed(&everything());
    // SAFETY: six floats.
    let unscale =
        |values: &mut [f32], count| unsafe { mote_model_unscale(program.model.as_ptr(), values.as_mut_ptr(), count) };
    assert_eq!(unscale(&mut values, 4), MoteStatus::BufferTooShort);
    assert_eq!(unscale(&mut values, 6), MoteStatus::Ok);
    assert_eq!(values, [2.25, -1.75, 0.25, 1.25, 8.25, 7.0]);
    let denoiser = Program::parsed(&centre());
    // SAFETY: six floats.
    let status = unsafe { mote_model_unscale(denoiser.model.as_ptr(), values.as_mut_ptr(), 6) };
    assert_eq!(status, MoteStatus::WrongRole);
}

#[test]
fn digests_and_versions_are_those_of_rust() {
    let values = [1.0, f32::NAN, -0.0];
    let (mut expected, mut digest) = (Digest::new(), 0);
    expected.update(&values);
    // SAFETY: three floats and a number.
    assert_eq!(unsafe { mote_digest(values.as_ptr(), 3, &mut digest) }, MoteStatus::Ok);
    assert_eq!(digest, expected.finish());
    // SAFETY: a static text.
    assert_eq!(unsafe { CStr::from_ptr(mote_version()) }.to_str(), Ok(env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_status_has_its_name() {
    for number in (-2..64).chain([i32::MIN, i32::MAX]) {
        // SAFETY: a static text.
        let name = unsafe { CStr::from_ptr(mote_status_name(number)) }.to_str().unwrap();
        let in_header = include_str!("../../../core/c/include/mote.h").contains(&format!("    {name} = {number},"));
        assert_eq!(in_header, name != "MOTE_STATUS_UNKNOWN", "{number}: {name}");
    }
    let header = include_str!("../../../core/c/include/mote.h");
    assert_eq!(header.matches("    MOTE_STATUS_").count(), (-2..64).filter(|number| is_known(*number)).count());
}

fn is_known(number: i32) -> bool {
    // SAFETY: a static text.
    unsafe { CStr::from_ptr(mote_status_name(number)) }.to_str() != Ok("MOTE_STATUS_UNKNOWN")
}
