//! What is said: requests of the host and answers of the device, as postcard writes them.

use crate::frame::{FRAME_MAX, Frame, Kind, PAYLOAD_MAX};
use crate::status::{Fault, Status, Verdict};
use serde::{Deserialize, Serialize};

/// The most values in a request or an answer.
pub const VALUES_MAX: usize = 56;
/// The most bytes of a model in a request; a multiple of what flash is programmed in.
pub const PART_MAX: usize = 224;

/// What a host asks. The order of the variants is that of their numbers on the line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// The first request of a session: what came before is forgotten. Answered by [`Answer::Welcome`].
    Hello {
        /// The host's version of the protocol.
        version: u16,
    },
    /// What the running model is. Answered by [`Answer::Model`].
    Model,
    /// A plan of the running model. Answered by [`Answer::Plan`].
    Plan {
        /// Its number.
        number: u16,
    },
    /// Starts a sample. Its values, in the data's own units, are there once [`Request::Progress`] says so.
    Sample {
        /// Number of the plan.
        plan: u16,
        /// Seed of the noise.
        seed: u64,
        /// Number of the sample within the seed.
        number: u32,
        /// The class, or none.
        class: Option<u16>,
        /// The guidance weight, or none.
        guidance: Option<f32>,
    },
    /// A part of the window, in the data's own units; the first one starts at 0.
    Window {
        /// Where the part starts.
        from: u16,
        /// Its values, four bytes each, little-endian.
        values: &'a [u8],
    },
    /// Starts to denoise the window.
    Denoise {
        /// Standard deviation of the noise, in deviations of the data.
        noise: f32,
        /// The class, or none.
        class: Option<u16>,
    },
    /// Starts to score the window: the larger the value, the less it looks like the data.
    Score {
        /// Standard deviation of the noise that is put on, in deviations of the data.
        noise: f32,
        /// Seed of that noise.
        seed: u64,
        /// The class, or none.
        class: Option<u16>,
    },
    /// How far the job is. Answered by [`Answer::Progress`].
    Progress,
    /// Values that the last job left. Answered by [`Answer::Values`].
    Values {
        /// Number of the first of them.
        from: u16,
    },
    /// Ends the job that runs, if one does.
    Cancel,
    /// Runs the model's self-test. Answered by [`Answer::SelfTest`].
    SelfTest,
    /// Answered by [`Answer::Counters`].
    Counters,
    /// What the slots held when the device looked last. Answered by [`Answer::Boot`].
    Boot,
    /// Runs the model of a slot, if it passes its checks; at the next start the newest one runs again.
    Select {
        /// Number of the slot.
        slot: u8,
    },
    /// Starts again, as after a reset: looks at both slots and runs the newest model that passes its checks.
    Restart,
    /// Begins an update in the slot that does not run.
    UpdateBegin {
        /// Bytes of the model.
        bytes: u32,
        /// Their CRC-32.
        crc: u32,
    },
    /// A part of the update.
    UpdateWrite {
        /// Where it starts.
        offset: u32,
        /// Its bytes; a multiple of 32 except at the end.
        bytes: &'a [u8],
    },
    /// Reads the update back, parses it and runs its self-test.
    UpdateVerify,
    /// Makes the update the newest model, and runs it.
    UpdateCommit,
    /// Gives the update up.
    UpdateAbort,
    /// Sets a detector up, and forgets the one before; its calibration follows.
    Detector {
        /// By what windows are judged.
        judging: Judging,
        /// How many times noise is added, at most 64.
        seeds: u8,
        /// Values of a sample.
        channels: u16,
        /// The score above which a window is an alarm.
        threshold: f32,
        /// Numbers of the model's levels whose errors count, a byte each, at most 16.
        levels: &'a [u8],
    },
    /// A part of the detector's calibration; the first one starts at 0.
    Calibration {
        /// Where the part starts.
        from: u16,
        /// Its numbers, four bytes each, little-endian.
        values: &'a [u8],
    },
    /// Starts to score the window by the detector, and uses it up.
    Detect,
}

/// By what a window is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judging {
    /// [`Judgement::Pattern`](mote_core::job::Judgement::Pattern).
    Pattern,
    /// [`Judgement::Sensors`](mote_core::job::Judgement::Sensors).
    Sensors,
}

