use super::builder::last_row;
use super::straight_flow::{FlowPoint, level_with_midpoints, levels_with_midpoints, velocity};
use super::{Named, PlanBuilder, Row, Sampler};
use crate::schedule::{NoiseLevel, NoiseSchedule};
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "rk4",
    about: "the classical Runge-Kutta rule along the probability flow, four evaluations a step",
    order: Some(4),
    sampler: Sampler::FlowRk4(FlowRk4),
}];

/// The classical Runge-Kutta rule along the probability flow in its straight form, `dz/dt = u = eps - x0`, with d = t' - t:
///
/// ```text
/// u1 at z;  u2 at z1 = z + d u1 / 2;  u3 at z2 = z + d u2 / 2;  u4 at z3 = z + d u3;  z' = z + d (u1 + 2 u2 + 2 u3 + u4) / 6
/// ```
///
/// Each row starts from where the one before went and takes that back, so that the last adds `d (u4 - 4 u3 + 2 u2 + u1) / 6`. The step to the data is the prediction at the last
/// level. Order 4; four evaluations a step and one to the data. Source: Kutta 1901; the flow is that of Lipman et al. 2023.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowRk4;

impl PlanBuilder for FlowRk4 {
    fn history(&self) -> usize {
        4
    }

    fn levels(&self, grid: &[NoiseLevel]) -> usize {
        levels_with_midpoints(grid)
    }

    fn level(&self, k: usize, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Option<NoiseLevel> {
        level_with_midpoints(k, grid, schedule)
    }

    fn rows(&self, levels: &[NoiseLevel]) -> usize {
        // Two levels a step, and one more at the end.
        (2 * levels.len()).saturating_sub(1)
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let (start, stage) = ((i / 4).checked_mul(2)?, i % 4);
        let from = *levels.get(start)?;
        let (Some(&middle), Some(&to)) = (levels.get(start + 1), levels.get(start + 2)) else {
            return (stage == 0).then_some(last_row(u16::try_from(start).ok()?, from, prediction));
        };
        let d = FlowPoint::of(to).t - FlowPoint::of(from).t;
        let half = FlowPoint::of(middle).t - FlowPoint::of(from).t;
        // Where the row evaluates, where it leaves the state, and its weights of the velocities from the latest back.
        let (offset, at, next, weights) = match stage {
            0 => (0, from, middle, [half, 0.0, 0.0, 0.0]),
            1 => (1, middle, middle, [half, -half, 0.0, 0.0]),
            2 => (1, middle, to, [d, -half, 0.0, 0.0]),
            _ => (2, to, to, [d / 6.0, -2.0 * d / 3.0, d / 3.0, d / 6.0]),
        };
        let u = velocity(at, prediction);
        let (here, there) = (FlowPoint::of(at).scale, FlowPoint::of(next).scale);
        let level = u16::try_from(start + offset).ok()?;
        Some(Row { level, p: u.x, q: u.f, a: there / here, b: weights.map(|weight| there * weight), e: 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Flow;

    #[test]
    fn four_rows_are_the_textbook_step() {
        // u = c z: z' = z (1 + k + k^2 / 2 + k^3 / 6 + k^4 / 24) with k = c d.
        let grid = [0.8f32, 0.5].map(|t| Flow.level(t));
        let levels: [_; 3] = core::array::from_fn(|k| FlowRk4.level(k, &grid, &Flow).unwrap());
        let (c, mut z, mut history) = (1.7f64, 1.0f64, [0.0f64; 4]);
        for i in 0..4 {
            let row = FlowRk4.row(i, &levels, Prediction::Flow).unwrap();
            history = [c * z, history[0], history[1], history[2]];
            z = f64::from(row.a) * z + (0..4).map(|j| f64::from(row.b[j]) * history[j]).sum::<f64>();
        }
        let k = c * -0.3;
        let expected = 1.0 + k + k * k / 2.0 + k.powi(3) / 6.0 + k.powi(4) / 24.0;
        assert!((z - expected).abs() < 1e-6, "{z} {expected}");
        assert_eq!((FlowRk4.rows(&levels), FlowRk4.row(5, &levels, Prediction::Flow)), (5, None));
        assert_eq!(FlowRk4.row(4, &levels, Prediction::Flow).unwrap().level, 2);
    }
}
