//! How a sample, a denoised window or a score comes about, a step at a time.

use super::detection::Detection;
use crate::status::Status;
use mote_core::job::{Level, Scoring};
use mote_core::model::{Bound, Model, Role};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_core::sampler::SampleOptions;
use mote_core::schedule::NoiseLevel;

/// Jumps of a stream in one step; each costs 128 draws.
const JUMPS_A_STEP: u32 = 16;

/// The buffers that a job works in, each as wide as the widest window.
#[derive(Debug)]
pub(super) struct Buffers<'a> {
    /// The window, in the data's own units; a detector brings it to the scale of training.
    pub window: &'a mut [f32],
    /// Where the job leaves its values, in the data's own units.
    pub values: &'a mut [f32],
    /// For the job.
    pub scratch: &'a mut [f32],
    /// What windows are judged by.
    pub detection: &'a Detection<'a>,
}

/// A job, checked against the model that it is for.
#[derive(Clone, Debug)]
pub(super) enum Job {
    Sample(SampleJob),
    Denoise {
        level: Level,
        class: Option<u16>,
        next: usize,
        samples: usize,
    },
    Score {
        level: Level,
        class: Option<u16>,
        seed: u64,
    },
    /// A window of so many values, so many evaluations into its score.
    Detect {
        scoring: Scoring,
        values: usize,
        done: u32,
        total: u32,
    },
}

/// A sample in the making.
#[derive(Clone, Debug)]
pub(super) struct SampleJob {
    plan: usize,
    options: SampleOptions,
    noise: Ziggurat<Stream>,
    /// Jumps that the stream is still away from the sample's own.
    jumps: u32,
    /// Rows that have run, once the starting noise is drawn.
    rows: Option<usize>,
}

impl Job {
    /// A sample of a plan.
    pub fn sample(
        model: &Model<'_>,
        plan: u16,
        (seed, number): (u64, u32),
        class: Option<u16>,
        guidance: Option<f32>,
    ) -> Result<Self, (Status, u32)> {
        if model.role() != Role::Sampler {
            return Err((Status::NotASampler, 0));
        }
        if usize::from(plan) >= model.plan_count() {
            return Err((Status::NoSuchPlan, model.plan_count() as u32));
        }
        check_class(model, class)?;
        if guidance.is_some_and(|weight| !weight.is_finite()) {
            return Err((Status::BadNumber, 0));
        }
        let mut options = SampleOptions::default();
        (options.class, options.guidance) = (class, guidance);
        let noise = Ziggurat::new(Stream::new(seed));
        Ok(Self::Sample(SampleJob { plan: plan.into(), options, noise, jumps: number, rows: None }))
    }

    /// A window to denoise, at the level nearest to its noise.
    pub fn denoise(model: &Model<'_>, window: &[f32], noise: f32, class: Option<u16>) -> Result<Self, (Status, u32)> {
        let level = check_window(model, window, noise, class)?;
        // Where the network slides, a window is a signal of any length.
        let each = if slides(model) { model.dim_out() } else { model.dim_in() };
        let samples = window.len().checked_div(each).unwrap_or(0);
        if samples == 0 || samples * each != window.len() || !slides(model) && samples != 1 {
            return Err((Status::WindowIncomplete, window.len() as u32));
        }
        Ok(Self::Denoise { level, class, next: 0, samples })
    }

    /// A window to score, at the level nearest to the noise that is put on.
    pub fn score(
        model: &Model<'_>,
        window: &[f32],
        noise: f32,
        seed: u64,
        class: Option<u16>,
    ) -> Result<Self, (Status, u32)> {
        let level = check_window(model, window, noise, class)?;
        if window.len() != model.dim_in() {
            return Err((Status::WindowIncomplete, window.len() as u32));
        }
        let middle = window.iter().skip(half(model)).take(model.dim_out());
        if middle.clone().all(|x| x.is_nan()) {
            return Err((Status::AllMissing, 0));
        }
        Ok(Self::Score { level, class, seed })
    }

    /// A window to score by a detector, an evaluation a step.
    pub fn detect(model: &Model<'_>, window: &[f32], detection: &Detection<'_>) -> Result<Self, (Status, u32)> {
        detection.check()?;
        check_role(model)?;
        let values = window.len();
        let channels = detection.channels();
        let whole =
            if slides(model) { values.is_multiple_of(channels) && values > 0 } else { values == model.dim_in() };
        if !whole {
            return Err((Status::WindowIncomplete, values as u32));
        }
        check_values(window)?;
        let samples = if slides(model) { values.checked_div(channels).unwrap_or(0) } else { 1 };
        let total = detection.detector().evaluations(samples) as u32;
        Ok(Self::Detect { scoring: Scoring::new(), values, done: 0, total })
    }

