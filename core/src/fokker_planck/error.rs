use core::fmt;

/// Why numbers do not make a grid, or values on it no density.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum GridError {
    /// The ends are not finite, or the lower one is not below the upper one.
    Ends {
        /// Lower end.
        low: f32,
        /// Upper end.
        high: f32,
    },
    /// Fewer than 2 cells, or more than 2^22, or so many that `f32` cannot tell neighbouring centres apart.
    Cells(usize),
    /// A slice does not have one entry for each cell.
    Length {
        /// Cells of the grid.
        cells: usize,
        /// Entries of the slice.
        len: usize,
    },
    /// A density that is negative, infinite or not a number.
    Density {
        /// Centre of the first such cell.
        x: f32,
        /// Its value.
        value: f32,
    },
    /// The mass is zero, infinite or not a number, so the density can be neither normalised nor averaged over.
    Mass(f32),
}

impl fmt::Display for GridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ends { low, high } => write!(f, "a grid from {low} to {high}: the ends must be finite and rise"),
            Self::Cells(cells) => {
                write!(f, "a grid of {cells} cells: allowed are 2 to 2^22, and no finer than f32 resolves")
            }
            Self::Length { cells, len } => write!(f, "a slice of {len} entries for a grid of {cells} cells"),
            Self::Density { x, value } => write!(f, "a density of {value} at {x}: it must be finite and at least 0"),
            Self::Mass(mass) => write!(f, "a density of total mass {mass}: it must be finite and above 0"),
        }
    }
}

impl core::error::Error for GridError {}

/// Why a time step was refused; the density is as it was.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum StepError {
    /// Density and scratch do not fit the grid, or the density has a value that is not finite or is negative.
    Grid(GridError),
    /// The time step is negative, infinite or not a number.
    TimeStep(f32),
    /// Between two cells, drift, diffusion or their product with the time step is not finite in `f32`.
    Coefficients {
        /// Where: the face between the two cells.
        x: f32,
        /// When: the end of the step.
        t: f32,
    },
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grid(error) => error.fmt(f),
            Self::TimeStep(dt) => write!(f, "a time step of {dt}: it must be finite and at least 0"),
            Self::Coefficients { x, t } => write!(f, "drift or diffusion near x = {x} at t = {t} is not finite"),
        }
    }
}

impl core::error::Error for StepError {}

impl From<GridError> for StepError {
    fn from(error: GridError) -> Self {
        Self::Grid(error)
    }
}
