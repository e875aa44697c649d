//! One request on every board, as one table.

use std::path::Path;

use anyhow::bail;
use mote_core::model::{Model, NamedPlan};
use mote_qemu::{BOARDS, Board, Error, Request, Task};
use serde::Serialize;

use super::super::CheckFailed;
use super::{Args, image};
use crate::board::{Measurement, compare, measurements};

/// What came of a request on every board.
#[derive(Serialize)]
pub(super) struct Table {
    plan: String,
    seed: u64,
    count: u32,
    host_digest: Option<String>,
    boards: Vec<Row>,
}

/// What came of it on one board.
#[derive(Serialize)]
struct Row {
    board: &'static str,
    core: &'static str,
    digest: Option<String>,
    bits_equal: Option<bool>,
    /// Why it did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run: Option<String>,
    /// Whether a tool is missing, rather than room on the board.
    #[serde(skip)]
    tool_missing: bool,
    measurements: Vec<Measurement>,
}

/// Runs a request on every board. A board that is too small, or whose tools are missing, is a row that says so.
pub(super) fn run(
    args: &Args,
    path: &Path,
    model: &Model<'_>,
    plan: &NamedPlan<'_>,
    request: &Request,
) -> Result<Table, Error> {
    let request = Request { values: false, ..request.clone() };
    let mut table =
        Table { plan: plan.name.into(), seed: args.seed, count: args.count, host_digest: None, boards: Vec::new() };
    for board in BOARDS {
        let compared =
            image(args, board, model).and_then(|image| Ok((compare(&image, path, model, plan, &request)?, image)));
        let mut row = Row::empty(board);
        match compared {
            Ok((compared, image)) => {
                table.host_digest = Some(format!("{:016x}", compared.host_digest));
                row.digest = Some(format!("{:016x}", compared.report.digest));
                row.bits_equal = Some(compared.is_equal());
                if request.task == Task::Bench {
                    let macs = model.network().multiply_accumulates();
                    row.measurements = measurements(&compared.report, &image, macs, plan.name);
                }
            }
            Err(error) if error.is_missing_tool() || error.is_too_small() => {
                row.tool_missing = error.is_missing_tool();
                row.not_run = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        table.boards.push(row);
    }
    Ok(table)
}

impl Row {
    fn empty(board: &Board) -> Self {
        Self {
            board: board.name,
            core: board.core,
            digest: None,
            bits_equal: None,
            not_run: None,
            tool_missing: false,
            measurements: Vec::new(),
        }
    }

    fn text(&self) -> String {
        let head = format!("{:<13} {:<11}", self.board, self.core);
        if let Some(reason) = &self.not_run {
            return format!("{head} not run: {reason}\n");
        }
        let cells: String = FIGURES.iter().filter_map(|figure| figure.cell(&self.measurements)).collect();
        let verdict = if self.bits_equal == Some(true) { "equal" } else { "DIFFERENT" };
        format!("{head}{cells} {verdict:>9}\n")
    }
}

/// A column of the table.
struct Figure {
    heading: &'static str,
    /// The name of its measurement.
    name: &'static str,
    /// Whether it is counted for one multiply-accumulate.
    per_multiply_accumulate: bool,
    digits: usize,
}

const FIGURES: [Figure; 8] = [
    Figure { heading: "parse", name: "parse", per_multiply_accumulate: false, digits: 0 },
    Figure { heading: "evaluation", name: "evaluation", per_multiply_accumulate: false, digits: 0 },
    Figure { heading: "a mult.-acc.", name: "evaluation", per_multiply_accumulate: true, digits: 2 },
    Figure { heading: "normal", name: "normal", per_multiply_accumulate: false, digits: 1 },
    Figure { heading: "sample", name: "sample", per_multiply_accumulate: false, digits: 0 },
    Figure { heading: "flash B", name: "flash", per_multiply_accumulate: false, digits: 0 },
    Figure { heading: "RAM B", name: "statics", per_multiply_accumulate: false, digits: 0 },
    Figure { heading: "stack B", name: "stack", per_multiply_accumulate: false, digits: 0 },
];

impl Figure {
    /// The column's place, which is as wide as its heading and its figures.
    fn width(&self) -> usize {
        self.heading.len().max(9) + 1
    }

    fn cell(&self, measured: &[Measurement]) -> Option<String> {
        let found = measured.iter().find(|found| found.name == self.name)?;
        let value = if self.per_multiply_accumulate { found.per_multiply_accumulate? } else { found.value };
        Some(format!("{value:>width$.digits$}", width = self.width(), digits = self.digits))
    }
}

impl Table {
    /// An error unless every board ran, but for those that are too small, and gave the host's bits.
    pub fn verdict(&self) -> anyhow::Result<()> {
        let names = |wanted: fn(&Row) -> bool| {
            self.boards.iter().filter(|row| wanted(row)).map(|row| row.board).collect::<Vec<_>>().join(", ")
        };
        let different = names(|row| row.bits_equal == Some(false));
        if !different.is_empty() {
            return Err(CheckFailed(format!("the bits differ from the host's on {different}")).into());
        }
        let missing = names(|row| row.tool_missing);
        if !missing.is_empty() {
            bail!("not run for want of a tool, which the table names: {missing}");
        }
        Ok(())
    }
}

pub(super) fn to_text(table: &Table) -> String {
    let measured = table.boards.iter().any(|row| !row.measurements.is_empty());
    let headings: String = FIGURES
        .iter()
        .filter(|_| measured)
        .map(|figure| format!("{:>width$}", figure.heading, width = figure.width()))
        .collect();
    let mut text = format!("{:<13} {:<11}{headings} {:>9}\n", "board", "core", "bits");
    for row in &table.boards {
        text += &row.text();
    }
    let counted =
        "instructions are counted by QEMU, exactly; they are not cycles and not time; flash is without the model\n";
    if measured {
        text += counted;
    }
    let digest = table.host_digest.as_deref().unwrap_or("none");
    text + &format!("host: digest {digest} of {} samples, seed {}, plan {}\n", table.count, table.seed, table.plan)
}