    /// How much of a window that was sent it works on; a detector keeps the window to itself.
    pub fn window(&self, filled: usize) -> usize {
        if let Self::Detect { values, .. } = self { *values } else { filled }
    }

    /// Steps that it takes in all.
    pub fn total(&self, model: &Model<'_>) -> u32 {
        match self {
            Self::Sample(job) => model.plan(job.plan).map_or(0, |plan| plan.plan.len() as u32),
            Self::Denoise { samples, .. } => *samples as u32,
            Self::Score { .. } => 1,
            Self::Detect { total, .. } => *total,
        }
    }

    /// Steps that are done.
    pub fn done(&self) -> u32 {
        match self {
            Self::Sample(job) => job.rows.unwrap_or(0) as u32,
            Self::Denoise { next, .. } => *next as u32,
            Self::Score { .. } => 0,
            Self::Detect { done, .. } => *done,
        }
    }

    /// Runs one step; gives how many values it left, once it is done.
    // Not inlined, so that its part of the stack is given back.
    #[inline(never)]
    pub fn step(&mut self, bound: &mut Bound<'_, '_>, buffers: &mut Buffers<'_>) -> Option<usize> {
        match self {
            Self::Sample(job) => job.step(bound, buffers),
            Self::Denoise { level, class, next, samples } => {
                denoise(bound, *level, *class, *next, buffers);
                *next += 1;
                (next == samples).then_some(buffers.window.len())
            }
            Self::Score { level, class, seed } => Some(score(bound, *level, *class, *seed, buffers)),
            Self::Detect { scoring, done, .. } => {
                if *done == 0 {
                    bound.model().scale(buffers.window);
                }
                *done += 1;
                detect(bound, scoring, buffers)
            }
        }
    }
}

impl SampleJob {
    fn step(&mut self, bound: &mut Bound<'_, '_>, buffers: &mut Buffers<'_>) -> Option<usize> {
        if self.jumps > 0 {
            let jumps = self.jumps.min(JUMPS_A_STEP);
            let mut stream = self.noise.clone().into_inner();
            (0..jumps).for_each(|_| stream.jump());
            self.noise = Ziggurat::new(stream);
            self.jumps -= jumps;
            return None;
        }
        let model = bound.model();
        let Some(plan) = model.plan(self.plan) else { return Some(0) };
        let more = match self.rows {
            None => {
                bound.start(&plan, self.options, &mut self.noise);
                self.rows = Some(0);
                true
            }
            Some(rows) => {
                let (mut run, mut denoiser) = bound.resume(&plan, self.options, rows);
                let more = run.step(&mut denoiser, &mut self.noise);
                self.rows = Some(run.steps_taken());
                more
            }
        };
        if more {
            return None;
        }
        let state = bound.state();
        for (value, x) in buffers.values.iter_mut().zip(state) {
            *value = *x;
        }
        let values = buffers.values.get_mut(..state.len())?;
        model.unscale(values);
        Some(values.len())
    }
}

/// The clean sample behind sample `number` of a noisy window `y = x0 + noise eps`, in one evaluation: the mean `E[x0 | x]` at `x = alpha y`, as
/// [`Estimator::estimate`](mote_core::job::Estimator::estimate) gives of the whole window, with the same bits. A window that is not slid over is one sample.
fn denoise(bound: &mut Bound<'_, '_>, level: Level, class: Option<u16>, number: usize, buffers: &mut Buffers<'_>) {
    let model = bound.model();
    let Buffers { window, values, scratch, .. } = buffers;
    let first = number * model.dim_out();
    // What is before the signal's start and behind its end is missing.
    let outside = half(model).saturating_sub(first);
    let mut inside = window.iter().skip((first + outside).saturating_sub(half(model)));
    for (place, x) in scratch.iter_mut().take(model.dim_in()).enumerate() {
        *x = if place < outside { f32::NAN } else { inside.next().copied().unwrap_or(f32::NAN) };
    }
    let out = values.get_mut(first..).and_then(|rest| rest.get_mut(..model.dim_out())).unwrap_or_default();
    estimate(bound, level, class, scratch, |scaled| level.noise.alpha * scaled, out);
    model.unscale(out);
}

