//! A log that is still being written: its rows as they come.

use std::collections::HashMap;
use std::io::Read;

use super::WindowRecipe;
use super::read::FILLED;
use super::time::{self, Step};
use crate::data::csv_table::{Cell, find, is_header, shorten};
use crate::data::{DataError, Header};

/// Steps of a group that are looked at before its rate is said to be another one.
const STEPS_OF_A_RATE: u32 = 8;

/// A row of a log that is still being written.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveRow {
    /// The group's name, or nothing without a group column.
    pub group: String,
    /// The cell of the time column, as it is; nothing without one.
    pub time: String,
    /// A value a channel, NaN where one is missing.
    pub values: Vec<f32>,
    /// Rows that are missing by their times between this row of the group and the one before; none if this row starts a stretch, as the first one of a
    /// group and one after a long gap do.
    pub gap: Option<u64>,
}

/// Reads a log row by row, each as soon as its line has ended.
#[derive(Debug)]
pub struct LiveLog<R> {
    name: String,
    reader: csv::Reader<R>,
    columns: Vec<usize>,
    time: Option<usize>,
    group: Option<usize>,
    names: Vec<String>,
    period: Option<f64>,
    first: Option<csv::StringRecord>,
    groups: HashMap<String, Progress>,
}

/// What is known of a group.
#[derive(Debug, Default)]
struct Progress {
    seconds: f64,
    steps: u32,
    /// Of them, those that were one period long.
    whole: u32,
}

impl<R: Read> LiveLog<R> {
    /// Reads the line of names, if there is one, or the first row. `name` is what errors call the log, and `period` the seconds from one row to the next that it
    /// should have.
    ///
    /// # Errors
    /// [`DataError`]: no line at all, no such column.
    pub fn new(
        name: &str,
        source: R,
        recipe: &WindowRecipe,
        header: Header,
        period: Option<f64>,
    ) -> Result<Self, DataError> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(source);
        let path = name;
        let mut first = csv::StringRecord::new();
        if !reader.read_record(&mut first).map_err(|error| broken(path, error))? {
            return Err(DataError::Empty { path: path.into(), what: "no line came" });
        }
        if let Some(cell) = first.get(0).and_then(|cell| cell.strip_prefix('\u{feff}')) {
            let cells: Vec<&str> = std::iter::once(cell).chain(first.iter().skip(1)).collect();
            first = cells.into();
        }
        let named = is_header(&first, header);
        let names: Vec<String> = (0..first.len())
            .map(|c| match first.get(c) {
                Some(name) if named && !name.is_empty() => name.to_string(),
                _ => format!("c{}", c + 1),
            })
            .collect();
        let column = |column: &String| find(path, &names, column);
        Ok(Self {
            columns: recipe.columns.iter().map(column).collect::<Result<_, _>>()?,
            time: recipe.time_column.as_ref().map(column).transpose()?,
            group: recipe.group.as_ref().map(column).transpose()?,
            name: name.into(),
            reader,
            names,
            period,
            first: (!named).then_some(first),
            groups: HashMap::new(),
        })
    }

    /// The next row, once its line has ended; none when the log has.
    ///
    /// # Errors
    /// [`DataError`] with the line: a cell that is no number, a row of another width, times that go back or fall between, another sampling rate.
    pub fn next_row(&mut self) -> Result<Option<LiveRow>, DataError> {
        let mut cells = match self.first.take() {
            Some(first) => first,
            None => csv::StringRecord::new(),
        };
        while cells.is_empty() || cells.len() == 1 && cells.get(0) == Some("") && self.names.len() > 1 {
            if !self.reader.read_record(&mut cells).map_err(|error| broken(&self.name, error))? {
                return Ok(None);
            }
        }
        let line = cells.position().map_or(1, csv::Position::line);
        if cells.len() != self.names.len() {
            let (path, expected) = (self.name.clone(), self.names.len());
            return Err(DataError::Ragged { path, line, found: cells.len(), first_line: 1, expected });
        }
        let cell = |c: usize| cells.get(c).unwrap_or_default();
        let wrong = |c: usize, way_out: &str| DataError::NotANumber {
            path: self.name.clone(),
            place: format!("line {line}, column {} ({})", c + 1, shorten(&self.names[c])),
            text: shorten(cell(c)),
            way_out: way_out.into(),
        };
        let value = |c: &usize| match Cell::of(cell(*c)) {
            Cell::Number(number) => Ok(number),
            Cell::Missing(_) => Ok(f32::NAN),
            Cell::Word => Err(wrong(*c, "leave the cell empty where a value is missing")),
        };
        let values = self.columns.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let group = self.group.map(cell).unwrap_or_default().to_string();
        let time = self.time.map(cell).unwrap_or_default().to_string();
        let way_out = "a time is seconds, or a date with a time of day as in 2013-01-01T06:00Z";
        let seconds = self.time.map(|c| time::seconds(&time).ok_or_else(|| wrong(c, way_out))).transpose()?;
        let gap = self.gap(line, &group, seconds)?;
        Ok(Some(LiveRow { group, time, values, gap }))
    }

    /// The rows that are missing before one of this time.
    fn gap(&mut self, line: u64, group: &str, seconds: Option<f64>) -> Result<Option<u64>, DataError> {
        let (Some(seconds), Some(period)) = (seconds, self.period) else {
            return Ok(self.groups.insert(group.into(), Progress::default()).map(|_| 0));
        };
        let Some(of) = self.groups.get_mut(group) else {
            self.groups.insert(group.into(), Progress { seconds, ..Progress::default() });
            return Ok(None);
        };
        let step = seconds - of.seconds;
        let error = |way_out: String| DataError::Time {
            path: self.name.clone(),
            line,
            of: if group.is_empty() { String::new() } else { format!(" of {}", shorten(group)) },
            step: time::six_digits(step),
            period,
            way_out,
        };
        let gap = match time::step(step, period) {
            Step::Next => 0,
            Step::Gap(rows) => rows,
            Step::Back => {
                return Err(error("sort the rows by time, or name the column of the recordings with --group".into()));
            }
            Step::Between => return Err(error(format!("resample the log to one row every {period} s"))),
        };
        (of.seconds, of.steps, of.whole) = (seconds, of.steps + 1, of.whole + u32::from(gap == 0));
        if of.steps == STEPS_OF_A_RATE && of.whole == 0 {
            return Err(error(format!("resample the log to the model's rate, one row every {period} s")));
        }
        Ok(Some(gap).filter(|gap| *gap <= FILLED))
    }
}

