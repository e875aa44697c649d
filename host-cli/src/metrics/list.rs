//! Every metric of the table, in one list.

use serde::{Deserialize, Serialize};

use super::protocol::{Block, Reference};
use super::{c2st, energy, frechet, kernel, manifold, neighbours, sliced};

/// A figure that compares a block of samples with the held-out rows.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in a table.
    pub title: &'static str,
    /// Decimals that mean something.
    pub decimals: usize,
    /// Blocks that it is measured on; a costly one takes the first few.
    pub blocks: usize,
    /// Measures one block.
    pub(super) measure: fn(&Reference<'_>, &Block) -> f64,
}

/// A mean over blocks and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Mean over the blocks.
    pub mean: f64,
    /// Standard deviation between blocks (divided by their number), 0 for one block.
    pub deviation: f64,
    /// Standard error of the mean, `deviation / sqrt(blocks - 1)`; none for one block.
    pub standard_error: Option<f64>,
}

impl Figure {
    /// The figure of one number a block, at least one.
    #[must_use]
    pub fn over(blocks: &[f64]) -> Self {
        let count = blocks.len() as f64;
        let mean = blocks.iter().sum::<f64>() / count;
        let deviation = (blocks.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        let standard_error = (blocks.len() > 1).then(|| deviation / (count - 1.0).sqrt());
        Self { mean, deviation, standard_error }
    }
}

/// Makes the field, the column and the name in JSON of each metric out of one line.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $metric:expr;)*) => {
        /// Every metric of the table: its name in JSON, and what it is.
        pub const METRICS: [(&str, Metric); [$(stringify!($name)),*].len()] = [$((stringify!($name), $metric)),*];

        /// The figures of one block of samples.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Quality {
            $($(#[$doc])* pub $name: f64,)*
            /// [`memorisation`](super::memorisation), a share.
            pub memorisation: f64,
        }

        impl Quality {
            pub(super) fn of(reference: &Reference<'_>, block: &Block) -> Self {
                Self { $($name: ($metric.measure)(reference, block),)* memorisation: block.memorisation }
            }
        }

        /// The figures over all blocks.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub struct QualityTable {
            /// Blocks measured.
            pub blocks: usize,
            /// Rows in each.
            pub block_rows: usize,
            $($(#[$doc])* pub $name: Figure,)*
            /// Share of samples nearer to training rows than to held-out rows; none in a floor, whose rows are training rows.
            pub memorisation: Option<Figure>,
        }

        impl QualityTable {
            /// The figures in the order of [`METRICS`].
            #[must_use]
            pub fn figures(&self) -> [Figure; METRICS.len()] {
                [$(self.$name),*]
            }

            pub(super) fn over(reference: &Reference<'_>, blocks: &[Block], block_rows: usize) -> Self {
                let figure = |metric: Metric| {
                    let taken = blocks.iter().take(metric.blocks);
                    Figure::over(&taken.map(|block| (metric.measure)(reference, block)).collect::<Vec<_>>())
                };
                let memorisation: Vec<f64> = blocks.iter().map(|block| block.memorisation).collect();
                Self {
                    blocks: blocks.len(),
                    block_rows,
                    $($name: figure($metric),)*
                    memorisation: Some(Figure::over(&memorisation)),
                }
            }
        }
    };
}

metrics! {
    /// [`sliced_w2`](super::sliced_w2) with [`DIRECTIONS`](super::DIRECTIONS) directions, in the data's units.
    sliced_w2 = sliced::SLICED_W2;
    /// [`energy_distance`](super::energy_distance), in the data's units.
    energy = energy::ENERGY;
    /// [`mmd2_unbiased`](super::mmd2_unbiased), bandwidth the median distance within the held-out rows.
    mmd2 = kernel::MMD2;
    /// [`c2st_accuracy`](super::c2st_accuracy), a share.
    c2st = c2st::C2ST;
    /// [`nearest_neighbour_accuracy`](super::nearest_neighbour_accuracy), a share.
    nearest_neighbour = neighbours::NEAREST_NEIGHBOUR;
    /// [`frechet_distance`](super::frechet_distance), in squared units.
    frechet = frechet::FRECHET;
    /// [`Manifold::precision`](super::Manifold::precision), a share.
    precision = manifold::PRECISION;
    /// [`Manifold::recall`](super::Manifold::recall), a share.
    recall = manifold::RECALL;
    /// [`Manifold::density`](super::Manifold::density).
    density = manifold::DENSITY;
    /// [`Manifold::coverage`](super::Manifold::coverage), a share.
    coverage = manifold::COVERAGE;
}
