//! What a board is asked for, and what the host gives in its place.

use anyhow::{Context as _, bail};
use mote_core::model::Model;
use mote_core::random::Stream;
use mote_qemu::JobTask;

use super::Args;
use crate::commands::denoise::scaled;
use crate::commands::detect::Judge;
use crate::jobs::{
    Denoised, Drawing, FilledSignal, ImputationQuality, Pairing, Signals, denoise, draw_gaps, draw_of, estimate_noise,
    imputation_quality, ladder, levels_below, noisy_draw_of,
};
use crate::run::WindowSummary;

/// Streams that the image jumps to.
const STREAMS: usize = 1024;
/// Draws of one run of a model that fills gaps.
const RUN_DRAWS: usize = 400;
/// Values that a board has room for where it keeps a whole signal.
const ROOM: usize = 512;

/// A job for a board.
pub(super) struct Work<'w> {
    pub task: JobTask<'w>,
    /// The signals, in the data's own units.
    pub signals: Vec<Vec<f32>>,
    /// What the host makes of each, in the scale of training.
    pub host: Vec<Vec<f32>>,
    /// What instructions are counted for.
    pub each: &'static str,
    /// The most signals of one run.
    pub most: usize,
}

impl<'w> Work<'w> {
    /// Takes the noise out.
    pub fn denoise(args: &Args, model: &Model<'_>, window: &WindowSummary, signals: &Signals) -> anyhow::Result<Self> {
        let sigma = noise(args, model, window, signals)?;
        let (signals, each) = if window.sliding {
            (signals.pieces.clone(), "sample")
        } else {
            (windows_of(window, &signals.pieces).map(|(_, _, values)| values.to_vec()).collect(), "window")
        };
        let Denoised { pieces: host, .. } = denoise(model, window, &scaled(model, &signals), sigma);
        Ok(Self { task: JobTask::Denoise { sigma }, signals, host, each, most: usize::MAX })
    }

    /// Draws what is missing in the first signal in which anything is.
    pub fn impute(
        (seed, repeats): (u64, u32),
        model: &Model<'_>,
        window: &WindowSummary,
        signals: &Signals,
    ) -> anyhow::Result<Self> {
        let windows = bounded(window, signals);
        let signal = windows.iter().find(|signal| signal.iter().any(|x| x.is_nan())).or(windows.first());
        let signal = signal.context("there is no signal")?.clone();
        let signals = vec![signal];
        let stream = Stream::new(seed);
        let known = scaled(model, &signals);
        let host = vec![draw_of(model, window, &ladder(model), &known[0], repeats as usize, stream)];
        Ok(Self {
            task: JobTask::Impute { seed, number: 0, repeats },
            signals,
            host,
            each: "evaluation",
            most: usize::MAX,
        })
    }

    /// Draws what is missing in every signal in which anything is, by a model that fills gaps; says what memory the longest gap takes.
    pub fn fill_gaps(
        (seed, draws): (u64, u32),
        model: &Model<'_>,
        window: &WindowSummary,
        signals: &Signals,
        gap_bytes: &mut usize,
    ) -> anyhow::Result<Self> {
        let imputation = model.imputation().context("the model does not fill gaps")?;
        let signals = bounded(window, signals);
        let pairs = draws.div_ceil(2) as usize;
        if signals.len() * pairs > STREAMS {
            bail!(
                "{} signals with {draws} draws each: a board goes {STREAMS} streams far, one for each pair of draws; give --draws {} at most",
                signals.len(),
                2 * (STREAMS / signals.len()).max(1)
            );
        }
        if signals.iter().flatten().all(|x| !x.is_nan()) {
            bail!("nothing is missing in the signals");
        }
        let given = scaled(model, &signals);
        let autoregression = imputation.autoregression();
        let longest = given.iter().map(|signal| autoregression.longest_gap(signal)).max().unwrap_or(0);
        *gap_bytes = 4 * autoregression.floats(longest);
        let filled: Vec<_> = given.iter().map(|signal| FilledSignal::of(&imputation, signal)).collect();
        let drawing = Drawing { draws, repeats: 1, seed };
        let host = draw_gaps(model, imputation.plan(), &filled, drawing);
        Ok(Self {
            task: JobTask::Impute { seed, number: 0, repeats: draws },
            signals,
            host: host.into_iter().map(|draws| draws.concat()).collect(),
            each: "step",
            // A draw is some million instructions, and a run has a time limit.
            most: (RUN_DRAWS / draws as usize).max(1),
        })
    }

