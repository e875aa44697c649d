//! Arguments that name a model: a blob, or the run that it belongs to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mote_core::model::{Model, NamedPlan, Role};
use mote_core::sampler::SampleOptions;

use crate::checkpoint::load_network;
use crate::network::FloatNetwork;
use crate::noise::NoiseRange;
use crate::plan::LevelSet;
use crate::recipe::Recipe;
use crate::run::{DataSummary, Prepared, RunFolder};

/// Seed of the noise in what a sliding network is calibrated on.
const PROBE_SEED: u64 = 0x0070_726f_6265;

/// The run and the blob that a path names.
#[derive(Debug)]
pub(super) struct Source {
    /// The blob's path.
    pub path: PathBuf,
    /// The run, if the path names one or the blob lies in one.
    pub run: Option<RunFolder>,
}

impl Source {
    /// A blob, or a run's folder.
    pub fn find(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            let run = RunFolder::open(path)?;
            return Ok(Self { path: run.model(), run: Some(run) });
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let run = RunFolder::open(parent).ok().filter(|run| run.model() == path);
        Ok(Self { path: path.into(), run })
    }

    /// The bytes of the blob.
    pub fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.run.is_some() => bail!(
                "{} is not there yet; `mote train --resume {}` finishes the run and makes it",
                self.path.display(),
                self.path.parent().unwrap_or(Path::new(".")).display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot read the model {}", self.path.display())),
        }
    }
}

/// Checks a blob, and names its file if it is refused.
pub(super) fn parse<'a>(path: &Path, bytes: &'a [u8]) -> anyhow::Result<Model<'a>> {
    Model::parse(bytes).with_context(|| format!("{} is not a usable model", path.display()))
}

/// The plan of a name, or the first.
pub(super) fn plan<'a>(model: &Model<'a>, name: Option<&str>) -> anyhow::Result<NamedPlan<'a>> {
    let found = match name {
        Some(name) => model.plan_named(name),
        None => model.plan(0),
    };
    found.with_context(|| {
        let names: Vec<_> = model.plans().map(|plan| plan.name.to_string()).collect();
        match name {
            Some(name) => format!(
                "the model has no plan \"{name}\"; it has {} (`mote quantize --plan` makes others)",
                names.join(", ")
            ),
            None => {
                let verb = if model.role() == Role::Imputer { "impute" } else { "denoise" };
                format!("the model has no plan: it slides over a signal (`mote {verb}` runs it) and samples nothing")
            }
        }
    })
}

/// The class of a name or number.
pub(super) fn class(model: &Model<'_>, names: &[String], text: &str) -> anyhow::Result<u16> {
    let classes = model.classes();
    if classes == 0 {
        bail!("--class {text}: the model has no classes; train with --class-conditional and a --label column");
    }
    // Where names are numbers themselves ("3", "8"), a number is a name: 1 must not mean the second of them.
    let numbered = !names.iter().any(|name| name.parse::<i64>().is_ok());
    let number = names.iter().position(|name| name == text).or_else(|| text.parse().ok().filter(|_| numbered));
    match number.filter(|number| *number < classes) {
        Some(number) => Ok(number as u16),
        None => bail!(
            "--class {text}: the model's classes are {}",
            if names.is_empty() { format!("0 to {}", classes - 1) } else { names.join(", ") }
        ),
    }
}

/// What samples are asked to be: class and guidance, as the model can give them.
pub(super) fn options(
    model: &Model<'_>,
    names: &[String],
    class_name: Option<&str>,
    guidance: Option<f32>,
) -> anyhow::Result<SampleOptions> {
    let mut options = SampleOptions::default();
    options.class = class_name.map(|name| class(model, names, name)).transpose()?;
    options.guidance = guidance;
    match guidance {
        Some(weight) if !weight.is_finite() => bail!("--guidance must be a finite number"),
        Some(weight) if model.classes() == 0 => {
            bail!(
                "--guidance {weight}: the model has no classes to guide to; train with --class-conditional and a --label column"
            )
        }
        Some(weight) if class_name.is_none() => bail!("--guidance {weight}: say by --class what to guide to"),
        _ => Ok(options),
    }
}

