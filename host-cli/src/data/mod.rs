//! Tables of samples: reading, checking, scaling, splitting, writing.
//!
//! A [`Table`] proves what its readers promise: whole rows, 1 to 512 features, at least two rows, finite values. A [`Series`] is a log, which
//! [`windows`] cuts into rows.

mod csv_table;
mod digits;
mod error;
mod labels;
mod npy;
mod planar;
mod scaling;
mod series;
mod shuffle;
mod source;
mod split;
mod write;

pub use error::DataError;
pub use labels::Labels;
pub use scaling::{Fitted, Scaling, ScalingKind};
pub use series::{
    Lines, LiveLog, LiveRow, Part, Segment, Series, WindowError, WindowRecipe, Windowed, part_pieces, part_windows,
    read_series, windows,
};
pub use shuffle::{SplitMix64, permutation};
pub use source::{built_in_names, load, planar_classes, usual_split};
pub use split::{Parts, Split, SplitError};
pub use write::{SampleError, SampleFile, Samples, write_csv, write_samples};

use serde::{Deserialize, Serialize};

/// The most features a row may have.
pub const MAX_DIM: usize = 512;

/// Numbers in rows, with their names, and class labels if there are any.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Table {
    /// Name of the set: `digits`, or the file name without its ending.
    pub name: String,
    /// Name of each feature.
    pub columns: Vec<String>,
    /// Number of rows, at least 2.
    pub rows: usize,
    /// Number of features, 1 to [`MAX_DIM`].
    pub dim: usize,
    /// The values, row-major, `rows * dim` of them, all finite, or NaN where missing ones are kept.
    pub values: Vec<f32>,
    /// The class of each row.
    pub labels: Option<Labels>,
    /// Height and width, where a row is an image (row-major pixels).
    pub image: Option<(usize, usize)>,
    /// Rows left out because of missing values.
    pub dropped_rows: usize,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
}

impl Table {
    /// The values of the rows named, in that order, row-major.
    ///
    /// # Panics
    ///
    /// If a row is not below [`Table::rows`].
    pub fn gather(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().flat_map(|&row| &self.values[row * self.dim..(row + 1) * self.dim]).copied().collect()
    }

    /// The label codes of the rows named, in that order; nothing if the table has no labels.
    ///
    /// # Panics
    ///
    /// If a row is not below [`Table::rows`].
    pub fn gather_labels(&self, rows: &[usize]) -> Option<Vec<u16>> {
        let labels = self.labels.as_ref()?;
        Some(rows.iter().map(|&row| labels.codes[row]).collect())
    }
}

/// How to read a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadOptions {
    /// The column that holds class labels, by name or by number from 1; it is taken out of the features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What to do with rows that have missing values.
    pub missing: Missing,
    /// Whether the first line of a CSV names the columns.
    pub header: Header,
}

/// What to do with a row that has an empty cell, a NaN or an infinity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Stop with an error that names the place.
    #[default]
    Refuse,
    /// Leave the row out and count it.
    Drop,
    /// Mark the value by NaN, for jobs that know what to do with it.
    #[value(skip)]
    #[serde(skip)]
    Keep,
}

/// Whether the first line of a CSV names the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// It does if it holds words and no number.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It holds values.
    No,
}
