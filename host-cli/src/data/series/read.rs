//! From a CSV or .npy file to a series.

use std::collections::HashMap;

use super::time::{self, Step};
use super::{Lines, Part, Segment, Series, WindowRecipe};
use crate::data::csv_table::{Cell, Row, Rows, find, is_header, listed, shorten};
use crate::data::error::DataError;
use crate::data::source::{Content, content};
use crate::data::{Header, LoadOptions, MAX_DIM, Missing, npy};

/// Rows that are filled in as missing where times leave a gap; a longer one ends the segment.
pub(super) const FILLED: u64 = 64;

/// Reads a log: rows in time order, channels as columns, and columns for time, group, part and label where the recipe names them.
///
/// Rows of several groups may alternate. Without a time column each group's rows are taken to follow each other evenly.
///
/// # Errors
/// [`DataError`], one line with file, line and column, and the way out.
pub fn read_series(
    source: &str,
    recipe: &WindowRecipe,
    header: Header,
    label: Option<&str>,
    part: Option<&str>,
) -> Result<Series, DataError> {
    match content(source)? {
        Content::Text { name, bytes } => from_csv(source, name, &bytes, recipe, header, label, part),
        Content::Array { name, bytes } => from_npy(source, name, &bytes, recipe, label.or(part)),
    }
}

fn from_npy(
    path: &str,
    name: String,
    bytes: &[u8],
    recipe: &WindowRecipe,
    named: Option<&str>,
) -> Result<Series, DataError> {
    if let Some(column) = named.or(recipe.time_column.as_deref()).or(recipe.group.as_deref()) {
        return Err(DataError::NoColumns { path: path.into(), column: column.into() });
    }
    let options = LoadOptions { missing: Missing::Keep, ..LoadOptions::default() };
    let table = npy::read(path, name, bytes, &options)?;
    let chosen = if recipe.columns.is_empty() {
        (0..table.dim).collect()
    } else {
        recipe.columns.iter().map(|c| find(path, &table.columns, c)).collect::<Result<Vec<_>, _>>()?
    };
    let values: Vec<f32> =
        table.values.chunks_exact(table.dim).flat_map(|row| chosen.iter().map(|c| row[*c])).collect();
    let rows = table.rows;
    Ok(Series {
        name: table.name,
        channels: chosen.iter().map(|c| table.columns[*c].clone()).collect(),
        whole: whole_channels(&values, chosen.len()),
        values,
        segments: vec![Segment { rows: 0..rows, group: String::new(), part: None, label: None }],
        period: None,
        warnings: Vec::new(),
        lines: None,
    })
}

/// Which column is what.
struct Roles {
    channels: Vec<usize>,
    time: Option<usize>,
    group: Option<usize>,
    label: Option<usize>,
    part: Option<usize>,
}

/// What one row says.
struct Line {
    values: Vec<f32>,
    seconds: f64,
    line: u64,
    record: usize,
    label: Option<String>,
    part: Option<Part>,
}

fn from_csv(
    path: &str,
    name: String,
    bytes: &[u8],
    recipe: &WindowRecipe,
    header: Header,
    label: Option<&str>,
    part: Option<&str>,
) -> Result<Series, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64;
        return Err(DataError::NotUtf8 { path: path.into(), line });
    }
    let mut rows = Rows::new(path, bytes);
    let empty = |what| DataError::Empty { path: path.into(), what };
    let first = rows.next()?.ok_or_else(|| empty("the file is blank"))?;
    let (names, first) = if is_header(&first.cells, header) {
        let names = (0..first.cells.len()).map(|c| match first.cells.get(c) {
            Some(name) if !name.is_empty() => name.to_string(),
            _ => format!("c{}", c + 1),
        });
        (names.collect::<Vec<_>>(), rows.next()?.ok_or_else(|| empty("a header, but no rows"))?)
    } else {
        ((1..=first.cells.len()).map(|c| format!("c{c}")).collect(), first)
    };
    let named = |column: Option<&str>| column.map(|column| find(path, &names, column)).transpose();
    let mut roles = Roles {
        channels: Vec::new(),
        time: named(recipe.time_column.as_deref())?,
        group: named(recipe.group.as_deref())?,
        label: named(label)?,
        part: named(part)?,
    };
    let taken = [roles.time, roles.group, roles.label, roles.part];
    roles.channels = if recipe.columns.is_empty() {
        let numeric = |c: &usize| !matches!(Cell::of(first.cells.get(*c).unwrap_or_default()), Cell::Word);
        (0..names.len()).filter(|c| !taken.contains(&Some(*c))).filter(numeric).collect()
    } else {
        recipe.columns.iter().map(|c| find(path, &names, c)).collect::<Result<_, _>>()?
    };
    if roles.channels.is_empty() {
        return Err(DataError::NoFeatures { path: path.into() });
    }
    if roles.channels.len() > MAX_DIM {
        return Err(DataError::TooManyColumns { path: path.into(), found: roles.channels.len() as u64 });
    }

    let mut order: Vec<String> = Vec::new();
    let mut groups: HashMap<String, Vec<Line>> = HashMap::new();
    let mut next = Some(first);
    let mut records = Vec::new();
    while let Some(row) = next {
        let group = roles.group.map_or(String::new(), |c| row.cells.get(c).unwrap_or_default().to_string());
        let line = roles.line(path, &names, &row)?;
        if !groups.contains_key(&group) {
            order.push(group.clone());
        }
        groups.entry(group).or_default().push(Line { record: records.len(), ..line });
        records.push(row.cells.iter().map(str::to_string).collect());
        next = rows.next()?;
    }
    let lines = || order.iter().filter_map(|group| groups.get(group));
    let steps: Vec<f64> = lines().flat_map(|of| of.windows(2).map(|two| two[1].seconds - two[0].seconds)).collect();
    let period = roles.time.and_then(|_| time::period(&steps));
    let mut series = Series {
        name,
        channels: roles.channels.iter().map(|c| names[*c].clone()).collect(),
        values: Vec::new(),
        segments: Vec::new(),
        period,
        whole: Vec::new(),
        warnings: Vec::new(),
        lines: Some(Lines { names: names.clone(), records, columns: roles.channels.clone(), rows: Vec::new() }),
    };
    let mut filled = 0;
    for group in &order {
        filled += append(&mut series, path, group, &groups[group])?;
    }
    series.whole = whole_channels(&series.values, series.channels.len());
    if filled > 0 {
        let rows = if filled == 1 { "row is" } else { "rows are" };
        series.warnings.push(format!("{path}: {filled} {rows} missing by their times and marked so"));
    }
    Ok(series)
}

