//! Data, from a recipe to rows that training takes.

use mote_core::job::ORDER_MAX;
use thiserror::Error;

use super::{DataSummary, WindowSummary};
use crate::data::{
    DataError, MAX_DIM, Part, Scaling, ScalingKind, Series, SplitError, Table, WindowError, WindowRecipe, load,
    part_pieces, part_windows, read_series, windows,
};
use crate::evaluation::ClassMix;
use crate::gaps::{FitError, FittedAutoregression, GapPool, GapRecipe, Sight};
use crate::recipe::DataRecipe;
use crate::train::{TrainingSet, Windows};

/// Signals with gaps to learn from.
const TRAINING_GAPS: usize = 20_000;
/// Signals with gaps to judge by.
const VALIDATION_GAPS: usize = 2_000;

/// Rows ready for training: split, scaled, with what is known of them.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the data are.
    pub summary: DataSummary,
    /// Scaled training rows.
    pub train: Vec<f32>,
    /// Classes of the training rows.
    pub train_labels: Option<Vec<u16>>,
    /// Scaled validation rows.
    pub validation: Vec<f32>,
    /// Classes of the validation rows.
    pub validation_labels: Option<Vec<u16>>,
    /// Training rows in the data's own units.
    pub raw_train: Vec<f32>,
    /// Test rows in the data's own units.
    pub raw_test: Vec<f32>,
    /// Classes of the test rows.
    pub test_labels: Option<Vec<u16>>,
    /// What the user should know, a line each.
    pub warnings: Vec<String>,
    /// Signals with gaps, where the network learns to fill them.
    pub gaps: Option<PreparedGaps>,
}

/// Signals with gaps, ready for training.
#[derive(Clone, Debug)]
pub struct PreparedGaps {
    /// What fills gaps first.
    pub autoregression: FittedAutoregression,
    /// Signals to learn from.
    pub train: GapPool,
    /// Signals to judge by.
    pub validation: GapPool,
    /// Whole signals of the validation part, in the scale of training.
    pub held_out: Vec<Vec<f32>>,
}

/// Why data cannot be prepared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The file cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The log cannot be cut into windows.
    #[error(transparent)]
    Windows(#[from] WindowError),
    /// There is no autoregression.
    #[error(transparent)]
    Autoregression(#[from] FitError),
    /// A channel holds nothing.
    #[error(
        "the channel {channel} has no value at all in the training part; leave it out of --columns, or bring a log that has it"
    )]
    EmptyChannel {
        /// Its name.
        channel: String,
    },
    /// The rows cannot be split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The scaling that the recipe fixes does not fit the data.
    #[error(
        "--means and --deviations (data.fixed_scaling): {means} means and {deviations} deviations for {features} features or channels; there must be one of each, finite, and deviations above 0"
    )]
    FixedScaling {
        /// Number of means.
        means: usize,
        /// Number of deviations.
        deviations: usize,
        /// Number of features.
        features: usize,
    },
}

impl Prepared {
    /// Loads, splits and scales the data of a recipe.
    ///
    /// # Errors
    /// [`PrepareError`], which names file, line and column.
    pub fn load(recipe: &DataRecipe) -> Result<Self, PrepareError> {
        if let Some(window) = &recipe.window {
            return match window.gaps {
                Some(gaps) => Self::load_gaps(recipe, window, gaps),
                None => Self::load_windows(recipe, window),
            };
        }
        let table: Table = load(&recipe.source, &recipe.load_options())?;
        let parts = recipe.split.parts(table.rows)?;
        let raw_train = table.gather(&parts.train);
        let kind = recipe.scaling.unwrap_or_else(|| ScalingKind::for_image(table.image));
        let mut warnings = table.warnings.clone();
        let scaling = match &recipe.fixed_scaling {
            Some(fixed) => checked(fixed, table.dim)?,
            None => {
                let fitted = Scaling::fit(&raw_train, table.dim, kind);
                warnings.extend(fitted.warning(&table.columns));
                fitted.scaling
            }
        };
        let scaled = |rows: &[usize]| {
            let mut values = table.gather(rows);
            scaling.apply(&mut values);
            values
        };
        let range =
            raw_train.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        Ok(Self {
            train: scaled(&parts.train),
            train_labels: table.gather_labels(&parts.train),
            validation: scaled(&parts.validation),
            validation_labels: table.gather_labels(&parts.validation),
            raw_test: table.gather(&parts.test),
            test_labels: table.gather_labels(&parts.test),
            raw_train,
            warnings,
            gaps: None,
            summary: DataSummary {
                mote: env!("CARGO_PKG_VERSION").into(),
                name: table.name.clone(),
                rows: table.rows,
                columns: table.columns.clone(),
                window: None,
                image: table.image,
                classes: table.labels.as_ref().map(|labels| labels.names.clone()).unwrap_or_default(),
                scaling,
                range,
            },
        })
    }

