//! `mote train`

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::bail;
use mote_core::model::Model;

use super::Interrupted;
use super::quantize::{make_blob, summary};
use super::run_page::{More, RunPage};
use super::source::FloatRun;
use crate::data::{Header, Missing, Scaling, ScalingKind, Split};
use crate::files::write_atomically;
use crate::network::Activation;
use crate::noise::{LevelDistribution, NoiseRange, Objective, Weighting};
use crate::plan::{LevelSet, PlanSpec};
use crate::quantize::{ActivationBits, CalibrationOptions, Quantized};
use crate::recipe::{Recipe, ScheduleName};
use crate::run::{Prepared, RunFolder};
use crate::train::{Directions, SliceNorm};
use crate::training_run::{Outcome, Trained, interrupt_switch, state_to_resume, train_into};

/// Arguments of `mote train`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A flag overrides the recipe. Ctrl-C saves a checkpoint; --resume goes on from it and ends in the same weights as an \
    unbroken run.\n\nExamples:\n  mote train --data windows.csv --label state --out runs/windows\n  mote train --recipe digits.toml --steps 40000\n  mote train --data points.csv --objective sliced --activation silu\n  mote train --resume runs/windows"
)]
pub(super) struct Args {
    /// A recipe (TOML); every run keeps its own as recipe.toml.
    #[arg(long, value_name = "FILE.toml")]
    recipe: Option<PathBuf>,
    /// A built-in set (digits, moons, eight-gaussians, swiss-roll, checkerboard), or a .csv, .csv.gz or .npy file with a
    /// sample a row. A set in the plane takes a seed, as in moons:7.
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Column with class labels, by name or number from 1; it is taken out of the data.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// What to do with rows that have empty cells, NaN or infinities.
    #[arg(long, value_enum)]
    missing: Option<Missing>,
    /// Whether the first line of a CSV names the columns.
    #[arg(long, value_enum)]
    header: Option<Header>,
    /// One deviation for each feature, or one for all. Default: for each; shared for images.
    #[arg(long, value_enum)]
    scaling: Option<ScalingKind>,
    /// Cut the data, a log in time order, into windows of so many samples.
    #[arg(long, value_name = "SAMPLES")]
    window: Option<usize>,
    /// Samples from one window to the next. Default: 1.
    #[arg(long, requires = "window")]
    stride: Option<usize>,
    /// Slide: the network sees a window and gives its middle sample, denoised. For signals of any length.
    #[arg(long, requires = "window")]
    sliding: bool,
    /// Samples in the signals that a network with --sliding or --gaps will meet: it learns to do without what is beyond their ends. Default: four windows;
    /// one with --gaps.
    #[arg(long, requires = "window", value_name = "SAMPLES")]
    stretch: Option<usize>,
    /// Learn to draw what is missing, for `mote impute`: the window is what the network sees of a signal around a missing value, and --stretch the length of the
    /// signals that it learns from.
    #[arg(long, requires = "window", conflicts_with = "sliding")]
    gaps: bool,
    /// Samples that the linear model under a network with --gaps looks back, 1 to 8. Default: 4.
    #[arg(long, requires = "gaps")]
    order: Option<usize>,
    /// Samples around a missing value whose drawn neighbours the network with --gaps sees, odd. Default: 13.
    #[arg(long, requires = "gaps", value_name = "SAMPLES")]
    around: Option<usize>,
    /// Columns of the log that are channels. Default: all that hold numbers and have no other use.
    #[arg(long, requires = "window", value_delimiter = ',', value_name = "NAME,NAME,..")]
    columns: Option<Vec<String>>,
    /// Mean of each channel by which values are scaled, in place of that of the training part.
    #[arg(long, requires_all = ["window", "deviations"], value_delimiter = ',', allow_negative_numbers = true, value_name = "MEAN,..")]
    means: Option<Vec<f32>>,
    /// Deviation of each channel by which values are scaled, and noise and errors are counted; as --means.
    #[arg(long, requires_all = ["window", "means"], value_delimiter = ',', value_name = "DEVIATION,..")]
    deviations: Option<Vec<f32>>,
    /// Column of the log with the time, in seconds or as date and time of day.
    #[arg(long, requires = "window", value_name = "COLUMN")]
    time_column: Option<String>,
    /// Column of the log that names the recording, station or person; no window holds two.
    #[arg(long, requires = "window", value_name = "COLUMN")]
    group: Option<String>,
    /// Column of the log that says of each row whether it is for train, validation or test.
    #[arg(long, requires = "window", value_name = "COLUMN", conflicts_with = "split")]
    part_column: Option<String>,
    /// Least and largest noise that the network is for, as its deviation in units of the scaled data; 0.05,1 for a network that slides.
    #[arg(long, value_delimiter = ',', num_args = 1, value_name = "LOW,HIGH")]
    noise_range: Option<Vec<f32>>,
    /// Noise levels in the blob of a network that slides. Default: 8.
    #[arg(long, value_name = "COUNT")]
    levels: Option<usize>,
    /// Which rows train: the first 80%, a shuffled 80%, every other row, or the first 80% of a log's groups. Default: contiguous; 20,000 train and 2,000 test
    /// of a built-in set in the plane.
    #[arg(long, value_enum)]
    split: Option<SplitName>,
    /// Widths of the hidden layers, 8 to 512 each.
    #[arg(long, value_delimiter = ',', value_name = "W,W,..")]
    hidden: Option<Vec<usize>>,
    /// Non-linearity.
    #[arg(long, value_enum)]
    activation: Option<Activation>,
    /// Add each hidden layer's input to its output where their widths agree.
    #[arg(long)]
    residual: bool,
    /// Learn the labels as classes; `=false` where the recipe says so, as it does for built-in sets in the plane.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    class_conditional: Option<bool>,
    /// Noise schedule.
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// What the network is trained to do.
    #[arg(long, value_enum)]
    objective: Option<Objective>,
    /// How much each noise level counts. Default: sigma-squared for score, sliced and explicit, simple for the others.
    #[arg(long, value_enum)]
    weighting: Option<Weighting>,
    /// Which noise levels training visits how often. Default: log-normal for edm, uniform for the other schedules.
    #[arg(long, value_enum)]
    noise_levels: Option<LevelDistribution>,
    /// Spread each batch's noise levels evenly over their distribution, or draw each on its own. Default: true.
    #[arg(long, value_name = "true|false")]
    low_discrepancy: Option<bool>,
    /// Slices of each sample under the objective sliced, 1 to 16.
    #[arg(long)]
    slices: Option<usize>,
    /// Directions of the slices.
    #[arg(long, value_enum)]
    slice_directions: Option<Directions>,
    /// The score's square under the objective sliced: exact (variance-reduced), or sliced itself.
    #[arg(long, value_enum)]
    slice_norm: Option<SliceNorm>,
    /// Training steps.
    #[arg(long)]
    steps: Option<u64>,
    /// Samples in a step.
    #[arg(long)]
    batch: Option<usize>,
    /// Largest learning rate.
    #[arg(long, allow_negative_numbers = true)]
    learning_rate: Option<f32>,
    /// Decoupled weight decay.
    #[arg(long, allow_negative_numbers = true)]
    weight_decay: Option<f32>,
    /// Decay of the moving average of the weights.
    #[arg(long, allow_negative_numbers = true)]
    ema: Option<f32>,
    /// Seed of first weights, samples and noise.
    #[arg(long)]
    seed: Option<u64>,
    /// A sampler for the blob, SAMPLER:STEPS[:GRID]; give it several times for several.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<PlanSpec>,
    /// Width of activation codes.
    #[arg(long, value_enum)]
    activation_bits: Option<ActivationBits>,
    /// Time between two checkpoints, as 20s or 500ms: what a process that is killed loses, to be done again.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration, value_name = "TIME")]
    checkpoint_every: Duration,
    /// Folder of the run. Default: runs/NAME, by the name of the data.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Begin again where the folder holds a run already.
    #[arg(long)]
    force: bool,
    /// Go on with the run in this folder; --steps may give it more, --plan and --activation-bits change its blob.
    #[arg(long, value_name = "RUN", conflicts_with_all = FIXED_BY_A_RUN)]
    resume: Option<PathBuf>,
}

