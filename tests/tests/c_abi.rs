//! The functions of `mote.h`, called as C calls them: the bits of Rust, and every misuse a status with a name.

use mote_c::*;
use mote_core::model::{Arena, Model};
use mote_core::sampler::{Digest, SampleOptions};
use mote_tests::mutation::with_checksum_made_right;
use mote_tests::random_model::RandomModel;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// Bytes at a multiple of 16, as an array in C that is told to lie there.
struct Blob {
    words: Vec<u128>,
    length: usize,
}

impl Blob {
    fn of(bytes: &[u8]) -> Self {
        let mut words = vec![0u128; bytes.len() / 16 + 2];
        // SAFETY: the words have room for the bytes.
        unsafe { words.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Self { words, length: bytes.len() }
    }

    fn start(&self) -> *const u8 {
        self.words.as_ptr().cast()
    }
}

/// Memory of an object, reached by one pointer as in C: a `Box` that moves would take back what the library holds.
struct Object<T>(*mut MaybeUninit<T>);

impl<T> Object<T> {
    fn zeroed() -> Self {
        Self(Box::into_raw(Box::new(MaybeUninit::zeroed())))
    }

    fn as_ptr(&self) -> *const T {
        self.0.cast_const().cast()
    }

    fn as_mut_ptr(&mut self) -> *mut T {
        self.0.cast()
    }
}

impl<T> Drop for Object<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, and nothing uses it any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// What a program in C has: a blob, objects, an arena with whatever was in memory there.
struct Program {
    blob: Blob,
    model: Object<MoteModel>,
    session: Object<MoteSession>,
    arena: Vec<u32>,
}

impl Program {
    fn parsed(bytes: &[u8]) -> Self {
        let mut program = Self {
            blob: Blob::of(bytes),
            model: Object::zeroed(),
            session: Object::zeroed(),
            arena: vec![0xdead_beef; 4096],
        };
        assert_eq!(program.parse(), MoteStatus::Ok);
        program
    }

    fn bound(bytes: &[u8]) -> Self {
        let mut program = Self::parsed(bytes);
        assert_eq!(program.bind(4 * program.arena.len()), MoteStatus::Ok);
        program
    }

    fn parse(&mut self) -> MoteStatus {
        // SAFETY: object and blob are as long as they are said to be.
        unsafe { mote_model_parse(self.model.as_mut_ptr(), self.blob.start(), self.blob.length) }
    }

    fn bind(&mut self, arena_bytes: usize) -> MoteStatus {
        assert!(arena_bytes <= 4 * self.arena.len());
        let (session, arena) = (self.session.as_mut_ptr(), self.arena.as_mut_ptr());
        // SAFETY: objects and arena are as long as they are said to be.
        unsafe { mote_session_bind(session, self.model.as_ptr(), arena, arena_bytes) }
    }

    fn info(&self) -> MoteModelInfo {
        let mut info = MaybeUninit::uninit();
        // SAFETY: both objects are there, and the call fills the second if it succeeds.
        unsafe {
            assert_eq!(mote_model_describe(self.model.as_ptr(), info.as_mut_ptr()), MoteStatus::Ok);
            info.assume_init()
        }
    }

    fn sample(&mut self, request: &MoteRequest) -> Result<Vec<u32>, MoteStatus> {
        let mut out = vec![MaybeUninit::<f32>::uninit(); self.info().dim_out.into()];
        // SAFETY: what the session was bound to is there; `out` is as long as it is said to be.
        let status =
            unsafe { mote_session_sample(self.session.as_mut_ptr(), request, out.as_mut_ptr().cast(), out.len()) };
        // SAFETY: the call has filled it.
        ok(status).map(|()| out.iter().map(|x| unsafe { x.assume_init() }.to_bits()).collect())
    }

    fn start(&mut self, request: &MoteRequest) -> MoteStatus {
        // SAFETY: what the session was bound to is there.
        unsafe { mote_session_start(self.session.as_mut_ptr(), request) }
    }

    fn step(&mut self) -> Result<u8, MoteStatus> {
        let mut done = 9;
        // SAFETY: what the session was bound to is there.
        ok(unsafe { mote_session_step(self.session.as_mut_ptr(), &mut done) }).map(|()| done)
    }

