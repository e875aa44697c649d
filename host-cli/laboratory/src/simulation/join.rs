use std::collections::BTreeMap;

use super::report::lines;
use super::{Plan, Report, Shard};

/// Adds up the reports of all shards of a run, in any order, to the report of the whole.
///
/// # Errors
/// One line if the reports are of different runs, or a shard is missing or there twice.
pub fn join(reports: &[Report]) -> Result<Report, String> {
    let first = reports.first().ok_or("no shard to join")?;
    let whole = |report: &Report| Plan { shard: Shard { index: 0, count: 1 }, ..report.plan.clone() };
    let mut shards = BTreeMap::new();
    for report in reports {
        let shard = report.plan.shard;
        if whole(report) != whole(first)
            || shard.count != first.plan.shard.count
            || report.sums.len() != first.sums.len()
        {
            let (one, other) = (first.plan.shard, shard);
            return Err(format!("shard {other} is of another run than shard {one}: {}", difference(report, first)));
        }
        if shards.insert(shard.index, report).is_some() {
            return Err(format!("shard {shard} is given twice"));
        }
    }
    let count = first.plan.shard.count;
    if let Some(missing) = (0..count).find(|index| !shards.contains_key(index)) {
        return Err(format!("shard {missing}/{count} is missing: {} of {count} are given", shards.len()));
    }
    let mut sums = shards[&0].sums.clone();
    for report in shards.values().skip(1) {
        sums.iter_mut().zip(&report.sums).for_each(|(sum, more)| sum.merge(more));
    }
    let predicted: Vec<_> = first.rows.iter().map(|row| row.predicted).collect();
    let plan = whole(first);
    let rows = lines(&plan, &sums, &predicted);
    Ok(Report { plan, out: None, rows, sums })
}

/// What differs between two runs, as far as a word can say.
fn difference(a: &Report, b: &Report) -> String {
    let (a, b) = (&a.plan, &b.plan);
    let pairs = [
        ("process", a.process.clone(), b.process.clone()),
        ("equation", a.equation.clone(), b.equation.clone()),
        ("seed", a.seed.to_string(), b.seed.to_string()),
        ("paths", a.paths.to_string(), b.paths.to_string()),
        ("steps", a.steps.to_string(), b.steps.to_string()),
        ("stepper", a.stepper.to_string(), b.stepper.to_string()),
        ("start", a.start.to_string(), b.start.to_string()),
        ("end", a.t1.to_string(), b.t1.to_string()),
        ("number of shards", a.shard.count.to_string(), b.shard.count.to_string()),
    ];
    let found = pairs.into_iter().find(|(_, a, b)| a != b);
    found.map_or("times or states written differ".into(), |(name, a, b)| format!("{name} {a}, not {b}"))
}