/// What a run has decided once and for all: a resumed run would not be the same run with another.
const FIXED_BY_A_RUN: [&str; 41] = [
    "means",
    "deviations",
    "gaps",
    "order",
    "around",
    "window",
    "stride",
    "sliding",
    "stretch",
    "columns",
    "time_column",
    "group",
    "part_column",
    "noise_range",
    "levels",
    "recipe",
    "data",
    "label",
    "missing",
    "header",
    "scaling",
    "split",
    "hidden",
    "activation",
    "residual",
    "class_conditional",
    "schedule",
    "objective",
    "weighting",
    "noise_levels",
    "low_discrepancy",
    "slices",
    "slice_directions",
    "slice_norm",
    "batch",
    "learning_rate",
    "weight_decay",
    "ema",
    "seed",
    "out",
    "force",
];

/// A split with its usual shares; a recipe can set others.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum SplitName {
    /// The first 80% train, the next 10% validate, the last 10% test.
    Contiguous,
    /// The same after a shuffle: for independent rows only.
    Shuffled,
    /// Rows 0, 2, 4, .. train, rows 1, 3, 5, .. are held out.
    Alternate,
    /// The first 80% of a log's groups train, the next 10% validate, the last 10% test.
    Groups,
}

impl Args {
    fn recipe(&self) -> anyhow::Result<Recipe> {
        let mut recipe = match (&self.recipe, &self.resume) {
            (Some(path), _) => Recipe::read(path)?,
            (None, Some(run)) => Recipe::read(&RunFolder::open(run)?.recipe())?,
            (None, None) => self.data.as_deref().map_or_else(Recipe::default, Recipe::usual),
        };
        set(&mut recipe.data.source, self.data.clone());
        if self.label.is_some() {
            recipe.data.label.clone_from(&self.label);
        }
        set(&mut recipe.data.missing, self.missing);
        set(&mut recipe.data.header, self.header);
        if self.scaling.is_some() {
            recipe.data.scaling = self.scaling;
        }
        if let Some(split) = self.split {
            let (train, validation) = (0.8, 0.1);
            recipe.data.split = match split {
                SplitName::Contiguous => Split::Contiguous { train, validation },
                SplitName::Shuffled => Split::Shuffled { seed: 0, train, validation },
                SplitName::Alternate => Split::Alternate,
                SplitName::Groups => Split::Groups { train, validation },
            };
        }
        if let Some(column) = &self.part_column {
            recipe.data.split = Split::Column { column: column.clone() };
        }
        if let Some(length) = self.window {
            let mut window = recipe.data.window.take().unwrap_or_default();
            window.length = length;
            set(&mut window.stride, self.stride);
            window.sliding |= self.sliding;
            if self.gaps {
                let gaps = window.gaps.get_or_insert_default();
                set(&mut gaps.order, self.order);
                set(&mut gaps.around, self.around);
            }
            if self.stretch.is_some() {
                window.stretch = self.stretch;
            }
            set(&mut window.columns, self.columns.clone());
            if self.time_column.is_some() {
                window.time_column.clone_from(&self.time_column);
            }
            if self.group.is_some() {
                window.group.clone_from(&self.group);
            }
            recipe.data.window = Some(window);
        }
        if let Some((mean, std)) = self.means.clone().zip(self.deviations.clone()) {
            recipe.data.fixed_scaling = Some(Scaling { mean, std });
        }
        match self.noise_range.as_deref() {
            None => {}
            Some([low, high]) => recipe.noise.range = Some(NoiseRange { low: *low, high: *high }),
            Some(_) => bail!("--noise-range takes two numbers, the least and the largest deviation, as in 0.05,1"),
        }
        set(&mut recipe.blob.noise_levels, self.levels);
        if recipe.slides() && recipe.noise.range.is_none() {
            let residuals = recipe.fills_gaps();
            recipe.noise.range = Some(if residuals { NoiseRange::OF_RESIDUALS } else { NoiseRange::default() });
        }
        set(&mut recipe.network.hidden, self.hidden.clone());
        set(&mut recipe.network.activation, self.activation);
        recipe.network.residual |= self.residual;
        set(&mut recipe.network.class_conditional, self.class_conditional);
        set(&mut recipe.noise.schedule, self.schedule);
        set(&mut recipe.noise.objective, self.objective);
        if self.weighting.is_some() {
            recipe.noise.weighting = self.weighting;
        }
        if self.noise_levels.is_some() {
            recipe.noise.levels = self.noise_levels;
        }
        set(&mut recipe.noise.slices.count, self.slices);
        set(&mut recipe.noise.slices.directions, self.slice_directions);
        set(&mut recipe.noise.slices.norm, self.slice_norm);
        set(&mut recipe.training.low_discrepancy, self.low_discrepancy);
        set(&mut recipe.training.steps, self.steps);
        set(&mut recipe.training.batch, self.batch);
        set(&mut recipe.training.learning_rate, self.learning_rate);
        set(&mut recipe.training.weight_decay, self.weight_decay);
        set(&mut recipe.training.ema, self.ema);
        set(&mut recipe.training.seed, self.seed);
        if !self.plans.is_empty() {
            recipe.blob.plans.clone_from(&self.plans);
        }
        set(&mut recipe.blob.activation_bits, self.activation_bits);
        Ok(recipe)
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let recipe = args.recipe()?;
    let data = prepare(&recipe)?;
    let switch = interrupt_switch()?;
    let resume = args.resume.is_some();
    let (folder, made) = match &args.resume {
        Some(path) => (RunFolder::open(path)?, false),
        None => {
            let path = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&data.summary.name));
            let made = !path.exists();
            (RunFolder::create(&path, args.force)?, made)
        }
    };
    let finished = train(&folder, &recipe, &data, resume, &switch, args.checkpoint_every);
    if finished.is_err() && !resume {
        // What went wrong first is what its user should read.
        let _ = folder.discard_unstarted(made);
    }
    let Finished { trained, quantized, .. } = finished?;
    let root = folder.root().display();
    RunPage {
        folder: &folder,
        title: &data.summary.name,
        recipe: &recipe,
        data: &data,
        metrics: &trained.metrics,
        model: &Model::parse(&quantized.blob)?,
        quality: &[],
        board: None,
        commands: &commands(&recipe, &root.to_string()),
        more: More::default(),
    }
    .write(&folder.report())?;
    let next = if recipe.fills_gaps() {
        format!("mote impute {root} --data GAPS.csv")
    } else if recipe.slides() {
        format!("mote denoise {root} --data NOISY.csv")
    } else {
        format!("mote evaluate {root}, mote sample {root}, mote report {root}")
    };
    eprintln!("see {}; next: {next}", folder.report().display());
    Ok(())
}

