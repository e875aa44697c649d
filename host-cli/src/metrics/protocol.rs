//! The whole protocol: blocks of samples against held-out rows, and the floor that real data reach.

use serde::{Deserialize, Serialize};

use super::directions::directions;
use super::distances::{Pairs, sweep};
use super::frechet::{Moments, RootedMoments};
use super::kernel::{from_sums, gamma, median_bandwidth};
use super::neighbours::{accuracy, share_nearer};
use super::points::{MetricError, Points};
use super::sliced::{from_quantiles, quantiles};
use crate::data::permutation;

/// Directions of the sliced distance in the protocol.
pub const DIRECTIONS: usize = 256;

/// Seed of those directions: one seed for all, so that figures can be compared.
pub const DIRECTION_SEED: u64 = 1234;

/// The five figures of one block of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// [`sliced_w2`](super::sliced_w2) with [`DIRECTIONS`] directions, in the data's units.
    pub sliced_w2: f64,
    /// [`mmd2_unbiased`](super::mmd2_unbiased), bandwidth the median distance within the held-out rows.
    pub mmd2: f64,
    /// [`nearest_neighbour_accuracy`](super::nearest_neighbour_accuracy), a share.
    pub nearest_neighbour: f64,
    /// [`frechet_distance`](super::frechet_distance), in squared units.
    pub frechet: f64,
    /// [`memorisation`](super::memorisation), a share.
    pub memorisation: f64,
}

/// A mean over blocks and the standard deviation between them (divided by their number).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Mean over the blocks.
    pub mean: f64,
    /// Standard deviation between blocks, 0 for one block.
    pub deviation: f64,
}

/// The five figures over all blocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityTable {
    /// Blocks measured.
    pub blocks: usize,
    /// Rows in each.
    pub block_rows: usize,
    /// Sliced Wasserstein-2 distance, in the data's units.
    pub sliced_w2: Figure,
    /// Squared maximum mean discrepancy.
    pub mmd2: Figure,
    /// Leave-one-out 1-nearest-neighbour accuracy, a share.
    pub nearest_neighbour: Figure,
    /// Fréchet distance, in squared units.
    pub frechet: Figure,
    /// Share of samples nearer to training rows than to held-out rows; none in a floor, whose rows are training rows.
    pub memorisation: Option<Figure>,
}

/// Training and held-out rows, with everything about them that each block needs.
#[derive(Debug)]
pub struct Reference<'a> {
    train: &'a Points,
    held_out: &'a Points,
    gamma: f64,
    kernel_within: f64,
    nearest_within: Vec<f64>,
    directions: Vec<Vec<f64>>,
    quantiles: Vec<Vec<f64>>,
    moments: RootedMoments,
}

impl<'a> Reference<'a> {
    /// Prepares the comparison with `held_out`; `train` serves memorisation alone.
    ///
    /// # Errors
    ///
    /// [`MetricError::DimMismatch`].
    pub fn new(train: &'a Points, held_out: &'a Points) -> Result<Self, MetricError> {
        train.comparable(held_out)?;
        let gamma = gamma(median_bandwidth(held_out));
        let within = sweep(held_out, held_out, Pairs::Within, Some(gamma));
        let directions = directions(held_out.dim(), DIRECTIONS, DIRECTION_SEED);
        Ok(Self {
            train,
            held_out,
            gamma,
            kernel_within: within.kernel_sum,
            nearest_within: within.row_nearest,
            quantiles: quantiles(held_out, &directions),
            directions,
            moments: Moments::of(held_out).with_root(),
        })
    }

    /// The five figures of one set of samples.
    ///
    /// Cost: (2 n + train + held_out) n dim for the distances, which dominate.
    ///
    /// # Errors
    ///
    /// [`MetricError::DimMismatch`].
    pub fn measure(&self, generated: &Points) -> Result<Quality, MetricError> {
        generated.comparable(self.held_out)?;
        let (n, m) = (generated.rows(), self.held_out.rows());
        let within = sweep(generated, generated, Pairs::Within, Some(self.gamma));
        let across = sweep(generated, self.held_out, Pairs::Across, Some(self.gamma));
        let to_train = sweep(generated, self.train, Pairs::Across, None);
        let nearest_neighbour = if n == m {
            accuracy(&within.row_nearest, &self.nearest_within, &across)
        } else {
            super::nearest_neighbour_accuracy(generated, self.held_out)?
        };
        let sums = (within.kernel_sum, self.kernel_within, across.kernel_sum);
        Ok(Quality {
            sliced_w2: from_quantiles(generated, &self.directions, &self.quantiles),
            mmd2: from_sums(n, m, sums.0, sums.1, sums.2),
            nearest_neighbour,
            frechet: self.moments.distance(&Moments::of(generated)),
            memorisation: share_nearer(&to_train.row_nearest, &across.row_nearest),
        })
    }

    /// Mean and deviation over blocks of `block` rows of a pool of samples, in order; rows that fill no block are left out.
    ///
    /// A pool smaller than a block is one block by itself. The usual block is the number of held-out rows.
    ///
    /// # Errors
    ///
    /// [`MetricError::DimMismatch`], or [`MetricError::TooFew`] if a block has fewer than two rows.
    pub fn table(&self, pool: &Points, block: usize) -> Result<QualityTable, MetricError> {
        let block = block.min(pool.rows());
        if block < 2 {
            return Err(MetricError::TooFew { rows: block });
        }
        let blocks = pool.rows() / block;
        let figures: Result<Vec<Quality>, MetricError> =
            (0..blocks).map(|b| self.measure(&pool.slice(b * block, (b + 1) * block))).collect();
        Ok(QualityTable::over(&figures?, block))
    }

