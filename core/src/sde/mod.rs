//! Stochastic differential equations `dX = f(t, X) dt + g(t, X) dW`, with a noise of its own for each component.
//!
//! Itô's convention, unless a type is marked [`Stratonovich`]. One process a file, with its closed forms beside it. Markers say
//! what noise an equation has, so that a stepper that does not fit it does not compile. An ensemble of P independent paths
//! of a scalar process is one state of P components.
//!
//! Time may run backwards: over a span of negative length the steppers take `f dt` with `dt < 0` and noise of variance
//! `|dt|`, independent of the present state, which is what [`ReverseTime`] wants.

mod brownian;
mod calculus;
mod double_well;
mod forward;
mod geometric;
mod langevin;
mod ornstein_uhlenbeck;
mod reverse;
mod stratonovich;
mod underdamped;

pub use brownian::Brownian;
pub use calculus::{Sense, generator};
pub use double_well::DoubleWell;
pub use forward::{ForwardKernel, SubVp, Ve, Vp};
pub use geometric::GeometricBrownian;
pub use langevin::{Flat, OverdampedLangevin, Potential, Quadratic};
pub use ornstein_uhlenbeck::OrnsteinUhlenbeck;
pub use reverse::{ProbabilityFlow, ReverseTime};
pub use stratonovich::StratonovichForm;
pub use underdamped::UnderdampedLangevin;

/// A stochastic differential equation with diagonal noise; `x` and `out` have one number a component.
///
/// Implement one of the markers [`Ito`] and [`Stratonovich`] with it, and those of the noise that hold.
pub trait Sde {
    /// Writes the drift `f(t, x)` to `out`.
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]);
    /// Writes the diffusion `g(t, x)`, the factor of each component's own noise, to `out`.
    fn diffusion(&mut self, t: f32, x: &[f32], out: &mut [f32]);
}

/// The equation is meant in Itô's sense.
pub trait Ito: Sde {}

/// The equation is meant in Stratonovich's sense: `f_strat = f_ito - g g' / 2` (see [`StratonovichForm`]).
///
/// For [`AdditiveNoise`] both senses are one, and such equations have this marker by themselves.
pub trait Stratonovich: Sde {}

impl<S: AdditiveNoise + ?Sized> Stratonovich for S {}

/// The diffusion of a component depends on time and on that component alone.
pub trait DiagonalNoise: Ito {}

/// The diffusion depends on time alone.
pub trait AdditiveNoise: DiagonalNoise {}

/// The diffusion is zero: an ordinary differential equation.
pub trait NoiseFree: AdditiveNoise {}

/// The derivative of the diffusion is known.
pub trait DiffusionSlope: DiagonalNoise {
    /// Writes `dg_i/dx_i (t, x_i)` to `out`.
    fn diffusion_slope(&mut self, t: f32, x: &[f32], out: &mut [f32]);
}

impl<S: AdditiveNoise + ?Sized> DiffusionSlope for S {
    #[inline(always)]
    fn diffusion_slope(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}
