//! A model with its working memory: self-test, samples whole or in steps, evaluations.

use crate::memory::Area;
use crate::model::{Parsed, view};
use crate::{MoteModel, MoteStatus};
use mote_core::model::{Bound, Role};
use mote_core::random::{Stream, Ziggurat};
use mote_core::sampler::{Plan, SampleOptions};

/// Words of 64 bits of a `mote_session`.
#[cfg(target_pointer_width = "64")]
pub const MOTE_SESSION_WORDS: usize = 12;
/// Words of 64 bits of a `mote_session`.
#[cfg(target_pointer_width = "32")]
pub const MOTE_SESSION_WORDS: usize = 9;

/// The request names a class.
pub const MOTE_REQUEST_CLASS: u32 = 1;
/// The request has a guidance weight; it needs a class.
pub const MOTE_REQUEST_GUIDANCE: u32 = 2;

const _: () = assert!(size_of::<Cell>() <= size_of::<MoteSession>() && align_of::<Cell>() <= align_of::<MoteSession>());

/// A model with the memory that it works in, and the sample that is in the making there: memory of the caller's that
/// `mote_session_bind` fills. It points to the model and the arena and not to itself, and needs no release. Copies of a session share an
/// arena: only one of them may be used.
#[repr(C)]
#[derive(Debug)]
pub struct MoteSession {
    opaque: [u64; MOTE_SESSION_WORDS],
}

/// What lies in a [`MoteSession`].
struct Cell {
    tag: usize,
    model: *const MoteModel,
    arena: *mut u32,
    words: usize,
    sample: Option<InTheMaking>,
}

/// A sample between two steps; its values lie in the arena.
struct InTheMaking {
    plan: u16,
    steps_taken: usize,
    options: SampleOptions,
    noise: Ziggurat<Stream>,
}

/// Tells a bound object from other memory.
const TAG: usize = 0x6d6f_5465;

/// Which sample to draw. With all bytes zero: sample 0 of seed 0 by the first plan, of any class.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MoteRequest {
    /// The seed.
    pub seed: u64,
    /// Which of the seed's samples. Reaching sample k takes k jumps of the generator, each of 128 draws.
    pub number: u32,
    /// Number of the plan.
    pub plan: u16,
    /// The class to sample, with `MOTE_REQUEST_CLASS`.
    pub class_number: u16,
    /// The guidance weight w of `F = F_u + w (F_c - F_u)`, with `MOTE_REQUEST_GUIDANCE`; every step then takes two evaluations.
    pub guidance: f32,
    /// `MOTE_REQUEST_CLASS`, `MOTE_REQUEST_GUIDANCE`, both or neither.
    pub flags: u32,
}

/// Binds a model to its working memory, `arena_bytes` bytes that start at a multiple of 4; `mote_model_describe` says how many it takes.
///
/// Session and arena belong to the caller. Model and arena must stay where they are as long as the session is used, and nothing else may
/// write to the arena. Model, session, arena and blob lie apart. After any other status than `MOTE_STATUS_OK` the object holds no session.
///
/// # Safety
///
/// `session` points to a `mote_session`, `model` to a `mote_model` and `arena` to `arena_bytes` bytes, or any is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_bind(
    session: *mut MoteSession,
    model: *const MoteModel,
    arena: *mut u32,
    arena_bytes: usize,
) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { bind(session, model, arena, arena_bytes) })
}

/// # Safety
///
/// As [`mote_session_bind`].
unsafe fn bind(
    session: *mut MoteSession,
    model: *const MoteModel,
    arena: *mut u32,
    arena_bytes: usize,
) -> Result<(), MoteStatus> {
    let own = Area::of(session, 1)?;
    let cell = session.cast::<Cell>();
    own.apart_from(Area::of(model, 1)?)?;
    // SAFETY: the caller lends a whole MoteSession, which is at least as large and as aligned as a cell; nothing is read.
    unsafe { (&raw mut (*cell).tag).write(0) };
    // SAFETY: the promise is the caller's.
    let parsed = unsafe { view(model) }?;
    let words = parsed.model.arena_bytes() / 4;
    if arena_bytes / 4 < words {
        // Null and misaligned arenas are said to be so first.
        Area::of(arena, 0)?;
        return Err(MoteStatus::ArenaTooSmall);
    }
    let lent = Area::of(arena, arena_bytes / 4)?;
    lent.apart_from(own)?;
    parsed.apart_from(lent)?;
    parsed.apart_from(own)?;
    // SAFETY: not null, aligned and within the address space by the check, apart from all else that is read, and the caller's to be
    // written. Whatever was there, from now on it is words.
    unsafe { arena.write_bytes(0, words) };
    // SAFETY: as for the tag. A cell needs no drop.
    unsafe { cell.write(Cell { tag: TAG, model, arena, words, sample: None }) };
    Ok(())
}

/// A session that was found in order.
struct Open<'s> {
    area: Area,
    arena: Area,
    parsed: Parsed<'s>,
    bound: Bound<'s, 'static>,
    sample: &'s mut Option<InTheMaking>,
}

