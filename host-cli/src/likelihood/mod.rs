//! How probable a model finds rows that it has not seen: the probability flow's density and the variational bound.

mod bound;
mod flow;
mod network;
mod table;

pub use bound::{Decoder, bound};
pub use flow::{Density, Probes, log_density};
pub use network::NetworkMean;
pub use table::{Estimate, LikelihoodOptions, LikelihoodRow, likelihood_rows, to_text};

use mote_core::schedule::{NoiseLevel, NoiseSchedule as _};

use crate::noise::Noising;

/// A denoiser over a table of noise levels that also knows its slopes.
pub trait Differentiable {
    /// Writes the posterior mean D(x) at a level to `mean`, and for each direction of `along` (as long as x, one after another) the
    /// slope of D along it to `slopes`.
    fn denoise(&mut self, level: usize, x: &[f32], along: &[f32], mean: &mut [f32], slopes: &mut [f32]);
}

/// Levels from the cleanest to the noisiest that a sampler visits, equally far apart in lambda.
#[must_use]
pub fn ladder(noising: &Noising, intervals: usize) -> Vec<NoiseLevel> {
    let (noisiest, cleanest) = noising.schedule.lambda_range();
    let lambda = |i: usize| cleanest + (noisiest - cleanest) * i as f32 / intervals as f32;
    (0..=intervals).map(|i| noising.schedule.level_at_lambda(lambda(i))).collect()
}

#[cfg(test)]
pub(crate) mod exact {
    use super::Differentiable;
    use mote_core::schedule::NoiseLevel;
    use mote_core::score::{Denoiser, MixtureDenoiser, Prediction};

    /// Any denoiser of core, with slopes by central differences: exact but for rounding where D is linear.
    pub struct Quotients<'a> {
        pub denoiser: MixtureDenoiser<'a>,
    }

    impl Quotients<'_> {
        fn mean(&mut self, level: usize, x: &[f32], out: &mut [f32]) {
            let NoiseLevel { alpha, sigma } = self.denoiser.levels[level];
            let convert = self.denoiser.prediction.x0(NoiseLevel { alpha, sigma });
            self.denoiser.predict(level, None, x, out);
            out.iter_mut().zip(x).for_each(|(out, x)| *out = convert.at(*x, *out));
        }
    }

    impl Differentiable for Quotients<'_> {
        fn denoise(&mut self, level: usize, x: &[f32], along: &[f32], mean: &mut [f32], slopes: &mut [f32]) {
            assert_eq!(self.denoiser.prediction, Prediction::X0);
            self.mean(level, x, mean);
            let step = 0.125;
            let mut other = vec![0.0; x.len()];
            for (direction, slope) in along.chunks_exact(x.len()).zip(slopes.chunks_exact_mut(x.len())) {
                let moved =
                    |sign: f32| -> Vec<f32> { x.iter().zip(direction).map(|(x, d)| x + sign * step * d).collect() };
                self.mean(level, &moved(1.0), slope);
                self.mean(level, &moved(-1.0), &mut other);
                slope.iter_mut().zip(&other).for_each(|(up, down)| *up = (*up - down) / (2.0 * step));
            }
        }
    }
}
