use super::tweedie;
use crate::math;
use crate::schedule::NoiseLevel;

/// A value that is linear in the state and in the network's output: `x * x_t + f * F`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    /// Coefficient of the noisy state.
    pub x: f32,
    /// Coefficient of the network's output.
    pub f: f32,
}

impl Linear {
    /// The value at a state and an output.
    #[must_use]
    pub fn at(self, x: f32, f: f32) -> f32 {
        self.x * x + self.f * f
    }
}

/// What the network is trained to output: `x0 * x_0 + epsilon * eps`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Coefficient of the clean data.
    pub x0: f32,
    /// Coefficient of the noise.
    pub epsilon: f32,
}

/// What a network's raw output `F` stands for. Its conversions hold for every level with `alpha, sigma > 0`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Prediction {
    /// The noise: `F = eps` (Ho et al. 2020).
    Epsilon,
    /// The clean data: `F = x_0`.
    X0,
    /// The velocity of the angular form: `F = alpha eps - sigma x_0` (Salimans and Ho 2022).
    V,
    /// The score: `F = -eps / sigma` (Vincent 2011).
    Score,
    /// The velocity of a straight flow: `F = eps - x_0` (Lipman et al. 2023; Liu et al. 2023).
    Flow,
    /// The preconditioned output: `x_0 = c_skip y + c_out F` at `y = x / alpha` (Karras et al. 2022, table 1).
    EdmF {
        /// Standard deviation of the data, positive.
        sigma_data: f32,
    },
}

impl Prediction {
    /// The predicted clean data as a function of the state and the output.
    #[must_use]
    pub fn x0(self, level: NoiseLevel) -> Linear {
        let NoiseLevel { alpha, sigma } = level;
        match self {
            Self::Epsilon => Linear { x: 1.0 / alpha, f: -sigma / alpha },
            Self::X0 => Linear { x: 0.0, f: 1.0 },
            Self::V => {
                let power = alpha * alpha + sigma * sigma;
                Linear { x: alpha / power, f: -sigma / power }
            }
            Self::Score => tweedie::coefficients(level),
            Self::Flow => Linear { x: 1.0 / (alpha + sigma), f: -sigma / (alpha + sigma) },
            Self::EdmF { sigma_data } => {
                let s = level.relative_sigma();
                let power = s * s + sigma_data * sigma_data;
                Linear { x: sigma_data * sigma_data / power / alpha, f: s * sigma_data / math::sqrt(power) }
            }
        }
    }

    /// The predicted noise as a function of the state and the output.
    #[must_use]
    pub fn epsilon(self, level: NoiseLevel) -> Linear {
        let NoiseLevel { alpha, sigma } = level;
        match self {
            Self::Epsilon => Linear { x: 0.0, f: 1.0 },
            Self::X0 => Linear { x: 1.0 / sigma, f: -alpha / sigma },
            Self::V => {
                let power = alpha * alpha + sigma * sigma;
                Linear { x: sigma / power, f: alpha / power }
            }
            Self::Score => Linear { x: 0.0, f: -sigma },
            Self::Flow => Linear { x: 1.0 / (alpha + sigma), f: alpha / (alpha + sigma) },
            Self::EdmF { sigma_data } => {
                let s = level.relative_sigma();
                let power = s * s + sigma_data * sigma_data;
                Linear { x: s * s / power / sigma, f: -sigma_data / math::sqrt(power) }
            }
        }
    }

    /// The score `-eps / sigma` as a function of the state and the output.
    #[must_use]
    pub fn score(self, level: NoiseLevel) -> Linear {
        let epsilon = self.epsilon(level);
        Linear { x: -epsilon.x / level.sigma, f: -epsilon.f / level.sigma }
    }

    /// The output that a perfect network gives for known data and noise.
    #[must_use]
    pub fn target(self, level: NoiseLevel) -> Target {
        let NoiseLevel { alpha, sigma } = level;
        match self {
            Self::Epsilon => Target { x0: 0.0, epsilon: 1.0 },
            Self::X0 => Target { x0: 1.0, epsilon: 0.0 },
            Self::V => Target { x0: -sigma, epsilon: alpha },
            Self::Score => Target { x0: 0.0, epsilon: -1.0 / sigma },
            Self::Flow => Target { x0: -1.0, epsilon: 1.0 },
            Self::EdmF { sigma_data } => {
                let s = level.relative_sigma();
                let deviation = math::sqrt(s * s + sigma_data * sigma_data);
                Target { x0: s / (sigma_data * deviation), epsilon: -sigma_data / deviation }
            }
        }
    }

    /// The output that stands for a known clean-data estimate `x0` at a state `x`: the inverse of [`x0`](Self::x0).
    #[must_use]
    pub fn output_for_x0(self, level: NoiseLevel, x: f32, x0: f32) -> f32 {
        let linear = self.x0(level);
        (x0 - linear.x * x) / linear.f
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Prediction; 6] = [
        Prediction::Epsilon,
        Prediction::X0,
        Prediction::V,
        Prediction::Score,
        Prediction::Flow,
        Prediction::EdmF { sigma_data: 0.5 },
    ];

    #[test]
    fn the_target_converts_back_to_its_own_data_and_noise() {
        let (x0, eps) = (0.7f32, -1.3f32);
        for prediction in ALL {
            for level in [
                NoiseLevel::variance_preserving(-2.0),
                NoiseLevel::variance_preserving(1.5),
                NoiseLevel { alpha: 1.0, sigma: 3.0 },
            ] {
                let x = level.alpha * x0 + level.sigma * eps;
                let target = prediction.target(level);
                let f = target.x0 * x0 + target.epsilon * eps;
                let close = |got: f32, want: f32| (got - want).abs() < 2e-5 * (1.0 + 1.0 / level.alpha);
                assert!(close(prediction.x0(level).at(x, f), x0), "{prediction:?} {level:?}");
                assert!(close(prediction.epsilon(level).at(x, f), eps), "{prediction:?} {level:?}");
                assert!(close(prediction.score(level).at(x, f) * level.sigma, -eps), "{prediction:?} {level:?}");
                assert!(close(prediction.output_for_x0(level, x, x0), f), "{prediction:?} {level:?}");
            }
        }
    }

    #[test]
    fn edm_preconditioning_has_the_published_coefficients() {
        // Karras et al. 2022, table 1, at sigma = 2, sigma_data = 0.5.
        let level = NoiseLevel { alpha: 1.0, sigma: 2.0 };
        let linear = Prediction::EdmF { sigma_data: 0.5 }.x0(level);
        assert!((linear.x - 0.25 / 4.25).abs() < 1e-7);
        assert!((linear.f - 2.0 * 0.5 / 4.25f32.sqrt()).abs() < 1e-6);
    }
}
