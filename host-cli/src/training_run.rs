//! Training into a run's folder: progress, metrics, checkpoints, and going on after an interruption.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{load_state, save_state};
use crate::files::{remove_leftovers, write_atomically};
use crate::network::FloatNetwork;
use crate::recipe::Recipe;
use crate::run::{DataSummary, Prepared, RunFolder};
use crate::train::{Trainer, TrainingState, validation_loss};
use mote_picture::{Axis, Chart, Series, line_chart_svg};

/// Steps between two lines of the metrics.
const METRICS_EVERY: u64 = 200;
/// Usual time between two checkpoints.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
/// Seed of the validation noise: one for all runs, so that their losses can be compared.
const VALIDATION_SEED: u64 = 1;

/// One line of `metrics.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Steps done.
    pub step: u64,
    /// Mean training loss since the line before, or since the run was last resumed.
    pub loss: f64,
    /// Loss of the averaged weights on the validation rows, with fixed noise.
    pub validation_loss: f64,
    /// Seconds of training so far, without the time between interruptions.
    pub seconds: f64,
}

/// How a training run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All steps are done.
    Finished(Box<Trained>),
    /// Ctrl-C: the checkpoint holds this many steps.
    Interrupted {
        /// Steps done.
        step: u64,
    },
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The averaged weights.
    pub network: FloatNetwork,
    /// The lines of the metrics.
    pub metrics: Vec<Metric>,
    /// Steps taken by this process.
    pub steps_here: u64,
    /// Seconds that they took, validation and checkpoints left out.
    pub seconds_here: f64,
}

/// A switch that Ctrl-C turns on.
///
/// # Errors
/// When the system takes no handler.
pub fn interrupt_switch() -> anyhow::Result<Arc<AtomicBool>> {
    let switch = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&switch);
    // A second Ctrl-C ends the program at once; files are renamed into place, so none is half-written.
    ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(switch)
}

/// The state that a run goes on from and its metrics so far; none if it was stopped before its first checkpoint, so that it starts again.
///
/// # Errors
/// When the checkpoint or the metrics are damaged, the checkpoint is of another network or of other options than the recipe, the data have changed, or the run is
/// past the recipe's steps.
pub fn state_to_resume(
    run: &RunFolder,
    recipe: &Recipe,
    data: &Prepared,
) -> anyhow::Result<Option<(TrainingState, Vec<Metric>)>> {
    if !run.checkpoint().exists() {
        return Ok(None);
    }
    if recipe.distillation.is_some() {
        anyhow::bail!(
            "{} is a student made by `mote distill`, which does not learn from data; distil its teacher again with more --steps",
            run.root().display()
        );
    }
    let mut state = load_state(&run.checkpoint())?;
    let (root, recipe_path) = (run.root().display(), run.recipe());
    let changed = |what: &str| {
        anyhow::anyhow!(
            "{}: {what} differs from what the checkpoint was made with; undo the change, or train into another folder with --out",
            recipe_path.display()
        )
    };
    if state.weights.shape() != &recipe.shape(data.dim(), data.summary.classes.len()) {
        return Err(changed("the network"));
    }
    if state.step > recipe.training.steps {
        anyhow::bail!("{root}: {} steps are done already; --steps must be at least that", state.step);
    }
    // A run may be given more steps than it began with; the learning rate then ends later.
    state.options.steps = recipe.training.steps;
    if state.options != recipe.training {
        return Err(changed("[training]"));
    }
    let known = DataSummary { mote: data.summary.mote.clone(), ..DataSummary::read(run)? };
    if known != data.summary {
        anyhow::bail!(
            "{root}: the data in {} have changed since the run began; bring them back, or train into another folder with --out",
            recipe.data.source
        );
    }
    let mut metrics = read_metrics(&run.metrics())?;
    metrics.retain(|line| line.step <= state.step);
    Ok(Some((state, metrics)))
}