    /// What real data score: `draws` random sets of training rows, as many as are held out (or as there are), against the held-out rows.
    ///
    /// # Errors
    ///
    /// None beyond those of [`Reference::measure`].
    pub fn floor(&self, draws: usize, seed: u64) -> Result<QualityTable, MetricError> {
        let rows = self.held_out.rows().min(self.train.rows());
        let figures: Result<Vec<Quality>, MetricError> = (0..draws.max(1))
            .map(|draw| {
                let order = permutation(self.train.rows(), seed.wrapping_add(draw as u64));
                self.measure(&self.train.gather(&order[..rows]))
            })
            .collect();
        Ok(QualityTable { memorisation: None, ..QualityTable::over(&figures?, rows) })
    }
}

impl QualityTable {
    fn over(blocks: &[Quality], block_rows: usize) -> Self {
        let figure = |of: fn(&Quality) -> f64| {
            let count = blocks.len() as f64;
            let mean = blocks.iter().map(of).sum::<f64>() / count;
            let square = |block: &Quality| (of(block) - mean).powi(2);
            let deviation = (blocks.iter().map(square).sum::<f64>() / count).sqrt();
            Figure { mean, deviation }
        };
        Self {
            blocks: blocks.len(),
            block_rows,
            sliced_w2: figure(|q| q.sliced_w2),
            mmd2: figure(|q| q.mmd2),
            nearest_neighbour: figure(|q| q.nearest_neighbour),
            frechet: figure(|q| q.frechet),
            memorisation: Some(figure(|q| q.memorisation)),
        }
    }
}

/// The figures of a pool of samples, in blocks as large as the held-out set.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn protocol(pool: &Points, train: &Points, held_out: &Points) -> Result<QualityTable, MetricError> {
    Reference::new(train, held_out)?.table(pool, held_out.rows())
}

/// The figures of random training rows, one draw with a fixed seed: what a perfect model would score, memorisation apart.
///
/// # Errors
///
/// [`MetricError::DimMismatch`].
pub fn floor(train: &Points, held_out: &Points) -> Result<QualityTable, MetricError> {
    Reference::new(train, held_out)?.floor(1, 0)
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::data::SplitMix64;

    fn cloud(rows: usize, seed: u64) -> Points {
        let mut random = SplitMix64::new(seed);
        let values: Vec<f32> = (0..rows * 3).map(|_| random.next_unit() as f32).collect();
        Points::new(&values, 3).unwrap()
    }

    #[test]
    fn a_block_has_the_figures_of_the_single_functions() {
        let (train, held_out) = (cloud(50, 1), cloud(40, 2));
        let reference = Reference::new(&train, &held_out).unwrap();
        for rows in [40, 25, 60] {
            let sample = cloud(rows, 3);
            let got = reference.measure(&sample).unwrap();
            let bandwidth = median_bandwidth(&held_out);
            let single = Quality {
                sliced_w2: sliced_w2(&sample, &held_out, DIRECTIONS, DIRECTION_SEED).unwrap(),
                mmd2: mmd2_unbiased(&sample, &held_out, bandwidth).unwrap(),
                nearest_neighbour: nearest_neighbour_accuracy(&sample, &held_out).unwrap(),
                frechet: frechet_distance(&sample, &held_out).unwrap(),
                memorisation: memorisation(&sample, &train, &held_out).unwrap(),
            };
            assert_eq!(got, single, "{rows}");
        }
    }

    #[test]
    fn blocks_are_averaged_and_the_rest_is_left_out() {
        let (train, held_out, pool) = (cloud(50, 1), cloud(40, 2), cloud(95, 3));
        let reference = Reference::new(&train, &held_out).unwrap();
        let table = reference.table(&pool, 40).unwrap();
        let one = reference.measure(&pool.slice(0, 40)).unwrap().frechet;
        let two = reference.measure(&pool.slice(40, 80)).unwrap().frechet;
        assert_eq!((table.blocks, table.block_rows), (2, 40));
        assert!((table.frechet.mean - (one + two) / 2.0).abs() < 1e-15);
        assert!((table.frechet.deviation - (one - two).abs() / 2.0).abs() < 1e-15);
        let small = reference.table(&pool, 500).unwrap();
        assert_eq!((small.blocks, small.block_rows), (1, 95));
        assert!(reference.table(&pool, 1).is_err());
    }

    #[test]
    fn the_result_does_not_depend_on_the_number_of_threads() {
        let (train, held_out, pool) = (cloud(300, 1), cloud(200, 2), cloud(400, 3));
        let with = |threads| {
            let pool_of = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let run = || protocol(&pool, &train, &held_out).unwrap();
            pool_of.unwrap().install(run)
        };
        assert_eq!(with(1), with(5));
    }

    #[test]
    fn a_table_has_stable_field_names() {
        let table = floor(&cloud(50, 1), &cloud(40, 2)).unwrap();
        let json = serde_json::to_value(table).unwrap();
        let names: Vec<&String> = json.as_object().unwrap().keys().collect();
        let expected = ["block_rows", "blocks", "frechet", "memorisation", "mmd2", "nearest_neighbour", "sliced_w2"];
        assert_eq!(names, expected);
        assert!(json["memorisation"].is_null());
    }
}