/// What a device answers. The order of the variants is that of their numbers on the line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer<'a> {
    /// No, and why.
    Refused {
        /// The reason.
        status: Status,
        /// The number that belongs to it, or 0.
        detail: u32,
    },
    /// The device greets.
    Welcome {
        /// Its version of the protocol.
        version: u16,
        /// The board's name.
        board: &'a str,
        /// The slot whose model runs.
        running: Option<u8>,
    },
    /// Done, or started.
    Done,
    /// What the running model is.
    Model(ModelInfo),
    /// A plan.
    Plan {
        /// Its name.
        name: &'a str,
        /// Its rows, an evaluation each, or two if guided.
        rows: u16,
        /// The guidance weight that it was made for; 0 for none.
        guidance: f32,
    },
    /// How far the job is.
    Progress(Progress),
    /// Values.
    Values {
        /// How many there are in all.
        of: u16,
        /// From the place that was asked for, four bytes each, little-endian.
        values: &'a [u8],
    },
    /// What the self-test gave.
    SelfTest {
        /// The digest in the model.
        expected: u64,
        /// The digest here.
        computed: u64,
    },
    /// Counters since the device was switched on.
    Counters(Counters),
    /// What the slots held.
    Boot(BootReport),
}

/// What a model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Bytes of its blob.
    pub bytes: u32,
    /// CRC-32 of its blob.
    pub crc: u32,
    /// Components of a window.
    pub dim_in: u16,
    /// Components of a sample, or of what denoising gives.
    pub dim_out: u16,
    /// Number of classes.
    pub classes: u16,
    /// Number of plans; none in a model that denoises only.
    pub plans: u16,
    /// Bytes of working memory that it needs.
    pub arena: u32,
}

/// What a device is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Nothing was asked for, or it was cancelled.
    #[default]
    Idle,
    /// A job is running.
    Running,
    /// The job is done, and its values are there.
    Ready,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What the device is at.
    pub state: State,
    /// Steps done.
    pub done: u32,
    /// Steps in all.
    pub total: u32,
}

/// Counts since the device was switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Frames whose checksum was right.
    pub frames: u32,
    /// Requests that were carried out.
    pub requests: u32,
    /// Requests that came again and had their answer again.
    pub repeated: u32,
    /// Requests that were refused.
    pub refused: u32,
    /// Faults by kind, in the order of [`Fault::ALL`].
    pub faults: [u32; 6],
    /// Samples drawn.
    pub samples: u32,
    /// Windows denoised or scored.
    pub windows: u32,
    /// Steps run of jobs.
    pub steps: u32,
    /// Instructions that those took, 0 where the board cannot count.
    pub instructions: u64,
}

impl Counters {
    /// Counts a fault.
    pub fn count(&mut self, fault: Fault) {
        for (known, counter) in Fault::ALL.iter().zip(&mut self.faults) {
            if *known == fault {
                *counter = counter.wrapping_add(1);
            }
        }
    }
}

/// What a slot held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotReport {
    /// What was found.
    pub verdict: Verdict,
    /// The number of its update; 0 where there is no header.
    pub sequence: u32,
    /// Bytes of its model; 0 where there is no header.
    pub bytes: u32,
    /// CRC-32 of its model; 0 where there is no header.
    pub crc: u32,
}

impl Default for SlotReport {
    fn default() -> Self {
        Self { verdict: Verdict::Empty, sequence: 0, bytes: 0, crc: 0 }
    }
}

/// What the slots held, and which one runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootReport {
    /// The slot whose model runs.
    pub running: Option<u8>,
    /// The slots.
    pub slots: [SlotReport; 2],
    /// Bytes of a model that a slot has room for.
    pub room: u32,
}

/// Writes a message as a whole frame and gives the frame's length; `None` if it does not fit one.
#[must_use]
pub fn write(
    kind: Kind,
    session: u32,
    sequence: u16,
    message: &impl Serialize,
    out: &mut [u8; FRAME_MAX],
) -> Option<usize> {
    let mut payload = [0; PAYLOAD_MAX];
    let payload = postcard::to_slice(message, &mut payload).ok()?;
    Frame { kind, session, sequence, payload }.write(out)
}

/// Reads a message that fills its payload; `None` if it is none, or if something follows it.
#[must_use]
pub fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Option<T> {
    match postcard::take_from_bytes(payload) {
        Ok((message, [])) => Some(message),
        _ => None,
    }
}

/// Floats as they lie in a message.
pub fn values(bytes: &[u8]) -> impl ExactSizeIterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}
