//! Logs of sensors: channels over time, cut into windows.
//!
//! A [`Series`] is one table of values in time order. It falls into segments, stretches in which each row follows the one before by one
//! period; nothing that is cut from it ever crosses from one segment into the next. A value that is missing is NaN, from the file to
//! the network's input, and is never guessed.

mod live;
mod read;
mod time;
mod windows;

use serde::{Deserialize, Serialize};

use crate::gaps::GapRecipe;

pub use live::{LiveLog, LiveRow};
pub use read::read_series;
pub use windows::{WindowError, Windowed, part_pieces, part_windows, windows};

/// How a log is cut into windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowRecipe {
    /// Samples in a window.
    pub length: usize,
    /// Samples from the start of one window to the start of the next.
    pub stride: usize,
    /// Whether the network slides: it sees a window and gives its middle sample.
    pub sliding: bool,
    /// Columns that are channels, by name or number from 1; none for every column that holds numbers and nothing else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Column with the time: seconds, or dates with times of day as in 2013-01-01T06:00Z.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_column: Option<String>,
    /// Column that names the recording, station or person; a window never holds two of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Samples in the signals that a sliding network will meet, whose ends it learns to do without; left out: four times the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stretch: Option<usize>,
    /// Set where the network learns to draw what is missing: the window is then what it sees of the values, and the stretch the length of the signals with
    /// gaps that it learns from (left out: as long as the window).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<GapRecipe>,
}

impl WindowRecipe {
    /// Samples that a network that slides sees; none where it does not slide.
    #[must_use]
    pub fn seen(&self) -> Option<usize> {
        match self.gaps {
            Some(gaps) => Some(2 * self.length + gaps.around),
            None => self.sliding.then_some(self.length),
        }
    }
}

impl Default for WindowRecipe {
    fn default() -> Self {
        Self {
            length: 64,
            stride: 1,
            sliding: false,
            columns: Vec::new(),
            time_column: None,
            group: None,
            stretch: None,
            gaps: None,
        }
    }
}

/// The part that a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The network learns from it.
    Train,
    /// It picks settings.
    Validation,
    /// Only final figures see it.
    Test,
}

/// A log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The file's name without its ending.
    pub name: String,
    /// Name of each channel.
    pub channels: Vec<String>,
    /// The values, a row for each time; NaN where one is missing.
    pub values: Vec<f32>,
    /// Stretches without a break, in order.
    pub segments: Vec<Segment>,
    /// Seconds between two rows, if there is a time column.
    pub period: Option<f64>,
    /// Which channels hold whole numbers alone.
    pub whole: Vec<bool>,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
    /// The file as it was, if it was text.
    pub lines: Option<Lines>,
}

/// The cells of a log, so that it can be written again with other values.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// Name of each column.
    pub names: Vec<String>,
    /// The cells, row by row as in the file.
    pub records: Vec<Vec<String>>,
    /// The columns of the channels.
    pub columns: Vec<usize>,
    /// For each row of the series, its row in the file; none for one that was missing.
    pub rows: Vec<Option<usize>>,
}

/// A stretch of rows without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its rows.
    pub rows: std::ops::Range<usize>,
    /// The group, or nothing without a group column.
    pub group: String,
    /// The part that a column gives it.
    pub part: Option<Part>,
    /// The label, if there is a label column.
    pub label: Option<String>,
}

impl Series {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.channels.len().max(1)
    }

    /// The values of some rows.
    ///
    /// # Panics
    /// If there are fewer rows.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> &[f32] {
        let channels = self.channels.len();
        &self.values[rows.start * channels..rows.end * channels]
    }
}
