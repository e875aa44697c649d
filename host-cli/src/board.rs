//! A blob, or an ensemble, on a board under QEMU, beside the host.

mod ensembles;

use std::path::Path;
use std::time::Duration;

use mote_core::model::{Model, NamedPlan};
use mote_core::sampler::{Digest, SampleOptions};
use mote_qemu::{BOARDS, Board, Error, Image, Report, Request, Task, run};
use serde::Serialize;

use crate::inspection::bytes;
use crate::pool::Batch;
use crate::report::BoardReport;

pub use ensembles::{ComparedEnsemble, compare_ensemble};

/// Bytes of working memory in an image that is built without a size; enough for the demo's network and smaller ones.
const DEFAULT_ARENA: usize = 4096;

/// Time that a board may take for a request, at least.
const PATIENCE: Duration = Duration::from_secs(60);

/// Multiply-accumulates that QEMU does in a second, with room to spare on a slow machine.
const MACS_PER_SECOND: usize = 2_000_000;

/// What came of running a blob on a board.
#[derive(Clone, Debug)]
pub enum BoardCheck {
    /// It ran.
    Done(Box<BoardReport>),
    /// It could not: QEMU or the board's target is missing, and this is how to get it.
    Unavailable(String),
}

impl BoardCheck {
    /// The report, if there is one.
    #[must_use]
    pub fn report(&self) -> Option<&BoardReport> {
        match self {
            Self::Done(report) => Some(report),
            Self::Unavailable(_) => None,
        }
    }
}

/// A request's report, and whether its bits are the host's.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What the board printed.
    pub report: Report,
    /// The digest of the same samples on the host.
    pub host_digest: u64,
    /// Samples whose values differ, by number; only where values were asked for.
    pub different: Vec<u32>,
}

impl Compared {
    /// Whether every bit is equal.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.report.digest == self.host_digest && self.different.is_empty()
    }
}

/// An image for a board whose arena the model fits.
///
/// # Errors
/// [`Error`] with the way out when a tool is missing or the image does not build.
pub fn image_for(board: &Board, model: &Model<'_>) -> Result<Image, Error> {
    let needed = model.arena_bytes_anywhere();
    let arena = if needed <= DEFAULT_ARENA { None } else { Some(needed.next_multiple_of(1024) as u32) };
    Image::build(board, arena)
}

/// Runs a request on a board and draws the same samples on the host.
///
/// # Errors
/// [`Error`] with the way out, or the device's own words.
pub fn compare(
    image: &Image,
    path: &Path,
    model: &Model<'_>,
    plan: &NamedPlan<'_>,
    request: &Request,
) -> Result<Compared, Error> {
    let macs = model.network().multiply_accumulates() * plan.plan.len() * (request.count as usize + 2);
    let limit = PATIENCE + Duration::from_secs((macs / MACS_PER_SECOND) as u64);
    let report = run(image, Some(path), request, limit)?;
    let mut options = SampleOptions::default();
    (options.class, options.guidance) = (request.class, request.guidance);
    let batch = Batch { seed: request.seed, first: request.first, count: request.count as usize, options };
    let values = batch.draw_quantised(model, plan);
    let mut digest = Digest::new();
    digest.update(&values);
    let different = report
        .samples
        .iter()
        .zip(values.chunks_exact(model.dim_out()))
        .filter(|(board, host)| !board.bits.iter().copied().eq(host.iter().map(|x| x.to_bits())))
        .map(|(board, _)| board.number)
        .collect();
    Ok(Compared { report, host_digest: digest.finish(), different })
}

/// One figure of a bench.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// A stable name.
    pub name: &'static str,
    /// The same for people.
    pub label: String,
    /// The figure.
    pub value: f64,
    /// `instructions` or `bytes`.
    pub unit: &'static str,
    /// Instructions a multiply-accumulate, where that makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_multiply_accumulate: Option<f64>,
}

impl Measurement {
    /// The figure and its unit.
    #[must_use]
    pub fn text(&self) -> String {
        if self.unit == "bytes" {
            return bytes(self.value as usize);
        }
        let share = |each: f64| format!(" ({each:.2} a multiply-accumulate)");
        let digits = usize::from(self.value.fract() != 0.0);
        format!("{:.digits$} {}{}", self.value, self.unit, self.per_multiply_accumulate.map_or(String::new(), share))
    }
}

/// What a bench measured.
#[must_use]
pub fn measurements(report: &Report, image: &Image, macs: usize, plan: &str) -> Vec<Measurement> {
    let counts = [
        ("parse", "parsing the blob".to_string()),
        ("evaluation", "one evaluation".into()),
        ("normal", "one normal".into()),
        ("sample", format!("one sample, {plan}")),
    ];
    let mut found: Vec<Measurement> = counts
        .into_iter()
        .filter_map(|(name, label)| {
            let value = report.counts.get(name)?.each();
            let per_multiply_accumulate = (name == "evaluation").then_some(value / macs as f64);
            Some(Measurement { name, label, value, unit: "instructions", per_multiply_accumulate })
        })
        .collect();
    let mut size = |name, label: &str, value: u64| {
        let (label, value) = (label.to_string(), value as f64);
        found.push(Measurement { name, label, value, unit: "bytes", per_multiply_accumulate: None });
    };
    if let Ok(image) = image.size() {
        size("flash", "flash without a model", image.flash - image.built_in_model);
        size("statics", "memory besides stack", image.statics);
    }
    size("stack", "stack, measured", report.memory.stack);
    found
}

/// Runs a blob on the default board: every plan's samples against the host's, and a bench of the first plan.
///
/// # Errors
/// [`Error`] when the board gives up; a missing tool is not an error but [`BoardCheck::Unavailable`].
pub fn check(path: &Path, model: &Model<'_>) -> Result<BoardCheck, Error> {
    match check_with_tools(path, model) {
        Ok(report) => Ok(BoardCheck::Done(Box::new(report))),
        Err(error) if error.is_missing_tool() => Ok(BoardCheck::Unavailable(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Samples of each plan that [`check`] compares.
const CHECKED_SAMPLES: u32 = 8;

fn check_with_tools(path: &Path, model: &Model<'_>) -> Result<BoardReport, Error> {
    let board = &BOARDS[0];
    let image = image_for(board, model)?;
    let (mut bits_equal, mut lines) = (true, Vec::new());
    for plan in model.plans() {
        let task = if lines.is_empty() { Task::Bench } else { Task::Run };
        let mut request =
            Request { seed: 2026, count: CHECKED_SAMPLES, plan: Some(plan.name.into()), ..Request::default() };
        request.task = task;
        let compared = compare(&image, path, model, &plan, &request)?;
        bits_equal &= compared.is_equal();
        if task == Task::Bench {
            let macs = model.network().multiply_accumulates();
            let found = measurements(&compared.report, &image, macs, plan.name);
            lines = found.into_iter().map(|found| (found.label.clone(), found.text())).collect();
        }
    }
    Ok(BoardReport { board: board.name.into(), lines, bits_equal })
}
