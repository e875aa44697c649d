//! `mote synth-check`

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};

use super::CheckFailed;
use super::output::Format;
use super::quantize::make_blob;
use super::source::FloatRun;
use super::train::prepare;
use crate::data::{Header, Missing};
use crate::network::Activation;
use crate::noise::NoiseRange;
use crate::quantize::CalibrationOptions;
use crate::recipe::{BlobRecipe, NetworkRecipe, NoiseRecipe, Recipe};
use crate::run::Prepared;
use crate::synth::{CheckTable, Checked, Gain, Layout, Lesson, Protocol, Rows, Splits, check};
use crate::train::{Trainer, TrainingOptions, TrainingSet};
use crate::training_run::Progress;

/// Share of synthetic rows that may be near duplicates of real ones.
const NEAR_DUPLICATES_ALLOWED: f64 = 0.01;

/// Arguments of `mote synth-check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For each draw: takes a few rows a class, trains a network on these alone, makes rows with its int8 blob, and fits a plain classifier (multinomial logistic \
    regression) with and without them. Sigma and weight are chosen on the validation rows; the gain is that on the test rows. Exit code 1 if the gain is not above two \
    standard errors, or rows are near copies.\n\nExamples:\n  mote synth-check --data digits\n  mote synth-check --data windows.csv --label state --rows 20 --sigma 0.5,1\n  mote synth-check --recipe runs/windows/recipe.toml"
)]
pub(super) struct Args {
    /// A built-in set, or a .csv, .csv.gz or .npy file with a sample a row.
    #[arg(long, value_name = "SOURCE", required_unless_present = "recipe")]
    data: Option<String>,
    /// Column with the class labels, by name or number from 1.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// What to do with rows that have empty cells, NaN or infinities.
    #[arg(long, value_enum)]
    missing: Option<Missing>,
    /// Whether the first line of a CSV names the columns.
    #[arg(long, value_enum)]
    header: Option<Header>,
    /// A recipe (TOML) with the data, their split, the network and its training; every run keeps one. Where it speaks of data alone, the network is a small one.
    #[arg(long, value_name = "FILE.toml")]
    recipe: Option<PathBuf>,
    /// Draws of a small training set.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=1000))]
    draws: u16,
    /// Real rows of each class in a draw.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    rows: u32,
    /// Synthetic rows of each class.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    per_class: u32,
    /// Noise that rows start with, in training deviations; several to choose from.
    #[arg(
        long,
        value_delimiter = ',',
        allow_negative_numbers = true,
        default_value = "0.4,0.7,1",
        value_name = "SIGMA,.."
    )]
    sigma: Vec<f32>,
    /// What synthetic rows weigh beside the real ones; several to choose from.
    #[arg(
        long,
        value_delimiter = ',',
        allow_negative_numbers = true,
        default_value = "0.5,1",
        value_name = "WEIGHT,.."
    )]
    weight: Vec<f64>,
    #[command(flatten)]
    making: MakingArgs,
    /// Inverse strength of the classifier's penalty.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    c: f64,
    /// Training steps of each network. Default: 1200, or the recipe's.
    #[arg(long)]
    steps: Option<u64>,
    #[command(flatten)]
    format: Format,
}

/// How rows are made; both verbs have these.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct MakingArgs {
    /// Share of fresh noise on the way down: 0 is DDIM, 1 draws from the posterior.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub eta: f32,
    /// How far real rows are shifted before they are noised, in pixels of an image or samples of a window; 0 for not at all.
    #[arg(long, default_value_t = 0.7, allow_negative_numbers = true)]
    pub shift: f32,
    /// Least probability of its class that a plain classifier of the real rows must give a row that is made; 0 keeps all.
    #[arg(long, default_value_t = 0.5, allow_negative_numbers = true)]
    pub agree: f64,
    /// Seed of all that is drawn.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl MakingArgs {
    pub fn check(&self) -> anyhow::Result<()> {
        let Self { eta, shift, agree, .. } = *self;
        if !(0.0..=1.0).contains(&eta) {
            bail!("--eta {eta}: a share is from 0 to 1");
        }
        if !(0.0..=64.0).contains(&shift) {
            bail!("--shift {shift}: a shift is from 0 to 64 pixels or samples");
        }
        if !(0.0..1.0).contains(&agree) {
            bail!("--agree {agree}: a probability below 1; 0 keeps all rows");
        }
        Ok(())
    }
}

