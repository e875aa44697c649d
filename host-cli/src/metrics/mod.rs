//! How far samples are from held-out data: one file a metric, one line in [`METRICS`], each against a floor that real data reach.
//!
//! All distances are in the units of the points given; compare figures only within one choice of units.

mod c2st;
mod directions;
mod distances;
mod energy;
mod frechet;
mod judge;
mod kernel;
mod list;
mod manifold;
mod neighbours;
mod points;
mod protocol;
mod sliced;

pub use c2st::c2st_accuracy;
pub use energy::energy_distance;
pub use frechet::frechet_distance;
pub use judge::Judge;
pub use kernel::{median_bandwidth, mmd2_unbiased};
pub use list::{Figure, METRICS, Metric, Quality, QualityTable};
pub use manifold::{Manifold, NEIGHBOURS, manifold};
pub use neighbours::{memorisation, nearest_distances, nearest_neighbour_accuracy};
pub use points::{MetricError, Points, digit_units};
pub use protocol::{DIRECTION_SEED, DIRECTIONS, Reference, floor, protocol};
pub use sliced::sliced_w2;

/// Numbers from another implementation of the same protocol, on the built-in digits.
#[cfg(test)]
mod digits_against_numpy;
