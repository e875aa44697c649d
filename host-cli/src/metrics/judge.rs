//! A plain classifier, to say what class a sample looks like.

use rayon::prelude::*;

use super::distances::squared_distance;
use super::points::{MetricError, Points};

/// Neighbours that vote.
const VOTES: usize = 5;

/// The vote of the five nearest training rows: it knows nothing of the network that it judges.
///
/// Source: Cover and Hart, "Nearest neighbor pattern classification", IEEE Trans. Inf. Theory 13 (1967).
#[derive(Debug)]
pub struct Judge<'a> {
    train: &'a Points,
    labels: &'a [u16],
    classes: usize,
}

impl<'a> Judge<'a> {
    /// A judge that has seen these rows and their classes, each below `classes`.
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label is not below `classes`.
    pub fn new(train: &'a Points, labels: &'a [u16], classes: usize) -> Self {
        assert_eq!(train.rows(), labels.len(), "labels");
        assert!(labels.iter().all(|&label| usize::from(label) < classes), "labels below {classes}");
        Self { train, labels, classes }
    }

    /// The class of each row; of classes with as many votes the one whose voter is nearest. Cost: rows train dim.
    ///
    /// # Errors
    ///
    /// [`MetricError::DimMismatch`].
    pub fn classify(&self, points: &Points) -> Result<Vec<u16>, MetricError> {
        points.comparable(self.train)?;
        let rows: Vec<&[f64]> = points.padded_rows().collect();
        Ok(rows.par_iter().map(|row| self.class_of(row)).collect())
    }

    fn class_of(&self, row: &[f64]) -> u16 {
        let distances = self.train.padded_rows().map(|known| squared_distance(row, known));
        let mut near: Vec<(f64, u16)> = distances.zip(self.labels.iter().copied()).collect();
        let votes = VOTES.min(near.len());
        let order = |a: &(f64, u16), b: &(f64, u16)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        near.select_nth_unstable_by(votes - 1, order);
        near.truncate(votes);
        near.sort_unstable_by(order);
        let mut count = vec![0usize; self.classes];
        near.iter().for_each(|(_, label)| count[usize::from(*label)] += 1);
        let most = count.iter().copied().max().unwrap_or(0);
        let winner = near.iter().find(|(_, label)| count[usize::from(*label)] == most);
        winner.map_or(0, |(_, label)| *label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{LoadOptions, Split, load};

    #[test]
    fn the_vote_is_counted_and_a_tie_goes_to_the_nearest() {
        let train = Points::new(&[0., 1., 2., 10., 11., 12.], 1).unwrap();
        let judge = Judge::new(&train, &[0, 1, 1, 2, 2, 0], 3);
        // -1 sees 0, 1, 2, 10, 11: classes 0 1 1 2 2, of which 1 is nearer than 2. 20 sees 12, 11, 10, 2, 1: 0 2 2 1 1.
        assert_eq!(judge.classify(&Points::new(&[-1., 20.], 1).unwrap()).unwrap(), [1, 2]);
    }

    #[test]
    fn digits_are_judged_as_well_as_scikit_learn_judges_them() {
        // sklearn 1.9.1: KNeighborsClassifier(5).fit(X[0::2], y[0::2]).score(X[1::2], y[1::2]); a tie may fall otherwise there.
        let table = load("digits", &LoadOptions::default()).unwrap();
        let parts = Split::Alternate.parts(table.rows).unwrap();
        let points = |rows: &[usize]| Points::new(&table.gather(rows), 64).unwrap();
        let (train, labels) = (points(&parts.train), table.gather_labels(&parts.train).unwrap());
        let judged = Judge::new(&train, &labels, 10).classify(&points(&parts.test)).unwrap();
        let right = judged.iter().zip(table.gather_labels(&parts.test).unwrap()).filter(|(a, b)| **a == *b).count();
        assert!((right as f64 - SKLEARN * 898.0).abs() <= 2.0, "{right}");
    }

    const SKLEARN: f64 = 0.977728285077951;
}