/// Opens a session for the time of one call.
///
/// # Safety
///
/// `session` is null, or points to a [`MoteSession`] that nothing else uses during `'s`; what it was bound to is still there.
unsafe fn open<'s>(session: *mut MoteSession) -> Result<Open<'s>, MoteStatus> {
    let area = Area::of(session, 1)?;
    let cell = session.cast::<Cell>();
    // SAFETY: the caller's object is as large and as aligned as a cell. Before it was bound its bytes are whatever they are.
    if unsafe { (&raw const (*cell).tag).read_volatile() } != TAG {
        return Err(MoteStatus::NoSession);
    }
    // SAFETY: the tag is written together with the rest.
    let cell = unsafe { &mut *cell };
    // SAFETY: the caller promises that the model is still there; it was parsed when it was bound, and its tag says if it still is.
    let parsed = unsafe { view(cell.model) }?;
    let model = parsed.model;
    let arena = Area::of(cell.arena, cell.words)?;
    // SAFETY: checked and filled when it was bound; the caller promises that it is still there and used by nothing else.
    let words = unsafe { core::slice::from_raw_parts_mut(cell.arena, cell.words) };
    // The model may be another than the one that was bound, if the caller parsed another one into its place.
    let bound = model.bind_words(words).map_err(|_| MoteStatus::ArenaTooSmall)?;
    Ok(Open { area, arena, parsed, bound, sample: &mut cell.sample })
}

impl Open<'_> {
    /// Whether an area to be written has no byte in common with anything that is used.
    fn apart_from(&self, area: Area) -> Result<(), MoteStatus> {
        self.parsed.apart_from(area)?;
        self.arena.apart_from(area)?;
        self.area.apart_from(area)
    }

    /// The area of a buffer of the caller's, apart from all that is used and with at least so many values.
    fn buffer(&self, values: *const f32, count: usize, needed: usize) -> Result<Area, MoteStatus> {
        let area = Area::of(values, count)?;
        self.apart_from(area)?;
        if count < needed { Err(MoteStatus::BufferTooShort) } else { Ok(area) }
    }

    /// The plan and the options that a request asks for.
    fn choose(&self, request: &MoteRequest) -> Result<(Plan<'static>, SampleOptions), MoteStatus> {
        if self.parsed.model.role() != Role::Sampler {
            return Err(MoteStatus::WrongRole);
        }
        if request.flags & !(MOTE_REQUEST_CLASS | MOTE_REQUEST_GUIDANCE) != 0 {
            return Err(MoteStatus::UnknownFlags);
        }
        let plan = self.parsed.model.unnamed_plan(request.plan.into()).ok_or(MoteStatus::UnknownPlan)?;
        let mut options = SampleOptions::default();
        if request.flags & MOTE_REQUEST_CLASS != 0 {
            options.class = Some(self.class(request.class_number)?);
        }
        if request.flags & MOTE_REQUEST_GUIDANCE != 0 {
            if options.class.is_none() || !request.guidance.is_finite() {
                return Err(MoteStatus::GuidanceNotAllowed);
            }
            options.guidance = Some(request.guidance);
        }
        Ok((plan, options))
    }

    fn class(&self, number: u16) -> Result<u16, MoteStatus> {
        if usize::from(number) < self.parsed.model.classes() { Ok(number) } else { Err(MoteStatus::ClassOutOfRange) }
    }

    /// Starts a sample: its noise is drawn, no step taken.
    fn start(&mut self, request: &MoteRequest) -> Result<(), MoteStatus> {
        let (plan, options) = self.choose(request)?;
        let mut noise = Ziggurat::new(Stream::nth(request.seed, request.number));
        let steps_taken = self.bound.start(plan, options, &mut noise).0.steps_taken();
        *self.sample = Some(InTheMaking { plan: request.plan, steps_taken, options, noise });
        Ok(())
    }

    /// Takes a step; gives whether the sample is done.
    fn step(&mut self) -> Result<bool, MoteStatus> {
        let sample = self.sample.as_mut().ok_or(MoteStatus::NoSample)?;
        let plan = self.parsed.model.unnamed_plan(sample.plan.into()).ok_or(MoteStatus::UnknownPlan)?;
        let (mut run, mut denoiser) = self.bound.resume(plan, sample.options, sample.steps_taken);
        run.step(&mut denoiser, &mut sample.noise);
        sample.steps_taken = run.steps_taken();
        Ok(sample.steps_taken >= plan.len())
    }

    /// Writes the state of the sample in the making.
    ///
    /// # Safety
    ///
    /// `out` was found in order by [`buffer`](Self::buffer) for the model's `dim_out`, and the caller lends it to be written.
    unsafe fn read(&self, out: *mut f32) -> Result<(), MoteStatus> {
        if self.sample.is_none() {
            return Err(MoteStatus::NoSample);
        }
        let state = self.bound.state();
        // SAFETY: the state has dim_out values, as `out` has, and the two are apart.
        unsafe { out.copy_from_nonoverlapping(state.as_ptr(), state.len()) };
        Ok(())
    }
}

