//! `mote simulate`

mod join;
mod progress;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow, bail};
use flate2::{Compression, write::GzEncoder};
use mote_laboratory::simulation::{AnySimulation, Kind, Plan, Processes, Report, Rows, Sink, Stop, file_bytes};
use rayon::{ThreadPool, ThreadPoolBuilder};

use self::progress::Progress;
use super::{CheckFailed, Interrupted, output};
use crate::data::SampleFile;
use crate::files::write_atomically;
use crate::training_run::interrupt_switch;

/// A process to simulate, or shards to join.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    #[command(flatten)]
    Process(Processes),
    /// Add up the tables of all shards of a run, and join their files
    Join(join::Args),
}

pub(super) fn run(verb: &Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Process(processes) => simulate(processes.get()),
        Verb::Join(args) => join::run(args),
    }
}

fn simulate(simulation: &dyn AnySimulation) -> anyhow::Result<()> {
    let settings = simulation.settings();
    let plan = simulation.plan().map_err(|line| anyhow!(line))?;
    let threads = settings.threads.unwrap_or(0) as usize; // 0 is one a core
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start --threads")?;
    let stop = interrupt_switch()?;
    let mut report = match &settings.out {
        None => finished(simulation.run(&plan, &pool, &mut Screen::new(&plan, None, &stop)))?,
        Some(out) => {
            let file = SampleFile::of(out)?;
            check_space(out, file, &plan)?;
            into_file(simulation, &plan, &pool, (out, file), &stop)?
        }
    };
    report.out = settings.out.as_ref().map(|out| out.display().to_string());
    print(&report, settings.json)
}

/// The table on standard output.
fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    output::text(&if json { serde_json::to_string_pretty(report)? + "\n" } else { report.to_text() })
}

/// Runs a plan and writes its states, all or nothing.
fn into_file(
    simulation: &dyn AnySimulation,
    plan: &Plan,
    pool: &ThreadPool,
    (path, file): (&Path, SampleFile),
    stop: &AtomicBool,
) -> anyhow::Result<Report> {
    // What ended the run is not what the file's writer would say of it.
    let mut ended = None;
    let written = write_states(path, file, |kind, out| {
        let mut rows = Rows::begin(kind, plan, out)?;
        match simulation.run(plan, pool, &mut Screen::new(plan, Some(&mut rows), stop)) {
            Ok(report) => {
                ended = Some(Ok(report));
                rows.finish()
            }
            Err(Stop::Io(error)) => Err(error),
            Err(other) => {
                ended = Some(Err(other));
                Err(io::Error::other("stopped"))
            }
        }
    });
    match ended {
        Some(Err(stop)) => finished(Err(stop)),
        Some(Ok(report)) => written.map(|()| report),
        None => Err(written.err().unwrap_or_else(|| anyhow!("nothing was written to {}", path.display()))),
    }
}

/// Writes states to a file, compressed if its name asks for it.
fn write_states(
    path: &Path,
    file: SampleFile,
    write: impl FnOnce(Kind, &mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    write_atomically(path, |out| match file {
        SampleFile::Npy => write(Kind::Npy, out),
        SampleFile::Csv => write(Kind::Csv, out),
        SampleFile::CsvGz => {
            // The last digits of a state are noise: the usual effort takes 2.5 times as long and saves a seventh.
            let mut packed = GzEncoder::new(out, Compression::fast());
            write(Kind::Csv, &mut packed)?;
            packed.finish().map(drop)
        }
    })?;
    Ok(())
}

/// The report of a run that came to its end, or the error of its kind.
fn finished(result: Result<Report, Stop>) -> anyhow::Result<Report> {
    result.map_err(|stop| match stop {
        Stop::Exploded { .. } => CheckFailed(stop.to_string()).into(),
        Stop::Interrupted { .. } => Interrupted(stop.to_string()).into(),
        other => other.into(),
    })
}

/// Refuses a file that the disk has no room for.
fn check_space(path: &Path, file: SampleFile, plan: &Plan) -> anyhow::Result<()> {
    let (needed, about) = match file {
        SampleFile::Npy => (file_bytes(Kind::Npy, plan), ""),
        SampleFile::Csv => (file_bytes(Kind::Csv, plan), "about "),
        // Digits pack to about half.
        SampleFile::CsvGz => (file_bytes(Kind::Csv, plan) / 2, "about "),
    };
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there is the writer's to report.
    let Ok(free) = fs4::available_space(folder) else { return Ok(()) };
    if needed > free {
        bail!(
            "{} needs {about}{needed} bytes, and {} has {free} free; take fewer --paths, a larger --every or --shard, or another --out",
            path.display(),
            folder.display()
        );
    }
    Ok(())
}

/// A run as the terminal sees it: a bar, a file that grows, and Ctrl-C.
struct Screen<'a, 'w> {
    rows: Option<&'a mut Rows<'w>>,
    progress: Progress,
    stop: &'a AtomicBool,
}

impl<'a, 'w> Screen<'a, 'w> {
    fn new(plan: &Plan, rows: Option<&'a mut Rows<'w>>, stop: &'a AtomicBool) -> Self {
        Self { rows, progress: Progress::new(plan.end_path() - plan.first_path(), plan.steps), stop }
    }
}

impl Sink for Screen<'_, '_> {
    fn path(&mut self, number: u64, values: &[f32]) -> io::Result<()> {
        self.rows.as_mut().map_or(Ok(()), |rows| rows.path(number, values))
    }

    fn go_on(&mut self, done: u64) -> bool {
        self.progress.at(done);
        !self.stop.load(Ordering::SeqCst)
    }
}
