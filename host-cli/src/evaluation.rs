//! Quality of samples beside the data-to-data floor.

mod classes;
mod draw;
mod text;

pub use classes::{Asked, Balance, ClassMix, options, shares};
pub use draw::{Draw, draw, float_and_quantised, float_samples};
pub use text::{balance_text, to_csv, to_text};

use serde::Serialize;

use crate::data::{Scaling, permutation};
use crate::metrics::{
    DIRECTION_SEED, DIRECTIONS, Figure, Judge, MetricError, Points, QualityTable, Reference, digit_units,
    frechet_distance, sliced_w2,
};
use crate::run::{DataSummary, Prepared};

/// The units in which distances are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    /// Digits: pixels rounded to their 17 grey levels and brought to -1..=1.
    Digits,
    /// Anything else: the scale of training, so that no feature outweighs the others.
    Scaled,
}

/// How samples were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Arithmetic {
    /// By the float network.
    Float,
    /// By the blob, as a device does, whatever the bits of its weights.
    Int8,
}

/// One line of a quality table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct QualityRow {
    /// What was measured.
    pub name: String,
    /// The plan that drew the samples; none for the floor and for files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// How they were computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arithmetic: Option<Arithmetic>,
    /// Network evaluations for one sample; none for the floor.
    pub evaluations: Option<usize>,
    /// What fresh data score in memorisation: the training rows' share of training and test rows, since either kind is as
    /// likely to hold the nearest. Only in the floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_memorisation: Option<f64>,
    /// Share of samples that the judge puts in the class they were asked for; in the floor, of test rows that it puts in their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels_right: Option<Figure>,
    /// Shares of the classes, where the data have labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
    /// The figures.
    #[serde(flatten)]
    pub quality: QualityTable,
}

impl QualityRow {
    /// The share of memorisation; in the floor what fresh data score, in brackets.
    #[must_use]
    pub fn memorisation_text(&self) -> String {
        match (self.quality.memorisation, self.fresh_memorisation) {
            (Some(figure), _) => format!("{:.3}", figure.mean),
            (None, Some(fresh)) => format!("({fresh:.3})"),
            (None, None) => String::new(),
        }
    }
}

/// Samples to measure, in the scale of training.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// What they are.
    pub name: String,
    /// The plan that drew them.
    pub plan: Option<String>,
    /// How they were computed.
    pub arithmetic: Option<Arithmetic>,
    /// Network evaluations for one.
    pub evaluations: Option<usize>,
    /// The samples, one after another.
    pub values: Vec<f32>,
    /// The class that each was asked for.
    pub asked: Option<Vec<u16>>,
}

/// Labels of the rows, for the judge.
#[derive(Debug)]
struct Labels {
    train: Vec<u16>,
    held_out: Vec<u16>,
    classes: usize,
}

/// Training and test rows in the units of measurement.
#[derive(Debug)]
pub struct Assessment {
    train: Points,
    held_out: Points,
    units: Units,
    scaling: Scaling,
    labels: Option<Labels>,
}

/// Training rows that a choice is guided by: distances cost as many pairs as the square of this.
pub const COMPARED_ROWS: usize = 2000;

/// Seed of the draw of those rows.
const COMPARED_SEED: u64 = 0;

/// Blocks of samples that are measured, each as large as the test set.
pub const BLOCKS: usize = 10;

impl Assessment {
    /// Prepares the comparison with the test rows.
    ///
    /// # Errors
    /// [`MetricError`] when there are too few rows.
    pub fn new(data: &Prepared) -> Result<Self, MetricError> {
        Self::of(data, |_| true)
    }

    /// Prepares the comparison with the test rows of one class; the judge still knows all of them.
    ///
    /// # Errors
    /// [`MetricError`] when there are too few rows of that class.
    pub fn of_class(data: &Prepared, class: u16) -> Result<Self, MetricError> {
        Self::of(data, |label| label == Some(class))
    }