impl Roles {
    fn line(&self, path: &str, names: &[String], row: &Row) -> Result<Line, DataError> {
        let cell = |c: usize| row.cells.get(c).unwrap_or_default();
        let place = |c: usize| format!("line {}, column {} ({})", row.line, c + 1, shorten(&names[c]));
        let mut values = Vec::with_capacity(self.channels.len());
        for &c in &self.channels {
            values.push(match Cell::of(cell(c)) {
                Cell::Number(number) => number,
                Cell::Missing(_) => f32::NAN,
                Cell::Word => {
                    return Err(DataError::NotANumber {
                        path: path.into(),
                        place: place(c),
                        text: shorten(cell(c)),
                        way_out: format!(
                            "correct the cell, or name the channels with --columns (there are {})",
                            listed(names)
                        ),
                    });
                }
            });
        }
        let seconds = match self.time {
            None => 0.0,
            Some(c) => time::seconds(cell(c)).ok_or_else(|| DataError::NotANumber {
                path: path.into(),
                place: place(c),
                text: shorten(cell(c)),
                way_out: "a time is seconds, or a date with a time of day as in 2013-01-01T06:00Z".into(),
            })?,
        };
        let part = match self.part {
            None => None,
            Some(c) => Some(part_of(cell(c)).ok_or_else(|| DataError::NotANumber {
                path: path.into(),
                place: place(c),
                text: shorten(cell(c)),
                way_out: "a part is train, validation or test".into(),
            })?),
        };
        Ok(Line { values, seconds, line: row.line, record: 0, label: self.label.map(|c| cell(c).to_string()), part })
    }
}

fn part_of(text: &str) -> Option<Part> {
    match text.to_lowercase().as_str() {
        "train" | "training" => Some(Part::Train),
        "validation" | "val" | "valid" => Some(Part::Validation),
        "test" => Some(Part::Test),
        _ => None,
    }
}

/// Appends the rows of a group, in segments; the number of rows that were missing and are marked so.
fn append(series: &mut Series, path: &str, group: &str, lines: &[Line]) -> Result<u64, DataError> {
    let channels = series.channels.len();
    let mut filled = 0;
    let mut before: Option<&Line> = None;
    let mut places = Vec::with_capacity(lines.len());
    for line in lines {
        let alike = before.is_some_and(|b| b.label == line.label && b.part == line.part);
        let gap = match (before, series.period) {
            (Some(before), Some(period)) => match time::step(line.seconds - before.seconds, period) {
                Step::Next => Some(0),
                Step::Gap(rows) => Some(rows),
                what @ (Step::Back | Step::Between) => {
                    let step = time::six_digits(line.seconds - before.seconds);
                    let of = if group.is_empty() { String::new() } else { format!(" of {}", shorten(group)) };
                    let way_out = match what {
                        Step::Back => "sort the rows by time, or name the column of the recordings with --group".into(),
                        _ => format!("resample the log to one row every {period} s"),
                    };
                    return Err(DataError::Time { path: path.into(), line: line.line, of, step, period, way_out });
                }
            },
            (Some(_), None) => Some(0),
            (None, _) => None,
        };
        let rows = series.values.len() / channels;
        match (gap, series.segments.last_mut()) {
            (Some(gap), Some(segment)) if gap <= FILLED && alike => {
                series.values.resize(series.values.len() + gap as usize * channels, f32::NAN);
                segment.rows.end = rows + gap as usize + 1;
                filled += gap;
                places.extend(std::iter::repeat_n(None, gap as usize));
            }
            _ => series.segments.push(Segment {
                rows: rows..rows + 1,
                group: group.into(),
                part: line.part,
                label: line.label.clone(),
            }),
        }
        places.push(Some(line.record));
        series.values.extend(&line.values);
        before = Some(line);
    }
    if let Some(lines) = &mut series.lines {
        lines.rows.extend(places);
    }
    Ok(filled)
}

