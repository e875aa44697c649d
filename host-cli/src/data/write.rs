//! Samples to .npy and CSV.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;

use crate::files::{WriteError, write_atomically};

/// Rows to write, with the names of their features.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Name of each feature; their number is the row length.
    pub columns: &'a [String],
    /// The values, row-major.
    pub values: &'a [f32],
    /// A name for the label column and the label of each row; .npy leaves them out.
    pub labels: Option<(&'a str, &'a [String])>,
}

/// Why samples could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The path has an ending that is not written.
    #[error("cannot write {}: end the name in .npy, .csv or .csv.gz", .path.display())]
    UnknownKind {
        /// The path asked for.
        path: PathBuf,
    },
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes samples to a file, all or nothing: .npy (f32 \[n, dim\]), .csv or .csv.gz, by the ending of the path.
///
/// # Errors
///
/// [`SampleError`] with the path, the reason and the way out.
pub fn write_samples(path: &Path, samples: &Samples) -> Result<(), SampleError> {
    match SampleFile::of(path)? {
        SampleFile::Npy => write_atomically(path, |out| write_npy(out, samples))?,
        SampleFile::Csv => write_atomically(path, |out| write_csv(out, samples))?,
        SampleFile::CsvGz => write_atomically(path, |out| {
            let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            write_csv(&mut packed, samples)?;
            packed.finish().map(drop)
        })?,
    }
    Ok(())
}

/// The kinds of file that samples are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFile {
    /// f32 \[n, dim\] in numpy's format.
    Npy,
    /// Text.
    Csv,
    /// Compressed text.
    CsvGz,
}

impl SampleFile {
    /// The kind that the ending of a path asks for.
    ///
    /// # Errors
    /// [`SampleError::UnknownKind`] for any other ending.
    pub fn of(path: &Path) -> Result<Self, SampleError> {
        let name = path.to_string_lossy().to_lowercase();
        let kinds = [(".npy", Self::Npy), (".csv", Self::Csv), (".csv.gz", Self::CsvGz)];
        let found = kinds.into_iter().find(|(ending, _)| name.ends_with(ending));
        found.map(|(_, kind)| kind).ok_or_else(|| SampleError::UnknownKind { path: path.into() })
    }
}

fn write_npy(out: &mut dyn Write, samples: &Samples) -> io::Result<()> {
    let dim = samples.columns.len();
    let rows = samples.values.len().checked_div(dim).unwrap_or(0);
    let mut writer =
        npyz::WriteOptions::<f32>::new().default_dtype().shape(&[rows as u64, dim as u64]).writer(out).begin_nd()?;
    writer.extend(samples.values.iter().copied())?;
    writer.finish()
}

/// Writes samples as CSV with a header line, to a file or to standard output.
///
/// Numbers are the shortest decimals that read back as the same f32.
///
/// # Errors
///
/// Whatever writing to `out` reports, of the same kind.
pub fn write_csv(out: &mut dyn Write, samples: &Samples) -> io::Result<()> {
    // csv's own conversion would hide the kind of error, and with it that a reader has closed a pipe.
    write_rows(out, samples).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    })
}

fn write_rows(out: &mut dyn Write, samples: &Samples) -> csv::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let label_name = samples.labels.map(|(name, _)| name);
    let names = samples.columns.iter().map(String::as_str);
    csv.write_record(names.chain(label_name))?;
    let rows = samples.values.chunks_exact(samples.columns.len().max(1));
    for (index, row) in rows.enumerate() {
        for &value in row {
            csv.write_field(decimal(value))?;
        }
        if let Some((_, labels)) = samples.labels {
            csv.write_field(labels.get(index).map_or("", String::as_str))?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    Ok(csv.flush()?)
}

fn decimal(value: f32) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e9).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{LoadOptions, load};

    const VALUES: [f32; 6] = [0.1, -3.402_823_5e38, 1e-45, 16_777_217.0, -0.0, 1.0 / 3.0];

    fn columns() -> Vec<String> {
        vec!["x".into(), "y, or \"z\"".into()]
    }

    #[test]
    fn what_is_written_reads_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let columns = columns();
        let samples = Samples { columns: &columns, values: &VALUES, labels: None };
        for name in ["a.npy", "a.csv", "a.csv.gz"] {
            let path = folder.path().join(name);
            write_samples(&path, &samples).unwrap();
            let table = load(path.to_str().unwrap(), &LoadOptions::default()).unwrap();
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&table.values), bits(&VALUES), "{name}");
            assert_eq!((table.rows, table.dim), (3, 2));
            if name != "a.npy" {
                assert_eq!(table.columns, columns);
            }
        }
    }

    #[test]
    fn csv_is_what_one_would_type() {
        let columns = columns();
        let labels = ["a".to_string(), "b".into(), "c".into()];
        let mut out = Vec::new();
        let samples = Samples { columns: &columns, values: &VALUES, labels: Some(("kind", &labels)) };
        write_csv(&mut out, &samples).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "x,\"y, or \"\"z\"\"\",kind\n0.1,-3.4028235e38,a\n1e-45,16777216,b\n-0,0.33333334,c\n"
        );
    }

    #[test]
    fn a_closed_pipe_keeps_its_kind_at_any_length() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let columns = columns();
        for rows in [1, 10_000] {
            let values = vec![0.5; 2 * rows];
            let samples = Samples { columns: &columns, values: &values, labels: None };
            assert_eq!(write_csv(&mut Closed, &samples).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn the_npy_header_is_a_python_dictionary_padded_to_64_bytes() {
        // The layout is that of numpy.lib.format, version 1.0.
        let mut out = Vec::new();
        let columns = columns();
        let samples = Samples { columns: &columns, values: &VALUES, labels: None };
        write_npy(&mut out, &samples).unwrap();
        assert!(out.starts_with(b"\x93NUMPY\x01\x00"));
        let length = usize::from(u16::from_le_bytes([out[8], out[9]]));
        let text = std::str::from_utf8(&out[10..10 + length]).unwrap();
        let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, ), }";
        assert_eq!(text.trim_end(), dictionary);
        assert!(text.ends_with('\n') && (10 + length) % 64 == 0);
        let bytes: Vec<u8> = VALUES.iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(out[10 + length..], bytes);
    }

    #[test]
    fn an_unknown_ending_is_refused() {
        let columns = columns();
        let samples = Samples { columns: &columns, values: &VALUES, labels: None };
        let error = write_samples(Path::new("a.txt"), &samples).unwrap_err();
        assert!(error.to_string().contains(".npy, .csv or .csv.gz"));
    }
}