    fn of(data: &Prepared, kept: impl Fn(Option<u16>) -> bool) -> Result<Self, MetricError> {
        let DataSummary { name, image, scaling, classes, .. } = &data.summary;
        let units = if name == "digits" && *image == Some((8, 8)) { Units::Digits } else { Units::Scaled };
        let dim = data.dim();
        let points = |raw: &[f32], labels: Option<&Vec<u16>>| {
            let label = |row: usize| labels.and_then(|labels| labels.get(row)).copied();
            let rows = raw.chunks_exact(dim).enumerate().filter(|(row, _)| kept(label(*row)));
            Points::new(&in_units(rows.flat_map(|(_, row)| row).copied().collect(), units, scaling), dim)
        };
        let of_class = |labels: &Vec<u16>| labels.iter().copied().filter(|label| kept(Some(*label))).collect();
        let labels = match (&data.train_labels, &data.test_labels) {
            (Some(train), Some(test)) if !classes.is_empty() => {
                Some(Labels { train: of_class(train), held_out: of_class(test), classes: classes.len() })
            }
            _ => None,
        };
        Ok(Self {
            train: points(&data.raw_train, data.train_labels.as_ref())?,
            held_out: points(&data.raw_test, data.test_labels.as_ref())?,
            units,
            scaling: scaling.clone(),
            labels,
        })
    }

    /// Samples that fill all blocks.
    #[must_use]
    pub fn pool_size(&self) -> usize {
        BLOCKS * self.held_out.rows()
    }

    /// A distance between samples in the scale of training and the training rows (at most [`COMPARED_ROWS`] of them, drawn by chance): what may guide a
    /// choice without a look at the test rows.
    ///
    /// # Errors
    /// [`MetricError`] of the distance.
    pub fn against_training(
        &self,
        samples: Vec<f32>,
        distance: impl Fn(&Points, &Points) -> Result<f64, MetricError>,
    ) -> Result<f64, MetricError> {
        let rows = self.train.rows();
        let taken = rows.min(COMPARED_ROWS);
        // By chance: where kinds of rows take turns, every so-manieth row would be of one kind.
        let drawn = permutation(rows, COMPARED_SEED);
        distance(&self.points(samples)?, &self.train.gather(&drawn[..taken]))
    }

    /// Sliced W2 and Fréchet distance between samples in the scale of training and the test rows, means over blocks as large as the test set:
    /// a fraction of what [`table`](Self::table) costs.
    ///
    /// # Errors
    /// [`MetricError`] when the samples fill no block.
    pub fn main_distances(&self, samples: Vec<f32>) -> Result<(f64, f64), MetricError> {
        let points = self.points(samples)?;
        let size = self.held_out.rows();
        let blocks = points.rows() / size;
        if blocks == 0 {
            return Err(MetricError::TooFew { rows: points.rows() });
        }
        let (mut sliced, mut frechet) = (0.0, 0.0);
        for block in 0..blocks {
            let block = points.slice(block * size, (block + 1) * size);
            sliced += sliced_w2(&block, &self.held_out, DIRECTIONS, DIRECTION_SEED)?;
            frechet += frechet_distance(&block, &self.held_out)?;
        }
        Ok((sliced / blocks as f64, frechet / blocks as f64))
    }

    /// Samples in the scale of training as points in the units of measurement.
    fn points(&self, mut samples: Vec<f32>) -> Result<Points, MetricError> {
        self.scaling.invert(&mut samples);
        Points::new(&in_units(samples, self.units, &self.scaling), self.held_out.dim())
    }

    /// Classes in the shares of the training rows, where these have labels.
    #[must_use]
    pub fn class_mix(&self) -> Option<ClassMix> {
        self.labels.as_ref().and_then(|labels| ClassMix::of(&labels.train, labels.classes))
    }