fn broken(path: &str, error: csv::Error) -> DataError {
    DataError::Io { path: path.into(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str, period: Option<f64>) -> LiveLog<&[u8]> {
        let recipe = WindowRecipe {
            columns: vec!["b".into(), "a".into()],
            time_column: Some("t".into()),
            group: Some("who".into()),
            ..WindowRecipe::default()
        };
        LiveLog::new("-", text.as_bytes(), &recipe, Header::Auto, period).unwrap()
    }

    fn gaps(text: &str) -> Result<Vec<Option<u64>>, DataError> {
        let mut log = log(text, Some(1.0));
        let mut found = Vec::new();
        while let Some(row) = log.next_row()? {
            found.push(row.gap);
        }
        Ok(found)
    }

    #[test]
    fn rows_come_with_what_is_missing_before_them() {
        let text = "t,who,a,b\n0,x,1,2\n10,y,5,6\n1,x,,4\n\n4,x,1,1\n11,y,1,1\n100,x,1,1\n";
        assert_eq!(gaps(text).unwrap(), [None, None, Some(0), Some(2), Some(0), None]);
        let mut log = log(text, None);
        let first = log.next_row().unwrap().unwrap();
        assert_eq!((first.group.as_str(), first.time.as_str(), first.values.as_slice()), ("x", "0", &[2.0, 1.0][..]));
        let third = log.next_row().and_then(|_| log.next_row()).unwrap().unwrap();
        assert!(third.values[1].is_nan() && third.gap == Some(0));
    }

    #[test]
    fn what_does_not_follow_is_refused_with_its_line() {
        for (rows, parts) in [
            ("0,x,1,2\n1,x,1,q\n", &["line 3, column 4 (b)", "\"q\""][..]),
            ("0,x,1,2\n1,x,1\n", &["line 3", "3", "4"]),
            ("0,x,1,2\nnoon,x,1,1\n", &["line 3, column 1 (t)", "2013"]),
            ("0,x,1,2\n0,x,1,1\n", &["line 3", "--group"]),
            ("0,x,1,2\n1.5,x,1,1\n", &["line 3", "resample"]),
            (
                "0,x,1,1\n2,x,1,1\n4,x,1,1\n6,x,1,1\n8,x,1,1\n10,x,1,1\n12,x,1,1\n14,x,1,1\n16,x,1,1\n",
                &["line 10", "the model's rate"],
            ),
        ] {
            let error = gaps(&format!("t,who,a,b\n{rows}")).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{rows}: {error}");
        }
    }
}
