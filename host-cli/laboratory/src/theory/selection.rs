//! Which rows to run, by words of a command line.

use std::fmt;

use super::{CHAPTERS, Chapter, Experiment};

/// An experiment, and those of its rows that were asked for.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Its chapter.
    pub chapter: &'static Chapter,
    /// The experiment.
    pub experiment: &'static Experiment,
    /// The names of the rows to show.
    pub rows: Vec<&'static str>,
}

/// A word that is neither a chapter nor part of a row's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// The chapter, row or word of a row's name that is most like it.
    pub nearest: &'static str,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no chapter is \"{}\" and no row has it in its name; did you mean \"{}\"?", self.word, self.nearest)
    }
}

impl std::error::Error for UnknownWord {}

/// The rows that one of the words chooses, in the table's order: those of the chapter of that name, or those with the word in
/// their name. Without words, all.
///
/// # Errors
/// [`UnknownWord`] for the first word that chooses nothing.
pub fn select(words: &[String]) -> Result<Vec<Selected>, UnknownWord> {
    select_from(CHAPTERS, words)
}

fn select_from(chapters: &'static [Chapter], words: &[String]) -> Result<Vec<Selected>, UnknownWord> {
    let all = || chapters.iter().flat_map(|chapter| chapter.experiments.iter().map(move |e| (chapter, e)));
    let chooses = |word: &String, chapter: &Chapter, row: &str| chapter.name == word || row.contains(word.as_str());
    for word in words {
        if !all().any(|(chapter, e)| e.rows.iter().any(|row| chooses(word, chapter, row))) {
            return Err(UnknownWord { word: word.clone(), nearest: nearest(chapters, word) });
        }
    }
    let selected = all().map(|(chapter, experiment)| {
        let wanted = |row: &&str| words.is_empty() || words.iter().any(|word| chooses(word, chapter, row));
        Selected { chapter, experiment, rows: experiment.rows.iter().copied().filter(wanted).collect() }
    });
    Ok(selected.filter(|selected| !selected.rows.is_empty()).collect())
}

fn nearest(chapters: &'static [Chapter], word: &str) -> &'static str {
    let rows = || chapters.iter().flat_map(|chapter| chapter.experiments).flat_map(|e| e.rows.iter().copied());
    let candidates =
        chapters.iter().map(|chapter| chapter.name).chain(rows()).chain(rows().flat_map(|row| row.split('-')));
    let likeness = |name: &&str| strsim::jaro_winkler(name, word);
    candidates.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Row;

    const TWO: &[Chapter] = &[
        Chapter {
            name: "heat",
            title: "Heat",
            experiments: &[
                Experiment { rows: &["heat-flows", "heat-spreads"], run: |_| Vec::<Row>::new() },
                Experiment { rows: &["mass-stays"], run: |_| Vec::new() },
            ],
        },
        Chapter {
            name: "waves",
            title: "Waves",
            experiments: &[Experiment { rows: &["mass-moves"], run: |_| Vec::new() }],
        },
    ];

    fn names(words: &[&str]) -> Result<Vec<&'static str>, UnknownWord> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        select_from(TWO, &words).map(|all| all.into_iter().flat_map(|selected| selected.rows).collect())
    }

    #[test]
    fn a_word_chooses_a_chapter_or_the_rows_that_contain_it() {
        assert_eq!(names(&[]).unwrap(), ["heat-flows", "heat-spreads", "mass-stays", "mass-moves"]);
        assert_eq!(names(&["heat"]).unwrap(), ["heat-flows", "heat-spreads", "mass-stays"]);
        assert_eq!(names(&["mass"]).unwrap(), ["mass-stays", "mass-moves"]);
        assert_eq!(names(&["waves", "spread"]).unwrap(), ["heat-spreads", "mass-moves"]);
    }

    #[test]
    fn a_word_that_chooses_nothing_is_refused_with_the_nearest() {
        for (word, nearest) in [("wave", "waves"), ("mas-moves", "mass-moves"), ("spraeds", "spreads")] {
            assert_eq!(names(&["heat", word]), Err(UnknownWord { word: word.into(), nearest }));
        }
    }
}
