use super::{Edm, NoiseLevel, NoiseSchedule};

/// The variance-exploding schedule: alpha is 1 and `sigma = sigma_min (sigma_max / sigma_min)^t`.
///
/// The levels are those of [`Edm`]; the network is told the time, uniform in training, instead of EDM's `ln(sigma) / 4`.
/// Source: Song et al. 2021, section 3.4 and appendix C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VeGeometric {
    /// Smallest noise level, positive.
    pub sigma_min: f32,
    /// Largest noise level, above `sigma_min`.
    pub sigma_max: f32,
}

impl VeGeometric {
    /// 0.01 to 50, as published for small images.
    pub const DEFAULT: Self = Self { sigma_min: 0.01, sigma_max: 50.0 };

    fn levels(&self) -> Edm {
        Edm { sigma_min: self.sigma_min, sigma_max: self.sigma_max }
    }
}

impl NoiseSchedule for VeGeometric {
    fn level(&self, t: f32) -> NoiseLevel {
        self.levels().level(t)
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        self.levels().level_at_lambda(lambda)
    }

    fn time(&self, lambda: f32) -> f32 {
        self.levels().time(lambda)
    }

    fn lambda_range(&self) -> (f32, f32) {
        self.levels().lambda_range()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_grows_by_the_same_factor_in_equal_times() {
        // 0.01 (50 / 0.01)^(1/2) = 0.01 sqrt(5000).
        for (t, sigma) in [(0.0, 0.01f32), (0.5, core::f32::consts::FRAC_1_SQRT_2), (1.0, 50.0)] {
            let level = VeGeometric::DEFAULT.level(t);
            assert!(level.alpha == 1.0 && (level.sigma / sigma - 1.0).abs() < 2e-6, "{level:?}");
        }
        assert!((VeGeometric::DEFAULT.conditioning(-(core::f32::consts::FRAC_1_SQRT_2.ln())) - 0.5).abs() < 1e-6);
    }
}
