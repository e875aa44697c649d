//! `mote device`: the verbs, as a part of the command line. Results go to `out`, talk to standard error.

mod connection;
mod tables;
mod watch;
mod windows;

use crate::{Calibration, Client, Draw, Error, Line, Plan, Written};
use anyhow::{Context as _, Result, bail};
use connection::Connection;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Verbs of `mote device`.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Show the board, its model, and what its two slots hold.
    #[command(after_help = "Example: mote device info --port /dev/ttyACM0")]
    Info(Show),
    /// List the plans of the running model.
    Plans(Show),
    /// Draw samples on the device, as CSV in the data's own units.
    #[command(after_help = "The samples have the bits of `mote sample` with the same blob, plan and seed.\n\n\
        Example: mote device sample --port /dev/ttyACM0 --plan ddpm:50 --seed 7 --count 4")]
    Sample(Sample),
    /// Take the noise off windows, one a row of a CSV, in the data's own units.
    #[command(after_help = "Example: mote device denoise noisy.csv --noise 0.2 --port /dev/ttyACM0")]
    Denoise(Denoise),
    /// Score windows, one a row of a CSV: the larger, the less a window looks like the data.
    #[command(after_help = "Example: mote device score windows.csv --calibration weather.json --port /dev/ttyACM0\n\n\
        `mote detect --save-calibration` makes the calibration; the scores have the bits of `mote detect` by it. With --noise alone, the score is the \
        error of taking noise of one level, put on for the purpose, out again.")]
    Score(Score),
    /// Show what the device counted since it was switched on.
    Counters(Show),
    /// Run the model's self-test on the device; exit code 1 if its bits are others.
    SelfTest(Show),
    /// Run the model of a slot, until the next start.
    Select(Select),
    /// Have the device start again, and show what it found.
    Restart(Show),
    /// Replace the device's model, while the one that it has goes on; a power cut at any moment leaves a whole one.
    #[command(after_help = "Example: mote device update runs/demo/model.mote --port /dev/ttyACM0")]
    Update(Update),
    /// Draw sample after sample and show them live, with the device's counters.
    Watch(watch::Watch),
}

/// A verb that only shows something.
#[derive(Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    connection: Connection,
    /// Print JSON with stable field names instead of text.
    #[arg(long)]
    json: bool,
}

/// Arguments of `sample`.
#[derive(Debug, clap::Args)]
pub struct Sample {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    choice: Choice,
    /// How many samples.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Number of the first sample.
    #[arg(long, default_value_t = 0)]
    first: u32,
    /// Print JSON with stable field names instead of CSV.
    #[arg(long)]
    json: bool,
}

/// What samples are drawn of.
#[derive(Debug, clap::Args)]
pub struct Choice {
    /// Plan of the model, by name or number. Default: its first.
    #[arg(long, default_value = "0")]
    plan: String,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the class to sample. Default: any.
    #[arg(long)]
    class: Option<u16>,
    /// Guidance weight.
    #[arg(long, allow_hyphen_values = true)]
    guidance: Option<f32>,
}

impl Choice {
    /// The plan, and sample `number` of it.
    fn draw<L: Line>(&self, device: &mut Client<L>, number: u32) -> Result<(Plan, Draw), Error> {
        let plan = device.plan_named(&self.plan)?;
        let draw = Draw { plan: plan.number, seed: self.seed, number, class: self.class, guidance: self.guidance };
        Ok((plan, draw))
    }
}

/// Arguments of `denoise`.
#[derive(Debug, clap::Args)]
pub struct Denoise {
    #[command(flatten)]
    connection: Connection,
    /// A CSV with a window a row; `-` is standard input.
    windows: PathBuf,
    /// Standard deviation of the noise, in standard deviations of the data.
    #[arg(long, allow_hyphen_values = true)]
    noise: f32,
    /// Number of the windows' class. Default: any.
    #[arg(long)]
    class: Option<u16>,
    /// Print JSON with stable field names instead of CSV.
    #[arg(long)]
    json: bool,
}

/// Arguments of `score`.
#[derive(Debug, clap::Args)]
pub struct Score {
    #[command(flatten)]
    connection: Connection,
    /// A CSV with a window a row; `-` is standard input.
    windows: PathBuf,
    /// Score by the calibration of this file, and tell alarms.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["noise", "seed", "class"])]
    calibration: Option<PathBuf>,
    /// Standard deviation of the noise that is put on, in standard deviations of the data.
    #[arg(long, allow_hyphen_values = true, required_unless_present = "calibration")]
    noise: Option<f32>,
    /// Seed of that noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the windows' class. Default: any.
    #[arg(long)]
    class: Option<u16>,
    /// Print JSON with stable field names instead of CSV.
    #[arg(long)]
    json: bool,
}

/// Arguments of `select`.
#[derive(Debug, clap::Args)]
pub struct Select {
    #[command(flatten)]
    connection: Connection,
    /// Number of the slot, 0 or 1.
    slot: u8,
}

/// Arguments of `update`.
#[derive(Debug, clap::Args)]
pub struct Update {
    #[command(flatten)]
    connection: Connection,
    /// A blob, or the folder of a run.
    blob: PathBuf,
}

