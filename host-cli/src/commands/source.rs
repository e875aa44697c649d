//! Arguments that name a model: a blob, or the run that it belongs to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mote_core::model::{Model, NamedPlan};

use crate::checkpoint::load_network;
use crate::network::FloatNetwork;
use crate::recipe::Recipe;
use crate::run::{DataSummary, RunFolder};

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
            None => "the model has no plan: it is not a sampler".into(),
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

/// A finished or running run with its float network.
#[derive(Debug)]
pub(super) struct FloatRun {
    pub recipe: Recipe,
    pub summary: DataSummary,
    pub network: FloatNetwork,
}

impl FloatRun {
    /// Reads a run's recipe, data summary and averaged weights.
    pub fn open(run: &RunFolder) -> anyhow::Result<Self> {
        let network = load_network(&run.checkpoint())?;
        Ok(Self { recipe: Recipe::read(&run.recipe())?, summary: DataSummary::read(run)?, network })
    }
}
