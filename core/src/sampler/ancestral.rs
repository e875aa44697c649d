use super::{Ddim, Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[
    Named {
        name: "ddpm",
        about: "DDPM's ancestral step",
        order: Some(1),
        sampler: Sampler::Ancestral(Ancestral { variance: AncestralVariance::Small }),
    },
    Named {
        name: "ddpm-large",
        about: "DDPM's ancestral step with the forward step's variance",
        order: Some(1),
        sampler: Sampler::Ancestral(Ancestral { variance: AncestralVariance::Large }),
    },
];

/// The variance of a DDPM step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AncestralVariance {
    /// The posterior's own: `b (1 - ab_p) / (1 - ab_t)` with `b = 1 - ab_t / ab_p`.
    Small,
    /// The forward step's: `b`.
    Large,
}

/// DDPM's ancestral sampler over any sub-sequence of levels, without noise on the last step.
///
/// The mean is that of `q(x_p | x_t, x0)`, which is [`Ddim`]'s with eta = 1. For levels that do not preserve the
/// variance, `b` is the variance that the forward process adds, `sigma_t^2 - (alpha_t / alpha_p)^2 sigma_p^2`.
/// Order 1 in the weak sense. Source: Ho, Jain and Abbeel 2020, equations 7 and 11.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ancestral {
    /// Which variance a step has.
    pub variance: AncestralVariance,
}

impl PlanBuilder for Ancestral {
    fn history(&self) -> usize {
        1
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let mut row = Ddim { eta: 1.0 }.row(i, levels, prediction)?;
        if let (AncestralVariance::Large, Some(from), Some(to)) = (self.variance, levels.get(i), levels.get(i + 1)) {
            // sigma_t sqrt(1 - r^2): the same factor as the small variance, at the noisier level.
            let ratio = to.relative_sigma() / from.relative_sigma();
            row.e = from.sigma * math::sqrt((1.0 - ratio) * (1.0 + ratio));
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_equals_the_posterior_of_ddpm() {
        // Ho et al. 2020: mean (x - b eps / sqrt(1 - ab_t)) / sqrt(1 - b), in double precision.
        let levels = [NoiseLevel::variance_preserving(-1.0), NoiseLevel::variance_preserving(-0.6)];
        let (ab_t, ab_p) = (f64::from(levels[0].alpha).powi(2), f64::from(levels[1].alpha).powi(2));
        let b = 1.0 - ab_t / ab_p;
        let (x, f) = (-0.8f64, 0.5f64);
        let expected = (x - b * f / (1.0 - ab_t).sqrt()) / (1.0 - b).sqrt();
        for (variance, power) in
            [(AncestralVariance::Small, b * (1.0 - ab_p) / (1.0 - ab_t)), (AncestralVariance::Large, b)]
        {
            let row = Ancestral { variance }.row(0, &levels, Prediction::Epsilon).unwrap();
            let m = f64::from(row.p) * x + f64::from(row.q) * f;
            let got = f64::from(row.a) * x + f64::from(row.b[0]) * m;
            assert!((got - expected).abs() < 2e-6, "{got} {expected}");
            assert!((f64::from(row.e) - power.sqrt()).abs() < 1e-6, "{variance:?}");
        }
    }
}
