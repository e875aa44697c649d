//! Data, from a recipe to rows that training takes.

use thiserror::Error;

use super::{DataSummary, WindowSummary};
use crate::data::{
    DataError, Scaling, ScalingKind, Series, SplitError, Table, WindowError, WindowRecipe, load, read_series, windows,
};
use crate::evaluation::ClassMix;
use crate::recipe::DataRecipe;
use crate::train::Windows;

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
    /// The rows cannot be split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The scaling that the recipe fixes does not fit the data.
    #[error(
        "data.fixed_scaling: {means} means and {deviations} deviations for {features} features; there must be one of each for every feature, finite, and deviations above 0"
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
            return Self::load_windows(recipe, window);
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
            Some(fixed) => checked(fixed, dim)?,
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
        })
    }

    /// What the rows are, where they are windows.
    #[must_use]
    pub fn windows(&self) -> Option<Windows> {
        let window = self.summary.window.as_ref()?;
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

/// A scaling that was not fitted here, if it fits the data.
fn checked(fixed: &Scaling, features: usize) -> Result<Scaling, PrepareError> {
    let (means, deviations) = (fixed.mean.len(), fixed.std.len());
    let usable = fixed.mean.iter().all(|m| m.is_finite()) && fixed.std.iter().all(|s| s.is_normal() && *s > 0.0);
    if means != features || deviations != features || !usable {
        return Err(PrepareError::FixedScaling { means, deviations, features });
    }
    Ok(fixed.clone())
}