/// Trains, or goes on training, in a run's folder.
///
/// # Errors
/// When the data do not fit, the loss is no longer a number, or a file cannot be written.
pub fn train_into(
    run: &RunFolder,
    recipe: &Recipe,
    data: &Prepared,
    resume: bool,
    interrupted: &AtomicBool,
    checkpoint_every: Duration,
) -> anyhow::Result<Outcome> {
    remove_leftovers(run.root())?;
    let noise = recipe.noise.training();
    let (set, held_out) = (data.training_set(), data.validation_set());
    let mut metrics: Vec<Metric> = Vec::new();
    let state = if resume { state_to_resume(run, recipe, data)? } else { None };
    let mut trainer = if let Some((state, so_far)) = state {
        metrics = so_far;
        Trainer::resume(state, set, &noise)?
    } else {
        let shape = recipe.shape(data.dim(), data.summary.classes.len());
        Trainer::new(shape, recipe.training.clone(), set, &noise)?
    };
    let steps = recipe.training.steps;
    let progress = Progress::new(steps, trainer.step_number());
    let before = metrics.last().map_or(0.0, |line| line.seconds);
    let (mut busy, mut sum, mut count) = (Duration::ZERO, 0.0, 0u64);
    let (first, mut saved) = (trainer.step_number(), Instant::now());
    while trainer.step_number() < steps {
        if interrupted.load(Ordering::SeqCst) {
            save(run, &trainer, &metrics)?;
            progress.abandon();
            return Ok(Outcome::Interrupted { step: trainer.step_number() });
        }
        let started = Instant::now();
        sum += trainer.step()?;
        busy += started.elapsed();
        count += 1;
        let step = trainer.step_number();
        progress.at(step, sum / count as f64);
        if step.is_multiple_of(METRICS_EVERY) || step == steps {
            metrics.push(Metric {
                step,
                loss: sum / count as f64,
                validation_loss: validation_loss(&trainer.ema_network(), &held_out, &noise, VALIDATION_SEED)?,
                seconds: before + busy.as_secs_f64(),
            });
            (sum, count) = (0.0, 0);
        }
        if saved.elapsed() > checkpoint_every {
            save(run, &trainer, &metrics)?;
            saved = Instant::now();
        }
    }
    progress.finish();
    save(run, &trainer, &metrics)?;
    let chart = loss_chart(&metrics);
    write_atomically(&run.file("loss.svg"), |out| out.write_all(chart.as_bytes()))?;
    Ok(Outcome::Finished(Box::new(Trained {
        network: trainer.ema_network(),
        metrics,
        steps_here: trainer.step_number() - first,
        seconds_here: busy.as_secs_f64(),
    })))
}

/// Metrics first: a run that dies in between has lines past its checkpoint, which resuming drops, and never a gap.
fn save(run: &RunFolder, trainer: &Trainer<'_>, metrics: &[Metric]) -> anyhow::Result<()> {
    write_metrics(&run.metrics(), metrics)?;
    Ok(save_state(&run.checkpoint(), &trainer.state())?)
}

pub(crate) fn write_metrics(path: &Path, metrics: &[Metric]) -> anyhow::Result<()> {
    write_atomically(path, |out| {
        let mut csv = csv::Writer::from_writer(out);
        for line in metrics {
            csv.serialize(line).map_err(std::io::Error::other)?;
        }
        csv.flush()
    })?;
    Ok(())
}

/// Reads the metrics of a run; no lines where there is no file.
///
/// # Errors
/// When the file cannot be read or a line is not one of metrics.
pub fn read_metrics(path: &Path) -> anyhow::Result<Vec<Metric>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut csv = csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    csv.deserialize().collect::<Result<_, _>>().with_context(|| format!("{} is damaged", path.display()))
}

/// Training and validation loss against steps.
#[must_use]
pub fn loss_chart(metrics: &[Metric]) -> String {
    let points = |of: fn(&Metric) -> f64| metrics.iter().map(|line| (line.step as f64, of(line))).collect();
    let series = [
        Series { name: "training".into(), points: points(|line| line.loss) },
        Series { name: "validation (averaged weights)".into(), points: points(|line| line.validation_loss) },
    ];
    let chart =
        Chart { title: "Loss", x_label: "step", y_label: "mean squared error per component", y_axis: Axis::Log };
    line_chart_svg(&chart, &series)
}

/// A bar on a terminal, a line now and then elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
    steps: u64,
    every: u64,
}

impl Progress {
    pub(crate) fn new(steps: u64, done: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr_with_hz(10));
        let style =
            ProgressStyle::with_template("training {wide_bar} {pos}/{len} steps, {per_sec}, {eta} left, loss {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_position(done);
        bar.reset_eta();
        let plain = bar.is_hidden();
        Self { bar, plain, steps, every: (steps / 5).max(1) }
    }

    pub(crate) fn at(&self, step: u64, loss: f64) {
        self.bar.set_position(step);
        if step.is_multiple_of(50) {
            self.bar.set_message(format!("{loss:.4}"));
        }
        if self.plain && step.is_multiple_of(self.every) {
            eprintln!("training: step {step} of {}, loss {loss:.4}", self.steps);
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn abandon(&self) {
        self.bar.abandon();
    }
}