    fn read(&mut self) -> Result<Vec<u32>, MoteStatus> {
        let mut out = vec![0.0f32; self.info().dim_out.into()];
        // SAFETY: what the session was bound to is there; `out` is as long as it is said to be.
        let status = unsafe { mote_session_read(self.session.as_mut_ptr(), out.as_mut_ptr(), out.len()) };
        ok(status).map(|()| out.iter().map(|x| x.to_bits()).collect())
    }

    fn evaluate(&mut self, level: u16, class: Option<u16>, x: &[f32], count: usize) -> Result<Vec<u32>, MoteStatus> {
        let mut out = vec![0.0f32; count];
        let class = class.as_ref().map_or(null(), |class| class as *const u16);
        let (session, x, dim, to) = (self.session.as_mut_ptr(), x.as_ptr(), x.len(), out.as_mut_ptr());
        // SAFETY: what the session was bound to is there; buffers are as long as they are said to be.
        ok(unsafe { mote_session_evaluate(session, level, class, x, dim, to, count) })
            .map(|()| out.iter().map(|x| x.to_bits()).collect())
    }

    fn self_test(&mut self) -> MoteStatus {
        // SAFETY: what the session was bound to is there.
        unsafe { mote_session_self_test(self.session.as_mut_ptr()) }
    }
}

fn ok(status: MoteStatus) -> Result<(), MoteStatus> {
    if status == MoteStatus::Ok { Ok(()) } else { Err(status) }
}

fn everything() -> Vec<u8> {
    RandomModel::small_with_everything().blob()
}

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

fn centre() -> Vec<u8> {
    RandomModel { centre: Some(3), ..RandomModel::small_with_everything() }.blob()
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
        let in_header = include_str!("../../core/c/include/mote.h").contains(&format!("    {name} = {number},"));
        assert_eq!(in_header, name != "MOTE_STATUS_UNKNOWN", "{number}: {name}");
    }
    let header = include_str!("../../core/c/include/mote.h");
    assert_eq!(header.matches("    MOTE_STATUS_").count(), (-2..64).filter(|number| is_known(*number)).count());
}

fn is_known(number: i32) -> bool {
    // SAFETY: a static text.
    unsafe { CStr::from_ptr(mote_status_name(number)) }.to_str() != Ok("MOTE_STATUS_UNKNOWN")
}

#[test]
fn damaged_blobs_are_refused_by_name() {
    let bytes = everything();
    let status = |bytes: &[u8]| {
        let mut program = Program::parsed(&everything());
        program.blob = Blob::of(bytes);
        let status = program.parse();
        // Whatever was there before, the object now holds a model only if the blob was taken.
        let bound = program.bind(4 * program.arena.len());
        assert_eq!(bound, if status == MoteStatus::Ok { status } else { MoteStatus::NoModel });
        status
    };
    let changed = |at: usize, value: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    assert_eq!(status(&bytes), MoteStatus::Ok);
    for length in (0..bytes.len()).step_by(if cfg!(miri) { 499 } else { 1 }) {
        assert_eq!(status(&bytes[..length]), MoteStatus::Truncated, "{length} bytes");
    }
    assert_eq!(status(&[&bytes[..], &[0; 16]].concat()), MoteStatus::TrailingBytes);
    assert_eq!(status(&changed(0, b"MOTH")), MoteStatus::NotABlob);
    assert_eq!(status(&changed(4, &[2])), MoteStatus::UnsupportedVersion);
    assert_eq!(status(&changed(bytes.len() / 2, &[bytes[bytes.len() / 2] ^ 1])), MoteStatus::ChecksumMismatch);
    assert_eq!(status(&with_checksum_made_right(changed(20, &[0, 0]))), MoteStatus::FieldNotAllowed);
    assert_eq!(status(&with_checksum_made_right(changed(36, &[255, 255]))), MoteStatus::SectionsMismatch);
    // Two times five floats of scaling end at byte 136, and the next section starts at 144.
    assert_eq!(status(&with_checksum_made_right(changed(140, &[1]))), MoteStatus::PaddingNotZero);
    // Forty weights of deviation 30 a row, some 900 in all, times the largest code of all. The first descriptor stands behind header and scaling.
    let mut wide = RandomModel { dim: 40, ..RandomModel::tiny() }.blob();
    let descriptor = 96 + 2 * 4 * 40;
    wide[descriptor + 8] = 1;
    wide[descriptor + 10..descriptor + 12].copy_from_slice(&0x7fffu16.to_le_bytes());
    assert_eq!(status(&with_checksum_made_right(wide)), MoteStatus::SumsOverflow);
}

