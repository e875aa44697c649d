use std::path::Path;

use anyhow::{Context as _, bail};
use mote_core::job::Level;
use mote_core::model::Model;
use mote_device::Calibration;

use super::Args;
use crate::commands::denoise::scaled;
use crate::commands::source::Source;
use crate::data::{Part, part_windows, read_series};
use crate::jobs::{Judging, Signals, ladder, quantile};
use crate::recipe::Recipe;
use crate::run::WindowSummary;

/// Fewest normal windows that say what is usual.
const LEAST_NORMAL: usize = 20;

/// What windows are judged by: a calibration, and the levels that it asks, checked against the model.
#[derive(Debug)]
pub(in crate::commands) struct Judge {
    pub calibration: Calibration,
    pub levels: Vec<Level>,
}

impl Judge {
    /// A calibration from a file, for this blob.
    pub fn of_file(path: &Path, blob: &[u8], model: &Model<'_>) -> anyhow::Result<Self> {
        let calibration = Calibration::read(path)?;
        let levels = calibration.check(path, blob, model)?;
        Ok(Self { calibration, levels })
    }

    /// A calibration on the normal windows that are named, or on the validation part of the run's own data.
    pub(super) fn calibrated(
        args: &Args,
        source: &Source,
        blob: &[u8],
        model: &Model<'_>,
        window: &WindowSummary,
        length: usize,
    ) -> anyhow::Result<Self> {
        if length == 0 || !window.sliding && length != window.length {
            bail!("--length {length}: the model takes windows of {}", window.length);
        }
        let channels = window.channels.len();
        let normal = normal_windows(args, source, model, window, length)?;
        let levels = levels(model, args.at.as_deref())?;
        let made = Calibration::of(blob, &window.channels, length, args.judgement, args.seeds, &levels);
        let judging = Judging { judgement: args.judgement.into(), levels: &levels, seeds: args.seeds, channels };
        let numbers = judging.calibrate(model, &normal);
        let mut usual = judging.scores(model, &numbers, &normal);
        usual.sort_unstable_by(f32::total_cmp);
        let threshold = quantile(&usual, args.quantile);
        let (quantile, normal_windows) = (args.quantile, normal.len());
        Ok(Self { calibration: Calibration { quantile, normal_windows, threshold, numbers, ..made }, levels })
    }

    /// The score of each window in the scale of training; NaN for one in which everything is missing.
    pub fn scores(&self, model: &Model<'_>, windows: &[Vec<f32>]) -> Vec<f32> {
        let Calibration { judgement, seeds, channels, numbers, .. } = &self.calibration;
        let judging =
            Judging { judgement: (*judgement).into(), levels: &self.levels, seeds: *seeds, channels: channels.len() };
        let mut scores = judging.scores(model, numbers, windows);
        for (score, _) in scores.iter_mut().zip(windows).filter(|(_, window)| window.iter().all(|x| x.is_nan())) {
            *score = f32::NAN;
        }
        scores
    }
}

/// The normal windows that are named, or those of the validation part of the run's own data, in the scale of training.
pub(super) fn normal_windows(
    args: &Args,
    source: &Source,
    model: &Model<'_>,
    window: &WindowSummary,
    length: usize,
) -> anyhow::Result<Vec<Vec<f32>>> {
    let pieces = match &args.normal {
        Some(path) => Signals::load(path, window, &args.log.options())?.pieces,
        None => validation(source, length)?,
    };
    let mut normal = cut(model, &pieces, length * window.channels.len());
    normal.retain(|window| window.iter().any(|x| !x.is_nan()));
    if normal.len() < LEAST_NORMAL {
        bail!(
            "{} normal windows of {length} samples: at least {LEAST_NORMAL} are needed to calibrate; name more with --normal",
            normal.len()
        );
    }
    Ok(normal)
}

/// Windows of so many values, one behind the other, in the scale of training.
pub(in crate::commands) fn cut(model: &Model<'_>, pieces: &[Vec<f32>], values: usize) -> Vec<Vec<f32>> {
    scaled(model, pieces).iter().flat_map(|piece| piece.chunks_exact(values).map(<[f32]>::to_vec)).collect()
}

/// The levels whose errors count, the noisiest first.
fn levels(model: &Model<'_>, at: Option<&[f32]>) -> anyhow::Result<Vec<Level>> {
    let all = ladder(model);
    let Some(at) = at else {
        let some: Vec<_> = all.iter().copied().filter(|level| level.noise.relative_sigma() <= 0.35).collect();
        return Ok(if some.is_empty() { all } else { some });
    };
    if at.iter().any(|sigma| !(*sigma > 0.0 && sigma.is_finite())) {
        bail!("--at takes deviations above 0, as in 0.05,0.1");
    }
    let mut levels: Vec<Level> = at.iter().map(|sigma| model.nearest_level(*sigma)).collect();
    levels.sort_by_key(|level| all.iter().position(|known| known.index == level.index));
    levels.dedup_by_key(|level| level.index);
    Ok(levels)
}

/// Windows of the validation part of a run's own data.
fn validation(source: &Source, length: usize) -> anyhow::Result<Vec<Vec<f32>>> {
    let run = source
        .run
        .as_ref()
        .context("name normal data with --normal: the blob lies in no run, whose own could be taken")?;
    let data = Recipe::read(&run.recipe())?.data;
    let window =
        data.window.clone().context("the run was not trained on windows of a log; name normal data with --normal")?;
    let log = read_series(&data.source, &window, data.header, data.label.as_deref(), data.split.column())?;
    Ok(part_windows(&log, &data.split, Part::Validation, length, (length / 2).max(1))?)
}