/// How far the window is from what the network makes of it under noise: the mean over what is not missing of `(E[x0 | alpha s + sigma z] - s)^2`, where `s`
/// is the window in deviations of the data and `z` the normals of the seed's stream. One value; of the middle sample, where the network slides.
fn score(bound: &mut Bound<'_, '_>, level: Level, class: Option<u16>, seed: u64, buffers: &mut Buffers<'_>) -> usize {
    let model = bound.model();
    let Buffers { window, values, scratch, .. } = buffers;
    for (x, raw) in scratch.iter_mut().zip(window.iter()) {
        *x = *raw;
    }
    let mut noise = Ziggurat::new(Stream::new(seed));
    let NoiseLevel { alpha, sigma } = level.noise;
    let out = values.get_mut(..model.dim_out()).unwrap_or_default();
    estimate(bound, level, class, scratch, |scaled| alpha * scaled + sigma * noise.normal(), out);
    for (x, raw) in scratch.iter_mut().zip(window.iter()) {
        *x = *raw;
    }
    model.scale(scratch.get_mut(..model.dim_in()).unwrap_or_default());
    let (mut sum, mut count) = (0.0, 0u16);
    for (value, scaled) in out.iter().zip(scratch.iter().skip(half(model))).filter(|(_, scaled)| !scaled.is_nan()) {
        sum += (value - scaled) * (value - scaled);
        count += 1;
    }
    if let [first, ..] = values {
        *first = sum / f32::from(count);
    }
    1
}

/// Takes an evaluation of the score; at the last, leaves the score, and 1 or 0 for whether it is an alarm.
fn detect(bound: &mut Bound<'_, '_>, scoring: &mut Scoring, buffers: &mut Buffers<'_>) -> Option<usize> {
    let Buffers { window, values, scratch, detection } = buffers;
    let length = window.len();
    let state = scratch.get_mut(..length).unwrap_or_default();
    let errors = values.get_mut(..length).unwrap_or_default();
    let (detector, channels) = (detection.detector(), detection.channels());
    let score = scoring.step(&detector, &mut bound.estimator(), channels, window, [state, errors])?;
    let alarm = f32::from(u8::from(detection.is_alarm(score)));
    if let [first, second, ..] = values {
        (*first, *second) = (score, alarm);
    }
    Some(2)
}

/// Makes the state of what the network sees, in the data's own units, and writes the clean data that its output stands for, in deviations of the data.
fn estimate(
    bound: &mut Bound<'_, '_>,
    level: Level,
    class: Option<u16>,
    seen: &mut [f32],
    mut state: impl FnMut(f32) -> f32,
    out: &mut [f32],
) {
    let model = bound.model();
    let x = seen.get_mut(..model.dim_in()).unwrap_or_default();
    model.scale(x);
    for x in x.iter_mut() {
        *x = state(*x);
    }
    bound.evaluate(level.index, class, x, out);
    let clean = model.prediction().x0(level.noise);
    for (out, x) in out.iter_mut().zip(x.iter().skip(half(model))) {
        *out = clean.at(*x, *out);
    }
}

/// Whether the network sees more than it gives.
fn slides(model: &Model<'_>) -> bool {
    model.dim_out() < model.dim_in()
}

/// Values that the network sees before the first that it gives: none, or half of a window that slides.
fn half(model: &Model<'_>) -> usize {
    model.dim_in().saturating_sub(model.dim_out()) / 2
}

/// The values that a window may have at most, in buffers of this width.
pub(super) fn widest(model: &Model<'_>, width: usize) -> usize {
    if slides(model) { width } else { model.dim_in() }
}

fn check_class(model: &Model<'_>, class: Option<u16>) -> Result<(), (Status, u32)> {
    match class.filter(|class| usize::from(*class) >= model.classes()) {
        Some(_) => Err((Status::NoSuchClass, model.classes() as u32)),
        None => Ok(()),
    }
}

/// Holds a window to the model; gives the level nearest to the noise, by the logarithm of sigma / alpha. A NaN is a value that is missing.
fn check_window(model: &Model<'_>, window: &[f32], noise: f32, class: Option<u16>) -> Result<Level, (Status, u32)> {
    check_role(model)?;
    check_class(model, class)?;
    check_values(window)?;
    if !noise.is_finite() || noise <= 0.0 {
        return Err((Status::BadNumber, 0));
    }
    let level = model.nearest_level(noise);
    // Pure noise says nothing of data, and pure data need no network.
    if level.noise.alpha > 0.0 && level.noise.sigma > 0.0 { Ok(level) } else { Err((Status::NoLevel, 0)) }
}

/// Refuses a model whose network sees something else than a noisy window.
fn check_role(model: &Model<'_>) -> Result<(), (Status, u32)> {
    if model.role() == Role::Imputer { Err((Status::FillsGaps, 0)) } else { Ok(()) }
}

/// Refuses an infinite value, and a window in which everything is missing.
fn check_values(window: &[f32]) -> Result<(), (Status, u32)> {
    if let Some(place) = window.iter().position(|x| x.is_infinite()) {
        return Err((Status::NotFinite, place as u32));
    }
    if !window.is_empty() && window.iter().all(|x| x.is_nan()) {
        return Err((Status::AllMissing, 0));
    }
    Ok(())
}