#[test]
fn requests_that_make_no_sense_are_refused_by_name() {
    let mut program = Program::bound(&everything());
    let plain = MoteRequest::default();
    for (request, expected) in [
        (MoteRequest { plan: 2, ..plain }, MoteStatus::UnknownPlan),
        (MoteRequest { plan: u16::MAX, ..plain }, MoteStatus::UnknownPlan),
        (MoteRequest { flags: MOTE_REQUEST_CLASS, class_number: 3, ..plain }, MoteStatus::ClassOutOfRange),
        (MoteRequest { flags: MOTE_REQUEST_GUIDANCE, guidance: 1.0, ..plain }, MoteStatus::GuidanceNotAllowed),
        (MoteRequest { flags: 3, guidance: f32::NAN, ..plain }, MoteStatus::GuidanceNotAllowed),
        (MoteRequest { flags: 3, guidance: f32::INFINITY, ..plain }, MoteStatus::GuidanceNotAllowed),
        (MoteRequest { flags: 4, ..plain }, MoteStatus::UnknownFlags),
        (MoteRequest { flags: u32::MAX, ..plain }, MoteStatus::UnknownFlags),
    ] {
        assert_eq!(program.sample(&request), Err(expected), "{request:?}");
        assert_eq!(program.start(&request), expected, "{request:?}");
    }
    let mut unconditional = Program::bound(&RandomModel::tiny().blob());
    let request = MoteRequest { flags: MOTE_REQUEST_CLASS, ..plain };
    assert_eq!(unconditional.sample(&request), Err(MoteStatus::ClassOutOfRange));
    let mut denoiser = Program::bound(&centre());
    assert_eq!((denoiser.sample(&plain), denoiser.start(&plain)), (Err(MoteStatus::WrongRole), MoteStatus::WrongRole));
}

#[test]
fn calls_out_of_turn_are_refused_by_name() {
    let bytes = everything();
    let plain = MoteRequest::default();
    // Objects that nothing has filled: zeros, and other bytes.
    let mut program = Program::parsed(&bytes);
    for byte in [0, 0x55, 0xff] {
        // SAFETY: objects of the C interface may hold any bytes.
        unsafe { program.session.as_mut_ptr().cast::<u8>().write_bytes(byte, size_of::<MoteSession>()) };
        assert_eq!((program.self_test(), program.start(&plain)), (MoteStatus::NoSession, MoteStatus::NoSession));
        assert_eq!((program.step(), program.read()), (Err(MoteStatus::NoSession), Err(MoteStatus::NoSession)));
        assert_eq!(program.sample(&plain), Err(MoteStatus::NoSession));
        assert_eq!(program.evaluate(0, None, &[0.0; 5], 5), Err(MoteStatus::NoSession));
    }
    // SAFETY: as above.
    unsafe { program.model.as_mut_ptr().cast::<u8>().write_bytes(0xff, size_of::<MoteModel>()) };
    assert_eq!(program.bind(16384), MoteStatus::NoModel);

    // Nothing started; then a sample that a self-test, a whole sample and a refused request interrupt or leave alone.
    let mut program = Program::bound(&bytes);
    assert_eq!((program.step(), program.read()), (Err(MoteStatus::NoSample), Err(MoteStatus::NoSample)));
    assert_eq!(program.start(&plain), MoteStatus::Ok);
    assert_eq!(program.self_test(), MoteStatus::Ok);
    assert_eq!(program.step(), Err(MoteStatus::NoSample));
    assert_eq!(program.start(&plain), MoteStatus::Ok);
    assert_eq!(program.start(&MoteRequest { plan: 9, ..plain }), MoteStatus::UnknownPlan);
    assert_eq!(program.step(), Ok(0));
    program.sample(&plain).unwrap();
    assert_eq!(program.step(), Err(MoteStatus::NoSample));

    // The model's place is parsed into again, without success: the session has lost its model.
    program.blob = Blob::of(&bytes[..200]);
    assert_eq!(program.parse(), MoteStatus::Truncated);
    assert_eq!(program.self_test(), MoteStatus::NoModel);
    // And with a larger model, for which the arena was not measured.
    program.blob = Blob::of(&RandomModel { dim: 40, ..RandomModel::tiny() }.blob());
    assert_eq!(program.parse(), MoteStatus::Ok);
    assert_eq!(program.self_test(), MoteStatus::ArenaTooSmall);
}

