use super::builder::last_row;
use super::{PlanBuilder, Row, Sampler};
use crate::schedule::{NoiseLevel, NoiseSchedule};
use crate::score::Prediction;

/// What is left of a grid after a first level that is pure noise (alpha = 0), or `None` if it does not begin so.
fn after_pure_noise(levels: &[NoiseLevel]) -> Option<&[NoiseLevel]> {
    let (first, rest) = levels.split_first()?;
    (first.alpha == 0.0).then_some(rest)
}

/// The step from pure noise: `x <- (sigma_t / sigma_s) x + alpha_t x0`.
///
/// It is DDIM's, whose form in x0 has no division by alpha, and it is exact: pure noise says nothing about the data, so that x0 is their mean
/// whatever x is. There is no epsilon to divide by alpha, so the prediction must be one that gives x0 there: x0, v or flow.
/// Source: Lin et al. 2024, "Common diffusion noise schedules and sample steps are flawed", section 3.
fn row_from_pure_noise(levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
    let from = *levels.first()?;
    let Some(to) = levels.get(1) else { return Some(last_row(0, from, prediction)) };
    let x0 = prediction.x0(from);
    Some(Row { level: 0, p: x0.x, q: x0.f, a: to.sigma / from.sigma, b: [to.alpha, 0.0, 0.0, 0.0], e: 0.0 })
}

/// The listed solver; from a level of pure noise it takes one DDIM step first, and starts where that ends.
impl PlanBuilder for Sampler {
    fn history(&self) -> usize {
        self.solver().history()
    }

    fn levels(&self, grid: &[NoiseLevel]) -> usize {
        match after_pure_noise(grid) {
            Some(rest) => 1 + self.solver().levels(rest),
            None => self.solver().levels(grid),
        }
    }

    fn level(&self, k: usize, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Option<NoiseLevel> {
        match after_pure_noise(grid) {
            Some(rest) => match k.checked_sub(1) {
                Some(k) => self.solver().level(k, rest, schedule),
                None => grid.first().copied(),
            },
            None => self.solver().level(k, grid, schedule),
        }
    }

    fn rows(&self, levels: &[NoiseLevel]) -> usize {
        match after_pure_noise(levels) {
            Some(rest) => 1 + self.solver().rows(rest),
            None => self.solver().rows(levels),
        }
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        match after_pure_noise(levels) {
            Some(rest) => match i.checked_sub(1) {
                Some(i) => {
                    let row = self.solver().row(i, rest, prediction)?;
                    Some(Row { level: row.level.checked_add(1)?, ..row })
                }
                None => row_from_pure_noise(levels, prediction),
            },
            None => self.solver().row(i, levels, prediction),
        }
    }

    fn set_eta(&mut self, eta: f32) -> bool {
        self.solver_mut().set_eta(eta)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Named;
    use super::*;
    use crate::schedule::ZeroTerminal;

    #[test]
    fn every_sampler_leaves_pure_noise_by_one_finite_step() {
        let schedule = ZeroTerminal::DEFAULT;
        let grid = [1.0, 0.75, 0.5, 0.25].map(|t| schedule.level(t));
        assert_eq!(grid[0], NoiseLevel { alpha: 0.0, sigma: 1.0 });
        for named in Named::all() {
            let sampler = named.sampler;
            let mut levels = [grid[0]; 16];
            let count = sampler.levels(&grid);
            for (k, to) in levels[..count].iter_mut().enumerate() {
                *to = sampler.level(k, &grid, &schedule).unwrap();
            }
            let levels = &levels[..count];
            for prediction in [Prediction::X0, Prediction::V, Prediction::Flow] {
                for i in 0..sampler.rows(levels) {
                    let row = sampler.row(i, levels, prediction).unwrap();
                    assert!(row.is_finite() && usize::from(row.level) < count, "{} {i}: {row:?}", named.name);
                }
                assert_eq!(sampler.row(sampler.rows(levels), levels, prediction), None, "{}", named.name);
                // From x = eps with F for x0 = 0.3: the state of that x0 and eps at the next level.
                let row = sampler.row(0, levels, prediction).unwrap();
                let (x, x0) = (-1.2f32, 0.3f32);
                let target = prediction.target(levels[0]);
                let m = row.p * x + row.q * (target.x0 * x0 + target.epsilon * x);
                let expected = levels[1].alpha * x0 + levels[1].sigma * x;
                assert!((row.a * x + row.b[0] * m - expected).abs() < 1e-6, "{} {prediction:?}", named.name);
            }
        }
    }

    #[test]
    fn one_step_from_pure_noise_is_the_prediction_itself() {
        let sampler = Named::find("heun").unwrap().sampler;
        let levels = [NoiseLevel { alpha: 0.0, sigma: 1.0 }];
        assert_eq!((sampler.levels(&levels), sampler.rows(&levels)), (1, 1));
        let row = sampler.row(0, &levels, Prediction::V).unwrap();
        // v = alpha eps - sigma x0 = -x0.
        assert_eq!((row.a, row.p * 7.0 + row.q * -0.3, row.b[0]), (0.0, 0.3, 1.0));
    }
}
