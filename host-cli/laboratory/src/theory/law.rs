//! The bimodal law that the chapters on diffusion models take for data.

use mote_core::random::NormalSource;
use mote_core::schedule::NoiseLevel;
use mote_core::score::{Component, GaussianMixture};
use statrs::distribution::{ContinuousCDF, Normal};

use super::quadrature::normal_density;

/// The data, with mean 0 and variance 1: .36 N(-1.28, .28^2) + .64 N(.72, .28^2).
///
/// The modes differ in weight, so that no balance of theirs holds by symmetry alone.
pub(super) const DATA: GaussianMixture<'static> = GaussianMixture {
    components: &[
        Component { weight: 0.36, mean: &[-1.28], deviation: 0.28 },
        Component { weight: 0.64, mean: &[0.72], deviation: 0.28 },
    ],
};

/// A mixture of normal laws on the line, in double precision: weights, means, deviations.
#[derive(Clone, Debug)]
pub(super) struct Law {
    parts: Vec<(f64, f64, f64)>,
}

impl Law {
    /// The law of `alpha x0 + sigma eps` with x0 from [`DATA`].
    pub fn at(level: NoiseLevel) -> Self {
        let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
        let part = |c: &Component<'_>| {
            let deviation = (alpha * f64::from(c.deviation)).hypot(sigma);
            (f64::from(c.weight), alpha * f64::from(c.mean[0]), deviation)
        };
        Self { parts: DATA.components.iter().map(part).collect() }
    }

    /// The law of the data.
    pub fn data() -> Self {
        Self::at(NoiseLevel { alpha: 1.0, sigma: 0.0 })
    }

    /// The sum over the components of weight times a value.
    fn sum(&self, value: impl Fn(f64, f64) -> f64) -> f64 {
        self.parts.iter().map(|&(weight, mean, deviation)| weight * value(mean, deviation)).sum()
    }

    pub fn mean(&self) -> f64 {
        self.sum(|mean, _| mean)
    }

    pub fn variance(&self) -> f64 {
        let centre = self.mean();
        self.sum(|mean, deviation| (mean - centre).powi(2) + deviation * deviation)
    }

    pub fn density(&self, x: f64) -> f64 {
        self.sum(|mean, deviation| normal_density(x, mean, deviation * deviation))
    }

    /// The probability of at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        self.sum(|mean, deviation| Normal::new(mean, deviation).map_or(f64::NAN, |law| law.cdf(x)))
    }
}

/// Fills `out` with draws from [`DATA`]: two normals each, one of which chooses the component.
pub(super) fn draw_data(normals: &mut impl NormalSource, out: &mut [f32]) {
    let [left, right] = DATA.components else { return };
    let border = Normal::standard().inverse_cdf(f64::from(left.weight)) as f32;
    for x in out {
        let part = if normals.normal() < border { left } else { right };
        *x = part.mean[0] + part.deviation * normals.normal();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::ensemble::BlockSequence;

    #[test]
    fn the_data_have_mean_zero_and_unit_variance() {
        let law = Law::data();
        assert!(law.mean().abs() < 1e-7 && (law.variance() - 1.0).abs() < 1e-7);
        let noisy = Law::at(NoiseLevel { alpha: 0.5, sigma: 2.0 });
        assert!((noisy.variance() - 4.25).abs() < 1e-6);
    }

    #[test]
    fn draws_follow_the_law() {
        // Share left of -0.3 over 100,000 draws within 4.5 standard errors: false alarm 7e-6.
        let mut x = vec![0.0; 100_000];
        draw_data(&mut BlockSequence::new(1).next_normals(), &mut x);
        let (n, p) = (x.len() as f64, Law::data().cdf(-0.3));
        let share = x.iter().filter(|x| **x < -0.3).count() as f64 / n;
        assert!((share - p).abs() < 4.5 * (p * (1.0 - p) / n).sqrt(), "{share} {p}");
    }
}
