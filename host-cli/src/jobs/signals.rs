//! The signals that a job works on, and the file that they came in.

use std::io;
use std::path::Path;

use npyz::WriterBuilder;
use thiserror::Error;

use crate::data::{
    DataError, Header, LoadOptions, Missing, SampleError, SampleFile, Series, WindowRecipe, load, read_series,
};
use crate::files::write_atomically;
use crate::run::WindowSummary;

/// Largest difference of a log's period from the model's, as a share of it.
const PERIOD_TOLERANCE: f64 = 0.02;

/// How to read signals.
#[derive(Clone, Debug, Default)]
pub struct SignalOptions {
    /// Column with the time.
    pub time_column: Option<String>,
    /// Column that names the recording.
    pub group: Option<String>,
    /// Whether the first line names the columns.
    pub header: Header,
}

/// Signals of a model's channels, each without a break.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Name of each channel.
    pub channels: Vec<String>,
    /// The values of each signal, time first; NaN where one is missing.
    pub pieces: Vec<Vec<f32>>,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    Log(Box<Series>),
    Array(Vec<u64>),
}

/// Why a file is no signal for a model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The blob does not say what its channels are.
    #[error("the model was not trained on windows of a log: `mote train --window` makes one that was")]
    NotOfWindows,
    /// A row holds something else than samples of the channels.
    #[error(
        "{path}: rows of {found} values, and the model takes {channels} channels ({names}); give a signal with {channels} columns, or windows of whole samples"
    )]
    Width {
        /// The file.
        path: String,
        /// Values in a row.
        found: usize,
        /// The model's channels.
        channels: usize,
        /// Their names.
        names: String,
    },
    /// Too short for a window.
    #[error(
        "{path}: a stretch of {found} samples, and the model takes windows of {length}; give longer recordings, or train a model that slides (--sliding)"
    )]
    Short {
        /// The file.
        path: String,
        /// Samples there.
        found: usize,
        /// Samples of a window.
        length: usize,
    },
    /// Another sampling rate.
    #[error(
        "{path}: one row every {found} s, and the model was trained on one every {trained} s; resample the log to the model's rate, or train on this one"
    )]
    Period {
        /// The file.
        path: String,
        /// Seconds.
        found: f64,
        /// Seconds.
        trained: f64,
    },
    /// Nothing there.
    #[error("{path}: every value is missing; there is nothing to go by")]
    AllMissing {
        /// The file.
        path: String,
    },
    /// The file to write.
    #[error(transparent)]
    Write(#[from] SampleError),
}

impl Signals {
    /// Reads signals for a model: a log as CSV with the model's channels among its columns, an array of samples (one row a time), or an array
    /// of windows (one row a window, or windows, times and channels as its three dimensions).
    ///
    /// # Errors
    /// [`SignalError`], in one line with the way out.
    pub fn load(path: &str, window: &WindowSummary, options: &SignalOptions) -> Result<Self, SignalError> {
        let channels = window.channels.len();
        let mut signals = if path.to_lowercase().ends_with(".npy") {
            let table = load(path, &LoadOptions { missing: Missing::Keep, ..LoadOptions::default() })?;
            let width =
                SignalError::Width { path: path.into(), found: table.dim, channels, names: window.channels.join(", ") };
            let per_time = table.image.map_or(channels, |(_, values)| values);
            if !table.dim.is_multiple_of(channels) || per_time != channels {
                return Err(width);
            }
            let (rows, dim) = (table.rows as u64, table.dim as u64);
            let (pieces, shape) = match table.image {
                Some((times, values)) => (pieces_of(&table.values, table.dim), vec![rows, times as u64, values as u64]),
                None if table.dim == channels => (vec![table.values], vec![rows, dim]),
                None => (pieces_of(&table.values, table.dim), vec![rows, dim]),
            };
            Self { channels: window.channels.clone(), pieces, warnings: table.warnings, origin: Origin::Array(shape) }
        } else {
            let recipe = WindowRecipe {
                columns: window.channels.clone(),
                time_column: options.time_column.clone(),
                group: options.group.clone(),
                ..WindowRecipe::default()
            };
            let log = read_series(path, &recipe, options.header, None, None)?;
            if let (Some(found), Some(trained)) = (log.period, window.period)
                && (found / trained - 1.0).abs() > PERIOD_TOLERANCE
            {
                return Err(SignalError::Period { path: path.into(), found, trained });
            }
            let pieces = log.segments.iter().map(|segment| log.slice(segment.rows.clone()).to_vec()).collect();
            Self {
                channels: window.channels.clone(),
                pieces,
                warnings: log.warnings.clone(),
                origin: Origin::Log(Box::new(log)),
            }
        };
        let values = signals.pieces.iter().flatten();
        let missing = values.clone().filter(|x| x.is_nan()).count();
        let all = values.count();
        if missing == all {
            return Err(SignalError::AllMissing { path: path.into() });
        }
        if missing > 0 {
            let is = if missing == 1 { "value is" } else { "values are" };
            signals
                .warnings
                .push(format!("{path}: {missing} of {all} {is} missing (empty, NaN or infinite) and taken as such"));
        }
        if !window.sliding
            && let Some(short) = signals.pieces.iter().find(|piece| piece.len() < window.length * channels)
        {
            let found = short.len() / channels;
            return Err(SignalError::Short { path: path.into(), found, length: window.length });
        }
        Ok(signals)
    }

