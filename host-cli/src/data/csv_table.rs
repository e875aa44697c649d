//! Tables from comma-separated text.

use csv::StringRecord;

use super::error::DataError;
use super::labels::Labels;
use super::{Header, LoadOptions, MAX_DIM, Missing, Table};

/// What a cell holds.
pub(super) enum Cell {
    Number(f32),
    Missing(String),
    Word,
}

/// Spellings of "no value" that spreadsheets, R, Python and SQL write.
const NO_VALUE: [&str; 8] = ["na", "n/a", "#n/a", "null", "none", "nil", "?", "-"];

impl Cell {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self::Missing("the cell is empty".into());
        }
        match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            Ok(_) if text.contains(|c: char| c.is_ascii_digit()) => {
                Self::Missing(format!("{:?} is too large for a 32-bit float", shorten(text)))
            }
            Ok(_) => Self::Missing(format!("{:?} is not a finite number", shorten(text))),
            Err(_) if NO_VALUE.contains(&text.to_lowercase().as_str()) => {
                Self::Missing(format!("{text:?} stands for a missing value"))
            }
            Err(_) => Self::Word,
        }
    }
}

/// Makes text from a file fit in a message of one line.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 32;
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// A row and the line it starts on.
pub(super) struct Row {
    pub line: u64,
    pub cells: StringRecord,
}

/// Reads `bytes`, the text of the CSV file at `path`, into a table called `name`.
pub(super) fn read(path: &str, name: String, bytes: &[u8], options: &LoadOptions) -> Result<Table, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes); // a byte-order mark, as spreadsheets write
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = 1 + newlines(&bytes[..error.valid_up_to()]);
        return Err(DataError::NotUtf8 { path: path.into(), line });
    }
    let mut rows = Rows::new(path, bytes);
    let empty = |what| DataError::Empty { path: path.into(), what };
    let first = rows.next()?.ok_or_else(|| empty("the file is blank"))?;
    let (names, first) = if is_header(&first.cells, options.header) {
        let next = rows.next()?;
        (Some(first.cells), next.ok_or_else(|| empty("a header, but no rows"))?)
    } else {
        (None, first)
    };
    let columns = Columns::new(path, names.as_ref(), first.cells.len(), options)?;

    let mut table = Table {
        name,
        columns: columns.features.iter().map(|&c| columns.names[c].clone()).collect(),
        rows: 0,
        dim: columns.features.len(),
        values: Vec::new(),
        labels: None,
        image: None,
        dropped_rows: 0,
        warnings: Vec::new(),
    };
    let mut label_cells = Vec::new();
    let mut next = Some(first);
    while let Some(row) = next {
        let kept = table.values.len();
        match columns.take(path, &row, options.missing == Missing::Keep, &mut table.values) {
            Ok(label) => {
                table.rows += 1;
                label_cells.extend(label);
            }
            Err(DataError::Missing { .. }) if options.missing == Missing::Drop => {
                table.values.truncate(kept);
                table.dropped_rows += 1;
            }
            Err(error) => return Err(error),
        }
        next = rows.next()?;
    }
    if table.rows < 2 {
        return Err(DataError::TooFewRows {
            path: path.into(),
            found: table.rows + table.dropped_rows,
            left: table.rows,
        });
    }
    if let Some(label) = columns.label {
        table.labels = Some(Labels::from_cells(label_cells, path, &shorten(&columns.names[label]))?);
    }
    if table.dropped_rows > 0 {
        table.warnings.push(super::npy::dropped(path, table.dropped_rows, table.rows));
    }
    Ok(table)
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&b| b == b'\n').count() as u64
}

/// A first line is a header if it has words and no number: a stray word among numbers must not pass for one.
pub(super) fn is_header(cells: &StringRecord, header: Header) -> bool {
    match header {
        Header::Yes => true,
        Header::No => false,
        Header::Auto => {
            let mut cells = cells.iter().map(Cell::of);
            let mut words = 0;
            cells.all(|cell| {
                words += usize::from(matches!(cell, Cell::Word));
                !matches!(cell, Cell::Number(_))
            }) && words > 0
        }
    }
}

/// The records of a file, all of one length, with true line numbers.
pub(super) struct Rows<'a> {
    path: &'a str,
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    first: Option<(u64, usize)>,
    /// Bytes and lines counted so far.
    counted: (usize, u64),
}

