//! The device: it takes what arrives on a line, answers, and runs one step of a job a turn, so that a request never waits for a job.
//!
//! | module | holds |
//! |---|---|
//! | `conversation` | which frame is carried out, which has its answer again, which is refused |
//! | `bench` | what each request does |
//! | `detection` | a detector's set-up, which a host sends in parts |
//! | `job` | the jobs, a step at a time: the one place that knows how a sample, a denoised window or a score comes about |
//!
//! [`Device::serve`] is a loop around one running model. An update writes to the other slot meanwhile; when it is committed the loop is left,
//! and entered again with the new model, so that no model is ever borrowed and written at once.

mod bench;
mod conversation;
mod detection;
mod job;

use crate::frame::Receiver;
use crate::message::{Answer, Counters, Request, VALUES_MAX};
use crate::slots::{Flash, SlotHeader, boot};
use crate::status::{Fault, Status};
use bench::{Bench, Running, Spare};
use conversation::{Conversation, Incoming};
use core::convert::Infallible;
use core::fmt;
use mote_core::model::Model;

/// Bytes that are taken from the line before the job has its turn.
const BYTES_A_TURN: usize = 64;

/// The line is gone; on a board it never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line is closed")
    }
}

impl core::error::Error for Closed {}

/// A line of bytes, both ways.
pub trait Port {
    /// The next byte that has arrived, or `None` at once.
    ///
    /// # Errors
    /// [`Closed`] when none will come any more.
    fn read(&mut self) -> Result<Option<u8>, Closed>;

    /// Sends bytes, and waits as long as the line takes.
    ///
    /// # Errors
    /// [`Closed`] when nobody takes them any more.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Closed>;

    /// Whether the hardware has lost bytes since it was asked last.
    fn overrun(&mut self) -> bool {
        false
    }

    /// Called when there is nothing to do until a byte arrives.
    fn idle(&mut self) {}
}

/// Counts the instructions of a call.
pub trait Meter {
    /// Runs the call and tells its instructions, 0 where they cannot be counted.
    fn measure<T>(&mut self, call: impl FnOnce() -> T) -> (T, u64);
}

/// A board that cannot count.
#[derive(Clone, Copy, Debug)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn measure<T>(&mut self, call: impl FnOnce() -> T) -> (T, u64) {
        (call(), 0)
    }
}

/// What a device is lent to work in.
#[derive(Debug)]
pub struct Memory<'a> {
    /// The arena of the model that runs.
    pub words: &'a mut [u32],
    /// Three buffers of windows, side by side: a third of this is the widest window that the device takes.
    pub floats: &'a mut [f32],
    /// Room for the numbers of a detector's calibration.
    pub calibration: &'a mut [f32],
}

/// A device on a line.
#[derive(Debug)]
pub struct Device<'a, P, M> {
    port: P,
    meter: M,
    receiver: Receiver,
    conversation: Conversation,
    bench: Bench<'a>,
}

/// What a device does next when it leaves the model that it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Look at both slots, as after a reset.
    Boot,
    /// Run the model of this slot, which passed its checks just now.
    Run(u8),
}

impl<'a, P: Port, M: Meter> Device<'a, P, M> {
    /// A device that has not started; `board` is the name that it greets with.
    pub fn new(port: P, meter: M, board: &'static str, memory: Memory<'a>) -> Self {
        let bench = Bench::new(board, memory);
        Self { port, meter, receiver: Receiver::new(), conversation: Conversation::new(), bench }
    }

    /// Ends it: the line, and what was counted.
    pub fn end(self) -> (P, Counters) {
        (self.port, self.bench.counters)
    }

    /// Starts the newest model of the two slots and serves the line, for good.
    ///
    /// # Errors
    /// [`Closed`] when the line is gone.
    pub fn serve<F: Flash>(&mut self, slots: &mut [F; 2]) -> Result<Infallible, Closed> {
        let mut next = Next::Boot;
        loop {
            self.bench.forget();
            match next {
                Next::Boot => self.bench.boot(|words, width| boot(slots, words, width)),
                Next::Run(slot) => self.bench.report.running = Some(slot),
            }
            let [first, second] = &mut *slots;
            let (runs, spare) = match self.bench.report.running {
                None => (None, Spare { flash: first, slot: 0 }),
                Some(0) => (Some(&*first), Spare { flash: second, slot: 1 }),
                Some(_) => (Some(&*second), Spare { flash: first, slot: 0 }),
            };
            let checked = runs.and_then(|flash| SlotHeader::read(flash.bytes()).ok());
            let model = checked.and_then(|(header, bytes)| Some((header, Model::parse(bytes).ok()?)));
            if model.is_none() {
                self.bench.report.running = None;
            }
            let running = model.as_ref().map(|(header, model)| Running { header: *header, model });
            next = self.attend(running, spare)?;
        }
    }

    /// Serves the line until another model is to run.
    fn attend(&mut self, running: Option<Running<'_>>, mut spare: Spare<'_, impl Flash>) -> Result<Next, Closed> {
        loop {
            let mut quiet = false;
            for _ in 0..BYTES_A_TURN {
                let Some(byte) = self.port.read()? else {
                    quiet = true;
                    break;
                };
                if let Some(next) = self.take(byte, running, &mut spare)? {
                    return Ok(next);
                }
            }
            let worked = running.is_some_and(|running| self.bench.work(running.model, &mut self.meter));
            if quiet && !worked {
                self.port.idle();
            }
        }
    }

    /// Takes a byte; where it ends a frame, answers it.
    fn take(
        &mut self,
        byte: u8,
        running: Option<Running<'_>>,
        spare: &mut Spare<'_, impl Flash>,
    ) -> Result<Option<Next>, Closed> {
        let Self { port, receiver, conversation, bench, .. } = self;
        if port.overrun() {
            bench.counters.count(Fault::Overrun);
        }
        let frame = match receiver.push(byte) {
            None => return Ok(None),
            Some(Ok(frame)) => frame,
            Some(Err(fault)) => {
                bench.counters.count(fault);
                port.write(conversation.notice(fault))?;
                return Ok(None);
            }
        };
        bench.counters.frames = bench.counters.frames.wrapping_add(1);
        match conversation.incoming(&frame) {
            Incoming::Notice(fault) => {
                bench.counters.count(fault);
                port.write(conversation.notice(fault))?;
            }
            Incoming::Again => {
                bench.counters.repeated = bench.counters.repeated.wrapping_add(1);
                port.write(conversation.stored())?;
            }
            Incoming::Refuse(status, detail) => {
                bench.counters.refused = bench.counters.refused.wrapping_add(1);
                port.write(conversation.refuse(&frame, status, detail))?;
            }
            Incoming::Execute(request) => {
                if let Request::Hello { .. } = request {
                    bench.forget();
                }
                let mut values = [0; 4 * VALUES_MAX];
                let (answer, next) = bench.execute(&request, running, spare, &mut values);
                let refused = matches!(answer, Answer::Refused { .. });
                conversation.store(&frame, &answer);
                let counter = if refused { &mut bench.counters.refused } else { &mut bench.counters.requests };
                *counter = counter.wrapping_add(1);
                port.write(conversation.stored())?;
                return Ok(next);
            }
            Incoming::Malformed => {
                bench.counters.refused = bench.counters.refused.wrapping_add(1);
                conversation.store(&frame, &Answer::Refused { status: Status::Malformed, detail: 0 });
                port.write(conversation.stored())?;
            }
        }
        Ok(None)
    }
}
