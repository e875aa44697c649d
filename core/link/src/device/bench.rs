//! What each request does.

use super::detection::Detection;
use super::job::{Buffers, Job, widest};
use super::{Memory, Meter, Next};
use crate::VERSION;
use crate::message::{
    Answer, BootReport, Counters, ModelInfo, Progress, Request, SlotReport, State, VALUES_MAX, values,
};
use crate::slots::{Flash, Room, SlotHeader, Update, check, next_sequence};
use crate::status::{Status, Verdict};
use mote_core::model::Model;

/// The model that runs, and its slot's header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running<'m> {
    pub header: SlotHeader,
    pub model: &'m Model<'m>,
}

/// The slot that does not run.
#[derive(Debug)]
pub(super) struct Spare<'f, F> {
    pub flash: &'f mut F,
    pub slot: u8,
}

/// What a device is at.
#[derive(Debug)]
enum Work {
    Idle,
    Running(Job),
    /// Done after so many steps.
    Ready(u32),
}

/// What a device works with.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    board: &'static str,
    words: &'a mut [u32],
    window: &'a mut [f32],
    values: &'a mut [f32],
    scratch: &'a mut [f32],
    window_filled: usize,
    values_filled: usize,
    work: Work,
    detection: Detection<'a>,
    update: Option<Update>,
    pub counters: Counters,
    pub report: BootReport,
}

/// A refusal, with the number that belongs to it.
type No = (Status, u32);

impl<'a> Bench<'a> {
    pub fn new(board: &'static str, memory: Memory<'a>) -> Self {
        let Memory { words, floats, calibration } = memory;
        let width = floats.len() / 3;
        let (window, rest) = floats.split_at_mut_checked(width).unwrap_or_default();
        let (values, scratch) = rest.split_at_mut_checked(width).unwrap_or_default();
        Self {
            board,
            words,
            window,
            values,
            scratch,
            window_filled: 0,
            values_filled: 0,
            work: Work::Idle,
            detection: Detection::new(calibration),
            update: None,
            counters: Counters::default(),
            report: BootReport::default(),
        }
    }

    /// Ends what was begun: a job, a window, a detector, an update.
    pub fn forget(&mut self) {
        (self.window_filled, self.values_filled) = (0, 0);
        self.work = Work::Idle;
        self.detection.forget();
        self.update = None;
    }

    /// Looks at the slots.
    pub fn boot(&mut self, look: impl FnOnce(&mut [u32], usize) -> BootReport) {
        self.report = look(self.words, self.window.len());
    }

    /// Runs one step of the job; gives whether there was one.
    pub fn work(&mut self, model: &Model<'_>, meter: &mut impl Meter) -> bool {
        let Work::Running(job) = &mut self.work else { return false };
        let total = job.total(model);
        let window = self.window.get_mut(..job.window(self.window_filled)).unwrap_or_default();
        let mut buffers = Buffers { window, values: self.values, scratch: self.scratch, detection: &self.detection };
        // The model was bound to these words when its slot was checked.
        let Ok(mut bound) = model.bind_words(self.words) else { return false };
        let (done, instructions) = meter.measure(|| job.step(&mut bound, &mut buffers));
        let counters = &mut self.counters;
        counters.steps = counters.steps.wrapping_add(1);
        counters.instructions = counters.instructions.wrapping_add(instructions);
        if let Some(filled) = done {
            let counter = if let Job::Sample(_) = job { &mut counters.samples } else { &mut counters.windows };
            *counter = counter.wrapping_add(1);
            self.values_filled = filled;
            self.work = Work::Ready(total);
        }
        true
    }

