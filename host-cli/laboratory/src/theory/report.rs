//! Running experiments side by side, and what came of them.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use rayon::ThreadPool;
use rayon::prelude::*;
use serde::Serialize;

use super::{Laboratory, Row, Selected, Verdict};

/// A row with its verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The chapter's name.
    pub chapter: &'static str,
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// The difference in standard errors, for a statistic.
    pub z: Option<f64>,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// All rows of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The seed of the table.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
    /// How many rows fail.
    pub failed: usize,
    /// The rows, in the table's order.
    pub rows: Vec<Finding>,
}

impl Report {
    /// The names of the rows that fail.
    #[must_use]
    pub fn failures(&self) -> Vec<&'static str> {
        let failing = self.rows.iter().filter(|finding| finding.verdict == Verdict::Fails);
        failing.map(|finding| finding.row.name).collect()
    }
}

/// Runs experiments on the pool's threads and shows the rows of each in the table's order, as soon as those before it are done.
///
/// A row whose experiment panics or does not give it fails, and says why; the others are not touched.
///
/// # Errors
/// The first error of `show`; experiments that have not begun by then are left out.
pub fn run<E>(
    laboratory: &Laboratory,
    pool: &ThreadPool,
    selected: &[Selected],
    mut show: impl FnMut(&Selected, &[Finding]) -> Result<(), E>,
) -> Result<Report, E> {
    let start = Instant::now();
    let (sender, results) = mpsc::channel();
    let stop = AtomicBool::new(false);
    let mut rows = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            // A bridge hands them out in order, so that the first rows come first.
            pool.install(|| {
                selected.iter().enumerate().par_bridge().for_each_with(sender, |sender, (i, selected)| {
                    if !stop.load(Ordering::Relaxed) {
                        // Nobody listens any more when `show` has failed.
                        let _ = sender.send((i, findings(laboratory, selected)));
                    }
                });
            });
        });
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (i, findings) in results {
            waiting.insert(i, findings);
            while let Some(findings) = waiting.remove(&next) {
                if let Err(error) = show(&selected[next], &findings) {
                    stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                rows.extend(findings);
                next += 1;
            }
        }
        Ok(())
    })?;
    let failed = rows.iter().filter(|finding: &&Finding| finding.verdict == Verdict::Fails).count();
    Ok(Report { seed: laboratory.seed, seconds: start.elapsed().as_secs_f64(), failed, rows })
}

/// The rows of one experiment that were asked for, and any that it does not declare.
fn findings(laboratory: &Laboratory, selected: &Selected) -> Vec<Finding> {
    let experiment = selected.experiment;
    let lost = |name: &'static str, why: String| Row::exact(name, why, 0.0, f64::NAN, 0.0);
    let rows = match catch_unwind(AssertUnwindSafe(|| (experiment.run)(laboratory))) {
        Ok(mut rows) => {
            rows.retain(|row| selected.rows.contains(&row.name) || !experiment.rows.contains(&row.name));
            for name in &selected.rows {
                if !rows.iter().any(|row| row.name == *name) {
                    rows.push(lost(name, "its experiment did not give this row".into()));
                }
            }
            rows
        }
        Err(panic) => {
            let why = format!("its experiment panicked: {}", message(panic.as_ref()));
            selected.rows.iter().map(|name| lost(name, why.clone())).collect()
        }
    };
    let finding = |row: Row| Finding { chapter: selected.chapter.name, z: row.z(), verdict: row.verdict(), row };
    rows.into_iter().map(finding).collect()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::{CHAPTERS, Chapter, Experiment};

    fn good(name: &'static str) -> Row {
        Row::exact(name, "one is one", 1.0, 1.0, 0.0)
    }

    const CHAPTER: Chapter = Chapter {
        name: "made-up",
        title: "Made up",
        experiments: &[
            Experiment {
                rows: &["slow"],
                run: |_| {
                    thread::sleep(std::time::Duration::from_millis(50));
                    vec![good("slow")]
                },
            },
            Experiment { rows: &["lost-a", "lost-b"], run: |_| panic!("on purpose") },
            Experiment { rows: &["given", "forgotten"], run: |_| vec![good("given")] },
            Experiment { rows: &["wanted", "unwanted"], run: |_| vec![good("wanted"), good("unwanted")] },
        ],
    };

    fn selected() -> Vec<Selected> {
        let all = CHAPTER.experiments.iter();
        let mut all: Vec<_> =
            all.map(|experiment| Selected { chapter: &CHAPTER, experiment, rows: experiment.rows.to_vec() }).collect();
        all[3].rows.pop();
        all
    }

    fn pool(threads: usize) -> ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    #[test]
    fn rows_come_in_order_and_a_panic_takes_only_its_own() {
        for threads in [1, 4] {
            let mut shown = Vec::new();
            let show = |_: &Selected, findings: &[Finding]| {
                shown.extend(findings.iter().map(|finding| finding.row.name));
                Ok::<_, ()>(())
            };
            let report = run(&Laboratory { seed: 3 }, &pool(threads), &selected(), show).unwrap();
            assert_eq!(shown, ["slow", "lost-a", "lost-b", "given", "forgotten", "wanted"]);
            assert_eq!(report.failures(), ["lost-a", "lost-b", "forgotten"]);
            assert_eq!((report.failed, report.seed), (3, 3));
            assert_eq!(report.rows[1].row.statement, "its experiment panicked: on purpose");
        }
    }

    #[test]
    fn an_error_of_the_reader_ends_the_run() {
        let result = run(&Laboratory { seed: 3 }, &pool(2), &selected(), |_, _| Err("closed"));
        assert_eq!(result.unwrap_err(), "closed");
    }

    #[test]
    fn every_experiment_gives_the_rows_it_declares_and_no_name_is_used_twice() {
        let mut names = Vec::new();
        for chapter in CHAPTERS {
            for experiment in chapter.experiments {
                let rows = (experiment.run)(&Laboratory { seed: 1 });
                let given: Vec<_> = rows.iter().map(|row| row.name).collect();
                assert_eq!(given, experiment.rows, "in chapter {}", chapter.name);
                names.extend(given);
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
