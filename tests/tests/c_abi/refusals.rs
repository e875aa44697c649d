//! Every misuse is a status with a name.

use crate::program::{Blob, Program, centre, everything};
use mote_c::*;
use mote_tests::mutation::with_checksum_made_right;
use mote_tests::random_model::RandomModel;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

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
