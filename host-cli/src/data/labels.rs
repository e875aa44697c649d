//! Class labels as small codes with names.

use super::error::DataError;

/// The class of each row: a code, and the name of each code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// One code for each row, an index into `names`.
    pub codes: Vec<u16>,
    /// The classes, sorted: by value if all are whole numbers, else by spelling.
    pub names: Vec<String>,
}

impl Labels {
    /// Gives the distinct cells codes in sorted order, so that the codes do not depend on the order of the rows.
    pub(super) fn from_cells(cells: Vec<String>, path: &str, column: &str) -> Result<Self, DataError> {
        let mut names = cells.clone();
        names.sort_unstable();
        names.dedup();
        let whole: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
        if whole.is_some() {
            names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
        }
        if names.len() > usize::from(u16::MAX) + 1 {
            return Err(DataError::BadLabel {
                path: path.into(),
                label: column.into(),
                why: format!("it has {} different values, more than 65536; is it a measurement?", names.len()),
            });
        }
        let code_of: std::collections::HashMap<&str, u16> =
            names.iter().enumerate().map(|(code, name)| (name.as_str(), code as u16)).collect();
        let codes = cells.iter().map(|cell| code_of[cell.as_str()]).collect();
        Ok(Self { codes, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(cells: &[&str]) -> Labels {
        Labels::from_cells(cells.iter().map(|c| c.to_string()).collect(), "f", "c").unwrap()
    }

    #[test]
    fn whole_numbers_sort_by_value() {
        let labels = labels(&["10", "9", "-1", "10"]);
        assert_eq!(labels.names, ["-1", "9", "10"]);
        assert_eq!(labels.codes, [2, 1, 0, 2]);
    }

    #[test]
    fn words_sort_by_spelling() {
        let labels = labels(&["b", "10", "a", "9"]);
        assert_eq!(labels.names, ["10", "9", "a", "b"]);
        assert_eq!(labels.codes, [3, 0, 2, 1]);
    }

    #[test]
    fn too_many_classes_are_refused() {
        let cells: Vec<String> = (0..65_537).map(|i| i.to_string()).collect();
        assert!(Labels::from_cells(cells[..65_536].to_vec(), "f", "c").is_ok());
        let error = Labels::from_cells(cells, "f", "c").unwrap_err();
        assert!(error.to_string().contains("65537 different values"));
    }
}
