//! The straight flow under every schedule: the coordinates in which a state moves in a line from the noise to the data.

use crate::math;
use crate::schedule::{NoiseLevel, NoiseSchedule};
use crate::score::{Linear, Prediction};

/// A level as a flow sees it: `x = scale z` with `z = (1 - t) x0 + t eps`.
///
/// Along the probability flow `dz/dt = eps - x0`, the velocity (Lipman et al. 2023; Liu et al. 2023). `scale = alpha + sigma` and
/// `t = sigma / (alpha + sigma)`, so that any schedule can be walked so.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowPoint {
    pub scale: f32,
    pub t: f32,
}

impl FlowPoint {
    pub fn of(level: NoiseLevel) -> Self {
        let scale = level.alpha + level.sigma;
        Self { scale, t: level.sigma / scale }
    }
}

/// The velocity `eps - x0` as a function of the state and the output.
pub(super) fn velocity(level: NoiseLevel, prediction: Prediction) -> Linear {
    let (epsilon, x0) = (prediction.epsilon(level), prediction.x0(level));
    Linear { x: epsilon.x - x0.x, f: epsilon.f - x0.f }
}

/// How many levels there are in a grid with a midpoint in each step.
pub(super) fn levels_with_midpoints(grid: &[NoiseLevel]) -> usize {
    (2 * grid.len()).saturating_sub(1)
}

/// Level k of a grid with a midpoint, in the flow's time, between each two of its levels.
pub(super) fn level_with_midpoints(k: usize, grid: &[NoiseLevel], schedule: &dyn NoiseSchedule) -> Option<NoiseLevel> {
    let from = *grid.get(k / 2)?;
    if k.is_multiple_of(2) {
        return Some(from);
    }
    let to = *grid.get(k / 2 + 1)?;
    // Twice the shares of signal, 1 - t, and of noise, t: neither is taken from 1, so that neither cancels.
    let signal = from.alpha / (from.alpha + from.sigma) + to.alpha / (to.alpha + to.sigma);
    let noise = FlowPoint::of(from).t + FlowPoint::of(to).t;
    Some(schedule.level_at_lambda(math::ln(signal / noise)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Cosine, Flow};

    #[test]
    fn the_velocity_is_the_noise_less_the_data() {
        let (x0, eps) = (0.4f32, -1.1f32);
        for level in [NoiseLevel { alpha: 0.6, sigma: 0.8 }, NoiseLevel { alpha: 1.0, sigma: 3.0 }] {
            for prediction in [Prediction::Epsilon, Prediction::V, Prediction::Flow, Prediction::X0] {
                let target = prediction.target(level);
                let (x, f) = (level.alpha * x0 + level.sigma * eps, target.x0 * x0 + target.epsilon * eps);
                assert!((velocity(level, prediction).at(x, f) - (eps - x0)).abs() < 1e-5, "{prediction:?}");
            }
        }
    }

    #[test]
    fn a_midpoint_halves_the_time_of_the_flow_on_any_schedule() {
        let grid = [0.9f32, 0.5, 0.2].map(|t| Flow.level(t));
        assert_eq!(levels_with_midpoints(&grid), 5);
        for (k, expected) in [0.9, 0.7, 0.5, 0.35, 0.2].into_iter().enumerate() {
            let on_flow = level_with_midpoints(k, &grid, &Flow).unwrap();
            assert!((on_flow.sigma - expected).abs() < 1e-6 && (on_flow.alpha + on_flow.sigma - 1.0).abs() < 1e-6);
            let cosine = grid.map(|level| Cosine::DEFAULT.level_at_lambda(level.lambda()));
            let level = level_with_midpoints(k, &cosine, &Cosine::DEFAULT).unwrap();
            assert!((FlowPoint::of(level).t - expected).abs() < 1e-6);
        }
        assert_eq!((level_with_midpoints(5, &grid, &Flow), levels_with_midpoints(&[])), (None, 0));
    }
}
