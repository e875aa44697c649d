//! Windows cut from a series, split by group or by time and never by window.

use std::ops::Range;

use super::{Part, Segment, Series, WindowRecipe};
use mote_core::job::ORDER_MAX;

use crate::data::error::DataError;
use crate::data::labels::Labels;
use crate::data::{MAX_DIM, Split, SplitError};

/// Windows of a series, row-major with time first: sample after sample, in each its channels.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Windowed {
    /// Name of each component, `CHANNEL@TIME`; a sliding network's times count from its middle.
    pub columns: Vec<String>,
    /// Windows that train, validate and test; NaN where a value is missing.
    pub parts: [Vec<f32>; 3],
    /// The class of each window of each part.
    pub labels: Option<([Vec<u16>; 3], Vec<String>)>,
    /// What the user should know, one line each.
    pub warnings: Vec<String>,
}

/// Why windows cannot be cut.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// The length does not fit.
    #[error(
        "--window {length}: a window of {channels} channels has {length} x {channels} values, and {least} to {MAX_DIM} are possible{odd}"
    )]
    Length {
        /// Samples in a window.
        length: usize,
        /// Channels.
        channels: usize,
        /// The fewest values.
        least: usize,
        /// What else is asked of it.
        odd: &'static str,
    },
    /// The stride is 0.
    #[error("--stride 0: windows must move on; give 1 or more")]
    Stride,
    /// The signals would be empty.
    #[error("--stretch 0: the signals that the network will meet have at least one sample")]
    Stretch,
    /// What a network that fills gaps sees does not fit.
    #[error(
        "--window {window} --around {around}: what a network that fills gaps sees is (2 x {window} + {around}) x {channels} values; both numbers must be odd, and at most {MAX_DIM} values are possible"
    )]
    Gaps {
        /// Samples of means and of deviations.
        window: usize,
        /// Samples of the state.
        around: usize,
        /// Channels.
        channels: usize,
    },
    /// The order of an autoregression is out of its limits.
    #[error("--order {0}: an autoregression looks 1 to {ORDER_MAX} samples back")]
    Order(usize),
    /// A split that would put windows that overlap into different parts.
    #[error(
        "windows overlap, so they cannot be split {0}: split by time (--split contiguous), by group (--split groups), or by a column (--part-column)"
    )]
    Split(&'static str),
    /// A part has no windows.
    #[error("the {part} part has no whole window of {length} samples: bring longer recordings, or cut shorter windows")]
    Empty {
        /// `train`, `validation` or `test`.
        part: &'static str,
        /// Samples in a window.
        length: usize,
    },
    /// The split itself.
    #[error(transparent)]
    Shares(#[from] SplitError),
    /// The labels.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// Cuts a series into windows and shares them out.
///
/// A network that slides sees the middle of a window, so its windows also begin before a segment and end behind it, and what is
/// outside is missing; a window whose middle is missing teaches nothing and is left out. Other windows lie within one segment, and those
/// with a missing value are left out and counted.
///
/// # Errors
/// [`WindowError`]: the length, the stride, the split, or a part without windows.
pub fn windows(series: &Series, recipe: &WindowRecipe, split: &Split) -> Result<Windowed, WindowError> {
    let (channels, length) = (series.channels.len(), recipe.length);
    let odd = recipe.sliding && length.is_multiple_of(2);
    if length < 2 || length * channels > MAX_DIM || odd {
        let odd = if odd { ", and a sliding window has a middle: give an odd number" } else { "" };
        return Err(WindowError::Length { length, channels, least: 2 * channels, odd });
    }
    if recipe.stride == 0 {
        return Err(WindowError::Stride);
    }
    if recipe.stretch == Some(0) {
        return Err(WindowError::Stretch);
    }
    let segments = parted(series, split)?;
    let mut out = Windowed {
        columns: names(series, recipe),
        parts: Default::default(),
        labels: None,
        warnings: series.warnings.clone(),
    };
    let (mut left_out, mut of_window) = (0usize, [const { Vec::new() }; 3]);
    for (part, segment) in &segments {
        let to = *part as usize;
        // Test windows of a network that does not slide do not overlap, so that they count once.
        let stride = if *part == Part::Train || recipe.sliding { recipe.stride } else { recipe.stride.max(length) };
        let kept = match recipe.sliding {
            true => sliding(series, segment.rows.clone(), length, stride, &mut out.parts[to]),
            false => whole(series, segment.rows.clone(), length, stride, &mut out.parts[to]),
        };
        left_out += kept.left_out;
        of_window[to].extend(std::iter::repeat_n(segment.label.clone(), kept.kept));
    }
    for (part, values) in ["train", "validation", "test"].into_iter().zip(&out.parts) {
        if values.is_empty() {
            return Err(WindowError::Empty { part, length });
        }
    }
    if left_out > 0 {
        let what = if recipe.sliding { "a missing middle" } else { "missing values" };
        out.warnings.push(format!("{left_out} windows with {what} left out"));
    }
    if series.segments.iter().any(|segment| segment.label.is_some()) {
        let cells: Vec<String> = of_window.iter().flatten().map(|label| label.clone().unwrap_or_default()).collect();
        let Labels { codes, names } = Labels::from_cells(cells, &series.name, "label")?;
        let mut codes = codes.into_iter();
        let parts = [0, 1, 2].map(|part| codes.by_ref().take(of_window[part].len()).collect());
        out.labels = Some((parts, names));
    }
    Ok(out)
}

fn names(series: &Series, recipe: &WindowRecipe) -> Vec<String> {
    let middle = if recipe.sliding { (recipe.length / 2) as i64 } else { 0 };
    (0..recipe.length as i64)
        .flat_map(|time| series.channels.iter().map(move |channel| format!("{channel}@{}", time - middle)))
        .collect()
}

/// The segments of each part, cut where a part ends.
fn parted(series: &Series, split: &Split) -> Result<Vec<(Part, Segment)>, WindowError> {
    match split {
        Split::Column { .. } => {
            Ok(series.segments.iter().filter_map(|s| s.part.map(|part| (part, s.clone()))).collect())
        }
        Split::Contiguous { train, validation } => {
            // Each group's time is cut at the same shares, so that every part has something of each.
            let mut out = Vec::new();
            for of_group in series.segments.chunk_by(|a, b| a.group == b.group) {
                let first = of_group[0].rows.start;
                let rows = of_group[of_group.len() - 1].rows.end - first;
                let at = |share: f64| first + (share * rows as f64).round() as usize;
                let (low, high) = (at(*train), at(train + validation));
                if !(*train > 0.0 && *validation > 0.0 && train + validation < 1.0) {
                    return Err(SplitError::BadShares { train: *train, validation: *validation }.into());
                }
                for segment in of_group {
                    let ends = [(Part::Train, 0..low), (Part::Validation, low..high), (Part::Test, high..usize::MAX)];
                    for (part, range) in ends {
                        let rows = segment.rows.start.max(range.start)..segment.rows.end.min(range.end);
                        if !rows.is_empty() {
                            out.push((part, Segment { rows, ..segment.clone() }));
                        }
                    }
                }
            }
            Ok(out)
        }
        Split::Groups { train, validation } => {
            let mut groups: Vec<&str> = Vec::new();
            for segment in &series.segments {
                if !groups.contains(&segment.group.as_str()) {
                    groups.push(&segment.group);
                }
            }
            let parts = Split::Contiguous { train: *train, validation: *validation }.parts(groups.len())?;
            let part_of = |group: &str| {
                let place = groups.iter().position(|g| *g == group).unwrap_or_default();
                match (parts.train.contains(&place), parts.validation.contains(&place)) {
                    (true, _) => Part::Train,
                    (_, true) => Part::Validation,
                    _ => Part::Test,
                }
            };
            Ok(series.segments.iter().map(|s| (part_of(&s.group), s.clone())).collect())
        }
        Split::Shuffled { .. } => Err(WindowError::Split("after a shuffle")),
        Split::Alternate => Err(WindowError::Split("by every other one")),
    }
}

/// The stretches of one part, missing values left as they are.
///
/// # Errors
/// [`WindowError`]: the split.
pub fn part_pieces(series: &Series, split: &Split, part: Part) -> Result<Vec<Vec<f32>>, WindowError> {
    let of_part = parted(series, split)?.into_iter().filter(|(of, _)| *of == part);
    Ok(of_part.map(|(_, segment)| series.slice(segment.rows).to_vec()).collect())
}

/// Whole windows of one part, within segments, missing values left as they are.
///
/// # Errors
/// [`WindowError`]: the split.
pub fn part_windows(
    series: &Series,
    split: &Split,
    part: Part,
    length: usize,
    stride: usize,
) -> Result<Vec<Vec<f32>>, WindowError> {
    let mut out = Vec::new();
    for (_, segment) in parted(series, split)?.into_iter().filter(|(of, _)| *of == part) {
        let mut start = segment.rows.start;
        while start + length <= segment.rows.end {
            let window = series.slice(start..start + length);
            if !window.iter().all(|x| x.is_nan()) {
                out.push(window.to_vec());
            }
            start += stride;
        }
    }
    Ok(out)
}

struct Kept {
    kept: usize,
    left_out: usize,
}

fn whole(series: &Series, rows: Range<usize>, length: usize, stride: usize, out: &mut Vec<f32>) -> Kept {
    let mut count = Kept { kept: 0, left_out: 0 };
    let mut start = rows.start;
    while start + length <= rows.end {
        let window = series.slice(start..start + length);
        if window.iter().any(|v| v.is_nan()) {
            count.left_out += 1;
        } else {
            out.extend(window);
            count.kept += 1;
        }
        start += stride;
    }
    count
}

fn sliding(series: &Series, rows: Range<usize>, length: usize, stride: usize, out: &mut Vec<f32>) -> Kept {
    let (half, channels) = (length / 2, series.channels.len());
    let mut count = Kept { kept: 0, left_out: 0 };
    for middle in rows.clone().step_by(stride) {
        if series.slice(middle..middle + 1).iter().any(|v| v.is_nan()) {
            count.left_out += 1;
            continue;
        }
        let (low, high) = (rows.start.max(middle.saturating_sub(half)), rows.end.min(middle + half + 1));
        let before = half - (middle - low);
        out.resize(out.len() + before * channels, f32::NAN);
        out.extend(series.slice(low..high));
        out.resize(out.len() + (length - before - (high - low)) * channels, f32::NAN);
        count.kept += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(lengths: &[usize]) -> Series {
        let mut segments = Vec::new();
        let mut start = 0;
        for (number, length) in lengths.iter().enumerate() {
            segments.push(Segment {
                rows: start..start + length,
                group: format!("g{number}"),
                part: None,
                label: None,
            });
            start += length;
        }
        Series {
            name: "s".into(),
            channels: vec!["a".into(), "b".into()],
            values: (0..start).flat_map(|row| [row as f32, -(row as f32)]).collect(),
            segments,
            period: None,
            whole: vec![true; 2],
            warnings: Vec::new(),
            lines: None,
        }
    }

    fn shares() -> Split {
        Split::Contiguous { train: 0.5, validation: 0.25 }
    }

    /// The rows that windows of a part hold, by their channel a.
    fn rows(part: &[f32]) -> Vec<f32> {
        part.iter().step_by(2).copied().filter(|v| !v.is_nan()).collect()
    }

    #[test]
    fn no_row_is_in_two_parts_whatever_the_stride() {
        for sliding in [false, true] {
            let recipe = WindowRecipe { length: 5, sliding, ..WindowRecipe::default() };
            for split in [shares(), Split::Groups { train: 0.5, validation: 0.25 }] {
                let cut = windows(&series(&[40, 40, 40, 40]), &recipe, &split).unwrap();
                let [train, validation, test] = cut.parts.each_ref().map(|part| rows(part));
                for row in &train {
                    assert!(!validation.contains(row) && !test.contains(row), "{row}");
                }
                assert!(validation.iter().all(|row| !test.contains(row)));
            }
        }
    }

    #[test]
    fn whole_windows_lie_within_a_segment_and_hold_nothing_missing() {
        let mut log = series(&[20, 20]);
        log.values[2 * 3] = f32::NAN;
        let recipe = WindowRecipe { length: 4, stride: 2, ..WindowRecipe::default() };
        let cut = windows(&log, &recipe, &shares()).unwrap();
        assert!(cut.parts.iter().flatten().all(|v| !v.is_nan()));
        assert!(cut.warnings[0].contains("2 windows with missing values"), "{:?}", cut.warnings);
        for window in cut.parts[0].chunks_exact(8) {
            assert_eq!(window[6] - window[0], 3.0);
        }
        assert_eq!(cut.columns[..3], ["a@0", "b@0", "a@1"]);
        // The first half of each segment, windows from rows 4 and 6, and 20 to 26.
        assert_eq!(cut.parts[0].chunks_exact(8).map(|w| w[0]).collect::<Vec<_>>(), [4.0, 6.0, 20.0, 22.0, 24.0, 26.0]);
    }

    #[test]
    fn sliding_windows_reach_over_the_ends_and_mark_what_is_outside() {
        let recipe = WindowRecipe { length: 5, sliding: true, ..WindowRecipe::default() };
        let cut = windows(&series(&[40]), &recipe, &shares()).unwrap();
        let first = &cut.parts[0][..10];
        assert!(first[..4].iter().all(|v| v.is_nan()));
        assert_eq!(first[4..], [0.0, 0.0, 1.0, -1.0, 2.0, -2.0]);
        assert_eq!(cut.parts[0].len(), 20 * 10);
        let last = &cut.parts[0][19 * 10..];
        assert_eq!(last[..6], [17.0, -17.0, 18.0, -18.0, 19.0, -19.0]);
        assert!(last[6..].iter().all(|v| v.is_nan()));
        assert_eq!((cut.columns[0].as_str(), cut.columns[4].as_str()), ("a@-2", "a@0"));
    }

    #[test]
    fn what_cannot_be_cut_is_refused_in_one_line() {
        let log = series(&[40]);
        let recipe = |length, stride, sliding| WindowRecipe { length, stride, sliding, ..WindowRecipe::default() };
        for (recipe, split, part) in [
            (recipe(300, 1, false), shares(), "2 x 4"),
            (recipe(4, 1, true), shares(), "odd number"),
            (recipe(4, 0, false), shares(), "--stride 0"),
            (recipe(4, 1, false), Split::Alternate, "--split groups"),
            (recipe(30, 1, false), shares(), "the train part has no whole window"),
        ] {
            let message = windows(&log, &recipe, &split).unwrap_err().to_string();
            assert_eq!(message.lines().count(), 1);
            assert!(message.contains(part) || part == "2 x 4" && message.contains("4 to 512"), "{message}");
        }
    }
}