/// A finished or running run with its float network.
#[derive(Debug)]
pub(super) struct FloatRun {
    pub recipe: Recipe,
    pub summary: DataSummary,
    pub network: FloatNetwork,
}

impl FloatRun {
    /// Reads a run's recipe, data summary and averaged weights, which must be of one network.
    pub fn open(run: &RunFolder) -> anyhow::Result<Self> {
        let network = load_network(&run.checkpoint())?;
        let (recipe, summary) = (Recipe::read(&run.recipe())?, DataSummary::read(run)?);
        let shape = recipe.shape(summary.columns.len(), summary.classes.len());
        if network.shape() != &shape {
            bail!(
                "{} holds another network than {} describes; bring back the run's own, or make the run again with --force",
                run.checkpoint().display(),
                run.recipe().display()
            );
        }
        Ok(Self { recipe, summary, network })
    }

    /// [`open`](Self::open), for what only samplers can do.
    pub fn open_sampler(run: &RunFolder) -> anyhow::Result<Self> {
        let float = Self::open(run)?;
        if float.recipe.slides() {
            bail!(
                "the network of {} slides over a signal and samples nothing; `mote {}` runs it",
                run.root().display(),
                if float.recipe.fills_gaps() { "impute" } else { "denoise" }
            );
        }
        Ok(float)
    }

    /// Refuses a blob that was made of another run: one of other widths, classes, prediction or units of the data.
    pub fn check_blob(&self, path: &Path, model: &Model<'_>) -> anyhow::Result<()> {
        let shape = self.network.shape();
        let own: Vec<usize> = (0..shape.layer_count()).map(|layer| shape.rows(layer)).collect();
        let found: Vec<usize> = model.network().layers().iter().map(|layer| layer.rows()).collect();
        let what = if (model.dim_in(), &found) != (shape.dim_in, &own) {
            format!("its layers are {}, the run's {}", widths(model.dim_in(), &found), widths(shape.dim_in, &own))
        } else if model.classes() != shape.classes {
            format!("it has {} classes, the run {}", model.classes(), shape.classes)
        } else if model.prediction() != self.recipe.noise.noising().prediction {
            "its network predicts something else than the run's".into()
        } else if !self.has_scaling(model) {
            "its samples have other units than the run's data".into()
        } else {
            return Ok(());
        };
        bail!("{} was made of another run: {what}; `mote quantize` with the run's folder makes its own", path.display())
    }

    /// Whether a blob brings its samples to the units of the run's data, but for the rounding of numbers as text.
    fn has_scaling(&self, model: &Model<'_>) -> bool {
        let scaling = &self.summary.scaling;
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
        let own = scaling.mean.iter().zip(&scaling.std);
        model.scaling().zip(own).all(|((mean, deviation), (own_mean, own_deviation))| {
            near(mean, *own_mean) && near(deviation, *own_deviation)
        })
    }

    /// The levels and plans of the recipe's samplers, or the levels of a network that slides.
    pub fn levels(&self) -> anyhow::Result<LevelSet> {
        let (recipe, noising) = (&self.recipe, self.recipe.noise.noising());
        if !recipe.slides() {
            return Ok(LevelSet::build(&recipe.blob.plans, &noising)?);
        }
        let data = Prepared::load(&recipe.data)?;
        let range = recipe.noise.range.unwrap_or_default();
        if let (Some(window), Some(gaps)) = (&recipe.data.window, &data.gaps) {
            let told = (window.length, window.gaps.unwrap_or_default());
            let range = recipe.noise.range.unwrap_or(NoiseRange::OF_RESIDUALS);
            return Ok(LevelSet::filling_gaps(&noising, range.high, recipe.blob.noise_levels, gaps, told, PROBE_SEED)?);
        }
        Ok(LevelSet::sliding(&noising, range, recipe.blob.noise_levels, &data.train, data.dim(), PROBE_SEED)?)
    }
}

/// Numbers of units from input to output, as in 64-128-64.
fn widths(input: usize, layers: &[usize]) -> String {
    layers.iter().fold(input.to_string(), |text, width| format!("{text}-{width}"))
}
