//! A run: a folder that explains itself.
//!
//! | file | holds |
//! |---|---|
//! | `recipe.toml` | every choice, the seed included |
//! | `data.json` | what the data were: columns, image size, labels, scaling |
//! | `checkpoint.safetensors` | weights, moments, average and step |
//! | `metrics.csv` | step, loss, validation loss, learning rate, seconds |
//! | `loss.svg` | the same as a picture |
//! | `model.mote` | the blob |
//! | `report.html` | all of it on one page |

mod prepared;

use std::path::{Path, PathBuf};

pub use prepared::{PrepareError, Prepared, PreparedGaps};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::Scaling;
use crate::files::{WriteError, write_atomically};
use crate::recipe::Recipe;

/// The folder of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    root: PathBuf,
}

/// Why a folder is not a run, or cannot become one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The folder cannot be made.
    #[error("cannot make the folder {}: {source}; choose another with --out", path.display())]
    Make {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A run is there already.
    #[error(
        "{} holds a run already; go on with it by --resume, start again by --force, or choose another folder with --out",
        path.display()
    )]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has no run.
    #[error("{} is not a run: it has no {file}; `mote train --out {}` makes one", path.display(), path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        file: &'static str,
    },
    /// The description of the data is damaged.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl RunFolder {
    /// The run in a folder that is there.
    ///
    /// # Errors
    /// [`RunError::NotARun`] when it has no recipe.
    pub fn open(root: &Path) -> Result<Self, RunError> {
        let run = Self { root: root.into() };
        if !run.recipe().is_file() {
            return Err(RunError::NotARun { path: root.into(), file: "recipe.toml" });
        }
        Ok(run)
    }

    /// A folder for a new run, made if it is not there. With `force`, a run in it is begun again: what it made is removed,
    /// and no other file.
    ///
    /// # Errors
    /// [`RunError`] when a run is there already or the folder cannot be made.
    pub fn create(root: &Path, force: bool) -> Result<Self, RunError> {
        let run = Self { root: root.into() };
        let again = run.recipe().exists();
        if again && !force {
            return Err(RunError::Exists { path: root.into() });
        }
        std::fs::create_dir_all(root).map_err(|source| RunError::Make { path: root.into(), source })?;
        // What an earlier run left would not belong to this one. In a folder that is no run, such files are someone else's.
        if again {
            for name in [
                "checkpoint.safetensors",
                "model.mote",
                "metrics.csv",
                "loss.svg",
                "report.html",
                "samples.png",
                "quality.json",
                "board.json",
            ] {
                run.remove(name)?;
            }
        }
        Ok(run)
    }

    /// Takes back a new run that failed before its first checkpoint, so that the next attempt finds no half of a run; the
    /// folder too if `made` and nothing else is in it. A run with a checkpoint stays.
    ///
    /// # Errors
    /// [`RunError::Make`] when a file cannot be removed.
    pub fn discard_unstarted(&self, made: bool) -> Result<(), RunError> {
        if self.checkpoint().exists() {
            return Ok(());
        }
        self.remove("data.json")?;
        self.remove("recipe.toml")?;
        if made {
            // Fails where something else lies in it, and rightly so.
            let _ = std::fs::remove_dir(&self.root);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), RunError> {
        let path = self.file(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(RunError::Make { path, source }),
            _ => Ok(()),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// `recipe.toml`.
    #[must_use]
    pub fn recipe(&self) -> PathBuf {
        self.file("recipe.toml")
    }

    /// `checkpoint.safetensors`.
    #[must_use]
    pub fn checkpoint(&self) -> PathBuf {
        self.file("checkpoint.safetensors")
    }

    /// `data.json`.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.file("data.json")
    }

    /// `metrics.csv`.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.file("metrics.csv")
    }

    /// `model.mote`.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.file("model.mote")
    }

    /// `board.json`: what a board gave when the run was made.
    #[must_use]
    pub fn board(&self) -> PathBuf {
        self.file("board.json")
    }

    /// `frontier.csv`: quality against memorisation, of runs like this one.
    #[must_use]
    pub fn frontier(&self) -> PathBuf {
        self.file("frontier.csv")
    }

    /// `report.html`.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.file("report.html")
    }
}