    /// Whether the file held windows, each on its own, and not a signal.
    #[must_use]
    pub fn are_windows(&self) -> bool {
        matches!(self.origin, Origin::Array(_)) && self.pieces.len() > 1
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes other values in the place of the signals', all or nothing: an array as .npy of the same shape, a log as CSV with its other columns as they
    /// were, or anything as rows of channels.
    ///
    /// # Errors
    /// [`SampleError`] with the path and the way out.
    pub fn write(&self, path: &Path, pieces: &[Vec<f32>]) -> Result<(), SampleError> {
        match SampleFile::of(path)? {
            SampleFile::Npy => {
                let channels = self.channels.len() as u64;
                let shape = match &self.origin {
                    Origin::Array(shape) => shape.clone(),
                    Origin::Log(_) => vec![pieces.iter().map(|p| p.len() as u64).sum::<u64>() / channels, channels],
                };
                write_atomically(path, |out| {
                    let options = npyz::WriteOptions::<f32>::new().default_dtype().shape(&shape);
                    let mut writer = options.writer(out).begin_nd()?;
                    writer.extend(pieces.iter().flatten().copied())?;
                    writer.finish()
                })?;
            }
            SampleFile::Csv => write_atomically(path, |out| self.write_csv(out, pieces))?,
            SampleFile::CsvGz => write_atomically(path, |out| {
                let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                self.write_csv(&mut packed, pieces)?;
                packed.finish().map(drop)
            })?,
        }
        Ok(())
    }

    /// [`write`](Self::write) as CSV.
    ///
    /// # Errors
    /// Whatever writing to `out` reports.
    pub fn write_csv(&self, out: &mut dyn io::Write, pieces: &[Vec<f32>]) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let channels = self.channels.len();
        let rows = || pieces.iter().flat_map(|piece| piece.chunks_exact(channels));
        let cell = |value: f32| if value.is_nan() { String::new() } else { value.to_string() };
        let result = match &self.origin {
            Origin::Log(log) if log.lines.is_some() => {
                let lines = log.lines.as_ref().expect("looked at");
                let mut records = lines.records.clone();
                for (row, values) in lines.rows.iter().zip(rows()) {
                    // A row that was missing in the file stays so.
                    let Some(record) = row.and_then(|row| records.get_mut(row)) else { continue };
                    for (column, value) in lines.columns.iter().zip(values) {
                        record[*column] = cell(*value);
                    }
                }
                csv.write_record(&lines.names).and_then(|()| records.iter().try_for_each(|r| csv.write_record(r)))
            }
            _ => csv
                .write_record(&self.channels)
                .and_then(|()| rows().try_for_each(|row| csv.write_record(row.iter().map(|x| cell(*x))))),
        };
        result.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })?;
        csv.flush()
    }
}

fn pieces_of(values: &[f32], length: usize) -> Vec<Vec<f32>> {
    values.chunks_exact(length).map(<[f32]>::to_vec).collect()
}
