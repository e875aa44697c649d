//! `mote fit`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;

use super::chip::Chip;
use super::output::Format;
use crate::fit::{Budget, Design, Objection, Proposal, propose};
use crate::inspection::bytes;
use crate::plan::PlanSpec;
use crate::recipe::Recipe;
use crate::run::Prepared;

/// Arguments of `mote fit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For each plan and number of hidden layers, the widest network whose model and program fit the flash, and whose statics, working memory and stack \
    fit the memory. Bytes are exact, but for a stack that another program deepens; instructions are those of QEMU to some per cent; cycles are a range, since \
    flash and buses wait differently on every chip. More weights are better as long as there are rows to learn from: `mote evaluate` tells.\n\n\
    Examples:\n  mote fit --data windows.csv --label state --flash 64K --ram 8K --board microbit --clock 16MHz\n  \
    mote fit --data digits --flash 128K --ram 16K --within 50ms --plan unipc2:5 --plan ddim:20"
)]
pub(super) struct Args {
    /// A built-in set, or a .csv, .csv.gz or .npy file with a sample a row.
    #[arg(long, value_name = "SOURCE")]
    data: String,
    /// Column with class labels.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// A recipe (TOML) for everything but the widths.
    #[arg(long, value_name = "FILE.toml")]
    recipe: Option<PathBuf>,
    /// Flash for the program and the model, as in 64K, 1M or 50000.
    #[arg(long, value_parser = size)]
    flash: usize,
    /// Memory for statics, working memory and stack.
    #[arg(long, value_parser = size)]
    ram: usize,
    #[command(flatten)]
    chip: Chip,
    /// The longest that a sample may take, as in 50ms or 2s.
    #[arg(long, value_parser = humantime_seconds, value_name = "TIME")]
    within: Option<f64>,
    /// A plan to propose networks for; give it several times for several. Default: 5, 10 and 20 evaluations.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<PlanSpec>,
    #[command(flatten)]
    format: Format,
}

/// A number of bytes, with K or M for 1024 and its square.
fn size(text: &str) -> Result<usize, String> {
    let found = parse_size::Config::new().with_binary().parse_size(text.trim());
    let found = found.ok().and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    found.ok_or_else(|| "it takes a number of bytes, as in 65536, 64K or 1M".into())
}

/// A time in seconds.
fn humantime_seconds(text: &str) -> Result<f64, String> {
    let found = humantime::parse_duration(text).map(|time| time.as_secs_f64());
    found.ok().filter(|seconds| *seconds > 0.0).ok_or_else(|| "it takes a time, as in 50ms or 2s".into())
}

#[derive(Serialize)]
struct Table {
    board: String,
    core: String,
    clock_hz: f64,
    flash: usize,
    ram: usize,
    designs: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    hidden: Vec<usize>,
    plan: String,
    evaluations: usize,
    blob_bytes: usize,
    flash_bytes: usize,
    arena_bytes: usize,
    ram_bytes: usize,
    multiply_accumulates: usize,
    instructions: f64,
    cycles: [f64; 2],
    seconds: [f64; 2],
    command: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut recipe = match &args.recipe {
        Some(path) => Recipe::read(path)?,
        None => Recipe::usual(&args.data),
    };
    recipe.data.source.clone_from(&args.data);
    if args.label.is_some() {
        recipe.data.label.clone_from(&args.label);
        recipe.network.class_conditional = true;
    }
    let data = Prepared::load(&recipe.data)?;
    let usual = ["unipc2:5", "dpm++2m:10", "dpm++2m:20"].map(str::parse);
    let plans =
        if args.plans.is_empty() { usual.into_iter().collect::<Result<Vec<_>, _>>()? } else { args.plans.clone() };
    let budget = Budget { flash: args.flash, ram: args.ram, clock_hz: args.chip.clock, seconds: args.within };
    let designs = match propose(&plans, &recipe, &data.summary, args.chip.board, &budget)? {
        Proposal::Designs(designs) => designs,
        Proposal::TooSmall(least, objection) => bail!("{}", refusal(args, &least, objection)),
    };
    let table = Table {
        board: args.chip.board.board.clone(),
        core: args.chip.board.core.clone(),
        clock_hz: args.chip.clock,
        flash: args.flash,
        ram: args.ram,
        designs: designs.iter().map(|design| line(args, design)).collect(),
    };
    args.format.print(&table, to_text)
}

