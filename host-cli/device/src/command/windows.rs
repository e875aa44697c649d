//! Windows from a CSV, and values as one.

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// The rows of a CSV, with their line numbers.
#[derive(Debug)]
pub(super) struct Windows {
    path: PathBuf,
    /// The names in the first row, if it holds names.
    pub columns: Option<Vec<String>>,
    pub rows: Vec<(u64, Vec<f32>)>,
    /// How many values are missing.
    missing: usize,
}

impl Windows {
    /// What errors call a row.
    pub fn place(&self, line: u64) -> String {
        format!("{} line {line}", self.path.display())
    }
}

/// Reads windows, one a row. A first row that holds no number is one of names.
pub(super) fn read(path: &Path) -> Result<Windows> {
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?)
    };
    parse(path, source)
}

fn parse(path: &Path, source: impl Read) -> Result<Windows> {
    let mut table = Windows { path: path.to_owned(), columns: None, rows: Vec::new(), missing: 0 };
    for (line, number) in BufReader::new(source).lines().zip(1..) {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        // A line at a time, as the library's line numbers leave blank lines out.
        let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(line.as_bytes());
        let Some(record) = reader.records().next() else { continue };
        let record = record.with_context(|| table.place(number))?;
        let is_name = |field: &str| !field.is_empty() && field.parse::<f32>().is_err();
        if table.columns.is_none() && table.rows.is_empty() && record.iter().all(is_name) {
            table.columns = Some(record.iter().map(str::to_owned).collect());
            continue;
        }
        let mut row = Vec::with_capacity(record.len());
        for (field, column) in record.iter().zip(1..) {
            // An empty field is a missing value, as a NaN is.
            let value = if field.is_empty() { Some(f32::NAN) } else { field.parse::<f32>().ok() };
            let Some(value) = value.filter(|value| !value.is_infinite()) else {
                let place = table.place(number);
                bail!("{place}, column {column}: '{field}' is not a finite number; leave it empty if it is missing");
            };
            table.missing += usize::from(value.is_nan());
            row.push(value);
        }
        table.rows.push((number, row));
    }
    if table.rows.is_empty() {
        bail!("{} holds no window: give a CSV with numbers, one window a row", path.display());
    }
    if table.missing > 0 {
        eprintln!("{}: {} values are empty or NaN, and taken as missing", path.display(), table.missing);
    }
    Ok(table)
}

/// Writes rows as they come: as CSV, or as a JSON array of arrays.
pub(super) fn write(
    out: &mut dyn Write,
    as_json: bool,
    columns: Option<&[String]>,
    rows: impl Iterator<Item = Result<Vec<f32>>>,
) -> Result<()> {
    if as_json {
        let rows: Vec<Vec<f32>> = rows.collect::<Result<_>>()?;
        return Ok(writeln!(out, "{:#}", json!({ "columns": columns, "rows": rows }))?);
    }
    let mut named = columns;
    for row in rows {
        let row = row?;
        // Names of windows that are wider than what comes back, as where only the centre does, would be wrong.
        if let Some(names) = named.take().filter(|names| names.len() == row.len()) {
            writeln!(out, "{}", names.join(","))?;
        }
        // As many digits as tell every float from its neighbours.
        let field = |x: &f32| if x.is_nan() { String::new() } else { x.to_string() };
        let fields: Vec<_> = row.iter().map(field).collect();
        writeln!(out, "{}", fields.join(","))?;
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Windows> {
        parse(Path::new("w.csv"), text.as_bytes())
    }

    #[test]
    fn a_row_of_names_is_told_from_a_window() {
        let table = parsed("a,b\n1, 2.5\n\n-3,4e1\n").unwrap();
        assert_eq!(table.columns.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(table.rows, [(2, vec![1.0, 2.5]), (4, vec![-3.0, 40.0])]);
        assert_eq!(parsed("1,2\n").unwrap().columns, None);
        let gaps = parsed(",2\nNaN,4\n").unwrap();
        assert!(gaps.rows.iter().all(|(_, row)| row[0].is_nan()) && gaps.missing == 2 && gaps.columns.is_none());
    }

    #[test]
    fn a_value_that_is_none_is_refused_with_its_place() {
        for (text, place) in
            [("1,2\n3,x\n", "w.csv line 2, column 2: 'x'"), ("1,inf\n", "w.csv line 1, column 2: 'inf'")]
        {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
        assert!(parsed("a,b\n").unwrap_err().to_string().starts_with("w.csv holds no window"));
    }

    #[test]
    fn values_are_written_so_that_their_bits_can_be_read_again() {
        let row = vec![0.1f32, -1.0e-40, 3.402_823_5e38, 1.0];
        let mut out = Vec::new();
        write(&mut out, false, None, [Ok(row.clone())].into_iter()).unwrap();
        let line = String::from_utf8(out).unwrap();
        let back: Vec<f32> = line.trim().split(',').map(|field| field.parse().unwrap()).collect();
        assert_eq!(back, row);
    }
}
