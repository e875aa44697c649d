use super::{Ancestral, AncestralVariance, Named, PlanBuilder, Row, Sampler};
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "pc",
    about: "a Langevin step at each level before DDPM's step, two evaluations a level",
    order: None,
    sampler: Sampler::PredictorCorrector(PredictorCorrector { ratio: 0.16 }),
}];

/// Predictor-corrector sampling: at each level a step of Langevin's equation (the corrector), then DDPM's step (the predictor).
///
/// ```text
/// x <- x + eta score + sqrt(2 eta) z,      eta = 2 a (ratio sigma)^2,      a = (alpha_i / alpha_(i+1))^2
/// ```
///
/// As published `eta = 2 a (ratio |z| / |score|)^2`; on a table both norms are those of normal noise, `|z| = sqrt(dim)` and `|score| = sqrt(dim) / sigma`. `a` is 1 - beta of the
/// step to the next level where the variance is preserved, and 1 where alpha is constant or no level follows. On Gaussian data of noisy variance v the corrector alone is stationary at
/// `v / (1 - eta / (2 v))`: the price of a finite step. Two evaluations a level. Source: Song et al. 2021, algorithms 2 to 5, ratio .16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictorCorrector {
    /// The signal-to-noise ratio of a corrector step, above 0 and below 1.
    pub ratio: f32,
}

impl PlanBuilder for PredictorCorrector {
    fn history(&self) -> usize {
        1
    }

    fn rows(&self, levels: &[NoiseLevel]) -> usize {
        levels.len().saturating_mul(2)
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let at = i / 2;
        if !i.is_multiple_of(2) {
            return Ancestral { variance: AncestralVariance::Small }.row(at, levels, prediction);
        }
        let level = *levels.get(at)?;
        let kept = levels.get(at + 1).map_or(1.0, |next| level.alpha / next.alpha);
        // The deviation of the fresh noise, sqrt(2 eta); eta score = -(eta / sigma) eps.
        let e = 2.0 * kept * self.ratio * level.sigma;
        let epsilon = prediction.epsilon(level);
        let b = [-0.5 * e * (e / level.sigma), 0.0, 0.0, 0.0];
        Some(Row { level: u16::try_from(at).ok()?, p: epsilon.x, q: epsilon.f, a: 1.0, b, e })
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::last_row;
    use super::*;

    #[test]
    fn a_corrector_row_is_the_published_step() {
        // Song et al. 2021, algorithms 4 (VE) and 5 (VP), in double precision, with |z| / |score| = sigma.
        let vp = [NoiseLevel::variance_preserving(-0.5), NoiseLevel::variance_preserving(0.1)];
        let ve = [NoiseLevel { alpha: 1.0, sigma: 2.0 }, NoiseLevel { alpha: 1.0, sigma: 1.5 }];
        for (levels, one_less_beta) in [(vp, (f64::from(vp[0].alpha) / f64::from(vp[1].alpha)).powi(2)), (ve, 1.0)] {
            let row = PredictorCorrector { ratio: 0.16 }.row(0, &levels, Prediction::Score).unwrap();
            let eta = 2.0 * one_less_beta * (0.16 * f64::from(levels[0].sigma)).powi(2);
            let (x, score) = (0.8f64, -0.6f64);
            let got = f64::from(row.a) * x + f64::from(row.b[0]) * (f64::from(row.p) * x + f64::from(row.q) * score);
            assert!((got - (x + eta * score)).abs() < 1e-6, "{got}");
            assert!((f64::from(row.e) - (2.0 * eta).sqrt()).abs() < 1e-6);
        }
    }

    #[test]
    fn a_corrector_and_a_predictor_alternate() {
        let levels = [-1.0f32, 0.0, 1.0].map(NoiseLevel::variance_preserving);
        let sampler = PredictorCorrector { ratio: 0.16 };
        let rows = |i| sampler.row(i, &levels, Prediction::V);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|i| rows(i).unwrap().level), [0, 0, 1, 1, 2, 2]);
        let ancestral = Ancestral { variance: AncestralVariance::Small }.row(1, &levels, Prediction::V);
        assert_eq!((rows(3), rows(6), sampler.rows(&levels)), (ancestral, None, 6));
        assert_eq!(rows(5), Some(last_row(2, levels[2], Prediction::V)));
    }
}