    /// Loads a log, cuts it into windows, splits and scales them.
    fn load_windows(recipe: &DataRecipe, window: &WindowRecipe) -> Result<Self, PrepareError> {
        let log: Series =
            read_series(&recipe.source, window, recipe.header, recipe.label.as_deref(), recipe.split.column())?;
        let cut = windows(&log, window, &recipe.split)?;
        let (channels, dim) = (log.channels.len(), cut.columns.len());
        let [raw_train, raw_validation, raw_test] = cut.parts;
        let mut warnings = cut.warnings;
        let scaling = match &recipe.fixed_scaling {
            Some(fixed) => of_channels(fixed, dim, channels)?,
            None => {
                let fitted = Scaling::fit_channels(&raw_train, dim, channels);
                warnings.extend(fitted.warning(&cut.columns));
                fitted.scaling
            }
        };
        let scaled = |values: &[f32]| {
            let mut values = values.to_vec();
            scaling.apply(&mut values);
            values
        };
        let there = raw_train.iter().filter(|x| !x.is_nan());
        let range = there.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        let (labels, classes) = match cut.labels {
            Some((parts, names)) => (parts.map(Some), names),
            None => ([None, None, None], Vec::new()),
        };
        let [train_labels, validation_labels, test_labels] = labels;
        Ok(Self {
            train: scaled(&raw_train),
            train_labels,
            validation: scaled(&raw_validation),
            validation_labels,
            test_labels,
            warnings,
            summary: DataSummary {
                mote: env!("CARGO_PKG_VERSION").into(),
                name: log.name.clone(),
                rows: (raw_train.len() + raw_validation.len() + raw_test.len()) / dim,
                columns: cut.columns,
                window: Some(WindowSummary {
                    length: window.length,
                    sliding: window.sliding,
                    channels: log.channels,
                    period: log.period,
                    whole: log.whole,
                    range: ranges(&raw_train, channels),
                    stretch: window.sliding.then(|| window.stretch.unwrap_or(4 * window.length)),
                }),
                image: None,
                classes,
                scaling,
                range,
            },
            raw_train,
            raw_test,
            gaps: None,
        })
    }