    /// The task of a run that begins with this signal.
    pub fn task_from(&self, first: usize) -> JobTask<'w> {
        match self.task {
            JobTask::Impute { seed, repeats, .. } if self.most < usize::MAX => {
                JobTask::Impute { seed, number: first as u32 * repeats.div_ceil(2), repeats }
            }
            task => task,
        }
    }

    /// How well the board's own draws found what was missing.
    pub fn imputed(
        &self,
        values: &[f32],
        clean: &[Vec<f32>],
        channels: &[String],
        given: &[Vec<f32>],
    ) -> Vec<ImputationQuality> {
        let mut rest = values;
        let draws: Vec<Vec<Vec<f32>>> = given
            .iter()
            .zip(&self.host)
            .map(|(signal, host)| {
                let (own, others) = rest.split_at(host.len().min(rest.len()));
                rest = others;
                own.chunks_exact(signal.len()).map(<[f32]>::to_vec).collect()
            })
            .collect();
        let cut: Vec<Vec<f32>> = given.iter().zip(clean).map(|(g, clean)| clean[..g.len()].to_vec()).collect();
        imputation_quality(channels, given, &draws, &cut, 0.9, Pairing::Mirrored)
    }

    /// Draws what may be behind the noise of the first signal.
    pub fn draw(
        args: &Args,
        seed: u64,
        model: &Model<'_>,
        window: &WindowSummary,
        signals: &Signals,
    ) -> anyhow::Result<Self> {
        let sigma = noise(args, model, window, signals)?;
        let signals: Vec<_> = bounded(window, signals).into_iter().take(1).collect();
        let first = scaled(model, &signals).into_iter().next().context("there is no signal")?;
        let host = vec![noisy_draw_of(model, window, &levels_below(model, sigma), &first, Stream::new(seed))];
        Ok(Self { task: JobTask::Draw { sigma, seed, number: 0 }, signals, host, each: "evaluation", most: usize::MAX })
    }

    /// Scores windows.
    pub fn detect(judge: &'w Judge, model: &Model<'_>, signals: &Signals, data: &str) -> anyhow::Result<Self> {
        let calibration = &judge.calibration;
        let values = calibration.length * calibration.channels.len();
        if values > ROOM {
            bail!("windows of {values} values, and the image of jobs has room for {ROOM}; calibrate shorter ones");
        }
        let windows = signals.pieces.iter().flat_map(|piece| piece.chunks_exact(values));
        let signals: Vec<Vec<f32>> = windows.map(<[f32]>::to_vec).collect();
        if signals.is_empty() {
            bail!("{data}: no stretch of {} samples, which the calibration is for", calibration.length);
        }
        if signals.iter().any(|window| window.iter().all(|x| x.is_nan())) {
            bail!("{data}: a window holds no value at all, and has no score; leave it out");
        }
        let scores = judge.scores(model, &scaled(model, &signals));
        let task = JobTask::Detect {
            judgement: calibration.judgement.into(),
            seeds: calibration.seeds,
            levels: &calibration.levels,
            calibration: &calibration.numbers,
        };
        Ok(Self {
            task,
            signals,
            host: scores.into_iter().map(|score| vec![score]).collect(),
            each: "window",
            most: usize::MAX,
        })
    }

    /// What the board gave of signals that were denoised, in the pieces of the file.
    pub fn pieces(&self, window: &WindowSummary, pieces: &[Vec<f32>], values: &[f32]) -> Vec<Vec<f32>> {
        let mut rest = values;
        let mut next = |length: usize| {
            let (own, others) = rest.split_at(length.min(rest.len()));
            rest = others;
            own.to_vec()
        };
        if window.sliding {
            return self.host.iter().map(|piece| next(piece.len())).collect();
        }
        let mut out: Vec<Vec<f32>> = pieces.iter().map(|piece| vec![f32::NAN; piece.len()]).collect();
        for (piece, start, values) in windows_of(window, pieces) {
            let own = next(values.len());
            out[piece][start..start + own.len()].copy_from_slice(&own);
        }
        out
    }
}

/// Piece, place and values of windows that cover pieces, one behind the other, the last one of each ending with it.
fn windows_of<'p>(
    window: &WindowSummary,
    pieces: &'p [Vec<f32>],
) -> impl Iterator<Item = (usize, usize, &'p [f32])> + use<'p> {
    let length = window.length * window.channels.len();
    pieces.iter().enumerate().flat_map(move |(number, piece)| {
        (0..piece.len().div_ceil(length)).map(move |k| {
            let start = (k * length).min(piece.len() - length);
            (number, start, &piece[start..start + length])
        })
    })
}

/// Signals, or windows of them, that a board has room for; of a longer signal its beginning.
fn bounded(window: &WindowSummary, signals: &Signals) -> Vec<Vec<f32>> {
    if !window.sliding {
        return windows_of(window, &signals.pieces).map(|(_, _, values)| values.to_vec()).collect();
    }
    let channels = window.channels.len();
    let longest = ROOM / channels * channels;
    signals.pieces.iter().map(|piece| piece[..piece.len().min(longest)].to_vec()).collect()
}

/// The noise of signals: as said, or estimated.
fn noise(args: &Args, model: &Model<'_>, window: &WindowSummary, signals: &Signals) -> anyhow::Result<f32> {
    let estimated = || estimate_noise(&scaled(model, &signals.pieces), window.channels.len()).map(|sigma| sigma as f32);
    let sigma = args.noise.or_else(estimated).filter(|sigma| *sigma > 0.0 && sigma.is_finite());
    sigma.context("the noise cannot be estimated; give it with --noise")
}
