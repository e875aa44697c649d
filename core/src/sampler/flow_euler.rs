use super::builder::last_row;
use super::straight_flow::{FlowPoint, velocity};
use super::{Named, PlanBuilder, Row, Sampler};
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "flow-euler",
    about: "Euler's step along the straight flow",
    order: Some(1),
    sampler: Sampler::FlowEuler(FlowEuler),
}];

/// Euler's step along the straight flow: `z <- z + (t' - t) u` with `u = eps - x0`, for the state as `x = (alpha + sigma) z`.
///
/// A step along a straight line keeps x0 and eps, so that this is DDIM's step, written in the velocity. Order 1, one evaluation a step.
/// Source: Lipman et al. 2023; Liu et al. 2023.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowEuler;

impl PlanBuilder for FlowEuler {
    fn history(&self) -> usize {
        1
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let (level, from) = (u16::try_from(i).ok()?, *levels.get(i)?);
        let Some(&to) = levels.get(i + 1) else { return Some(last_row(level, from, prediction)) };
        let (here, there) = (FlowPoint::of(from), FlowPoint::of(to));
        let u = velocity(from, prediction);
        let b = there.scale * (there.t - here.t);
        Some(Row { level, p: u.x, q: u.f, a: there.scale / here.scale, b: [b, 0.0, 0.0, 0.0], e: 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ddim;
    use super::*;

    #[test]
    fn on_the_flow_s_own_schedule_a_row_is_the_textbook_step() {
        // Liu et al. 2023: z + (t' - t) u.
        let levels = [0.8f32, 0.55].map(|t| NoiseLevel { alpha: 1.0 - t, sigma: t });
        let row = FlowEuler.row(0, &levels, Prediction::Flow).unwrap();
        for (got, expected) in [(row.p, 0.0), (row.q, 1.0), (row.a, 1.0), (row.b[0], -0.25)] {
            assert!((got - expected).abs() < 1e-6, "{row:?}");
        }
    }

    #[test]
    fn a_step_is_ddims_on_any_schedule() {
        let levels = [NoiseLevel::variance_preserving(-0.7), NoiseLevel::variance_preserving(0.9)];
        let (flow, ddim) = (
            FlowEuler.row(0, &levels, Prediction::V).unwrap(),
            Ddim { eta: 0.0 }.row(0, &levels, Prediction::V).unwrap(),
        );
        for (x, f) in [(1.0, 0.0), (0.0, 1.0), (-0.4, 0.9)] {
            let step = |row: Row| row.a * x + row.b[0] * (row.p * x + row.q * f);
            assert!((step(flow) - step(ddim)).abs() < 1e-6);
        }
    }
}
