//! Steppers: one step of a stochastic or ordinary differential equation over a span.
//!
//! The noise comes from outside, over the span, so that coarse and fine grids can share one path. What a stepper may be used
//! on is a bound on the equation's markers:
//!
//! | stepper | equation | strong order | weak order |
//! |---|---|---|---|
//! | [`EulerMaruyama`] | Itô | 0.5; 1 for additive noise | 1 |
//! | [`Milstein`] | Itô, diagonal, slope of the diffusion known | 1 | 1 |
//! | [`MilsteinDerivativeFree`] | Itô, diagonal | 1 | 1 |
//! | [`StochasticHeun`] | Stratonovich, diagonal | 1 | 1 |
//! | [`Sea`] | additive | 1 | 1 |
//! | [`Sra1`], [`Shark`] | additive | 1.5 | 2 |
//! | [`Sriw1`] | Itô, diagonal | 1.5 | 1.5; 2 for a linear diffusion |
//! | [`ExactOu`] | Ornstein-Uhlenbeck | 1 | exact in law |
//! | [`EulerOde`], [`Heun`], [`RungeKutta4`] | without noise | 1, 2, 4 | the same |
//!
//! A pairing that does not fit does not compile: Milstein's step needs the slope of the diffusion,
//!
//! ```compile_fail,E0277
//! use mote_core::sde::{DiagonalNoise, Ito, Sde};
//! use mote_core::stepper::{Milstein, Stepper};
//!
//! struct SquareRoot;
//! impl Sde for SquareRoot {
//!     fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
//!         out.copy_from_slice(x);
//!     }
//!     fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
//!         out.copy_from_slice(x);
//!     }
//! }
//! impl Ito for SquareRoot {}
//! impl DiagonalNoise for SquareRoot {}
//!
//! fn fits<S: Sde, P: Stepper<S>>(_: S, _: P) {}
//! fits(SquareRoot, Milstein);
//! ```
//!
//! an order of 1.5 in two evaluations needs additive noise,
//!
//! ```compile_fail,E0277
//! use mote_core::{sde::{GeometricBrownian, Sde}, stepper::{Sra1, Stepper}};
//!
//! fn fits<S: Sde, P: Stepper<S>>(_: S, _: P) {}
//! fits(GeometricBrownian { growth: 1.0, volatility: 1.0 }, Sra1);
//! ```
//!
//! and stochastic Heun must not see an Itô drift:
//!
//! ```compile_fail,E0277
//! use mote_core::{sde::{GeometricBrownian, Sde}, stepper::{StochasticHeun, Stepper}};
//!
//! fn fits<S: Sde, P: Stepper<S>>(_: S, _: P) {}
//! fits(GeometricBrownian { growth: 1.0, volatility: 1.0 }, StochasticHeun);
//! ```
//!
//! The same equation in its other form fits:
//!
//! ```
//! use mote_core::random::{IndependentNoise, Span, Stream, Ziggurat};
//! use mote_core::sde::{GeometricBrownian, StratonovichForm};
//! use mote_core::stepper::{StochasticHeun, integrate, integrate_scratch};
//!
//! const PATHS: usize = 8;
//! let mut room = [0.0; 2 * PATHS];
//! let mut sde = StratonovichForm::new(GeometricBrownian { growth: 0.1, volatility: 0.3 }, &mut room);
//! let mut noise = IndependentNoise::new(Ziggurat::new(Stream::new(1)));
//! let mut x = [1.0; PATHS];
//! let mut scratch = [0.0; integrate_scratch::<StochasticHeun, StratonovichForm<GeometricBrownian, &mut [f32]>>(PATHS)];
//! integrate(&StochasticHeun, &mut sde, Span { t0: 0.0, t1: 1.0 }, 100, &mut noise, &mut x, &mut scratch);
//! assert!(x.iter().all(|x| *x > 0.0));
//! ```

mod euler_maruyama;
mod euler_ode;
mod exact_ou;
mod heun;
mod milstein;
mod milstein_derivative_free;
#[cfg(test)]
mod one_step;
mod runge_kutta4;
mod sea;
mod shark;
mod sra1;
mod sriw1;
mod stochastic_heun;
#[cfg(test)]
mod strong_order;
#[cfg(test)]
mod weak_order;
#[cfg(test)]
mod yardsticks;

pub use euler_maruyama::EulerMaruyama;
pub use euler_ode::EulerOde;
pub use exact_ou::ExactOu;
pub use heun::Heun;
pub use milstein::Milstein;
pub use milstein_derivative_free::MilsteinDerivativeFree;
pub use runge_kutta4::RungeKutta4;
pub use sea::Sea;
pub use shark::Shark;
pub use sra1::Sra1;
pub use sriw1::Sriw1;
pub use stochastic_heun::StochasticHeun;

use core::fmt;
use core::ops::Range;

use crate::random::{Increment, NoiseSource, Span};
use crate::sde::Sde;

/// What a stepper reads of the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseUse {
    /// Nothing.
    None,
    /// The increment w.
    Increment,
    /// The increment w and the area h.
    Area,
}

