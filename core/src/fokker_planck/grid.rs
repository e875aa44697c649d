use super::GridError;
use super::sum::CompensatedSum;

/// Cells of equal width on an interval; a density has one value for each, at the cell's centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UniformGrid {
    low: f32,
    width: f32,
    cells: usize,
}

/// Mass, mean and variance of a density, each by the midpoint rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// The integral of the density; no unit.
    pub mass: f32,
    /// Mean of the law that the density describes once divided by its mass; in units of x.
    pub mean: f32,
    /// Variance of the same law; in units of x squared.
    pub variance: f32,
}

impl UniformGrid {
    /// A grid of `cells` cells from `low` to `high`.
    ///
    /// # Errors
    /// [`GridError::Ends`] unless `low < high` and both are finite; [`GridError::Cells`] for fewer than 2
    /// cells, more than 2^22, or a width below 4 ulp of the larger end.
    pub fn new(low: f32, high: f32, cells: usize) -> Result<Self, GridError> {
        let length = high - low;
        if !(low < high && length.is_finite()) {
            return Err(GridError::Ends { low, high });
        }
        let width = length / cells as f32;
        if !(2..=1 << 22).contains(&cells) || width < 4.0 * f32::EPSILON * low.abs().max(high.abs()) {
            return Err(GridError::Cells(cells));
        }
        Ok(Self { low, width, cells })
    }

    /// Lower end of the first cell.
    #[must_use]
    pub fn low(&self) -> f32 {
        self.low
    }

    /// Width of a cell.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.width
    }

    /// Number of cells.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Centres of the cells, `low + (i + 1/2) width`, upwards.
    pub fn centres(&self) -> impl Iterator<Item = f32> + Clone + use<> {
        let Self { low, width, cells } = *self;
        (0..cells).map(move |i| low + (i as f32 + 0.5) * width)
    }

    /// Borders between neighbouring cells, `low + (i + 1) width`, upwards; one fewer than cells.
    pub(super) fn faces(&self) -> impl Iterator<Item = f32> + use<> {
        let Self { low, width, cells } = *self;
        (1..cells).map(move |i| low + i as f32 * width)
    }

    pub(super) fn check_len(&self, len: usize) -> Result<(), GridError> {
        if len == self.cells { Ok(()) } else { Err(GridError::Length { cells: self.cells, len }) }
    }

    /// Sets each cell to `shape` at its centre, and scales the whole to mass 1.
    ///
    /// # Errors
    /// As [`normalise`](Self::normalise); the density then holds `shape`.
    pub fn set(&self, density: &mut [f32], mut shape: impl FnMut(f32) -> f32) -> Result<(), GridError> {
        self.check_len(density.len())?;
        for (p, x) in density.iter_mut().zip(self.centres()) {
            *p = shape(x);
        }
        self.normalise(density)
    }

    /// Scales a density to mass 1; the mass is then within 2 ulp of it.
    ///
    /// # Errors
    /// [`GridError::Length`], [`GridError::Density`] for a value that is negative or not finite,
    /// [`GridError::Mass`] if there is none to scale or the scale would not be finite.
    pub fn normalise(&self, density: &mut [f32]) -> Result<(), GridError> {
        self.check_len(density.len())?;
        for (&value, x) in density.iter().zip(self.centres()) {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(GridError::Density { x, value });
            }
        }
        let mass = self.mass(density)?;
        if !(mass > 0.0 && mass.is_finite() && (1.0 / mass).is_finite()) {
            return Err(GridError::Mass(mass));
        }
        for p in density {
            *p /= mass;
        }
        Ok(())
    }

    /// The integral of a density, `width * sum p`, by a compensated sum: about 2 ulp for any number of cells.
    ///
    /// # Errors
    /// [`GridError::Length`].
    pub fn mass(&self, density: &[f32]) -> Result<f32, GridError> {
        self.check_len(density.len())?;
        Ok(self.width * density.iter().copied().collect::<CompensatedSum>().total())
    }

    /// Mass, mean and variance of a density, by the midpoint rule and compensated sums, in two passes.
    ///
    /// The law that is averaged over sits at the cells' centres. For a smooth density that vanishes at both ends the
    /// rule's error falls faster than any power of the width; read as constant in each cell, the same values have
    /// `width^2 / 12` more variance.
    ///
    /// # Errors
    /// [`GridError::Length`]; [`GridError::Mass`] if there is none to average over.
    pub fn moments(&self, density: &[f32]) -> Result<Moments, GridError> {
        let mass = self.mass(density)?;
        let total = mass / self.width;
        if !(total > 0.0 && total.is_finite()) {
            return Err(GridError::Mass(mass));
        }
        let cells = || density.iter().zip(self.centres());
        let mean = cells().map(|(p, x)| p * x).collect::<CompensatedSum>().total() / total;
        // About the mean, since the difference of the two raw moments would cancel.
        let square = cells().map(|(p, x)| p * (x - mean) * (x - mean)).collect::<CompensatedSum>().total();
        Ok(Moments { mass, mean, variance: square / total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_three_point_masses() {
        // Masses 1/4, 1/2, 1/4 at 101, 103, 105: mean 103, variance 2.
        let grid = UniformGrid::new(100.0, 106.0, 3).unwrap();
        let mut density = [1.0, 2.0, 1.0];
        grid.normalise(&mut density).unwrap();
        assert_eq!(grid.moments(&density), Ok(Moments { mass: 1.0, mean: 103.0, variance: 2.0 }));
    }

    #[test]
    fn mass_is_right_to_two_ulp_for_many_cells() {
        // 0.1 in each of a million cells of width 1/8; a plain f32 sum is off by a percent.
        let grid = UniformGrid::new(0.0, 125_000.0, 1_000_000).unwrap();
        let density = std::vec![0.1; 1_000_000];
        let truth = f64::from(0.1f32) * 125_000.0;
        assert!((f64::from(grid.mass(&density).unwrap()) / truth - 1.0).abs() < 1.2e-7);
    }

    #[test]
    fn senseless_grids_and_densities_are_refused() {
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY), (f32::MIN, f32::MAX)] {
            assert!(matches!(UniformGrid::new(low, high, 10), Err(GridError::Ends { .. })));
        }
        for (low, cells) in [(0.0, 0), (0.0, 1), (0.0, (1 << 22) + 1), (0.999, 10_000)] {
            assert_eq!(UniformGrid::new(low, 1.0, cells), Err(GridError::Cells(cells)));
        }
        let grid = UniformGrid::new(0.0, 1.0, 4).unwrap();
        assert_eq!(grid.mass(&[1.0; 3]), Err(GridError::Length { cells: 4, len: 3 }));
        assert_eq!(grid.moments(&[0.0; 4]), Err(GridError::Mass(0.0)));
        let mut density = [0.0; 4];
        assert_eq!(grid.normalise(&mut density), Err(GridError::Mass(0.0)));
        assert_eq!(grid.set(&mut density, |_| 1e-44), Err(GridError::Mass(1e-44)));
        assert!(matches!(grid.set(&mut density, |x| x - 0.5), Err(GridError::Density { x: 0.125, value: -0.375 })));
        assert!(matches!(grid.set(&mut density, |_| f32::NAN), Err(GridError::Density { .. })));
    }
}