/// The caller's request, read once.
///
/// # Safety
///
/// `request` is null or points to a [`MoteRequest`].
unsafe fn read_request(request: *const MoteRequest) -> Result<MoteRequest, MoteStatus> {
    Area::of(request, 1)?;
    // SAFETY: not null and aligned; every pattern of bytes is a request.
    Ok(unsafe { request.read() })
}

/// Runs the model's self-test: whether this processor gives the bits that the model was made with. It ends a sample in the making.
///
/// # Safety
///
/// `session` is null, or points to a `mote_session` whose model, blob and arena are still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_self_test(session: *mut MoteSession) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { open(session) }.and_then(|mut open| {
        *open.sample = None;
        open.bound.self_test().map_err(|_| MoteStatus::SelfTestFailed)
    }))
}

/// Draws a whole sample and writes its `dim_out` values to `out`, which has room for `count`, in the scale of the training data;
/// `mote_model_unscale` brings them to the data's own units. It ends a sample in the making.
///
/// # Safety
///
/// `session` is as for `mote_session_self_test`, `request` points to a request and `out` to room for `count` floats, or any is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_sample(
    session: *mut MoteSession,
    request: *const MoteRequest,
    out: *mut f32,
    count: usize,
) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { open(session) }.and_then(|mut open| {
        // SAFETY: the promise is the caller's.
        let request = unsafe { read_request(request) }?;
        open.buffer(out, count, open.parsed.model.dim_out())?;
        open.start(&request)?;
        while !open.step()? {}
        // SAFETY: `out` was checked above.
        let read = unsafe { open.read(out) };
        *open.sample = None;
        read
    }))
}

/// Starts a sample that `mote_session_step` then makes, step by step: draws its noise. It ends a sample that was in the making.
///
/// # Safety
///
/// `session` is as for `mote_session_self_test`, and `request` points to a request, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_start(session: *mut MoteSession, request: *const MoteRequest) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { open(session) }.and_then(|mut open| {
        // SAFETY: the promise is the caller's.
        open.start(&unsafe { read_request(request) }?)
    }))
}

/// Takes one step of the sample in the making, and writes 1 to `done` if it was the last one and 0 if not. Past the last step it does
/// nothing and writes 1.
///
/// # Safety
///
/// `session` is as for `mote_session_self_test`, and `done` points to a byte to be written, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_step(session: *mut MoteSession, done: *mut u8) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    let stepped = unsafe { open(session) }.and_then(|mut open| {
        open.apart_from(Area::of(done, 1)?)?;
        open.step()
    });
    // SAFETY: not null by the check, and the caller's to be written.
    MoteStatus::of(stepped.map(|last| unsafe { done.write(last.into()) }))
}

/// Writes the sample in the making to `out`, which has room for `count` values, in the scale of the training data: after the last step
/// the sample, and before it the state of that step.
///
/// # Safety
///
/// `session` is as for `mote_session_self_test`, and `out` points to room for `count` floats, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_read(session: *mut MoteSession, out: *mut f32, count: usize) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { open(session) }.and_then(|open| {
        open.buffer(out, count, open.parsed.model.dim_out())?;
        // SAFETY: `out` was checked above.
        unsafe { open.read(out) }
    }))
}

/// One evaluation of the network at a noise level, for denoising: writes its raw output `F(x, level)`, `dim_out` values, to `out`. `x`
/// has `dim_in` values, in the scale of the training data, and `class_number` is null for no class. A sample in the making stays as it is.
///
/// # Safety
///
/// `session` is as for `mote_session_self_test`, `class_number` points to a number or is null, `x` points to `x_count` floats and `out` to
/// room for `out_count`, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_session_evaluate(
    session: *mut MoteSession,
    level: u16,
    class_number: *const u16,
    x: *const f32,
    x_count: usize,
    out: *mut f32,
    out_count: usize,
) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { open(session) }.and_then(|mut open| {
        let (dim_in, dim_out) = (open.parsed.model.dim_in(), open.parsed.model.dim_out());
        // The input may lie in flash beside the blob, even in it; what is written may not.
        let input = Area::of(x, x_count)?;
        input.apart_from(open.area)?;
        input.apart_from(open.arena)?;
        input.apart_from(open.buffer(out, out_count, dim_out)?)?;
        if x_count < dim_in {
            return Err(MoteStatus::BufferTooShort);
        }
        if usize::from(level) >= open.parsed.model.network().levels().len() {
            return Err(MoteStatus::LevelOutOfRange);
        }
        let class = if class_number.is_null() {
            None
        } else {
            Area::of(class_number, 1)?;
            // SAFETY: not null and aligned, and the caller's.
            Some(open.class(unsafe { class_number.read() })?)
        };
        // SAFETY: at least dim_in floats by the check, which are the caller's and stay as they are during the call.
        let x = unsafe { core::slice::from_raw_parts(x, dim_in) };
        // SAFETY: at least dim_out floats by the check, apart from all else, and the caller's to be written. Whatever was there,
        // after the first line it is floats.
        let out = unsafe {
            out.write_bytes(0, dim_out);
            core::slice::from_raw_parts_mut(out, dim_out)
        };
        open.bound.evaluate(level.into(), class, x, out);
        Ok(())
    }))
}