/// How the page's reader makes the run again, and what to do with it.
fn commands(recipe: &Recipe, root: &str) -> Vec<String> {
    let again = format!("mote train --recipe {root}/recipe.toml --out {root} --force");
    let bench = format!("mote firmware bench --model {root}");
    if recipe.fills_gaps() {
        return vec![again, format!("mote impute {root} --data GAPS.csv --out FILLED.csv"), bench];
    }
    if recipe.slides() {
        return vec![again, format!("mote denoise {root} --data NOISY.csv --out CLEAN.csv"), bench];
    }
    vec![
        again,
        format!("mote evaluate {root}"),
        format!("mote sample {root} --count 1000 --out samples.csv"),
        bench,
        format!("mote report {root}"),
    ]
}

/// Loads the data of a recipe and says what its user should know.
pub(super) fn prepare(recipe: &Recipe) -> anyhow::Result<Prepared> {
    let data = Prepared::load(&recipe.data)?;
    for warning in &data.warnings {
        eprintln!("warning: {warning}");
    }
    if recipe.network.class_conditional && data.summary.classes.is_empty() {
        bail!("--class-conditional: the data have no labels; name their column with --label");
    }
    // Options, plans and shape are checked before a folder is made and before hours of training, not after.
    recipe.training.validate()?;
    if recipe.slides() {
        LevelSet::check_count(recipe.blob.noise_levels)?;
        if recipe.fills_gaps() {
            LevelSet::check_gaps(&recipe.noise.noising(), recipe.noise.range.unwrap_or(NoiseRange::OF_RESIDUALS).high)?;
        }
    } else {
        LevelSet::build(&recipe.blob.plans, &recipe.noise.noising())?;
    }
    let shape = recipe.shape(data.dim(), data.summary.classes.len());
    shape.validate()?;
    recipe.noise.training().check(&shape)?;
    Ok(data)
}

