//! The frontier of quality against memorisation, over training length and regularisation: `frontier.csv` of a run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One trained network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontierPoint {
    /// Training steps.
    pub steps: u64,
    /// How it was regularised, in words; networks of one label are one curve.
    pub regularisation: String,
    /// Share of samples nearer to a training row than to any held-out one.
    pub memorisation: f64,
    /// Fréchet distance.
    pub frechet: f64,
    /// Sliced Wasserstein-2 distance.
    pub sliced_w2: f64,
    /// 1-nearest-neighbour accuracy.
    pub nearest_neighbour: f64,
}

/// Why a frontier cannot be read.
#[derive(Debug, Error)]
#[error("{}: {source}; remove the file to leave the frontier out", path.display())]
pub struct FrontierError {
    /// The file.
    path: PathBuf,
    /// What is wrong, and in which line.
    source: csv::Error,
}

/// Reads a frontier; no points where there is no file.
///
/// # Errors
/// [`FrontierError`] when the file cannot be read or a line does not have the columns.
pub fn read_frontier(path: &Path) -> Result<Vec<FrontierPoint>, FrontierError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let read = || csv::Reader::from_path(path)?.deserialize().collect::<Result<_, _>>();
    read().map_err(|source| FrontierError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_name_and_a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frontier.csv");
        assert_eq!(read_frontier(&path).unwrap(), []);
        let header = "regularisation,steps,memorisation,frechet,sliced_w2,nearest_neighbour,more";
        std::fs::write(&path, format!("{header}\n\"decay .1, dropout\",8000,.64,.6,.07,.7,x\n")).unwrap();
        let points = read_frontier(&path).unwrap();
        assert_eq!((points[0].steps, points[0].regularisation.as_str()), (8000, "decay .1, dropout"));
        assert_eq!((points[0].memorisation, points[0].nearest_neighbour), (0.64, 0.7));
        std::fs::write(&path, format!("{header}\nnone,many,.64,.6,.07,.7,x\n")).unwrap();
        let message = read_frontier(&path).unwrap_err().to_string();
        assert!(message.contains("frontier.csv") && message.contains("line: 2"), "{message}");
    }
}
