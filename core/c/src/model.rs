//! A checked blob: its figures, its plans, the data's units.

use crate::MoteStatus;
use crate::memory::Area;
use core::ffi::c_char;
use mote_core::model::{ALIGNMENT, Model, PLAN_NAME_MAX, Role};

/// Words of 64 bits of a `mote_model`.
#[cfg(target_pointer_width = "64")]
pub const MOTE_MODEL_WORDS: usize = 64;
/// Words of 64 bits of a `mote_model`.
#[cfg(target_pointer_width = "32")]
pub const MOTE_MODEL_WORDS: usize = 32;

/// A blob starts at a multiple of so many bytes.
pub const MOTE_BLOB_ALIGNMENT: usize = 16;

/// Bytes of a plan's name, the zero at its end included.
pub const MOTE_PLAN_NAME_BYTES: usize = 21;

/// The model samples.
pub const MOTE_ROLE_SAMPLER: u16 = 0;
/// The model slides over a signal and denoises the centre of each window.
pub const MOTE_ROLE_CENTRE_DENOISER: u16 = 1;

const _: () = assert!(MOTE_BLOB_ALIGNMENT == ALIGNMENT && MOTE_PLAN_NAME_BYTES == PLAN_NAME_MAX + 1);
const _: () = assert!(size_of::<Cell>() <= size_of::<MoteModel>() && align_of::<Cell>() <= align_of::<MoteModel>());

/// A checked model: memory of the caller's that `mote_model_parse` fills. It holds pointers into the blob and none to itself, so it may
/// be copied, and needs no release.
#[repr(C)]
#[derive(Debug)]
pub struct MoteModel {
    opaque: [u64; MOTE_MODEL_WORDS],
}

/// What lies in a [`MoteModel`].
struct Cell {
    tag: usize,
    blob: Area,
    model: Model<'static>,
}

/// A model that was found in order, and the memory that must not be written to while it is used.
pub(crate) struct Parsed<'m> {
    pub model: &'m Model<'static>,
    area: Area,
    blob: Area,
}

impl Parsed<'_> {
    /// Whether an area has no byte in common with the object and the blob.
    pub fn apart_from(&self, area: Area) -> Result<(), MoteStatus> {
        self.area.apart_from(area)?;
        self.blob.apart_from(area)
    }
}

/// Tells a parsed object from other memory.
const TAG: usize = 0x4d6f_7445;

/// What a model is and what it needs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoteModelInfo {
    /// Bytes of the arena that a session needs.
    pub arena_bytes: u32,
    /// Bytes of the blob.
    pub blob_bytes: u32,
    /// `MOTE_ROLE_SAMPLER` or `MOTE_ROLE_CENTRE_DENOISER`.
    pub role: u16,
    /// Values that the network takes.
    pub dim_in: u16,
    /// Values that the network gives, and values of a sample.
    pub dim_out: u16,
    /// Number of classes; 0 for an unconditional model.
    pub classes: u16,
    /// Number of noise levels.
    pub levels: u16,
    /// Number of plans; 0 where the model does not sample.
    pub plans: u16,
    /// Height of a sample, if it is an image, or 0.
    pub image_height: u16,
    /// Width of a sample, if it is an image, or 0.
    pub image_width: u16,
}

/// A way to sample a model.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotePlanInfo {
    /// Its name: printable ASCII without blanks, then zeros, at least one.
    pub name: [c_char; MOTE_PLAN_NAME_BYTES],
    /// 1 if its steps draw noise, 0 if only its start does.
    pub stochastic: u8,
    /// Steps of a sample: evaluations of the network, or half of those with guidance.
    pub steps: u16,
    /// The guidance weight that it was made for; 0 for none.
    pub guidance: f32,
}

/// Checks a blob and views it in place: a whole file `.mote`, byte for byte. `blob` starts at a multiple of `MOTE_BLOB_ALIGNMENT`.
///
/// The model belongs to the caller and points into the blob, which must stay where it is, unchanged, as long as the model or a session
/// over it is used. After a refusal the object holds no model, unless
/// it overlaps the blob and was left alone. Time: two passes over the blob.
///
/// # Safety
///
/// `model` points to a `mote_model` and `blob` to `blob_bytes` bytes, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_model_parse(model: *mut MoteModel, blob: *const u8, blob_bytes: usize) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { parse(model, blob, blob_bytes) })
}

/// # Safety
///
/// As [`mote_model_parse`].
unsafe fn parse(model: *mut MoteModel, blob: *const u8, blob_bytes: usize) -> Result<(), MoteStatus> {
    let own = Area::of(model, 1)?;
    let area = Area::of(blob, blob_bytes);
    // Before anything is written: the blob may lie in flash.
    area.map_or(Ok(()), |area| own.apart_from(area))?;
    let cell = model.cast::<Cell>();
    // SAFETY: the caller lends a whole MoteModel, which is at least as large and as aligned as a cell; nothing is read.
    unsafe { (&raw mut (*cell).tag).write(0) };
    let area = area?;
    area.at_multiple_of(MOTE_BLOB_ALIGNMENT)?;
    // SAFETY: the caller promises these bytes, for as long as the model is used, which is all the time that 'static stands for here.
    let bytes: &'static [u8] = unsafe { core::slice::from_raw_parts(blob, blob_bytes) };
    let model = Model::parse_as::<MoteStatus>(bytes)?;
    // SAFETY: as above. A model needs no drop, so whatever was there before is left.
    unsafe { cell.write(Cell { tag: TAG, blob: area, model }) };
    Ok(())
}

