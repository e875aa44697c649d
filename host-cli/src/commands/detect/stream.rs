//! A log on standard input, judged as its rows come.

use std::collections::HashMap;
use std::io::{self, Write as _};

use mote_core::model::{Arena, Model};
use serde::Serialize;

use super::{Args, Judge};
use crate::data::{LiveLog, WindowRecipe};
use crate::pool::bind;
use crate::run::WindowSummary;

/// A window that was judged.
#[derive(Debug, Serialize)]
struct Judged<'s> {
    group: &'s str,
    /// Number of its first row within its group.
    first_row: u64,
    /// The time of its first row, as the log has it.
    time: &'s str,
    /// None where every value is missing.
    score: Option<f32>,
    alarm: bool,
}

/// A window that is filling.
#[derive(Debug, Default)]
struct Filling {
    values: Vec<f32>,
    time: String,
    first_row: u64,
    /// Rows of the group so far.
    rows: u64,
}

impl Filling {
    /// Takes a row in.
    fn push(&mut self, time: &str, values: &[f32]) {
        if self.values.is_empty() {
            (self.time, self.first_row) = (time.into(), self.rows);
        }
        self.values.extend(values);
        self.rows += 1;
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Counts {
    windows: u64,
    alarms: u64,
    /// Windows in which everything is missing.
    empty: u64,
    /// Rows missing by their times.
    rows: u64,
    /// Values missing in rows that are there.
    values: u64,
}

/// Judges window after window, each as soon as its last row is there, and writes its line at once.
pub(super) fn run(args: &Args, model: &Model<'_>, window: &WindowSummary, judge: &Judge) -> anyhow::Result<()> {
    let options = args.log.options();
    let recipe = WindowRecipe {
        columns: window.channels.clone(),
        time_column: options.time_column,
        group: options.group,
        ..WindowRecipe::default()
    };
    let mut log = LiveLog::new("standard input", io::stdin().lock(), &recipe, options.header, window.period)?;
    let mut arena = Box::new(Arena::new());
    let mut bound = bind(model, &mut arena);
    let (calibration, channels) = (&judge.calibration, window.channels.len());
    let detector = calibration.detector(&judge.levels);
    let values = calibration.length * channels;
    let (mut state, mut errors) = (vec![0.0; values], vec![0.0; values]);
    let mut score = |window: &mut [f32]| {
        model.scale(window);
        let there = window.iter().any(|x| !x.is_nan());
        there.then(|| detector.score(&mut bound.estimator(), channels, window, [&mut state, &mut errors]))
    };
    let (mut groups, mut counts) = (HashMap::<String, Filling>::new(), Counts::default());
    let (mut out, json) = (io::stdout().lock(), args.format.is_json());
    if !json {
        writeln!(out, "group,first_row,time,score,alarm")?;
        out.flush()?;
    }
    let mut judged = |filling: &mut Filling, group: &str, counts: &mut Counts| -> anyhow::Result<()> {
        if filling.values.len() < values {
            return Ok(());
        }
        let score = score(&mut filling.values);
        let alarm = score.is_some_and(|score| score > calibration.threshold);
        counts.windows += 1;
        counts.alarms += u64::from(alarm);
        let Filling { time, first_row, .. } = filling;
        if score.is_none() {
            counts.empty += 1;
            eprintln!("warning: the window from row {first_row} (time {time:?}) holds no value at all");
        }
        if alarm || !args.alarms {
            print(&mut out, &Judged { group, first_row: *first_row, time, score, alarm }, json)?;
        }
        filling.values.clear();
        Ok(())
    };
    let nothing = vec![f32::NAN; channels];
    while let Some(row) = log.next_row()? {
        let filling = groups.entry(row.group.clone()).or_default();
        match row.gap {
            // A long gap: what was there is no window.
            None => filling.values.clear(),
            Some(gap) => {
                counts.rows += gap;
                for _ in 0..gap {
                    filling.push("", &nothing);
                    judged(filling, &row.group, &mut counts)?;
                }
            }
        }
        counts.values += row.values.iter().filter(|x| x.is_nan()).count() as u64;
        filling.push(&row.time, &row.values);
        judged(filling, &row.group, &mut counts)?;
    }
    let Counts { windows, alarms, empty, rows, values } = counts;
    eprintln!("{windows} windows of {} samples, {alarms} above {:.4}", calibration.length, calibration.threshold);
    if rows + values + empty > 0 {
        eprintln!(
            "warning: standard input: {rows} rows missing by their times, {values} values missing (empty, NaN or infinite) in others, {empty} windows without any"
        );
    }
    Ok(())
}

fn print(out: &mut impl io::Write, judged: &Judged<'_>, json: bool) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{}", serde_json::to_string(judged)?)?;
    } else {
        let Judged { group, first_row, time, score, alarm } = judged;
        let score = score.map(|score| score.to_string()).unwrap_or_default();
        let mut line = csv::Writer::from_writer(Vec::new());
        line.write_record([*group, &first_row.to_string(), *time, &score, if *alarm { "1" } else { "0" }])?;
        out.write_all(&line.into_inner().map_err(|error| error.into_error())?)?;
    }
    // A line that waits in a buffer is no alarm.
    Ok(out.flush()?)
}