    /// Loads a log and takes values out of its stretches.
    fn load_gaps(recipe: &DataRecipe, window: &WindowRecipe, gaps: GapRecipe) -> Result<Self, PrepareError> {
        let log: Series = read_series(&recipe.source, window, recipe.header, None, recipe.split.column())?;
        let (channels, length) = (log.channels.len(), window.length);
        let samples = 2 * length + gaps.around;
        let dim = samples * channels;
        if length.is_multiple_of(2) || gaps.around.is_multiple_of(2) || dim > MAX_DIM {
            return Err(WindowError::Gaps { window: length, around: gaps.around, channels }.into());
        }
        if !(1..=ORDER_MAX).contains(&gaps.order) {
            return Err(WindowError::Order(gaps.order).into());
        }
        let stretch = window.stretch.unwrap_or(length);
        if stretch == 0 {
            return Err(WindowError::Stretch.into());
        }
        if window.stride == 0 {
            return Err(WindowError::Stride.into());
        }
        let mut pieces = part_pieces(&log, &recipe.split, Part::Train)?;
        let raw: Vec<f32> = pieces.iter().flatten().copied().collect();
        if let Some(channel) = (0..channels).find(|c| raw.iter().skip(*c).step_by(channels).all(|x| x.is_nan())) {
            return Err(PrepareError::EmptyChannel { channel: log.channels[channel].clone() });
        }
        let mut warnings = log.warnings.clone();
        let scaling = match &recipe.fixed_scaling {
            Some(fixed) => of_channels(fixed, dim, channels)?,
            None => {
                warnings.extend(Scaling::fit_channels(&raw, channels, channels).warning(&log.channels));
                Scaling::fit_channels(&raw, dim, channels).scaling
            }
        };
        let scale = |pieces: &mut [Vec<f32>]| {
            for sample in pieces.iter_mut().flat_map(|piece| piece.chunks_exact_mut(channels)) {
                let of = sample.iter_mut().zip(&scaling.mean).zip(&scaling.std);
                of.for_each(|((x, mean), std)| *x = (*x - mean) / std);
            }
        };
        scale(&mut pieces);
        let autoregression = FittedAutoregression::fit(&pieces, channels, gaps.order)?;
        let whole = |part: Part, name: &'static str| {
            let mut signals = part_windows(&log, &recipe.split, part, stretch, window.stride)?;
            signals.retain(|signal| signal.iter().all(|x| !x.is_nan()));
            scale(&mut signals);
            if signals.is_empty() { Err(WindowError::Empty { part: name, length: stretch }) } else { Ok(signals) }
        };
        let (train, held_out) = (whole(Part::Train, "train")?, whole(Part::Validation, "validation")?);
        let sight = Sight { window: length, around: gaps.around };
        let pool = |signals: &[Vec<f32>], count, seed| GapPool::new(signals, autoregression.core(), sight, count, seed);
        let kinds = [(length, ""), (length, " deviation"), (gaps.around, " residual")];
        let names = kinds.into_iter().flat_map(|(samples, kind)| {
            let middle = samples as i64 / 2;
            let channels = &log.channels;
            (0..samples as i64)
                .flat_map(move |time| channels.iter().map(move |name| format!("{name}@{}{kind}", time - middle)))
        });
        let there = raw.iter().filter(|x| !x.is_nan());
        let range = there.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        Ok(Self {
            train: Vec::new(),
            train_labels: None,
            validation: Vec::new(),
            validation_labels: None,
            raw_train: Vec::new(),
            raw_test: Vec::new(),
            test_labels: None,
            warnings,
            gaps: Some(PreparedGaps {
                train: pool(&train, TRAINING_GAPS, 1),
                validation: pool(&held_out, VALIDATION_GAPS, 2),
                autoregression: autoregression.clone(),
                held_out,
            }),
            summary: DataSummary {
                mote: env!("CARGO_PKG_VERSION").into(),
                name: log.name.clone(),
                rows: log.values.len() / channels,
                columns: names.collect(),
                window: Some(WindowSummary {
                    length,
                    sliding: true,
                    channels: log.channels.clone(),
                    period: log.period,
                    whole: log.whole.clone(),
                    range: ranges(&raw, channels),
                    stretch: Some(stretch),
                }),
                image: None,
                classes: Vec::new(),
                scaling,
                range,
            },
        })
    }

    /// What training learns from.
    #[must_use]
    pub fn training_set(&self) -> TrainingSet<'_> {
        TrainingSet {
            dim: self.dim(),
            rows: &self.train,
            labels: self.train_labels.as_deref(),
            windows: self.windows(),
            gaps: self.gaps.as_ref().map(|gaps| &gaps.train),
        }
    }

    /// What it is judged by meanwhile.
    #[must_use]
    pub fn validation_set(&self) -> TrainingSet<'_> {
        TrainingSet {
            rows: &self.validation,
            labels: self.validation_labels.as_deref(),
            gaps: self.gaps.as_ref().map(|gaps| &gaps.validation),
            ..self.training_set()
        }
    }

    /// What the rows are, where they are windows.
    #[must_use]
    pub fn windows(&self) -> Option<Windows> {
        let window = self.summary.window.as_ref().filter(|_| self.gaps.is_none())?;
        Some(Windows { channels: window.channels.len(), stretch: window.stretch })
    }

    /// Classes in the shares of the training rows, where these have labels.
    #[must_use]
    pub fn class_mix(&self) -> Option<ClassMix> {
        self.train_labels.as_ref().and_then(|labels| ClassMix::of(labels, self.summary.classes.len()))
    }

    /// Number of features.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.summary.columns.len()
    }
}

/// The least and the largest value of each channel.
fn ranges(values: &[f32], channels: usize) -> Vec<(f32, f32)> {
    let of = |c| values.iter().skip(c).step_by(channels).filter(|x| !x.is_nan());
    (0..channels)
        .map(|c| of(c).fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x))))
        .collect()
}

/// The scaling of windows whose channels' scaling was not fitted here: one mean and one deviation a channel, or one for each value of a window.
fn of_channels(fixed: &Scaling, features: usize, channels: usize) -> Result<Scaling, PrepareError> {
    if fixed.mean.len() == features && fixed.std.len() == features {
        return checked(fixed, features);
    }
    let Scaling { mean, std } = checked(fixed, channels)?;
    let cycle = |values: Vec<f32>| values.into_iter().cycle().take(features).collect();
    Ok(Scaling { mean: cycle(mean), std: cycle(std) })
}

/// A scaling that was not fitted here, if it fits the data.
fn checked(fixed: &Scaling, features: usize) -> Result<Scaling, PrepareError> {
    let (means, deviations) = (fixed.mean.len(), fixed.std.len());
    let usable = fixed.mean.iter().all(|m| m.is_finite()) && fixed.std.iter().all(|s| s.is_normal() && *s > 0.0);
    if means != features || deviations != features || !usable {
        return Err(PrepareError::FixedScaling { means, deviations, features });
    }
    Ok(fixed.clone())
}