/// Which channels hold whole numbers alone.
fn whole_channels(values: &[f32], channels: usize) -> Vec<bool> {
    (0..channels)
        .map(|c| {
            let mut there = values.iter().skip(c).step_by(channels).filter(|v| !v.is_nan()).peekable();
            there.peek().is_some() && there.all(|v| v.fract() == 0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str, recipe: &WindowRecipe) -> Result<Series, DataError> {
        from_csv("log.csv", "log".into(), text.as_bytes(), recipe, Header::Auto, None, None)
    }

    fn timed() -> WindowRecipe {
        WindowRecipe { time_column: Some("t".into()), ..WindowRecipe::default() }
    }

    #[test]
    fn missing_rows_are_marked_and_long_gaps_part_segments() {
        let mut text = String::from("t,a,b\n");
        for t in [0, 1, 2, 5, 6, 200, 201] {
            text += &format!("{t},{t}.5,\n");
        }
        let series = csv(&text, &timed()).unwrap();
        assert_eq!(series.period, Some(1.0));
        let ranges: Vec<_> = series.segments.iter().map(|s| s.rows.clone()).collect();
        assert_eq!(ranges, [0..7, 7..9]);
        let a: Vec<f32> = series.values.iter().step_by(2).copied().collect();
        assert!(a[3].is_nan() && a[4].is_nan());
        assert_eq!((a[2], a[5], a[7]), (2.5, 5.5, 200.5));
        assert!(series.values.iter().skip(1).step_by(2).all(|v| v.is_nan()), "an empty cell is missing");
        assert!(series.warnings[0].contains("2 rows are missing"), "{:?}", series.warnings);
    }

    #[test]
    fn groups_may_alternate_and_are_kept_apart() {
        let text = "t,who,a\n0,x,1\n0,y,10\n1,x,2\n1,y,11\n2,x,3\n";
        let recipe = WindowRecipe { group: Some("who".into()), ..timed() };
        let series = csv(text, &recipe).unwrap();
        let groups: Vec<_> = series.segments.iter().map(|s| (s.group.as_str(), s.rows.len())).collect();
        assert_eq!(groups, [("x", 3), ("y", 2)]);
        assert_eq!(series.values, [1.0, 2.0, 3.0, 10.0, 11.0]);
        assert_eq!((series.whole.as_slice(), series.channels.as_slice()), (&[true][..], &["a".to_string()][..]));
    }

    #[test]
    fn times_that_go_back_or_fall_between_are_refused_with_their_line() {
        let back = csv("t,a\n0,1\n1,2\n2,1\n1,3\n", &timed()).unwrap_err().to_string();
        assert!(back.contains("log.csv: line 5") && back.contains("--group"), "{back}");
        let between = csv("t,a\n0,1\n1,2\n2,1\n3.5,3\n4.5,1\n", &timed()).unwrap_err().to_string();
        assert!(between.contains("line 5") && between.contains("resample"), "{between}");
        let word = csv("t,a\n0,1\nnoon,2\n", &timed()).unwrap_err().to_string();
        assert!(word.contains("line 3, column 1 (t)") && word.contains("2013-01-01T06:00Z"), "{word}");
    }

    #[test]
    fn columns_are_chosen_by_name_and_a_part_column_splits() {
        let text = "a,b,part\n1,2,train\n3,4,train\n5,6,test\n";
        let recipe = WindowRecipe { columns: vec!["b".into()], ..WindowRecipe::default() };
        let series =
            from_csv("log.csv", "log".into(), text.as_bytes(), &recipe, Header::Auto, None, Some("part")).unwrap();
        assert_eq!(series.values, [2.0, 4.0, 6.0]);
        let parts: Vec<_> = series.segments.iter().map(|s| (s.part, s.rows.len())).collect();
        assert_eq!(parts, [(Some(Part::Train), 2), (Some(Part::Test), 1)]);
        let wrong = text.replace("test", "tset");
        let error = from_csv("log.csv", "l".into(), wrong.as_bytes(), &recipe, Header::Auto, None, Some("part"));
        assert!(error.unwrap_err().to_string().contains("train, validation or test"));
    }
}
