//! How a sample, a denoised window or a score comes about, a step at a time.

use crate::status::Status;
use mote_core::math;
use mote_core::model::{Bound, Model, Role};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_core::sampler::SampleOptions;
use mote_core::schedule::NoiseLevel;

/// Jumps of a stream in one step; each costs 128 draws.
const JUMPS_A_STEP: u32 = 16;

/// The buffers that a job works in, each as wide as the widest window.
#[derive(Debug)]
pub(super) struct Buffers<'a> {
    /// The window, in the data's own units.
    pub window: &'a [f32],
    /// Where the job leaves its values, in the data's own units.
    pub values: &'a mut [f32],
    /// For the job.
    pub scratch: &'a mut [f32],
}

/// A job, checked against the model that it is for.
#[derive(Clone, Debug)]
pub(super) enum Job {
    Sample(SampleJob),
    Denoise { level: usize, class: Option<u16> },
    Score { level: usize, class: Option<u16>, seed: u64 },
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
        Ok(Self::Denoise { level: check_window(model, window, noise, class)?, class })
    }

    /// A window to score, at the level nearest to the noise that is put on.
    pub fn score(
        model: &Model<'_>,
        window: &[f32],
        noise: f32,
        seed: u64,
        class: Option<u16>,
    ) -> Result<Self, (Status, u32)> {
        Ok(Self::Score { level: check_window(model, window, noise, class)?, class, seed })
    }

    /// Steps that it takes in all.
    pub fn total(&self, model: &Model<'_>) -> u32 {
        match self {
            Self::Sample(job) => model.plan(job.plan).map_or(0, |plan| plan.plan.len() as u32),
            Self::Denoise { .. } | Self::Score { .. } => 1,
        }
    }

    /// Steps that are done.
    pub fn done(&self) -> u32 {
        match self {
            Self::Sample(job) => job.rows.unwrap_or(0) as u32,
            Self::Denoise { .. } | Self::Score { .. } => 0,
        }
    }

    /// Runs one step; gives how many values it left, once it is done.
    // Not inlined, so that its part of the stack is given back.
    #[inline(never)]
    pub fn step(&mut self, bound: &mut Bound<'_, '_>, buffers: &mut Buffers<'_>) -> Option<usize> {
        match self {
            Self::Sample(job) => job.step(bound, buffers),
            Self::Denoise { level, class } => Some(denoise(bound, *level, *class, buffers)),
            Self::Score { level, class, seed } => Some(score(bound, *level, *class, *seed, buffers)),
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

/// The clean window behind a noisy one `y = x0 + noise eps`, in one evaluation: with `x = alpha y`, what the network's output says of `x0`
/// ([`Prediction::x0`](mote_core::score::Prediction::x0), by Tweedie's formula), scaled as the data is.
fn denoise(bound: &mut Bound<'_, '_>, level: usize, class: Option<u16>, buffers: &mut Buffers<'_>) -> usize {
    let model = bound.model();
    estimate(bound, level, class, buffers, |alpha, _, scaled| alpha * scaled);
    let centre = centre(model);
    let values = buffers.values.iter_mut().take(model.dim_out());
    for (value, (mean, deviation)) in values.zip(model.scaling().skip(centre)) {
        *value = *value * deviation + mean;
    }
    model.dim_out()
}

/// How far the window is from what the network makes of it under noise: the mean over components of `(x0(alpha s + sigma z) - s)^2`, where `s` is the window in
/// deviations of the data and `z` the normals of the seed's stream. One value.
fn score(bound: &mut Bound<'_, '_>, level: usize, class: Option<u16>, seed: u64, buffers: &mut Buffers<'_>) -> usize {
    let model = bound.model();
    let mut noise = Ziggurat::new(Stream::new(seed));
    estimate(bound, level, class, buffers, |alpha, sigma, scaled| alpha * scaled + sigma * noise.normal());
    let centre = centre(model);
    let mut sum = 0.0;
    let clean = buffers.window.iter().zip(model.scaling()).skip(centre);
    for (value, (raw, (mean, deviation))) in buffers.values.iter().take(model.dim_out()).zip(clean) {
        let difference = value - (raw - mean) / deviation;
        sum += difference * difference;
    }
    if let [first, ..] = buffers.values {
        *first = sum / model.dim_out() as f32;
    }
    1
}

/// Leaves in the values the clean data that the network sees in `state(alpha, sigma, s)`, in deviations of the data.
fn estimate(
    bound: &mut Bound<'_, '_>,
    level: usize,
    class: Option<u16>,
    buffers: &mut Buffers<'_>,
    mut state: impl FnMut(f32, f32, f32) -> f32,
) {
    let model = bound.model();
    let Some(at @ NoiseLevel { alpha, sigma }) = model.network().levels().noise(level) else { return };
    let scaled = buffers.window.iter().zip(model.scaling()).map(|(x, (mean, deviation))| (x - mean) / deviation);
    for (x, scaled) in buffers.scratch.iter_mut().zip(scaled) {
        *x = state(alpha, sigma, scaled);
    }
    let x = buffers.scratch.get(..model.dim_in()).unwrap_or_default();
    let values = buffers.values.get_mut(..model.dim_out()).unwrap_or_default();
    bound.evaluate(level, class, x, values);
    let clean = model.prediction().x0(at);
    for (value, x) in values.iter_mut().zip(x.iter().skip(centre(model))) {
        *value = clean.at(*x, *value);
    }
}

/// The first component of a window that the network's output stands for: 0 in a sampler, and in the middle where a window slides.
fn centre(model: &Model<'_>) -> usize {
    model.dim_in().saturating_sub(model.dim_out()) / 2
}

fn check_class(model: &Model<'_>, class: Option<u16>) -> Result<(), (Status, u32)> {
    match class.filter(|class| usize::from(*class) >= model.classes()) {
        Some(_) => Err((Status::NoSuchClass, model.classes() as u32)),
        None => Ok(()),
    }
}

/// Holds a window to the model; gives the level nearest to the noise, by the logarithm of sigma / alpha.
fn check_window(model: &Model<'_>, window: &[f32], noise: f32, class: Option<u16>) -> Result<usize, (Status, u32)> {
    check_class(model, class)?;
    if window.len() != model.dim_in() {
        return Err((Status::WindowIncomplete, window.len() as u32));
    }
    if let Some(place) = window.iter().position(|x| !x.is_finite()) {
        return Err((Status::NotFinite, place as u32));
    }
    if !noise.is_finite() || noise <= 0.0 {
        return Err((Status::BadNumber, 0));
    }
    let asked = math::ln(noise);
    let mut nearest = None;
    for level in 0..model.network().levels().len() {
        let Some(NoiseLevel { alpha, sigma }) = model.network().levels().noise(level) else { continue };
        if alpha <= 0.0 || sigma <= 0.0 {
            continue;
        }
        let distance = (math::ln(sigma / alpha) - asked).abs();
        if nearest.is_none_or(|(_, least)| distance < least) {
            nearest = Some((level, distance));
        }
    }
    nearest.map(|(level, _)| level).ok_or((Status::NoLevel, 0))
}