/// The model in an object.
///
/// # Safety
///
/// `model` is null, or points to a [`MoteModel`] that nothing writes to during `'m`.
pub(crate) unsafe fn view<'m>(model: *const MoteModel) -> Result<Parsed<'m>, MoteStatus> {
    let area = Area::of(model, 1)?;
    let cell = model.cast::<Cell>();
    // SAFETY: the caller's object is as large and as aligned as a cell. Before it was parsed its bytes are whatever they are.
    if unsafe { (&raw const (*cell).tag).read_volatile() } != TAG {
        return Err(MoteStatus::NoModel);
    }
    // SAFETY: the tag is written together with a model, and removed before anything else is.
    let Cell { blob, model, .. } = unsafe { &*cell };
    Ok(Parsed { model, area, blob: *blob })
}

/// What a model is and what it needs.
///
/// # Safety
///
/// `model` points to a `mote_model` and `info` to a `mote_model_info` to be written, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_model_describe(model: *const MoteModel, info: *mut MoteModelInfo) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    let described = unsafe { view(model) }.and_then(|parsed| {
        parsed.apart_from(Area::of(info, 1)?)?;
        let model = parsed.model;
        let (image_height, image_width) = model.image().unwrap_or((0, 0));
        Ok(MoteModelInfo {
            arena_bytes: model.arena_bytes() as u32,
            blob_bytes: model.blob_bytes() as u32,
            role: if model.role() == Role::Sampler { MOTE_ROLE_SAMPLER } else { MOTE_ROLE_CENTRE_DENOISER },
            dim_in: model.dim_in() as u16,
            dim_out: model.dim_out() as u16,
            classes: model.classes() as u16,
            levels: model.network().levels().len() as u16,
            plans: model.plan_count() as u16,
            image_height,
            image_width,
        })
    });
    // SAFETY: not null and aligned by the check, and the caller's to be written.
    MoteStatus::of(described.map(|described| unsafe { info.write(described) }))
}

/// The number of the plan of this name, which ends in a zero byte.
///
/// # Safety
///
/// `model` points to a `mote_model`, `name` to a text that ends in a zero byte, `plan` to a number to be written, or any is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_plan_find(model: *const MoteModel, name: *const c_char, plan: *mut u16) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    let found = unsafe { view(model) }.and_then(|parsed| {
        Area::of(name, 1)?;
        parsed.apart_from(Area::of(plan, 1)?)?;
        let same = |own: &str| {
            // One zero more than the name, so that a longer name is another one. What lies past a zero is not looked at.
            own.bytes().chain([0]).enumerate().all(|(at, byte)| {
                // SAFETY: every byte before this one was that of a name, which has no zero, so the text has not ended yet.
                unsafe { name.add(at).read() as u8 == byte }
            })
        };
        let number = parsed.model.plans().position(|own| same(own.name));
        number.ok_or(MoteStatus::UnknownPlan)
    });
    // SAFETY: not null and aligned by the check, and the caller's to be written.
    MoteStatus::of(found.map(|number| unsafe { plan.write(number as u16) }))
}

/// What a plan is. Plans are numbered from 0.
///
/// # Safety
///
/// `model` points to a `mote_model` and `info` to a `mote_plan_info` to be written, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_plan_describe(model: *const MoteModel, plan: u16, info: *mut MotePlanInfo) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    let described = unsafe { view(model) }.and_then(|parsed| {
        parsed.apart_from(Area::of(info, 1)?)?;
        let plan = parsed.model.plan(plan.into()).ok_or(MoteStatus::UnknownPlan)?;
        let mut name = [0; MOTE_PLAN_NAME_BYTES];
        for (to, from) in name.iter_mut().zip(plan.name.bytes()) {
            *to = from as c_char;
        }
        let (steps, stochastic) = (plan.plan.len() as u16, u8::from(plan.plan.is_stochastic()));
        Ok(MotePlanInfo { name, stochastic, steps, guidance: plan.guidance })
    });
    // SAFETY: not null and aligned by the check, and the caller's to be written.
    MoteStatus::of(described.map(|described| unsafe { info.write(described) }))
}

/// Brings a sample of `count` values to the data's own units, in place: each value times its deviation, plus its mean.
///
/// # Safety
///
/// `model` points to a `mote_model` and `sample` to `count` floats, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_model_unscale(model: *const MoteModel, sample: *mut f32, count: usize) -> MoteStatus {
    // SAFETY: the promise is the caller's.
    MoteStatus::of(unsafe { view(model) }.and_then(|parsed| {
        parsed.apart_from(Area::of(sample, count)?)?;
        let model = parsed.model;
        if model.role() != Role::Sampler {
            return Err(MoteStatus::WrongRole);
        }
        if count < model.dim_out() {
            return Err(MoteStatus::BufferTooShort);
        }
        // SAFETY: not null, aligned and within the address space by the check; nothing else is there, and the floats are the caller's.
        model.unscale(unsafe { core::slice::from_raw_parts_mut(sample, model.dim_out()) });
        Ok(())
    }))
}
