use super::builder::last_row;
use super::{Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::{NoiseLevel, NoiseSchedule};
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[
    Named {
        name: "heun",
        about: "EDM's Heun step, two evaluations a step",
        order: Some(2),
        sampler: Sampler::Heun(Heun::DETERMINISTIC),
    },
    Named {
        name: "heun-churn",
        about: "EDM's Heun step with churn, which adds some noise before each",
        order: Some(2),
        sampler: Sampler::Heun(Heun::CHURN),
    },
];

/// EDM's sampler: Heun's step of the probability flow in sigma, after a little fresh noise (churn).
///
/// ```text
/// gamma = min(churn / N, sqrt 2 - 1) where min_sigma <= s <= max_sigma, else 0;      s^ = s (1 + gamma)
/// y^ = y + noise sqrt(s^^2 - s^2) z;    d = eps(y^, s^);    y' = y^ + (s' - s^) d;    y' <- y' + (s' - s^) (eps(y', s') - d) / 2
/// ```
///
/// for `y = x / alpha` and `s = sigma / alpha`. The noise of a step is that of the row before it, and that of the first step is in the starting noise. The step to the data is the
/// prediction at the last level. Order 2, weak order 2 with churn; two evaluations a step and one to the data. Source: Karras et al. 2022, algorithm 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heun {
    /// Amount of fresh noise over the whole way, `S_churn`; 0 for none.
    pub churn: f32,
    /// Smallest relative noise at which there is churn, `S_tmin`, above 0.
    pub min_sigma: f32,
    /// Largest relative noise at which there is churn, `S_tmax`.
    pub max_sigma: f32,
    /// Factor of the fresh noise, `S_noise`, about 1.
    pub noise: f32,
}

impl Heun {
    /// Without churn.
    pub const DETERMINISTIC: Self = Self { churn: 0.0, min_sigma: 0.05, max_sigma: 50.0, noise: 1.0 };

    /// Churn 10 for relative noise from 0.05 to 50, the range published for ImageNet.
    pub const CHURN: Self = Self { churn: 10.0, ..Self::DETERMINISTIC };

    /// The levels that a step starts from and how many levels there are from one step to the next.
    fn stride(&self) -> usize {
        if self.churn > 0.0 { 2 } else { 1 }
    }
}

impl PlanBuilder for Heun {
    fn history(&self) -> usize {
        2
    }

    fn levels(&self, grid: &[NoiseLevel]) -> usize {
        match self.stride() {
            1 => grid.len(),
            _ => (2 * grid.len()).saturating_sub(1),
        }
    }

    /// With churn: the churned first level, and then each level as it is and churned.
    fn level(&self, k: usize, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Option<NoiseLevel> {
        let own = *grid.get(k.div_ceil(self.stride()))?;
        let s = own.relative_sigma();
        if self.stride() == 1 || !k.is_multiple_of(2) || s < self.min_sigma || s > self.max_sigma {
            return Some(own);
        }
        let gamma = (self.churn / grid.len() as f32).min(core::f32::consts::SQRT_2 - 1.0);
        Some(schedule.level_at_lambda(-math::ln(s * (1.0 + gamma))))
    }

    fn rows(&self, levels: &[NoiseLevel]) -> usize {
        match self.stride() {
            1 => (2 * levels.len()).saturating_sub(1),
            _ => levels.len(),
        }
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let step = i / 2;
        let start = step.checked_mul(self.stride())?;
        let from = *levels.get(start)?;
        let level = u16::try_from(start).ok()?;
        let Some(&to) = levels.get(start + 1) else {
            return i.is_multiple_of(2).then(|| last_row(level, from, prediction));
        };
        let length = to.relative_sigma() - from.relative_sigma();
        if i.is_multiple_of(2) {
            let epsilon = prediction.epsilon(from);
            let (a, b) = (to.alpha / from.alpha, to.alpha * length);
            return Some(Row { level, p: epsilon.x, q: epsilon.f, a, b: [b, 0.0, 0.0, 0.0], e: 0.0 });
        }
        let epsilon = prediction.epsilon(to);
        // Where the next step starts: this level, or the same with more noise and its own scale of the signal.
        let next = *levels.get(start + self.stride())?;
        let half = 0.5 * next.alpha * length;
        let (s, churned) = (to.relative_sigma(), next.relative_sigma());
        let e = if churned > s { self.noise * next.alpha * math::sqrt((churned - s) * (churned + s)) } else { 0.0 };
        let (level, a) = (u16::try_from(start + 1).ok()?, next.alpha / to.alpha);
        Some(Row { level, p: epsilon.x, q: epsilon.f, a, b: [half, -half, 0.0, 0.0], e })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Edm;

    #[test]
    fn two_rows_are_the_published_step() {
        // Karras et al. 2022, algorithm 1, lines 4 to 8, in double precision, for slopes that bend: d = 0.3 y + s.
        let grid = [3.0f32, 1.2, 0.4].map(|sigma| NoiseLevel { alpha: 1.0, sigma });
        let slope = |y: f64, s: f32| 0.3 * y + f64::from(s);
        let rows: [Row; 3] = core::array::from_fn(|i| Heun::DETERMINISTIC.row(i, &grid, Prediction::Epsilon).unwrap());
        let y = 2.0f64;
        let (d, length) = (slope(y, 3.0), 1.2 - 3.0);
        let predicted = f64::from(rows[0].a) * y + f64::from(rows[0].b[0]) * d;
        let d2 = slope(y + length * d, 1.2);
        let got = f64::from(rows[1].a) * predicted + f64::from(rows[1].b[0]) * d2 + f64::from(rows[1].b[1]) * d;
        assert!((got - (y + length * (d + d2) / 2.0)).abs() < 1e-5);
        assert_eq!(rows.map(|row| row.level), [0, 1, 1]);
        assert_eq!((Heun::DETERMINISTIC.rows(&grid), Heun::DETERMINISTIC.row(5, &grid, Prediction::V)), (5, None));
    }

    #[test]
    fn churn_adds_the_published_noise_inside_its_range() {
        let edm = Edm::DEFAULT;
        let sampler = Heun { churn: 0.9, min_sigma: 0.5, max_sigma: 10.0, noise: 1.1 };
        let grid = [20.0f32, 4.0, 1.0, 0.2].map(|sigma| NoiseLevel { alpha: 1.0, sigma });
        assert_eq!(sampler.levels(&grid), 7);
        let levels: [_; 7] = core::array::from_fn(|k| sampler.level(k, &grid, &edm).unwrap());
        // gamma = 0.9 / 4.
        for (level, sigma) in levels.iter().zip([20.0, 4.0, 4.9, 1.0, 1.225, 0.2, 0.2]) {
            assert!((level.sigma / sigma - 1.0).abs() < 1e-6, "{levels:?}");
        }
        for (i, sigma) in [(1, 4.0f32), (3, 1.0)] {
            let row = sampler.row(i, &levels, Prediction::V).unwrap();
            let expected = 1.1 * sigma * (1.225f32 * 1.225 - 1.0).sqrt();
            assert!((row.e / expected - 1.0).abs() < 1e-5, "{row:?}");
        }
        assert_eq!([0, 2, 5, 6].map(|i| sampler.row(i, &levels, Prediction::V).unwrap().e), [0.0; 4]);
    }
}
