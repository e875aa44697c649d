//! Random numbers with the same bits on every target.
//!
//! [`Stream`] makes uniform bits, a [`NormalSource`] makes standard normals from them. A sample
//! depends on nothing but its seed and its number: sample k draws from the seed's stream jumped k
//! times, alone or in a batch of any size ([`Stream::nth`], [`StreamSequence`]).
//!
//! A [`NoiseSource`] gives Brownian increments over intervals: fresh ([`IndependentNoise`]), from a stored path
//! ([`RecordedNoise`]), or from a seed alone, refined as finely as asked ([`BrownianTree`]).
//!
//! The order of draws is part of the contract, and each generator states it. Nothing here uses
//! `f64`, a heap or a panic.
//!
//! ```
//! use mote_core::random::{NormalSource, Stream, Ziggurat};
//!
//! let mut noise = [0.0; 8];
//! Ziggurat::new(Stream::new(42)).fill(&mut noise);
//! assert!(noise.iter().all(|z| z.abs() < 9.0));
//! ```

mod box_muller;
mod bridge;
mod increment;
mod normal;
#[cfg(test)]
mod normality;
mod recorded;
mod stream;
mod tables;

pub(crate) use box_muller::Lanes;
pub use box_muller::{BoxMuller, LANES};
pub use bridge::BrownianTree;
pub use increment::{Increment, IndependentNoise, NoiseSource, PathCell, Span};
pub use normal::Ziggurat;
pub use recorded::RecordedNoise;
pub use stream::{Stream, StreamSequence};

/// A source of independent standard normal numbers, z ~ N(0, 1).
pub trait NormalSource {
    /// The next normal number.
    fn normal(&mut self) -> f32;

    /// Fills `out` with normal numbers, the same ones as `out.len()` calls of
    /// [`normal`](Self::normal).
    #[inline]
    fn fill(&mut self, out: &mut [f32]) {
        for z in out {
            *z = self.normal();
        }
    }

    /// Fills `out` with the numbers of [`fill`](Self::fill), each times `deviation`.
    #[inline]
    fn fill_scaled(&mut self, deviation: f32, out: &mut [f32]) {
        for z in out {
            *z = self.normal() * deviation;
        }
    }
}

impl<N: NormalSource + ?Sized> NormalSource for &mut N {
    #[inline]
    fn normal(&mut self) -> f32 {
        (**self).normal()
    }

    #[inline]
    fn fill(&mut self, out: &mut [f32]) {
        (**self).fill(out);
    }

    #[inline]
    fn fill_scaled(&mut self, deviation: f32, out: &mut [f32]) {
        (**self).fill_scaled(deviation, out);
    }
}