/// What windows of a log are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowSummary {
    /// Samples in a window.
    pub length: usize,
    /// Whether the network slides.
    pub sliding: bool,
    /// Name of each channel.
    pub channels: Vec<String>,
    /// Seconds from one sample to the next, if the log says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<f64>,
    /// Which channels hold whole numbers.
    pub whole: Vec<bool>,
    /// The least and the largest value of each channel in the training rows, in the data's own units.
    pub range: Vec<(f32, f32)>,
    /// Samples in the stretches of signal that a sliding network was trained for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stretch: Option<usize>,
}

/// What the data of a run were, as far as sampling and export need to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Version of Mote that wrote this.
    pub mote: String,
    /// Name of the set.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Name of each feature.
    pub columns: Vec<String>,
    /// What a row is, where rows are windows of a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSummary>,
    /// Height and width, where a row is an image.
    pub image: Option<(usize, usize)>,
    /// Name of each class; empty without labels.
    pub classes: Vec<String>,
    /// Scaling of each feature.
    pub scaling: Scaling,
    /// The least and the largest value in the training rows, in the data's own units.
    pub range: (f32, f32),
}

impl DataSummary {
    /// Reads the summary of a run.
    ///
    /// # Errors
    /// [`RunError`] when the file is missing or damaged.
    pub fn read(run: &RunFolder) -> Result<Self, RunError> {
        let path = run.data();
        let text = std::fs::read_to_string(&path)
            .map_err(|_| RunError::NotARun { path: run.root().into(), file: "data.json" })?;
        serde_json::from_str(&text).map_err(|error| RunError::Damaged { path, reason: error.to_string() })
    }

    /// Writes the summary into a run.
    ///
    /// # Errors
    /// [`WriteError`] names the file.
    pub fn write(&self, run: &RunFolder) -> Result<(), WriteError> {
        write_atomically(&run.data(), |out| Ok(serde_json::to_writer_pretty(out, self)?))
    }

    /// The text of a blob: what it was made from, and how it was quantised.
    #[must_use]
    pub fn blob_text(&self, recipe: &Recipe, quantisation: &str) -> String {
        #[derive(Serialize)]
        struct Text<'a> {
            name: &'a str,
            mote: &'a str,
            prediction: String,
            #[serde(skip_serializing_if = "<[String]>::is_empty")]
            classes: &'a [String],
            #[serde(skip_serializing_if = "<[String]>::is_empty")]
            columns: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            window: Option<&'a WindowSummary>,
            quantisation: &'a str,
        }
        let columns: &[String] = if self.image.is_some() || self.window.is_some() { &[] } else { &self.columns };
        let text = Text {
            name: &self.name,
            mote: env!("CARGO_PKG_VERSION"),
            prediction: format!("{:?} on {:?}", recipe.noise.noising().prediction, recipe.noise.schedule),
            classes: &self.classes,
            columns,
            quantisation,
            window: self.window.as_ref(),
        };
        toml::to_string(&text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(root).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_run_leaves_files_alone_that_no_run_made() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("metrics.csv"), "mine").unwrap();
        let run = RunFolder::create(folder.path(), true).unwrap();
        assert_eq!(std::fs::read_to_string(run.metrics()).unwrap(), "mine");
    }

    #[test]
    fn a_run_is_begun_again_only_by_force_and_then_without_its_old_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["recipe.toml", "checkpoint.safetensors", "metrics.csv", "loss.svg", "model.mote", "notes.txt"] {
            std::fs::write(folder.path().join(name), "old").unwrap();
        }
        let refused = RunFolder::create(folder.path(), false).unwrap_err().to_string();
        assert!(refused.contains("--resume") && refused.contains("--force") && refused.contains("--out"), "{refused}");
        assert_eq!(files(folder.path()).len(), 6);
        RunFolder::create(folder.path(), true).unwrap();
        assert_eq!(files(folder.path()), ["notes.txt", "recipe.toml"]);
    }

    #[test]
    fn only_a_run_without_a_checkpoint_is_discarded() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new");
        let run = RunFolder::create(&root, false).unwrap();
        for path in [run.recipe(), run.data(), run.checkpoint()] {
            std::fs::write(path, "x").unwrap();
        }
        run.discard_unstarted(true).unwrap();
        assert_eq!(files(&root).len(), 3);
        std::fs::remove_file(run.checkpoint()).unwrap();
        run.discard_unstarted(false).unwrap();
        assert!(files(&root).is_empty());
        run.discard_unstarted(true).unwrap();
        assert!(!root.exists());
    }
}
