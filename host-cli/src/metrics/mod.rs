//! How far samples are from held-out data: five figures, each against a floor that real data reach.
//!
//! All distances are in the units of the points given; compare figures only within one choice of units.

mod directions;
mod distances;
mod frechet;
mod kernel;
mod neighbours;
mod points;
mod protocol;
mod sliced;

pub use frechet::frechet_distance;
pub use kernel::{median_bandwidth, mmd2_unbiased};
pub use neighbours::{memorisation, nearest_neighbour_accuracy};
pub use points::{MetricError, Points, digit_units};
pub use protocol::{DIRECTION_SEED, DIRECTIONS, Figure, Quality, QualityTable, Reference, floor, protocol};
pub use sliced::sliced_w2;

/// Numbers from another implementation of the same protocol, on the built-in digits.
#[cfg(test)]
mod digits_against_numpy;