impl<'a> Rows<'a> {
    pub fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true) // so that a ragged row gets our message, with its line
            .trim(csv::Trim::All)
            .delimiter(delimiter(bytes))
            .from_reader(bytes);
        Self { path, bytes, reader, first: None, counted: (0, 1) }
    }

    pub fn next(&mut self) -> Result<Option<Row>, DataError> {
        let mut cells = StringRecord::new();
        loop {
            let start = self.reader.position().byte() as usize;
            let more = self.reader.read_record(&mut cells);
            match more {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    return Err(DataError::Io { path: self.path.into(), source: error.into() });
                }
            }
            let line = self.line_of(start);
            let blank = cells.len() == 1 && cells.get(0) == Some("");
            if blank && self.first.is_none_or(|(_, expected)| expected > 1) {
                continue; // a line of blanks; in a file of one column it is a missing value
            }
            let (first_line, expected) = *self.first.get_or_insert((line, cells.len()));
            if cells.len() != expected {
                return Err(DataError::Ragged {
                    path: self.path.into(),
                    line,
                    found: cells.len(),
                    first_line,
                    expected,
                });
            }
            return Ok(Some(Row { line, cells }));
        }
    }

    /// The line of the record read from `start`: the reader skips empty lines before a record without counting them in.
    fn line_of(&mut self, start: usize) -> u64 {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let skipped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let (counted, lines) = self.counted;
        let here = start + skipped;
        let line = lines + newlines(self.bytes.get(counted..here).unwrap_or_default());
        self.counted = (here, line);
        line
    }
}

/// Comma, unless the first line has none and has semicolons or tabs.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&b| b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let candidates = [b',', b';', b'\t'];
    candidates.into_iter().find(|d| line.contains(d)).unwrap_or(b',')
}

/// Which column is what.
struct Columns {
    names: Vec<String>,
    label: Option<usize>,
    features: Vec<usize>,
}

impl Columns {
    fn new(path: &str, header: Option<&StringRecord>, count: usize, options: &LoadOptions) -> Result<Self, DataError> {
        let names: Vec<String> = (0..count)
            .map(|c| match header.and_then(|cells| cells.get(c)) {
                Some(name) if !name.is_empty() => name.into(),
                _ => format!("c{}", c + 1),
            })
            .collect();
        let label = match &options.label {
            Some(label) => Some(find(path, &names, label)?),
            None => None,
        };
        let features: Vec<usize> = (0..count).filter(|&c| Some(c) != label).collect();
        if features.is_empty() {
            return Err(DataError::NoFeatures { path: path.into() });
        }
        if features.len() > MAX_DIM {
            return Err(DataError::TooManyColumns { path: path.into(), found: features.len() as u64 });
        }
        Ok(Self { names, label, features })
    }

    /// Appends the features of a row to `values`; its label, if there is a label column.
    fn take(&self, path: &str, row: &Row, keep: bool, values: &mut Vec<f32>) -> Result<Option<String>, DataError> {
        // The whole row is looked at before a missing value is reported: a word is wrong even in a row to be dropped.
        let mut missing = None;
        for &column in &self.features {
            let text = row.cells.get(column).unwrap_or_default();
            match Cell::of(text) {
                Cell::Number(number) => values.push(number),
                Cell::Missing(_) if keep => values.push(f32::NAN),
                Cell::Missing(what) => missing = missing.or(Some((column, what))),
                Cell::Word => {
                    return Err(DataError::NotANumber {
                        path: path.into(),
                        place: self.place(row.line, column),
                        text: shorten(text),
                        way_out: self.way_out(row, column),
                    });
                }
            }
        }
        let label = self.label.map(|column| row.cells.get(column).unwrap_or_default());
        if let (Some(column), Some(text)) = (self.label, label)
            && let Cell::Missing(what) = Cell::of(text)
        {
            missing = missing.or(Some((column, what)));
        }
        match missing {
            Some((column, what)) => {
                Err(DataError::Missing { path: path.into(), place: self.place(row.line, column), what })
            }
            None => Ok(label.map(str::to_string)),
        }
    }

    fn place(&self, line: u64, column: usize) -> String {
        let name = &self.names[column];
        format!("line {line}, column {} ({})", column + 1, shorten(name))
    }

    fn way_out(&self, row: &Row, column: usize) -> String {
        if row.line == 1 {
            return "if line 1 names the columns, say --header yes".into();
        }
        if self.label.is_some() {
            return "correct the cell or leave the column out".into();
        }
        format!("correct the cell, leave the column out, or if it holds class labels say --label {}", column + 1)
    }
}

/// A column by name, else by number from 1.
pub(super) fn find(path: &str, names: &[String], label: &str) -> Result<usize, DataError> {
    let mut named = names.iter().enumerate().filter(|(_, name)| *name == label);
    if let Some((column, _)) = named.next() {
        if named.next().is_some() {
            return Err(DataError::BadLabel {
                path: path.into(),
                label: format!("{:?}", shorten(label)),
                why: "several columns have that name; give the number of the one you mean".into(),
            });
        }
        return Ok(column);
    }
    match label.parse::<usize>() {
        Ok(number) if (1..=names.len()).contains(&number) => Ok(number - 1),
        _ => Err(DataError::UnknownLabel { path: path.into(), label: label.into(), columns: listed(names) }),
    }
}

/// The column names, the first and last of them if they are many.
pub(super) fn listed(names: &[String]) -> String {
    let short: Vec<String> = names.iter().map(|name| shorten(name)).collect();
    match short.as_slice() {
        all if all.len() <= 12 => all.join(", "),
        [first @ .., last] => format!("{}, …, {last} ({} in all)", first[..8].join(", "), short.len()),
        [] => String::new(),
    }
}

#[cfg(test)]
#[path = "csv_table_tests.rs"]
mod tests;
