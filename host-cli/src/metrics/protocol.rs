//! The whole protocol: blocks of samples against held-out rows, and the floor that real data reach.

use super::directions::directions;
use super::distances::{Pairs, Sweep, sweep};
use super::frechet::{Moments, RootedMoments};
use super::kernel::{gamma, median_bandwidth};
use super::list::{Quality, QualityTable};
use super::manifold::{Manifold, from_radii, radii};
use super::neighbours::share_nearer;
use super::points::{MetricError, Points};
use super::sliced::quantiles;
use crate::data::permutation;

/// Directions of the sliced distance in the protocol.
pub const DIRECTIONS: usize = 256;

/// Seed of those directions: one seed for all, so that figures can be compared.
pub const DIRECTION_SEED: u64 = 1234;

/// Training and held-out rows, with everything about them that each block needs.
#[derive(Debug)]
pub struct Reference<'a> {
    pub(super) train: &'a Points,
    pub(super) held_out: &'a Points,
    gamma: f64,
    pub(super) within: Sweep,
    radii: Vec<f64>,
    pub(super) directions: Vec<Vec<f64>>,
    pub(super) quantiles: Vec<Vec<f64>>,
    pub(super) moments: RootedMoments,
}

/// Samples, with the passes over all pairs that several metrics share.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) points: Points,
    pub(super) within: Sweep,
    pub(super) across: Sweep,
    pub(super) manifold: Manifold,
    pub(super) memorisation: f64,
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
            within,
            radii: radii(held_out),
            quantiles: quantiles(held_out, &directions),
            directions,
            moments: Moments::of(held_out).with_root(),
        })
    }

    /// The figures of one set of samples.
    ///
    /// Cost: (4 n + train + 2 held_out) n dim for the distances, and the networks of [`c2st_accuracy`](super::c2st_accuracy).
    ///
    /// # Errors
    ///
    /// [`MetricError::DimMismatch`].
    pub fn measure(&self, generated: &Points) -> Result<Quality, MetricError> {
        Ok(Quality::of(self, &self.block(generated.clone())?))
    }

    fn block(&self, points: Points) -> Result<Block, MetricError> {
        points.comparable(self.held_out)?;
        let across = sweep(&points, self.held_out, Pairs::Across, Some(self.gamma));
        let to_train = sweep(&points, self.train, Pairs::Across, None);
        Ok(Block {
            within: sweep(&points, &points, Pairs::Within, Some(self.gamma)),
            manifold: from_radii(&points, self.held_out, &radii(&points), &self.radii),
            memorisation: share_nearer(&to_train.row_nearest, &across.row_nearest),
            across,
            points,
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
        let blocks: Result<Vec<Block>, MetricError> =
            (0..blocks).map(|b| self.block(pool.slice(b * block, (b + 1) * block))).collect();
        Ok(QualityTable::over(self, &blocks?, block))
    }

    /// What real data score: training rows in a random order, in as many blocks of the size of the held-out set as they fill (one
    /// of all of them, if they are fewer), at most `draws`, against the held-out rows.
    ///
    /// # Errors
    ///
    /// None beyond those of [`Reference::measure`].
    pub fn floor(&self, draws: usize, seed: u64) -> Result<QualityTable, MetricError> {
        let rows = self.held_out.rows().min(self.train.rows());
        let order = permutation(self.train.rows(), seed);
        let blocks: Result<Vec<Block>, MetricError> =
            order.chunks_exact(rows).take(draws.max(1)).map(|rows| self.block(self.train.gather(rows))).collect();
        Ok(QualityTable { memorisation: None, ..QualityTable::over(self, &blocks?, rows) })
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

/// The figures of random training rows, one block with a fixed seed: what a perfect model would score, memorisation apart.
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
            let all = manifold(&sample, &held_out).unwrap();
            let single = Quality {
                sliced_w2: sliced_w2(&sample, &held_out, DIRECTIONS, DIRECTION_SEED).unwrap(),
                mmd2: mmd2_unbiased(&sample, &held_out, bandwidth).unwrap(),
                nearest_neighbour: nearest_neighbour_accuracy(&sample, &held_out).unwrap(),
                frechet: frechet_distance(&sample, &held_out).unwrap(),
                energy: energy_distance(&sample, &held_out).unwrap(),
                c2st: c2st_accuracy(&sample, &held_out, 0).unwrap(),
                precision: all.precision,
                recall: all.recall,
                density: all.density,
                coverage: all.coverage,
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
        assert!((table.frechet.standard_error.unwrap() - (one - two).abs() / 2.0).abs() < 1e-15);
        let small = reference.table(&pool, 500).unwrap();
        assert_eq!((small.blocks, small.block_rows), (1, 95));
        assert_eq!(small.frechet.standard_error, None);
        assert!(reference.table(&pool, 1).is_err());
        // 100 training rows fill two blocks of 40.
        let (train, wide) = (cloud(100, 4), Reference::new(&held_out, &held_out).unwrap().floor(9, 0).unwrap());
        assert_eq!((wide.blocks, wide.block_rows), (1, 40));
        assert_eq!(Reference::new(&train, &held_out).unwrap().floor(9, 0).unwrap().blocks, 2);
        assert_eq!(Reference::new(&train, &held_out).unwrap().floor(1, 0).unwrap().blocks, 1);
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
        let expected = [
            "block_rows",
            "blocks",
            "c2st",
            "coverage",
            "density",
            "energy",
            "frechet",
            "memorisation",
            "mmd2",
            "nearest_neighbour",
            "precision",
            "recall",
            "sliced_w2",
        ];
        assert_eq!(names, expected);
        assert!(json["memorisation"].is_null());
    }
}