#[test]
fn an_arena_a_word_too_small_is_refused() {
    let mut program = Program::parsed(&everything());
    let needed = program.info().arena_bytes as usize;
    for bytes in [0, 1, needed - 4, needed - 1] {
        assert_eq!(program.bind(bytes), MoteStatus::ArenaTooSmall, "{bytes}");
        assert_eq!(program.self_test(), MoteStatus::NoSession);
    }
    assert_eq!(program.bind(needed), MoteStatus::Ok);
    // Nothing past the bytes that were lent is written.
    program.sample(&MoteRequest { flags: 3, guidance: 2.0, ..Default::default() }).unwrap();
    assert!(program.arena[needed / 4..].iter().all(|word| *word == 0xdead_beef));
}

#[test]
fn a_self_test_that_fails_says_so() {
    let mut bytes = everything();
    bytes[64] ^= 1;
    assert_eq!(Program::bound(&with_checksum_made_right(bytes)).self_test(), MoteStatus::SelfTestFailed);
}

#[test]
fn null_pointers_are_refused_everywhere() {
    let mut program = Program::bound(&everything());
    let (model, session) = (program.model.as_mut_ptr(), program.session.as_mut_ptr());
    let (blob, length, arena) = (program.blob.start(), program.blob.length, program.arena.as_mut_ptr());
    let (mut out, mut plan, mut done, mut digest) = ([0.0f32; 5], 0u16, 0u8, 0u64);
    let out = out.as_mut_ptr();
    let request = MoteRequest::default();
    let (mut info, mut plan_info) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: null is what is tried; all else is there.
    let found = unsafe {
        [
            mote_model_describe(null(), info.as_mut_ptr()),
            mote_model_describe(model, null_mut()),
            mote_plan_find(null(), c"ddpm".as_ptr(), &mut plan),
            mote_plan_find(model, null(), &mut plan),
            mote_plan_find(model, c"ddpm".as_ptr(), null_mut()),
            mote_plan_describe(null(), 0, plan_info.as_mut_ptr()),
            mote_plan_describe(model, 0, null_mut()),
            mote_model_unscale(null(), out, 5),
            mote_model_unscale(model, null_mut(), 5),
            mote_digest(null(), 5, &mut digest),
            mote_digest(out, 5, null_mut()),
            mote_session_self_test(null_mut()),
            mote_session_sample(null_mut(), &request, out, 5),
            mote_session_sample(session, null(), out, 5),
            mote_session_sample(session, &request, null_mut(), 5),
            mote_session_start(null_mut(), &request),
            mote_session_start(session, null()),
            mote_session_step(null_mut(), &mut done),
            mote_session_step(session, null_mut()),
            mote_session_read(null_mut(), out, 5),
            mote_session_read(session, null_mut(), 5),
            mote_session_evaluate(null_mut(), 0, null(), out, 5, out, 5),
            mote_session_evaluate(session, 0, null(), null(), 5, out, 5),
            mote_session_evaluate(session, 0, null(), [0.0; 5].as_ptr(), 5, null_mut(), 5),
            mote_session_bind(null_mut(), model, arena, 16384),
            mote_session_bind(session, null(), arena, 16384),
            mote_session_bind(session, model, null_mut(), 16384),
            mote_session_bind(session, model, null_mut(), 0),
            mote_model_parse(null_mut(), blob, length),
            mote_model_parse(model, null(), length),
            mote_model_parse(model, null(), 0),
        ]
    };
    for (number, status) in found.iter().enumerate() {
        assert_eq!(*status, MoteStatus::NullPointer, "call {number}");
    }
}

