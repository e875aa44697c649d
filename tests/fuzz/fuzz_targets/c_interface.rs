//! Any calls of the C interface, in any order, with any figures, over a blob of any bytes: always a status with a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mote_c::*;
use mote_fuzz::Choices;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// Words of the arena that is lent, and those on either side that must stay as they are.
const ARENA: usize = 2048;
const FENCE: usize = 16;
const PAINT: u32 = 0x5a5a_a5a5;

fuzz_target!(|input: &[u8]| {
    let (blob, mut choices) = mote_fuzz::divide(input);
    let mut words = vec![0u128; blob.len() / 16 + 2];
    // SAFETY: the words have room for the blob, and one word more.
    unsafe { words.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(blob.as_ptr(), blob.len()) };
    let mut arena = vec![PAINT; ARENA + 2 * FENCE];
    let mut program = Program {
        blob: words.as_ptr().cast(),
        length: blob.len(),
        model: MaybeUninit::zeroed(),
        session: MaybeUninit::zeroed(),
        arena: arena[FENCE..].as_mut_ptr(),
        values: [0.0; 512],
    };
    program.call(2, &mut choices);
    program.call(3, &mut choices);
    for _ in 0..24 {
        let which = choices.byte();
        let status = program.call(which, &mut choices);
        // SAFETY: a static text with a zero at its end.
        let name = unsafe { CStr::from_ptr(mote_status_name(status as i32)) };
        assert_ne!(name, c"MOTE_STATUS_UNKNOWN");
    }
    assert!(arena[..FENCE].iter().chain(&arena[FENCE + ARENA..]).all(|word| *word == PAINT));
});

struct Program {
    blob: *const u8,
    length: usize,
    model: MaybeUninit<MoteModel>,
    session: MaybeUninit<MoteSession>,
    arena: *mut u32,
    values: [f32; 512],
}

impl Program {
    /// One call; its figures are chosen, but never more than what is there.
    fn call(&mut self, which: u8, choices: &mut Choices<'_>) -> MoteStatus {
        let odd = choices.byte();
        let (model, session, values) = (self.model.as_mut_ptr(), self.session.as_mut_ptr(), self.values.as_mut_ptr());
        // One pointer in sixteen is null, and one length in four is whatever comes, within what is there.
        let values = if odd % 16 == 1 { null_mut() } else { values };
        let count = if odd % 4 == 2 { usize::from(choices.half()) % 513 } else { 512 };
        let request = MoteRequest {
            seed: choices.word().into(),
            number: u32::from(choices.byte() % 4),
            plan: u16::from(choices.byte() % 8),
            class_number: u16::from(choices.byte() % 8),
            guidance: choices.float(),
            flags: u32::from(choices.byte() % 5),
        };
        let mut class = choices.half();
        let mut done = 0;
        let (mut info, mut plan_info) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: every pointer is null or to what its function asks for, at least as long as is said.
        unsafe {
            match which % 12 {
                0 => mote_session_start(session, &request),
                1 => mote_session_step(session, &mut done),
                2 => {
                    let (by, length) = if odd % 8 == 3 { (usize::from(odd) % 16, count) } else { (0, self.length) };
                    mote_model_parse(model, self.blob.wrapping_add(by), length.min(self.length))
                }
                3 => {
                    let bytes = if odd % 8 == 5 { 4 * count } else { 4 * ARENA };
                    mote_session_bind(session, model, self.arena, bytes)
                }
                4 => mote_session_sample(session, &request, values, count),
                5 => mote_session_self_test(session),
                6 => mote_session_read(session, values, count),
                7 => {
                    let class = if odd % 2 == 0 { null() } else { &raw mut class };
                    // The first half of the values in, the second out.
                    let (x, out) = (values.cast_const(), values.wrapping_add(256));
                    let half = count / 2;
                    mote_session_evaluate(session, request.plan, class, x, half, out, half)
                }
                8 => mote_model_describe(model, info.as_mut_ptr()),
                9 => mote_plan_describe(model, request.plan, plan_info.as_mut_ptr()),
                10 => mote_plan_find(model, c"ddpm".as_ptr(), &mut class),
                _ => mote_model_unscale(model, values, count),
            }
        }
    }
}
