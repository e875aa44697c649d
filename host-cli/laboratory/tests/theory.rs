//! The whole table of the theory, at one seed.

use std::collections::HashSet;

use mote_laboratory::theory::{CHAPTERS, Laboratory, Verdict};

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn every_row_holds_and_has_a_name_and_a_seed_of_its_own() {
    // A fixed seed: the false-alarm rate of 1e-5 a row has been spent once and for all.
    let laboratory = Laboratory { seed: 20_240 };
    let rows: Vec<_> = CHAPTERS
        .iter()
        .flat_map(|chapter| chapter.experiments.iter().flat_map(|experiment| (experiment.run)(&laboratory)))
        .collect();
    let failed: Vec<_> = rows.iter().filter(|row| row.verdict() == Verdict::Fails).collect();
    assert!(failed.is_empty(), "{failed:#?}");

    let (mut names, mut seeds) = (HashSet::new(), HashSet::new());
    for row in &rows {
        assert!(names.insert(row.name), "{} twice", row.name);
        assert!(seeds.insert(laboratory.seed_of(row.name)), "{} shares its seed", row.name);
        let is_kebab = |name: &str| {
            name.split('-')
                .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        };
        assert!(is_kebab(row.name), "{}", row.name);
        assert!(!row.statement.is_empty() && !row.statement.contains('\n'), "{}", row.name);
    }
}

#[test]
fn chapters_have_names_of_their_own() {
    let mut names = HashSet::new();
    for chapter in CHAPTERS {
        assert!(names.insert(chapter.name), "{} twice", chapter.name);
    }
}

#[test]
fn experiments_of_tables_with_neighbouring_seeds_share_no_seed() {
    let mut seeds = HashSet::new();
    for seed in 0..100 {
        for name in ["brownian-law", "ito-sums", "double-well", "spring"] {
            assert!(seeds.insert(Laboratory { seed }.seed_of(name)), "{seed} {name}");
        }
    }
}
