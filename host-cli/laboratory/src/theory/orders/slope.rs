//! Orders read off errors.

/// The error of a stepper on one grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Steps of the grid.
    pub steps: u32,
    /// The error, in the norm of the experiment.
    pub error: f64,
    /// What rounding to f32 would leave by itself, in the same norm.
    pub floor: f64,
}

impl Measured {
    /// Whether the error is the stepper's own, and not that of rounding.
    pub fn counts(&self) -> bool {
        self.error >= ABOVE * self.floor
    }
}

/// Roundings that a step adds up, in deviations: a state near `size` is rounded by at most `2^-24 size` in root mean square at each
/// addition, and errors of `steps` additions that know nothing of each other grow with the root of their number.
pub(super) fn rounding(size: f64, steps: u32) -> f64 {
    size * f64::from(steps).sqrt() / f64::from(1u32 << 24)
}

/// A grid counts when its error is this many times the floor: the floor then changes it by half a percent, and a slope by
/// less than 0.01.
const ABOVE: f64 = 10.0;

/// The order: the least-squares slope of `log2(error)` over the three finest octaves (four grids, each with twice the steps of the
/// one before) whose errors stand above the floor. Not a number where there are none.
pub(super) fn order(grids: &[Measured]) -> f64 {
    let octaves = grids.windows(4).rev().find(|four| four.iter().all(Measured::counts));
    octaves.map_or(f64::NAN, |four| {
        debug_assert!(four.windows(2).all(|pair| pair[1].steps == 2 * pair[0].steps));
        let places = [-1.5, -0.5, 0.5, 1.5];
        -places.iter().zip(four).map(|(place, grid)| place * grid.error.log2()).sum::<f64>() / 5.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grids(error: impl Fn(f64) -> f64, floor: f64) -> Vec<Measured> {
        (0..8).map(|k| 4 << k).map(|steps| Measured { steps, error: error(f64::from(steps)), floor }).collect()
    }

    #[test]
    fn a_power_law_has_its_exponent_down_to_the_floor() {
        let error = |n: f64| (3.0 * n.powf(-1.5)).hypot(1e-3);
        // Without a floor the slope sees the bend; with it the last grid is at 3 n^-1.5 = .01, n = 44.
        assert!(order(&grids(error, 0.0)) < 1.0);
        assert!((order(&grids(error, 1e-3)) - 1.5).abs() < 0.01);
        assert!(order(&grids(error, 1.0)).is_nan());
    }

    #[test]
    fn the_slope_is_that_of_least_squares() {
        // log2 of the errors: 3, 1, 0, -3 at places -1.5 to 1.5: slope -(4.5 + .5 + 0 + 4.5) / 5 by hand.
        let errors = [8.0, 2.0, 1.0, 0.125];
        let grids: Vec<_> =
            errors.iter().zip(0..).map(|(&error, k)| Measured { steps: 1 << k, error, floor: 0.0 }).collect();
        assert!((order(&grids) - 1.9).abs() < 1e-12);
    }
}