    /// Carries a request out. `bytes` is room for the values of an answer.
    // Not inlined, so that its part of the stack is given back.
    #[inline(never)]
    pub fn execute<'r>(
        &'r mut self,
        request: &Request<'_>,
        running: Option<Running<'r>>,
        spare: &mut Spare<'_, impl Flash>,
        bytes: &'r mut [u8; 4 * VALUES_MAX],
    ) -> (Answer<'r>, Option<Next>) {
        let mut next = None;
        let answer = match *request {
            // Another version was refused before it came here.
            Request::Hello { .. } => {
                Ok(Answer::Welcome { version: VERSION, board: self.board, running: self.report.running })
            }
            Request::Model => running.map(describe).ok_or((Status::NoModel, 0)),
            Request::Plan { number } => plan(running, number),
            Request::Sample { plan, seed, number, class, guidance } => {
                self.start(running, |model, _| Job::sample(model, plan, (seed, number), class, guidance))
            }
            Request::Window { from, values } => self.write_window(running, from, values),
            Request::Denoise { noise, class } => {
                self.start(running, |model, window| Job::denoise(model, window, noise, class))
            }
            Request::Score { noise, seed, class } => {
                self.start(running, |model, window| Job::score(model, window, noise, seed, class))
            }
            Request::Progress => Ok(Answer::Progress(self.progress(running))),
            Request::Values { from } => self.read_values(from, bytes),
            Request::Cancel => {
                if let Work::Running(_) = self.work {
                    self.work = Work::Idle;
                }
                Ok(Answer::Done)
            }
            Request::SelfTest => self.self_test(running),
            Request::Counters => Ok(Answer::Counters(self.counters)),
            Request::Boot => Ok(Answer::Boot(self.report)),
            Request::Select { slot } => self.select(slot, spare).map(|run| {
                next = run;
                Answer::Done
            }),
            Request::Restart => {
                next = Some(Next::Boot);
                Ok(Answer::Done)
            }
            Request::UpdateBegin { bytes, crc } => self.begin(bytes, crc, spare),
            Request::UpdateWrite { offset, bytes } => self.write_update(offset, bytes, spare),
            Request::UpdateVerify => self.verify(spare),
            Request::UpdateCommit => self.commit(spare).map(|slot| {
                next = Some(Next::Run(slot));
                Answer::Done
            }),
            Request::Detector { judging, seeds, channels, threshold, levels } => self
                .set_up(running, |model, detection| {
                    detection.set_up(model, judging, (seeds, channels), threshold, levels)
                }),
            Request::Calibration { from, values } => self.set_up(running, |_, detection| detection.write(from, values)),
            Request::Detect => self.detect(running),
            Request::UpdateAbort => self.update.take().map(|_| Answer::Done).ok_or((Status::NoUpdate, 0)),
        };
        (answer.unwrap_or_else(|(status, detail)| Answer::Refused { status, detail }), next)
    }

    fn is_busy(&self) -> bool {
        matches!(self.work, Work::Running(_))
    }

    /// Starts a job, if none runs.
    fn start<'r>(
        &mut self,
        running: Option<Running<'_>>,
        job: impl FnOnce(&Model<'_>, &[f32]) -> Result<Job, No>,
    ) -> Result<Answer<'r>, No> {
        let Running { model, .. } = running.ok_or((Status::NoModel, 0))?;
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        let window = self.window.get(..self.window_filled).unwrap_or_default();
        self.work = Work::Running(job(model, window)?);
        self.values_filled = 0;
        Ok(Answer::Done)
    }

    /// Changes what windows are judged by, unless a job looks at it.
    fn set_up<'r>(
        &mut self,
        running: Option<Running<'_>>,
        change: impl FnOnce(&Model<'_>, &mut Detection<'_>) -> Result<(), No>,
    ) -> Result<Answer<'r>, No> {
        let Running { model, .. } = running.ok_or((Status::NoModel, 0))?;
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        change(model, &mut self.detection)?;
        Ok(Answer::Done)
    }

    /// Starts to score the window by the detector. The window is not one to be worked on again, as it is brought to another scale in its place.
    fn detect<'r>(&mut self, running: Option<Running<'_>>) -> Result<Answer<'r>, No> {
        let Running { model, .. } = running.ok_or((Status::NoModel, 0))?;
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        let window = self.window.get(..self.window_filled).unwrap_or_default();
        self.work = Work::Running(Job::detect(model, window, &self.detection)?);
        (self.window_filled, self.values_filled) = (0, 0);
        Ok(Answer::Done)
    }

    fn progress(&self, running: Option<Running<'_>>) -> Progress {
        match &self.work {
            Work::Idle => Progress::default(),
            Work::Running(job) => {
                let total = running.map_or(0, |running| job.total(running.model));
                Progress { state: State::Running, done: job.done(), total }
            }
            Work::Ready(total) => Progress { state: State::Ready, done: *total, total: *total },
        }
    }

    fn write_window<'r>(&mut self, running: Option<Running<'_>>, from: u16, bytes: &[u8]) -> Result<Answer<'r>, No> {
        let Running { model, .. } = running.ok_or((Status::NoModel, 0))?;
        // A job reads the window while it runs.
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        if from == 0 {
            self.window_filled = 0;
        }
        if usize::from(from) != self.window_filled || !bytes.len().is_multiple_of(4) {
            return Err((Status::WindowGap, self.window_filled as u32));
        }
        let values = values(bytes);
        let end = self.window_filled + values.len();
        let widest = widest(model, self.window.len());
        let place = self.window.get_mut(self.window_filled..end).filter(|_| end <= widest);
        let place = place.ok_or((Status::WindowTooWide, widest as u32))?;
        for (place, value) in place.iter_mut().zip(values) {
            *place = value;
        }
        self.window_filled = end;
        Ok(Answer::Done)
    }

    fn read_values<'r>(&self, from: u16, bytes: &'r mut [u8; 4 * VALUES_MAX]) -> Result<Answer<'r>, No> {
        let none = (Status::NoValues, self.values_filled as u32);
        let filled = self.values.get(..self.values_filled).ok_or(none)?;
        let rest = filled.get(usize::from(from)..).filter(|rest| !rest.is_empty()).ok_or(none)?;
        let (places, _) = bytes.as_chunks_mut::<4>();
        for (place, value) in places.iter_mut().zip(rest) {
            *place = value.to_le_bytes();
        }
        let used = 4 * rest.len().min(VALUES_MAX);
        Ok(Answer::Values { of: self.values_filled as u16, values: bytes.get(..used).unwrap_or_default() })
    }

    fn self_test<'r>(&mut self, running: Option<Running<'_>>) -> Result<Answer<'r>, No> {
        let Running { model, .. } = running.ok_or((Status::NoModel, 0))?;
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        let mut bound = model.bind_words(self.words).map_err(|_| (Status::NoModel, 0))?;
        Ok(Answer::SelfTest { expected: model.self_test().digest, computed: bound.self_test_digest() })
    }

    /// What is known of a slot, to be changed.
    fn report_of(&mut self, slot: u8) -> Option<&mut SlotReport> {
        self.report.slots.get_mut(usize::from(slot))
    }

    fn select(&mut self, slot: u8, spare: &Spare<'_, impl Flash>) -> Result<Option<Next>, No> {
        let slots = self.report.slots.len() as u32;
        let found = *self.report_of(slot).ok_or((Status::NoSuchSlot, slots))?;
        if self.report.running == Some(slot) {
            return Ok(None);
        }
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        if slot != spare.slot {
            // Nothing runs, so this one was found bad at boot.
            return Err((Status::SlotRefused, found.verdict.code()));
        }
        let found = check(&*spare.flash, Room { words: self.words, width: self.window.len() });
        let verdict = found.verdict;
        if let Some(report) = self.report_of(slot) {
            *report = found;
        }
        if verdict == Verdict::Good { Ok(Some(Next::Run(slot))) } else { Err((Status::SlotRefused, verdict.code())) }
    }

    fn begin<'r>(&mut self, bytes: u32, crc: u32, spare: &mut Spare<'_, impl Flash>) -> Result<Answer<'r>, No> {
        let sequence = next_sequence(&self.report);
        let no = (crate::slots::room(&*spare.flash)) as u32;
        let update = Update::begin(spare.flash, bytes, crc, sequence).map_err(|status| (status, no))?;
        if let Some(report) = self.report_of(spare.slot) {
            *report = SlotReport { verdict: Verdict::Updating, sequence: 0, bytes, crc };
        }
        self.update = Some(update);
        Ok(Answer::Done)
    }

    fn write_update<'r>(
        &mut self,
        offset: u32,
        bytes: &[u8],
        spare: &mut Spare<'_, impl Flash>,
    ) -> Result<Answer<'r>, No> {
        let update = self.update.as_mut().ok_or((Status::NoUpdate, 0))?;
        let expected = update.written() as u32;
        update.write(spare.flash, offset, bytes).map_err(|status| (status, expected))?;
        Ok(Answer::Done)
    }

    fn verify<'r>(&mut self, spare: &Spare<'_, impl Flash>) -> Result<Answer<'r>, No> {
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        let update = self.update.as_mut().ok_or((Status::NoUpdate, 0))?;
        update.verify(&*spare.flash, Room { words: self.words, width: self.window.len() })?;
        Ok(Answer::Done)
    }

    /// Commits, and holds the slot to everything once more, as a start does.
    fn commit(&mut self, spare: &mut Spare<'_, impl Flash>) -> Result<u8, No> {
        if self.is_busy() {
            return Err((Status::Busy, 0));
        }
        let update = self.update.as_ref().ok_or((Status::NoUpdate, 0))?;
        update.commit(spare.flash).map_err(|status| (status, 0))?;
        self.update = None;
        let found = check(&*spare.flash, Room { words: self.words, width: self.window.len() });
        if let Some(report) = self.report_of(spare.slot) {
            *report = found;
        }
        if found.verdict != Verdict::Good {
            return Err((Status::UpdateRefused, found.verdict.code()));
        }
        for (slot, report) in (0..).zip(&mut self.report.slots) {
            if slot != spare.slot && report.verdict == Verdict::Good {
                report.verdict = Verdict::Standby;
            }
        }
        Ok(spare.slot)
    }
}

fn describe<'r>(running: Running<'_>) -> Answer<'r> {
    let Running { header, model } = running;
    Answer::Model(ModelInfo {
        bytes: header.bytes,
        crc: header.crc,
        dim_in: model.dim_in() as u16,
        dim_out: model.dim_out() as u16,
        classes: model.classes() as u16,
        plans: model.plan_count() as u16,
        arena: model.arena_bytes() as u32,
    })
}

fn plan(running: Option<Running<'_>>, number: u16) -> Result<Answer<'_>, No> {
    let Running { model, .. } = running.ok_or((Status::NoModel, 0))?;
    let plan = model.plan(number.into()).ok_or((Status::NoSuchPlan, model.plan_count() as u32))?;
    Ok(Answer::Plan { name: plan.name, rows: plan.plan.len() as u16, guidance: plan.guidance })
}