/// Why nothing fits, and what would have to give.
fn refusal(args: &Args, least: &Design, objection: Objection) -> String {
    let hidden = widths(&least.hidden);
    let core = &args.chip.board.core;
    match objection {
        Objection::Flash => format!(
            "--flash {}: the smallest network tried, {hidden} with {}, takes {} of flash, {} of it program; give it more flash or fewer evaluations (--plan)",
            args.flash,
            least.plan,
            bytes(least.flash_bytes),
            bytes(least.flash_bytes - least.blob_bytes)
        ),
        Objection::Ram => format!(
            "--ram {}: the smallest network tried, {hidden} with {}, takes {} of memory, {} of it stack and statics; give it more memory or a plan with less history (ddim)",
            args.ram,
            least.plan,
            bytes(least.ram_bytes),
            bytes(least.ram_bytes - least.arena_bytes)
        ),
        Objection::Time => format!(
            "--within: the smallest network tried, {hidden} with {}, takes up to {:.1} ms on a {core} at {}; give it a longer time, a faster clock or fewer evaluations (--plan)",
            least.plan,
            1e3 * least.cycles[1] / args.chip.clock,
            megahertz(args.chip.clock)
        ),
    }
}

fn widths(hidden: &[usize]) -> String {
    hidden.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

fn megahertz(hz: f64) -> String {
    format!("{} MHz", hz / 1e6)
}

fn line(args: &Args, design: &Design) -> Line {
    let hidden = widths(&design.hidden);
    let recipe = args.recipe.as_ref().map_or(String::new(), |path| format!(" --recipe {}", path.display()));
    let label = args.label.as_ref().map_or(String::new(), |label| format!(" --label {label} --class-conditional"));
    Line {
        hidden: design.hidden.clone(),
        plan: design.plan.to_string(),
        evaluations: design.work.steps,
        blob_bytes: design.blob_bytes,
        flash_bytes: design.flash_bytes,
        arena_bytes: design.arena_bytes,
        ram_bytes: design.ram_bytes,
        multiply_accumulates: design.work.multiply_accumulates(),
        instructions: design.instructions.round(),
        cycles: design.cycles.map(f64::round),
        seconds: design.cycles.map(|cycles| cycles / args.chip.clock),
        command: format!("mote train{recipe} --data {}{label} --hidden {hidden} --plan {}", args.data, design.plan),
    }
}

fn to_text(table: &Table) -> String {
    let mut out = format!(
        "{} ({}) at {}, {} of flash, {} of memory\n\n",
        table.core,
        table.board,
        megahertz(table.clock_hz),
        bytes(table.flash),
        bytes(table.ram)
    );
    let _ = writeln!(
        out,
        "{:<20} {:<16} {:>5} {:>8} {:>8} {:>7} {:>7} {:>9} {:>12} {:>19}",
        "hidden", "plan", "eval.", "blob B", "flash B", "arena B", "RAM B", "MAC", "instructions", "ms a sample"
    );
    for line in &table.designs {
        let time = format!("{:.1} to {:.1}", 1e3 * line.seconds[0], 1e3 * line.seconds[1]);
        let _ = writeln!(
            out,
            "{:<20} {:<16} {:>5} {:>8} {:>8} {:>7} {:>7} {:>9} {:>12} {:>19}",
            widths(&line.hidden),
            line.plan,
            line.evaluations,
            line.blob_bytes,
            line.flash_bytes,
            line.arena_bytes,
            line.ram_bytes,
            line.multiply_accumulates,
            line.instructions,
            time
        );
    }
    if let Some(first) = table.designs.first() {
        let _ = writeln!(out, "\nThe largest of them: {}", first.command);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_with_their_units() {
        assert_eq!(["64K", "1M", "50000", "8KiB"].map(size), [Ok(65_536), Ok(1_048_576), Ok(50_000), Ok(8192)]);
        assert_eq!(["50ms", "2s"].map(humantime_seconds), [Ok(0.05), Ok(2.0)]);
        for wrong in ["", "K", "-1", "0", "many"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert!(humantime_seconds("5").is_err() && humantime_seconds("0s").is_err());
    }
}