#[test]
fn misaligned_overlapping_and_endless_memory_is_refused() {
    let mut program = Program::bound(&everything());
    let request = MoteRequest::default();
    let (model, session) = (program.model.as_mut_ptr(), program.session.as_mut_ptr());
    let (blob, length, arena) = (program.blob.start(), program.blob.length, program.arena.as_mut_ptr());
    let mut room = [0u64; 128];
    let room = room.as_mut_ptr();
    let past = |by: usize| room.cast::<u8>().wrapping_add(by);
    let floats = room.cast::<f32>();
    // SAFETY: none of these pointers is followed, which is what is tested; all else is there.
    let misaligned = unsafe {
        [
            mote_model_parse(past(4).cast(), blob, length),
            mote_session_bind(past(4).cast(), model, arena, 16384),
            mote_session_bind(session, model.cast::<u8>().wrapping_add(1).cast(), arena, 16384),
            mote_model_describe(model, past(2).cast()),
            mote_plan_find(model, c"ddpm".as_ptr(), past(1).cast()),
            mote_model_unscale(model, past(2).cast(), 5),
            mote_digest(past(2).cast(), 1, room),
            mote_digest(floats, 1, past(4).cast()),
        ]
    };
    assert_eq!(misaligned, [MoteStatus::Misaligned; 8]);
    // SAFETY: as above.
    let misaligned = unsafe {
        let bound = mote_session_bind(session, model, arena, 16384);
        assert_eq!(bound, MoteStatus::Ok);
        let sampled = [
            mote_session_sample(session, past(4).cast(), floats, 5),
            mote_session_sample(session, &request, past(1).cast(), 5),
            mote_session_start(session, past(4).cast()),
            mote_session_evaluate(session, 0, past(1).cast(), floats, 5, floats.add(5), 5),
            mote_session_self_test(past(4).cast()),
            mote_session_bind(session, model, arena.cast::<u8>().wrapping_add(2).cast(), 16000),
            mote_session_bind(session, model, past(1).cast(), 0),
        ];
        assert_eq!(mote_session_bind(session, model, arena, 16384), MoteStatus::Ok);
        sampled
    };
    assert_eq!(misaligned, [MoteStatus::Misaligned; 7]);
    // SAFETY: as above; whatever overlaps is not written to.
    let overlaps = unsafe {
        [
            mote_session_sample(session, &request, arena.cast(), 5),
            mote_session_sample(session, &request, session.cast(), 5),
            mote_session_sample(session, &request, model.cast(), 5),
            mote_session_sample(session, &request, blob.cast_mut().cast(), 5),
            mote_session_read(session, arena.cast(), 5),
            mote_session_step(session, arena.cast()),
            mote_session_step(session, session.cast()),
            mote_session_evaluate(session, 0, null(), floats, 5, floats.add(4), 5),
            mote_session_evaluate(session, 0, null(), arena.cast(), 5, floats, 5),
            mote_model_unscale(model, model.cast(), 5),
            mote_model_describe(model, model.cast()),
            mote_digest(floats, 5, room),
        ]
    };
    assert_eq!(overlaps, [MoteStatus::Overlap; 12]);
    let huge = usize::MAX / 4;
    // SAFETY: as above.
    let endless = unsafe {
        [
            mote_digest(floats, huge, room.add(64)),
            mote_session_sample(session, &request, floats, huge),
            mote_session_read(session, floats, huge),
            mote_session_evaluate(session, 0, null(), floats, huge, floats.add(64), 5),
            mote_model_unscale(model, floats, huge),
        ]
    };
    assert_eq!(endless, [MoteStatus::LengthOutOfRange; 5]);
    // SAFETY: as above. These leave no session and no model, so they come last.
    let last = unsafe {
        [
            mote_session_bind(session, model, arena, usize::MAX),
            mote_session_bind(model.cast(), model, arena, 16384),
            mote_session_bind(session, model, session.cast(), 16384),
            mote_session_bind(session, model, model.cast(), 16384),
            mote_model_parse(model, blob, usize::MAX),
            mote_model_parse(model, blob.wrapping_add(8), length),
            mote_model_parse(blob.cast_mut().cast(), blob, length),
        ]
    };
    let expected = [
        MoteStatus::LengthOutOfRange,
        MoteStatus::Overlap,
        MoteStatus::Overlap,
        MoteStatus::Overlap,
        MoteStatus::LengthOutOfRange,
        MoteStatus::Misaligned,
        MoteStatus::Overlap,
    ];
    assert_eq!(last, expected);
}