/// A finished run: its weights and its blob.
pub(super) struct Finished {
    pub trained: Trained,
    pub quantized: Quantized,
    pub levels: LevelSet,
}

/// Trains into a folder and makes the blob.
pub(super) fn train(
    folder: &RunFolder,
    recipe: &Recipe,
    data: &Prepared,
    resume: bool,
    interrupted: &AtomicBool,
    checkpoint_every: Duration,
) -> anyhow::Result<Finished> {
    if resume && state_to_resume(folder, recipe, data)?.is_none() {
        eprintln!("there is no checkpoint yet: starting from step 0");
    }
    data.summary.write(folder)?;
    recipe.write(&folder.recipe())?;
    let root = folder.root().display();
    let shape = recipe.shape(data.dim(), data.summary.classes.len());
    let widths: Vec<String> =
        [shape.dim_in].iter().chain(&shape.hidden).chain([&shape.dim_out]).map(usize::to_string).collect();
    eprintln!(
        "training {} on {} {} of {} for {} steps into {root}",
        widths.join("-"),
        data.training_set().count(),
        if data.gaps.is_some() { "signals with gaps" } else { "rows" },
        data.summary.name,
        recipe.training.steps
    );
    let trained = match train_into(folder, recipe, data, resume, interrupted, checkpoint_every)? {
        Outcome::Finished(trained) => *trained,
        Outcome::Interrupted { step } => {
            return Err(Interrupted(format!(
                "stopped at step {step}; the checkpoint is saved, go on with: mote train --resume {root}"
            ))
            .into());
        }
    };
    if let Some(last) = trained.metrics.last() {
        let rate = trained.steps_here as f64 / trained.seconds_here.max(1e-9);
        eprintln!("loss {:.4}, validation loss {:.4}, {rate:.0} steps a second", last.loss, last.validation_loss);
    }
    let float = FloatRun { recipe: recipe.clone(), summary: data.summary.clone(), network: trained.network.clone() };
    let (quantized, levels) = make_blob(&float, &CalibrationOptions::default())?;
    write_atomically(&folder.model(), |file| file.write_all(&quantized.blob))?;
    eprintln!("wrote {}: {}", folder.model().display(), summary(&quantized)?);
    Ok(Finished { trained, quantized, levels })
}