impl Args {
    fn recipe(&self) -> anyhow::Result<Recipe> {
        let mut recipe = match &self.recipe {
            Some(path) => {
                let said = Recipe::read(path)?;
                let data_alone = Recipe { data: said.data.clone(), ..Recipe::default() };
                // A recipe that speaks of data alone leaves the network to this verb.
                if said == data_alone { Recipe { data: said.data, ..usual("") } } else { said }
            }
            None => usual(self.data.as_deref().unwrap_or_default()),
        };
        let data = &mut recipe.data;
        if let Some(source) = &self.data {
            data.source.clone_from(source);
        }
        if self.label.is_some() {
            data.label.clone_from(&self.label);
        }
        data.missing = self.missing.unwrap_or(data.missing);
        data.header = self.header.unwrap_or(data.header);
        recipe.network.class_conditional = true;
        if let Some(steps) = self.steps {
            recipe.training.steps = steps;
        }
        Ok(recipe)
    }

    fn protocol(&self) -> anyhow::Result<Protocol> {
        self.making.check()?;
        if let Some(sigma) = self.sigma.iter().find(|sigma| !(sigma.is_finite() && **sigma > 0.0)) {
            bail!("--sigma {sigma}: a deviation is above 0");
        }
        if let Some(weight) = self.weight.iter().find(|weight| !(weight.is_finite() && **weight > 0.0)) {
            bail!("--weight {weight}: a weight is above 0");
        }
        if !(self.c.is_finite() && self.c > 0.0) {
            bail!("--c {}: it is above 0; less is a stronger penalty", self.c);
        }
        let MakingArgs { eta, shift, agree, seed } = self.making;
        Ok(Protocol {
            draws: self.draws.into(),
            rows: self.rows as usize,
            per_class: self.per_class as usize,
            sigmas: self.sigma.clone(),
            weights: self.weight.clone(),
            eta,
            shift,
            agree,
            c: self.c,
            seed,
        })
    }
}

/// The recipe where none is given: a network that a few rows can teach in seconds, over noise from a tenth of a deviation up to what leaves nothing.
fn usual(source: &str) -> Recipe {
    let data = Recipe::usual(source).data;
    let (high, low, levels) = (8f32, 0.1f32, 20);
    let lambda = |k: i32| -high.ln() + k as f32 * (high / low).ln() / (levels - 1) as f32;
    let grid: Vec<String> = (0..levels).map(|k| lambda(k).to_string()).collect();
    let plan = format!("ddim:{levels}:[{}]", grid.join(",")).parse().expect("a plan of the documented form");
    Recipe {
        data,
        network: NetworkRecipe { hidden: vec![128, 128], activation: Activation::Silu, ..NetworkRecipe::default() },
        noise: NoiseRecipe { range: Some(NoiseRange { low, high }), ..NoiseRecipe::default() },
        training: TrainingOptions {
            steps: 1200,
            batch: 128,
            warmup: 100,
            weight_decay: 0.02,
            ema: 0.99,
            ..TrainingOptions::default()
        },
        blob: BlobRecipe { plans: vec![plan], ..BlobRecipe::default() },
        ..Recipe::default()
    }
}

