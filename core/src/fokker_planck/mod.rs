//! The density of a one-dimensional diffusion over time: the Fokker-Planck equation by Chang and Cooper's scheme.
//!
//! For the Itô equation `dX = mu(X, t) dt + sigma(X, t) dW` the density obeys `dp/dt = -d(mu p)/dx + (1/2) d2(sigma^2
//! p)/dx2`. It lives on a fixed uniform grid, in slices that the caller lends; no probability crosses the two ends.
//! [`step`] keeps the mass and keeps every value at or above zero for any time step, and on its way to equilibrium it
//! tends to the discrete form of `exp(-2U / sigma^2)`, not to an approximation with another shape.
//!
//! ```
//! use mote_core::fokker_planck::{Ito, UniformGrid, step};
//!
//! // dX = -X dt + dW relaxes to a normal law of variance 1/2.
//! let process = Ito { drift: |x, _t| -x, diffusion: |_x, _t| 1.0 };
//! let grid = UniformGrid::new(-4.0, 4.0, 160)?;
//! let (mut density, mut scratch) = ([0.0; 160], [[0.0; 2]; 160]);
//! grid.set(&mut density, |x| if x.abs() < 1.0 { 1.0 } else { 0.0 })?;
//! for i in 0..1000 {
//!     step(&grid, &process, i as f32 * 0.01, 0.01, &mut density, &mut scratch)?;
//! }
//! let moments = grid.moments(&density)?;
//! assert!((moments.mass - 1.0).abs() < 1e-5 && moments.mean.abs() < 1e-5);
//! assert!((moments.variance - 0.5).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod flux;
mod grid;
mod step;
mod sum;

#[cfg(test)]
mod closed_forms;
#[cfg(test)]
mod equilibrium;

pub use error::{GridError, StepError};
pub use flux::Ito;
pub use grid::{Moments, UniformGrid};
pub use step::step;
