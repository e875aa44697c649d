use super::{Named, PlanBuilder, Row, Sampler};
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[
    named("ipndm2", "Adams-Bashforth on two slopes", 2),
    named("ipndm3", "Adams-Bashforth on three slopes; the best below ten evaluations", 3),
    named("ipndm4", "Adams-Bashforth on four slopes", 4),
];

const fn named(name: &'static str, about: &'static str, slopes: u8) -> Named {
    Named { name, about, order: Some(2), sampler: Sampler::Ipndm(Ipndm { slopes }) }
}

/// iPNDM: the Adams-Bashforth rule for equal steps on the latest slopes of the probability flow, started by those of fewer slopes.
///
/// ```text
/// y <- y + (s' - s) {d; (3 d - d1) / 2; (23 d - 16 d1 + 5 d2) / 12; (55 d - 59 d1 + 37 d2 - 9 d3) / 24}
/// ```
///
/// for `y = x / alpha`, `s = sigma / alpha` and the slope `d = (y - x0) / s = eps`; the step to the data is one of them, to s = 0, which below ten evaluations is better than the prediction alone. Order 2 for any number of slopes: the
/// first step has but one, and the steps are not equal. One evaluation a step. Source: Zhang and Chen 2023, "Fast sampling of diffusion models with exponential
/// integrator" (iPNDM), with the coefficients of Liu et al. 2022 (PNDM).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ipndm {
    /// The most slopes a step uses, 1 to 4.
    pub slopes: u8,
}

impl PlanBuilder for Ipndm {
    fn history(&self) -> usize {
        usize::from(self.slopes.clamp(1, 4))
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let (level, from) = (u16::try_from(i).ok()?, *levels.get(i)?);
        let to = levels.get(i + 1).copied().unwrap_or(NoiseLevel { alpha: 1.0, sigma: 0.0 });
        let weights = match self.history().min(i + 1) {
            1 => [1.0, 0.0, 0.0, 0.0],
            2 => [1.5, -0.5, 0.0, 0.0],
            3 => [23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0, 0.0],
            _ => [55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
        };
        let epsilon = prediction.epsilon(from);
        let step = to.alpha * (to.relative_sigma() - from.relative_sigma());
        Some(Row {
            level,
            p: epsilon.x,
            q: epsilon.f,
            a: to.alpha / from.alpha,
            b: weights.map(|weight| step * weight),
            e: 0.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_steps_follow_a_polynomial_exactly() {
        // k slopes integrate a slope of degree k - 1 exactly (Hairer, Norsett and Wanner 1993, section III.1): d = s^(k - 1) from 5 to 2.
        let levels: [_; 10] = core::array::from_fn(|k| NoiseLevel { alpha: 1.0, sigma: 5.0 - 0.5 * k as f32 });
        for slopes in 1..=4u8 {
            let power = i32::from(slopes) - 1;
            let d = |sigma: f32| f64::from(sigma).powi(power);
            let row = Ipndm { slopes }.row(5, &levels, Prediction::Epsilon).unwrap();
            let step: f64 = (0..4).map(|j| f64::from(row.b[j]) * d(levels[5 - j].sigma)).sum();
            let integral = |sigma: f32| f64::from(sigma).powi(power + 1) / f64::from(power + 1);
            let exact = integral(levels[6].sigma) - integral(levels[5].sigma);
            assert!((step / exact - 1.0).abs() < 1e-5, "{slopes}: {step} {exact}");
        }
    }

    #[test]
    fn the_step_to_the_data_ends_at_zero_noise() {
        let levels = [NoiseLevel { alpha: 0.6, sigma: 0.8 }];
        let row = Ipndm { slopes: 4 }.row(0, &levels, Prediction::V).unwrap();
        let (x0, eps) = (0.7f32, -0.4f32);
        let (x, f) = (0.6 * x0 + 0.8 * eps, 0.6 * eps - 0.8 * x0);
        assert!((row.a * x + row.b[0] * (row.p * x + row.q * f) - x0).abs() < 1e-6);
    }
}