/// The parts of prepared data in their own units, without rows that miss a value.
fn splits(data: &Prepared) -> anyhow::Result<Splits> {
    let labels =
        |labels: &Option<Vec<u16>>| labels.clone().context("the data have no labels; name their column with --label");
    let mut validation = data.validation.clone();
    data.summary.scaling.invert(&mut validation);
    let mut left_out = 0;
    let mut part = |values: &[f32], labels: Vec<u16>| {
        let (rows, out) = Rows::whole(data.dim(), values, &labels);
        left_out += out;
        rows
    };
    let splits = Splits {
        train: part(&data.raw_train, labels(&data.train_labels)?),
        validation: part(&validation, labels(&data.validation_labels)?),
        test: part(&data.raw_test, labels(&data.test_labels)?),
        classes: data.summary.classes.len(),
        layout: Layout::of(&data.summary),
    };
    if left_out > 0 {
        eprintln!("{left_out} windows with missing values are left out");
    }
    if splits.classes < 2 {
        bail!("all rows are of one class; a classifier needs two");
    }
    if splits.validation.len() < 2 || splits.test.len() < 2 {
        bail!("validation and test need two whole rows each; bring more rows, or another split");
    }
    Ok(splits)
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let protocol = args.protocol()?;
    let recipe = args.recipe()?;
    if recipe.slides() || recipe.fills_gaps() {
        bail!(
            "the recipe's network slides over signals, and synthetic rows are whole windows; use a recipe without `sliding`"
        );
    }
    let data = prepare(&recipe)?;
    let splits = splits(&data)?;
    for (class, name) in data.summary.classes.iter().enumerate() {
        let there = splits.train.of_class(class as u16).len();
        if there < protocol.rows {
            bail!(
                "--rows {}: class {name} has {there} training rows; take at most that many, or bring more",
                protocol.rows
            );
        }
    }
    let steps = recipe.training.steps;
    eprintln!(
        "{} draws of {} rows for each of {} classes, a network of {} steps each",
        protocol.draws, protocol.rows, splits.classes, steps
    );
    let progress = Progress::new(steps * protocol.draws as u64, 0);
    let done = AtomicU64::new(0);
    let learn = |lesson: &Lesson| {
        learn(lesson, &recipe, &data, &|loss| {
            progress.at(done.fetch_add(1, Ordering::Relaxed) + 1, loss);
        })
    };
    let checked = check(&splits, &protocol, &learn)?;
    progress.finish();
    args.format.print(&CheckTable::of(&checked, &protocol), CheckTable::to_text)?;
    judge(&checked)
}

/// Trains a network on the rows of a draw and quantises it.
fn learn(lesson: &Lesson, recipe: &Recipe, data: &Prepared, each: &dyn Fn(f64)) -> anyhow::Result<Vec<u8>> {
    let mut recipe = recipe.clone();
    recipe.training.seed = recipe.training.seed.wrapping_add(lesson.draw as u64);
    let mut summary = data.summary.clone();
    (summary.scaling, summary.rows) = (lesson.scaling.clone(), lesson.rows.len());
    let noise = recipe.noise.training();
    let set = TrainingSet {
        dim: lesson.rows.dim,
        rows: &lesson.rows.values,
        labels: Some(&lesson.rows.labels),
        windows: data.windows(),
        gaps: None,
    };
    let shape = recipe.shape(data.dim(), summary.classes.len());
    let mut trainer = Trainer::new(shape, recipe.training.clone(), set, &noise)?;
    // Draws go side by side.
    trainer.set_threads(1)?;
    for _ in 0..recipe.training.steps {
        each(trainer.step()?);
    }
    let network = trainer.ema_network();
    let float = FloatRun { recipe, summary, network };
    Ok(make_blob(&float, &CalibrationOptions::default())?.0.blob)
}

/// Whether the chosen set helps and holds no copies.
fn judge(checked: &Checked) -> anyhow::Result<()> {
    let chosen = checked.chosen().context("no synthetic set was made")?;
    let gain = Gain::between(&checked.arms[0].test, &chosen.test);
    if !gain.is_above_chance() {
        return Err(CheckFailed(format!(
            "the gain {:+.4} is not above two standard errors of {:.4}: synthetic rows are not shown to help",
            gain.mean, gain.standard_error
        ))
        .into());
    }
    match checked.nearness.iter().find(|(kind, _)| *kind == chosen.kind) {
        Some((_, near)) if near.near_duplicates as f64 > NEAR_DUPLICATES_ALLOWED * near.rows as f64 => {
            Err(CheckFailed(format!(
                "{} of {} synthetic rows are nearly copies of real ones; take a larger --sigma",
                near.near_duplicates, near.rows
            ))
            .into())
        }
        _ => Ok(()),
    }
}
