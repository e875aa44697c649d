//! Mote for C: the functions of `mote.h`.
//!
//! Every function works in memory that its caller lends it, returns a [`MoteStatus`], and never panics. No state is kept outside of the
//! caller's objects, so different objects may be used from different threads or interrupts.
//!
//! | module | holds |
//! |---|---|
//! | `status` | what a call comes to, with names |
//! | `memory` | what is asked of every pointer before it is followed |
//! | `model` | a checked blob: its figures, its plans, the data's units |
//! | `session` | a model with its working memory: self-test, samples whole or in steps, evaluations |
//! | `version` | the library's version, and digests of values |
//!
//! `include/mote.h` is made of these files by `cargo xtask header`.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs, missing_debug_implementations, clippy::undocumented_unsafe_blocks)]

mod memory;
mod model;
mod session;
mod status;
mod version;

pub use model::{
    MOTE_BLOB_ALIGNMENT, MOTE_MODEL_WORDS, MOTE_PLAN_NAME_BYTES, MOTE_ROLE_CENTRE_DENOISER, MOTE_ROLE_SAMPLER,
    MoteModel, MoteModelInfo, MotePlanInfo, mote_model_describe, mote_model_parse, mote_model_unscale,
    mote_plan_describe, mote_plan_find,
};
pub use session::{
    MOTE_REQUEST_CLASS, MOTE_REQUEST_GUIDANCE, MOTE_SESSION_WORDS, MoteRequest, MoteSession, mote_session_bind,
    mote_session_evaluate, mote_session_read, mote_session_sample, mote_session_self_test, mote_session_start,
    mote_session_step,
};
pub use status::{MoteStatus, mote_status_name};
pub use version::{MOTE_FORMAT_VERSION, mote_digest, mote_version};
