//! Fixed train, validation and test rows.

use serde::{Deserialize, Serialize};

use super::shuffle::permutation;

/// How the rows of a table are shared out; it is stored in the recipe, so a run can be repeated.
///
/// In TOML: `kind = "contiguous"`, `train = 0.8`, `validation = 0.1`; the test part is what remains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Split {
    /// The first rows train, the next validate, the last test: right for time series and for rows grouped by source.
    Contiguous {
        /// Share of rows that train.
        #[serde(default = "default_train")]
        train: f64,
        /// Share of rows that validate.
        #[serde(default = "default_validation")]
        validation: f64,
    },
    /// As contiguous, after a seeded shuffle: right for independent rows only.
    Shuffled {
        /// Seed of the shuffle.
        #[serde(default)]
        seed: u64,
        /// Share of rows that train.
        #[serde(default = "default_train")]
        train: f64,
        /// Share of rows that validate.
        #[serde(default = "default_validation")]
        validation: f64,
    },
    /// Whole groups of a log, in order of appearance: the first train, the next validate, the last test.
    Groups {
        /// Share of groups that train.
        #[serde(default = "default_train")]
        train: f64,
        /// Share of groups that validate.
        #[serde(default = "default_validation")]
        validation: f64,
    },
    /// A column of a log says of each row: train, validation or test.
    Column {
        /// The column, by name or number from 1.
        column: String,
    },
    /// Rows 0, 2, 4, … train; rows 1, 3, 5, … are held out, for validation and test alike: both halves have one distribution.
    Alternate,
}

fn default_train() -> f64 {
    0.8
}

fn default_validation() -> f64 {
    0.1
}

impl Default for Split {
    fn default() -> Self {
        Self::Contiguous { train: default_train(), validation: default_validation() }
    }
}

/// Row indices of each part, none of them empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Rows the network learns from.
    pub train: Vec<usize>,
    /// Rows that pick the checkpoint and the settings.
    pub validation: Vec<usize>,
    /// Rows that only the final figures see.
    pub test: Vec<usize>,
}

/// Why a table cannot be split as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A share is not between 0 and 1, or train and validation leave nothing to test on.
    #[error(
        "split: train = {train} and validation = {validation} must each be above 0 and together below 1; the rest is the test part"
    )]
    BadShares {
        /// Share asked for training.
        train: f64,
        /// Share asked for validation.
        validation: f64,
    },
    /// A split of logs, asked of a table.
    #[error(
        "split: groups and columns split logs that are cut into windows; say how long with --window, or split by rows"
    )]
    NeedsWindows,
    /// A part would have no rows.
    #[error(
        "split: {rows} rows leave the {part} part empty; bring more rows, give that part a larger share, or use kind = \"alternate\""
    )]
    EmptyPart {
        /// Rows in the table.
        rows: usize,
        /// `train`, `validation` or `test`.
        part: &'static str,
    },
}

impl Split {
    /// The column that says of each row what part it is, if that is how rows are split.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Column { column } => Some(column),
            _ => None,
        }
    }

    /// The rows of each part, for a table of `rows` rows.
    ///
    /// A boundary at share s falls before row round(s · rows).
    ///
    /// # Errors
    ///
    /// [`SplitError::BadShares`] if the shares make no sense, [`SplitError::EmptyPart`] if a part would have no rows.
    pub fn parts(&self, rows: usize) -> Result<Parts, SplitError> {
        let parts = match *self {
            Self::Groups { .. } | Self::Column { .. } => return Err(SplitError::NeedsWindows),
            Self::Contiguous { train, validation } => cut((0..rows).collect(), train, validation)?,
            Self::Shuffled { seed, train, validation } => cut(permutation(rows, seed), train, validation)?,
            Self::Alternate => {
                let held_out: Vec<usize> = (1..rows).step_by(2).collect();
                Parts { train: (0..rows).step_by(2).collect(), validation: held_out.clone(), test: held_out }
            }
        };
        for (part, indices) in [("train", &parts.train), ("validation", &parts.validation), ("test", &parts.test)] {
            if indices.is_empty() {
                return Err(SplitError::EmptyPart { rows, part });
            }
        }
        Ok(parts)
    }
}

fn cut(order: Vec<usize>, train: f64, validation: f64) -> Result<Parts, SplitError> {
    // Written so that a NaN fails too.
    if !(train > 0.0 && validation > 0.0 && train + validation < 1.0) {
        return Err(SplitError::BadShares { train, validation });
    }
    let rows = order.len() as f64;
    let first = (train * rows).round() as usize;
    let second = ((train + validation) * rows).round() as usize;
    Ok(Parts {
        train: order[..first].to_vec(),
        validation: order[first..second].to_vec(),
        test: order[second..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contiguous_keeps_the_order() {
        let parts = Split::default().parts(10).unwrap();
        assert_eq!(parts.train, (0..8).collect::<Vec<_>>());
        assert_eq!(parts.validation, [8]);
        assert_eq!(parts.test, [9]);
    }

    #[test]
    fn shuffled_uses_every_row_once_and_follows_its_seed() {
        let split = |seed| Split::Shuffled { seed, train: 0.6, validation: 0.2 };
        let parts = split(3).parts(101).unwrap();
        assert_eq!(
            (parts.train.len(), parts.validation.len(), parts.test.len()),
            (61, 20, 20) // round(60.6), round(80.8) - 61, 101 - 81
        );
        assert_eq!(parts, split(3).parts(101).unwrap());
        assert_ne!(parts, split(4).parts(101).unwrap());
        let mut all = [parts.train, parts.validation, parts.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<_>>());
    }

    #[test]
    fn alternate_trains_on_even_rows() {
        let parts = Split::Alternate.parts(1797).unwrap();
        assert_eq!((parts.train.len(), parts.test.len()), (899, 898));
        assert!(parts.train.iter().all(|row| row % 2 == 0));
        assert!(parts.test.iter().all(|row| row % 2 == 1));
        assert_eq!(parts.validation, parts.test);
    }

    #[test]
    fn an_empty_part_is_refused_by_name() {
        let refused = |split: Split, rows| match split.parts(rows) {
            Err(SplitError::EmptyPart { part, .. }) => part,
            other => panic!("{other:?}"),
        };
        // Boundaries at 3.2 and 3.6 rows: rows 0..3, 3..4, and none.
        assert_eq!(refused(Split::default(), 4), "test");
        // Boundaries at 1.6 and 1.8 rows: rows 0..2, none, none.
        assert_eq!(refused(Split::default(), 2), "validation");
        assert_eq!(refused(Split::Alternate, 1), "validation");
    }

    #[test]
    fn senseless_shares_are_refused() {
        for (train, validation) in [(0.0, 0.1), (0.9, 0.1), (0.5, -0.1), (f64::NAN, 0.1), (2.0, 0.1)] {
            let result = Split::Contiguous { train, validation }.parts(100);
            assert!(matches!(result, Err(SplitError::BadShares { .. })), "{train} {validation}: {result:?}");
        }
    }

    #[test]
    fn a_split_survives_toml() {
        for split in [Split::default(), Split::Alternate, Split::Shuffled { seed: 9, train: 0.5, validation: 0.25 }] {
            let text = toml::to_string(&split).unwrap();
            assert_eq!(toml::from_str::<Split>(&text).unwrap(), split, "{text}");
        }
        let short: Split = toml::from_str("kind = 'contiguous'").unwrap();
        assert_eq!(short, Split::default());
        assert!(toml::from_str::<Split>("kind = 'contiguous'\ntrian = 0.8").is_err());
    }
}
