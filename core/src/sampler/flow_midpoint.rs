use super::builder::last_row;
use super::straight_flow::{FlowPoint, level_with_midpoints, levels_with_midpoints, velocity};
use super::{Named, PlanBuilder, Row, Sampler};
use crate::schedule::{NoiseLevel, NoiseSchedule};
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "midpoint",
    about: "the midpoint rule along the straight flow, two evaluations a step",
    order: Some(3),
    sampler: Sampler::FlowMidpoint(FlowMidpoint),
}];

/// The midpoint rule along the straight flow: `z <- z + (t' - t) u(z + (t' - t) u(z, t) / 2, (t + t') / 2)`.
///
/// The second row starts from the midpoint that the first one left, so that it takes the first slope back:
/// `z <- z_mid - (t_mid - t) u_1 + (t' - t) u_2`. The step to the data is the prediction at the last level.
/// Order 2, and 3 on Gaussian data, where z^2 is quadratic in t and the term of order 2 vanishes; two evaluations a step and one to the data. Source: the flow is that of Lipman et al. 2023, who use this rule in section 6.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowMidpoint;

impl PlanBuilder for FlowMidpoint {
    fn history(&self) -> usize {
        2
    }

    fn levels(&self, grid: &[NoiseLevel]) -> usize {
        levels_with_midpoints(grid)
    }

    fn level(&self, k: usize, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Option<NoiseLevel> {
        level_with_midpoints(k, grid, schedule)
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let (level, at) = (u16::try_from(i).ok()?, *levels.get(i)?);
        let Some(&to) = levels.get(i + 1) else { return Some(last_row(level, at, prediction)) };
        let (here, there) = (FlowPoint::of(at), FlowPoint::of(to));
        let u = velocity(at, prediction);
        let (whole, half) = if i.is_multiple_of(2) {
            (there.t - here.t, 0.0)
        } else {
            let start = FlowPoint::of(*levels.get(i.checked_sub(1)?)?);
            (there.t - start.t, start.t - here.t)
        };
        let b = [there.scale * whole, there.scale * half, 0.0, 0.0];
        Some(Row { level, p: u.x, q: u.f, a: there.scale / here.scale, b, e: 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Flow;

    #[test]
    fn two_rows_are_the_textbook_step() {
        // u = c z along the flow's own schedule: z' = z (1 + d c + d^2 c^2 / 2).
        let grid = [0.8f32, 0.5].map(|t| Flow.level(t));
        let levels: [_; 3] = core::array::from_fn(|k| FlowMidpoint.level(k, &grid, &Flow).unwrap());
        let (c, d) = (1.7f32, -0.3f32);
        let first = FlowMidpoint.row(0, &levels, Prediction::Flow).unwrap();
        let middle = first.a + first.b[0] * c;
        assert!((middle - (1.0 + 0.5 * d * c)).abs() < 1e-6);
        let second = FlowMidpoint.row(1, &levels, Prediction::Flow).unwrap();
        let end = second.a * middle + second.b[0] * c * middle + second.b[1] * c;
        assert!((end - (1.0 + d * c + 0.5 * (d * c) * (d * c))).abs() < 1e-6, "{end}");
    }
}
