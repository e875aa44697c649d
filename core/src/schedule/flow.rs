use super::{NoiseLevel, NoiseSchedule};
use crate::math;

/// The schedule of a straight flow: `alpha = 1 - t` and `sigma = t`, which ends in pure noise at time 1.
///
/// `lambda = ln((1 - t) / t)`. Source: Lipman et al. 2023; Liu et al. 2023 (rectified flow).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow;

impl NoiseSchedule for Flow {
    fn level(&self, t: f32) -> NoiseLevel {
        NoiseLevel { alpha: 1.0 - t, sigma: t }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        NoiseLevel { alpha: 1.0 / (1.0 + math::exp(-lambda)), sigma: self.time(lambda) }
    }

    fn time(&self, lambda: f32) -> f32 {
        1.0 / (1.0 + math::exp(lambda))
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-4.6, 4.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_in_a_line_from_the_data_to_pure_noise() {
        assert_eq!(Flow.level(0.25), NoiseLevel { alpha: 0.75, sigma: 0.25 });
        let noise = NoiseLevel { alpha: 0.0, sigma: 1.0 };
        assert_eq!(
            (Flow.level(1.0), Flow.level_at_lambda(f32::NEG_INFINITY), noise.lambda()),
            (noise, noise, f32::NEG_INFINITY)
        );
        assert_eq!(Flow.time(f32::NEG_INFINITY), 1.0);
    }
}
