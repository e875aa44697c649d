//! What can be wrong with a data source, each in one line: where, what, and the way out.

use std::io;

use super::{MAX_DIM, built_in_names};

/// Why a table could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Nothing of that name.
    #[error("{path}: no such file; {hint}")]
    NotFound {
        /// The source asked for.
        path: String,
        /// A near name, or what else to try.
        hint: String,
    },
    /// A built-in set with a seed that is no number.
    #[error("{set}:{seed}: {seed:?} is not a seed; give a whole number, as in {set}:7, or {set} alone")]
    BadSeed {
        /// The set.
        set: &'static str,
        /// What stands after the colon.
        seed: String,
    },
    /// A folder.
    #[error("{path}: is a folder; name a .csv, .csv.gz or .npy file in it")]
    IsFolder {
        /// The source asked for.
        path: String,
    },
    /// A kind of file that is not read.
    #[error(
        "{path}: this kind of file is not read; give a .csv, .csv.gz or .npy file, or a built-in set: {}",
        built_in_names()
    )]
    UnknownKind {
        /// The source asked for.
        path: String,
    },
    /// The system would not let it be read.
    #[error("{path}: cannot be read: {source}")]
    Io {
        /// The source asked for.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// No bytes, or no rows.
    #[error("{path}: {what}; at least two rows of numbers are needed")]
    Empty {
        /// The file.
        path: String,
        /// What it lacks.
        what: &'static str,
    },
    /// Compressed data that does not unpack.
    #[error("{path}: the gzip data is {what}; compress or download the file again")]
    Gzip {
        /// The file.
        path: String,
        /// `cut short` or `corrupt`.
        what: &'static str,
    },
    /// Bytes that are not text.
    #[error("{path}: line {line}: not UTF-8 text; save the file as UTF-8 CSV")]
    NotUtf8 {
        /// The file.
        path: String,
        /// Line from 1.
        line: u64,
    },
    /// A row with more or fewer cells than the first.
    #[error(
        "{path}: line {line}: the number of cells is {found}, but {expected} on line {first_line}; give every line as many"
    )]
    Ragged {
        /// The file.
        path: String,
        /// Line from 1.
        line: u64,
        /// Cells on that line.
        found: usize,
        /// Line of the first row.
        first_line: u64,
        /// Cells on the first line.
        expected: usize,
    },
    /// Text where a number belongs.
    #[error("{path}: {place}: {text:?} is not a number; {way_out}")]
    NotANumber {
        /// The file.
        path: String,
        /// Line, column number and column name.
        place: String,
        /// The cell, shortened.
        text: String,
        /// What to do about it.
        way_out: String,
    },
    /// An empty cell, a NaN or an infinity.
    #[error("{path}: {place}: {what}; fill it in, or leave such rows out with --missing drop")]
    Missing {
        /// The file.
        path: String,
        /// Line or row, and column.
        place: String,
        /// What stands there.
        what: String,
    },
    /// A label column that is not there.
    #[error("{path}: no column {label:?} for the labels; the columns are {columns}")]
    UnknownLabel {
        /// The file.
        path: String,
        /// The column asked for.
        label: String,
        /// The names there are.
        columns: String,
    },
    /// A label column that cannot serve.
    #[error("{path}: column {label} cannot hold the labels: {why}")]
    BadLabel {
        /// The file.
        path: String,
        /// The column asked for.
        label: String,
        /// The reason and the way out.
        why: String,
    },
    /// Labels asked of a source whose shape has no place for them.
    #[error("{path}: {why}")]
    LabelNotPossible {
        /// The source.
        path: String,
        /// The reason and the way out.
        why: &'static str,
    },
    /// More features than a model takes.
    #[error(
        "{path}: {found} features in a row, at most {MAX_DIM} are possible; leave columns out or cut shorter windows"
    )]
    TooManyColumns {
        /// The file.
        path: String,
        /// Features found.
        found: u64,
    },
    /// Nothing left but the label.
    #[error("{path}: no features are left; a table needs at least one column of numbers besides the label")]
    NoFeatures {
        /// The file.
        path: String,
    },
    /// Fewer than two rows.
    #[error("{path}: {left} of {found} rows can be used; at least two are needed")]
    TooFewRows {
        /// The file.
        path: String,
        /// Rows found.
        found: usize,
        /// Rows left once those with missing values are out.
        left: usize,
    },
    /// An .npy file that breaks its own format or holds no table of numbers.
    #[error("{path}: {problem}")]
    Npy {
        /// The file.
        path: String,
        /// The problem and the way out.
        problem: String,
    },
    /// Times that do not run evenly forward.
    #[error(
        "{path}: line {line}: the time moves by {step} s from the row{of} before, and the log has one row every {period} s; {way_out}"
    )]
    Time {
        /// The file.
        path: String,
        /// Line from 1.
        line: u64,
        /// Which group, in words.
        of: String,
        /// Seconds.
        step: f64,
        /// Seconds.
        period: f64,
        /// What to do about it.
        way_out: String,
    },
    /// A column asked of an array, which has only channels.
    #[error("{path}: an array has no column {column:?}; give the log as CSV")]
    NoColumns {
        /// The file.
        path: String,
        /// The column asked for.
        column: String,
    },
}