/// The device's self-test gave other bits than its model says: a check that was run and failed.
#[derive(Debug, thiserror::Error)]
#[error(
    "self-test: digest {computed:016x} where the model says {expected:016x}; the device computes other bits than the host"
)]
pub struct SelfTestFailed {
    expected: u64,
    computed: u64,
}

/// Does what a verb says.
///
/// # Errors
/// One line that says what, where, and the way out; [`SelfTestFailed`] is a check that failed.
pub fn run(verb: &Verb, out: &mut dyn Write) -> Result<()> {
    match verb {
        Verb::Info(show) => show.run(out, tables::info),
        Verb::Plans(show) => show.run(out, tables::plans),
        Verb::Counters(show) => show.run(out, tables::counters),
        Verb::Restart(show) => show.run(out, |device| {
            device.restart()?;
            tables::info(device)
        }),
        Verb::SelfTest(show) => {
            let mut digests = (0, 0);
            show.run(out, |device| {
                digests = device.self_test()?;
                Ok(tables::self_test(digests))
            })?;
            let (expected, computed) = digests;
            if expected == computed { Ok(()) } else { Err(SelfTestFailed { expected, computed }.into()) }
        }
        Verb::Sample(args) => sample(args, out),
        Verb::Denoise(args) => {
            let table = windows::read(&args.windows)?;
            args.connection.with(|device| {
                let rows = table.rows.iter();
                let clean = rows
                    .map(|(line, row)| device.denoise(row, args.noise, args.class).with_context(|| table.place(*line)));
                windows::write(out, args.json, table.columns.as_deref(), clean)
            })
        }
        Verb::Score(args) => score(args, out),
        Verb::Select(args) => args.connection.with(|device| Ok(device.select(args.slot)?)),
        Verb::Update(args) => update(args),
        Verb::Watch(args) => watch::run(args, out),
    }
}

impl Show {
    fn run(
        &self,
        out: &mut dyn Write,
        table: impl FnOnce(&mut Client<Box<dyn Line>>) -> Result<tables::Table, Error>,
    ) -> Result<()> {
        self.connection.with(|device| {
            let table = table(device)?;
            let text = if self.json { serde_json::to_string_pretty(&table.json)? + "\n" } else { table.text };
            Ok(out.write_all(text.as_bytes())?)
        })
    }
}

fn score(args: &Score, out: &mut dyn Write) -> Result<()> {
    let table = windows::read(&args.windows)?;
    let calibration = args.calibration.as_deref().map(Calibration::read).transpose()?;
    let names = ["score", "alarm"].map(str::to_owned);
    args.connection.with(|device| {
        if let Some(calibration) = &calibration {
            device.calibrate(calibration)?;
        }
        let scores = table.rows.iter().map(|(line, row)| match (&calibration, args.noise) {
            (Some(calibration), _) => {
                let values = calibration.length * calibration.channels.len();
                if row.len() != values {
                    let (length, channels) = (calibration.length, calibration.channels.len());
                    let place = table.place(*line);
                    bail!(
                        "{place}: {} values, and a window of the calibration has {length} samples of {channels}",
                        row.len()
                    );
                }
                let found = device.detect(row).with_context(|| table.place(*line))?;
                Ok(vec![found.score, f32::from(u8::from(found.alarm))])
            }
            (None, noise) => {
                let noise = noise.context("say --calibration or --noise")?;
                let score = device.score(row, noise, args.seed, args.class);
                Ok(vec![score.with_context(|| table.place(*line))?])
            }
        });
        windows::write(out, args.json, Some(&names[..if calibration.is_some() { 2 } else { 1 }]), scores)
    })
}

fn sample(args: &Sample, out: &mut dyn Write) -> Result<()> {
    let last = args.first.checked_add(args.count - 1);
    let last = last.context("--first and --count: sample numbers end at 4294967295")?;
    args.connection.with(|device| {
        let (_, draw) = args.choice.draw(device, args.first)?;
        let samples = (args.first..=last).map(|number| Ok(device.sample(&Draw { number, ..draw })?));
        windows::write(out, args.json, None, samples)
    })
}

fn update(args: &Update) -> Result<()> {
    let blob = blob(&args.blob)?;
    // A file that is no model is refused here, before a device erases anything for it.
    mote_core::model::Model::parse(&blob).with_context(|| format!("{} is no model", args.blob.display()))?;
    args.connection.with(|device| {
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?;
        let bar = ProgressBar::new(blob.len() as u64).with_style(style);
        device.update(&blob, |Written { bytes, .. }| bar.set_position(bytes as u64))?;
        bar.finish_and_clear();
        let report = device.boot_report()?;
        let slot = report.running.map_or_else(|| "no slot".to_owned(), |slot| format!("slot {slot}"));
        eprintln!("{} bytes written, verified on the device, and running from {slot}", blob.len());
        Ok(())
    })
}

/// A blob's bytes, from a file or the folder of a run.
fn blob(path: &Path) -> Result<Vec<u8>> {
    let path = if path.is_dir() { path.join("model.mote") } else { path.to_owned() };
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}
