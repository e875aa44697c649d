//! Where training meets a noise schedule.

use super::Loss;

/// One noise level as training sees it: how to noise, what to ask for, how much it counts.
///
/// The network sees `input_scale * (alpha x0 + sigma eps)` and the level's `time`, and is to give
/// `target_x0 * x0 + target_eps * eps`: (-sigma, alpha) for v, (0, 1) for epsilon, (1, 0) for x0
/// (Salimans and Ho 2022).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingLevel {
    /// Factor of the data.
    pub alpha: f32,
    /// Standard deviation of the noise.
    pub sigma: f32,
    /// What the time features are taken of.
    pub time: f32,
    /// The network's input scale, c_in.
    pub input_scale: f32,
    /// The target's share of the data.
    pub target_x0: f32,
    /// The target's share of the noise.
    pub target_eps: f32,
    /// Factor of the squared error.
    pub weight: f32,
}

/// A distribution of noise levels, by its inverse distribution function, and what is minimised at them.
pub trait NoiseLevels: Sync {
    /// The level at `u`, strictly between 0 and 1.
    fn draw(&self, u: f32) -> TrainingLevel;

    /// What a step minimises; anything but the squared error takes the network's output for the score.
    fn loss(&self) -> Loss {
        Loss::SquaredError
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Cosine schedule (Nichol and Dhariwal 2021, equation 17) in continuous time, target v.
    pub(crate) struct CosineV;

    impl NoiseLevels for CosineV {
        fn draw(&self, u: f32) -> TrainingLevel {
            let angle = |t: f32| (t + 0.008) / 1.008 * std::f32::consts::FRAC_PI_2;
            let alpha = (angle(u).cos() / angle(0.0).cos()).clamp(0.0, 1.0);
            let sigma = (1.0 - alpha * alpha).sqrt();
            TrainingLevel { alpha, sigma, time: u, input_scale: 1.0, target_x0: -sigma, target_eps: alpha, weight: 1.0 }
        }
    }

    #[test]
    fn the_cosine_schedule_runs_from_data_to_noise() {
        // alpha_bar(1/2) of the published schedule, computed apart in double precision: 0.493844.
        let half = CosineV.draw(0.5);
        assert!((half.alpha * half.alpha - 0.493_844).abs() < 1e-6);
        assert!(CosineV.draw(1e-6).sigma < 2e-3 && CosineV.draw(1.0 - 1e-6).alpha < 1e-4);
    }
}