    /// Measures pools of samples, with the floor as the first row.
    ///
    /// # Errors
    /// [`MetricError`] when a pool has too few samples, or samples of another dimension.
    pub fn table(&self, pools: Vec<Pool>) -> Result<Vec<QualityRow>, MetricError> {
        let reference = Reference::new(&self.train, &self.held_out)?;
        let judge = self.labels.as_ref().map(|known| (Judge::new(&self.train, &known.train, known.classes), known));
        let (train, test) = (self.train.rows() as f64, self.held_out.rows() as f64);
        let mut floor = QualityRow {
            name: "floor (training rows)".into(),
            plan: None,
            arithmetic: None,
            evaluations: None,
            fresh_memorisation: Some(train / (train + test)),
            labels_right: None,
            balance: None,
            quality: reference.floor(BLOCKS, 0)?,
        };
        if let Some((judge, known)) = &judge {
            let judged = judge.classify(&self.held_out)?;
            floor.labels_right = Some(agreement(&judged, &known.held_out, judged.len()));
            floor.balance = Some(Balance::of(&known.held_out, &known.train, known.classes));
        }
        let mut rows = vec![floor];
        for Pool { name, plan, arithmetic, evaluations, values, asked } in pools {
            let points = self.points(values)?;
            let mut row = QualityRow {
                name,
                plan,
                arithmetic,
                evaluations,
                fresh_memorisation: None,
                labels_right: None,
                balance: None,
                quality: reference.table(&points, self.held_out.rows())?,
            };
            if let Some((judge, known)) = &judge {
                let judged = judge.classify(&points)?;
                row.labels_right = asked.map(|asked| agreement(&judged, &asked, row.quality.block_rows));
                row.balance = Some(Balance::of(&judged, &known.train, known.classes));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// The share of rows whose two labels agree, over blocks of `block` rows.
fn agreement(judged: &[u16], asked: &[u16], block: usize) -> Figure {
    let blocks = judged.chunks_exact(block).zip(asked.chunks_exact(block));
    let share = |(judged, asked): (&[u16], &[u16])| {
        judged.iter().zip(asked).filter(|(a, b)| a == b).count() as f64 / block as f64
    };
    Figure::over(&blocks.map(share).collect::<Vec<_>>())
}

fn in_units(mut raw: Vec<f32>, units: Units, scaling: &Scaling) -> Vec<f32> {
    match units {
        Units::Digits => digit_units(&raw),
        Units::Scaled => {
            scaling.apply(&mut raw);
            raw
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::DataRecipe;

    #[test]
    fn agreement_is_counted_by_block() {
        let figure = agreement(&[1, 2, 3, 4, 9], &[1, 2, 0, 0, 9], 2);
        assert_eq!((figure.mean, figure.deviation, figure.standard_error), (0.5, 0.5, Some(0.5)));
    }

    #[test]
    fn copies_of_training_rows_are_told_from_fresh_ones() {
        let source = "moons".to_string();
        let recipe = DataRecipe { split: crate::data::usual_split(&source), source, ..DataRecipe::default() };
        let data = Prepared::load(&recipe).unwrap();
        let assessment = Assessment::new(&data).unwrap();
        let other = DataRecipe { source: "moons:1".into(), ..recipe };
        let mut fresh = Prepared::load(&other).unwrap().raw_test;
        data.summary.scaling.apply(&mut fresh);
        let pool = |name: &str, values: &[f32]| Pool {
            name: name.into(),
            plan: None,
            arithmetic: None,
            evaluations: None,
            values: values.to_vec(),
            asked: None,
        };
        let rows = assessment.table(vec![pool("fresh", &fresh), pool("copies", &data.train[..4000])]).unwrap();
        let shares: Vec<f64> = rows[1..].iter().map(|row| row.quality.memorisation.unwrap().mean).collect();
        // 20,000 training rows and 2,000 others: 10/11 of fresh rows are nearer to the former, give or take sqrt(10/121 / 2000) = .0064;
        // a row shared between neighbours widens that a little. Five of them.
        assert_eq!(rows[0].fresh_memorisation, Some(20_000.0 / 22_000.0));
        assert!((shares[0] - 10.0 / 11.0).abs() < 0.036 && shares[1] == 1.0, "{shares:?}");
        // Two arcs .3 apart with noise .1 are told apart almost without fail, and rows take them in turn: what the judge gets wrong is left.
        assert!(rows[0].labels_right.unwrap().mean > 0.995);
        assert!(rows[1].balance.as_ref().unwrap().total_variation < 0.01);
        assert_eq!(rows[0].quality.blocks, 10);
    }
}
