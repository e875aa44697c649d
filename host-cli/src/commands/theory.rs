//! `mote theory`

use std::io;
use std::num::NonZeroUsize;

use mote_laboratory::theory::{Laboratory, Report, Selected, select, table};
use serde::Serialize;

use super::CheckFailed;
use super::output::Format;

/// Arguments of `mote theory`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 1 when a row fails. Example: mote theory --seed 7 --only orders")]
pub(super) struct Args {
    /// Seed of all chance; a row fails by chance once in 100,000 seeds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A chapter, or part of a row's name; may be repeated.
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Threads to use [default: all cores]; the numbers do not depend on it.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Print the names of chapters and rows, and run nothing.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    format: Format,
}

/// What `--list --json` prints of a row.
#[derive(Serialize)]
struct Listed {
    chapter: &'static str,
    name: &'static str,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let selected = select(&args.only).map_err(|unknown| anyhow::anyhow!("--only: {unknown} --list shows all"))?;
    if args.list {
        return list(args.format, &selected);
    }
    let threads = args.threads.map_or(0, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let laboratory = Laboratory { seed: args.seed };
    let report = if args.format.is_json() {
        let report = mote_laboratory::theory::run(&laboratory, &pool, &selected, |_, _| Ok::<_, io::Error>(()))?;
        args.format.print(&report, |_| String::new())?;
        report
    } else {
        table::print(&laboratory, &pool, &selected, &mut io::stdout())?
    };
    judge(&report)
}

fn list(format: Format, selected: &[Selected]) -> anyhow::Result<()> {
    if !format.is_json() {
        return Ok(table::list(selected, &mut io::stdout().lock())?);
    }
    let rows =
        |one: &Selected| one.rows.iter().map(|name| Listed { chapter: one.chapter.name, name }).collect::<Vec<_>>();
    format.print(&selected.iter().flat_map(rows).collect::<Vec<_>>(), |_| String::new())
}

/// An error that names the rows that fail.
fn judge(report: &Report) -> anyhow::Result<()> {
    if report.failed == 0 {
        return Ok(());
    }
    let (failed, rows, seed) = (report.failed, report.rows.len(), report.seed);
    let verb = if failed == 1 { "fails" } else { "fail" };
    let names = report.failures().join(", ");
    Err(CheckFailed(format!("{failed} of {rows} rows {verb} at seed {seed}: {names}")).into())
}