/// One step of an equation `S`.
pub trait Stepper<S: Sde + ?Sized> {
    /// Numbers to lend for each component of the state.
    const SCRATCH_PER_DIM: usize;
    /// What is read of the noise.
    const NOISE: NoiseUse;
    /// Strong order on every equation that fits; without noise, the order.
    const ORDER: f32;
    /// Strong order on equations with additive noise.
    const ADDITIVE_ORDER: f32 = Self::ORDER;
    /// Weak order on every equation that fits: at least the strong one, since the error of an expectation of a Lipschitz function
    /// is at most that of the path. Infinite where the law is exact.
    const WEAK_ORDER: f32 = Self::ORDER;

    /// Moves `x` from `span.t0` to `span.t1` along `noise`.
    ///
    /// `noise` has one number a component, `scratch` at least [`SCRATCH_PER_DIM`](Self::SCRATCH_PER_DIM). Where either is too
    /// short, `x` becomes NaN. Over a span of negative length the noise has variance |dt|.
    fn step(&self, sde: &mut S, span: Span, noise: &Increment<'_>, x: &mut [f32], scratch: &mut [f32]);
}

/// The scratch that [`integrate`] needs for a state of `dim` components.
#[must_use]
pub const fn integrate_scratch<P: Stepper<S>, S: Sde + ?Sized>(dim: usize) -> usize {
    dim * (P::SCRATCH_PER_DIM + 2)
}

/// Moves `x` over `span` in `steps` equal steps, with the increments of `noise`.
///
/// `scratch` has at least [`integrate_scratch`] numbers; where it is too short, `x` becomes NaN. The end of each step is the
/// beginning of the next to the bit, and the last ends at `span.t1`.
#[inline(always)]
pub fn integrate<P, S, N>(
    stepper: &P,
    sde: &mut S,
    span: Span,
    steps: u32,
    noise: &mut N,
    x: &mut [f32],
    scratch: &mut [f32],
) where
    P: Stepper<S> + ?Sized,
    S: Sde + ?Sized,
    N: NoiseSource + ?Sized,
{
    integrate_part(stepper, sde, (span, steps), 0..steps, noise, x, scratch);
}

/// Moves `x` over some of the steps of a grid: `part` of the `steps` equal steps of a span, as [`integrate`] does them all.
#[inline(always)]
pub fn integrate_part<P, S, N>(
    stepper: &P,
    sde: &mut S,
    (span, steps): (Span, u32),
    part: Range<u32>,
    noise: &mut N,
    x: &mut [f32],
    scratch: &mut [f32],
) where
    P: Stepper<S> + ?Sized,
    S: Sde + ?Sized,
    N: NoiseSource + ?Sized,
{
    let dim = x.len();
    let Some((w, rest)) = scratch.split_at_mut_checked(dim) else { return x.fill(f32::NAN) };
    let Some((h, scratch)) = rest.split_at_mut_checked(dim) else { return x.fill(f32::NAN) };
    for i in part {
        let part = span.step(i, steps);
        match P::NOISE {
            NoiseUse::None => {}
            NoiseUse::Increment => noise.increment(part, w, None),
            NoiseUse::Area => noise.increment(part, w, Some(h)),
        }
        stepper.step(sde, part, &Increment { w, h }, x, scratch);
    }
}

/// A component left the numbers: the process exploded, or the steps are too long for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exploded {
    /// The step, counted from 0, after which it was seen.
    pub step: u32,
    /// The time at the end of that step.
    pub t: f32,
    /// The first component that is no finite number.
    pub component: usize,
}

impl fmt::Display for Exploded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "component {} left the finite numbers in step {}, at t = {}", self.component, self.step + 1, self.t)
    }
}

impl core::error::Error for Exploded {}

/// As [`integrate`], with a look at the state after every step.
///
/// # Errors
/// [`Exploded`] as soon as a component is not finite; `x` is then what that step left.
pub fn integrate_watched<P, S, N>(
    stepper: &P,
    sde: &mut S,
    span: Span,
    steps: u32,
    noise: &mut N,
    x: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Exploded>
where
    P: Stepper<S> + ?Sized,
    S: Sde + ?Sized,
    N: NoiseSource + ?Sized,
{
    for step in 0..steps {
        integrate_part(stepper, sde, (span, steps), step..step + 1, noise, x, scratch);
        if let Some(component) = x.iter().position(|x| !x.is_finite()) {
            return Err(Exploded { step, t: span.step(step, steps).t1, component });
        }
    }
    Ok(())
}

/// Increments, areas (empty if not needed) and stages to work in.
type Lent<'n, 's, const N: usize> = (&'n [f32], &'n [f32], [&'s mut [f32]; N]);

/// What a step works on, each slice as long as `x`, or `None`, with `x` made NaN, if something is too short.
#[inline(always)]
fn lend<'n, 's, const N: usize>(
    needs: NoiseUse,
    noise: &Increment<'n>,
    x: &mut [f32],
    scratch: &'s mut [f32],
) -> Option<Lent<'n, 's, N>> {
    let dim = x.len();
    let part = |values: &'n [f32], wanted: bool| if wanted { values.get(..dim) } else { Some(&[][..]) };
    let mut rest = Some(scratch);
    let stages = core::array::from_fn(|_| match rest.take().and_then(|rest| rest.split_at_mut_checked(dim)) {
        Some((stage, tail)) => {
            rest = Some(tail);
            stage
        }
        None => Default::default(),
    });
    let w = part(noise.w, needs != NoiseUse::None);
    let h = part(noise.h, needs == NoiseUse::Area);
    if let (Some(w), Some(h), Some(_)) = (w, h, rest) {
        return Some((w, h, stages));
    }
    x.fill(f32::NAN);
    None
}
