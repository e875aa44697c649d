//! Noise schedules: how much signal and how much noise a state holds at a diffusion time.
//!
//! A noisy state is `x_t = alpha x_0 + sigma eps` with `eps ~ N(0, 1)` in each component. Every schedule is one file
//! with one type that implements [`NoiseSchedule`], and one line in [`Schedule`].

mod cosine;
mod ddpm_betas;
mod edm;
mod flow;
mod grid;
mod sub_vp;
mod ve_geometric;
mod vp_linear;
mod zero_terminal;

pub use cosine::Cosine;
pub use ddpm_betas::DdpmBetas;
pub use edm::Edm;
pub use flow::Flow;
pub use grid::{karras, trailing_time, uniform_flow, uniform_lambda, uniform_time};
pub use sub_vp::SubVp;
pub use ve_geometric::VeGeometric;
pub use vp_linear::VpLinear;
pub use zero_terminal::ZeroTerminal;

use crate::math;

/// The signal scale `alpha` and the noise scale `sigma` of a state `x = alpha x0 + sigma eps`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseLevel {
    /// Scale of the signal, in (0, 1] for the schedules of this crate, or 0 for pure noise where one ends so.
    pub alpha: f32,
    /// Standard deviation of the noise, not negative.
    pub sigma: f32,
}

impl NoiseLevel {
    /// The variance-preserving level with the given half log signal-to-noise ratio: `alpha^2 = 1 / (1 + e^(-2 lambda))`
    /// and `sigma^2 = 1 / (1 + e^(2 lambda))` (Kingma et al. 2021).
    #[must_use]
    pub fn variance_preserving(lambda: f32) -> Self {
        Self {
            alpha: 1.0 / math::sqrt(1.0 + math::exp(-2.0 * lambda)),
            sigma: 1.0 / math::sqrt(1.0 + math::exp(2.0 * lambda)),
        }
    }

    /// `lambda = ln(alpha / sigma)`, half the logarithm of the power signal-to-noise ratio. Infinite where sigma is 0.
    #[must_use]
    pub fn lambda(self) -> f32 {
        math::ln(self.alpha / self.sigma)
    }

    /// The ratio `sigma / alpha`: the noise of the same state scaled so that its signal is 1.
    #[must_use]
    pub fn relative_sigma(self) -> f32 {
        self.sigma / self.alpha
    }

    /// The standard deviation of a noisy state whose data has standard deviation `sigma_data` in each component:
    /// `sqrt(alpha^2 sigma_data^2 + sigma^2)`.
    #[must_use]
    pub fn state_deviation(self, sigma_data: f32) -> f32 {
        let signal = self.alpha * sigma_data;
        math::sqrt(signal * signal + self.sigma * self.sigma)
    }
}

/// What every schedule answers. Times run from 0 (data) to 1 (noise).
pub trait NoiseSchedule {
    /// The level at diffusion time `t` in [0, 1].
    fn level(&self, t: f32) -> NoiseLevel;

    /// The level whose half log signal-to-noise ratio is `lambda`.
    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel;

    /// The diffusion time at which [`level`](Self::level) reaches `lambda`, clamped to [0, 1].
    fn time(&self, lambda: f32) -> f32;

    /// The number that tells the network how noisy its input is.
    fn conditioning(&self, lambda: f32) -> f32 {
        self.time(lambda)
    }

    /// The noisiest and the cleanest `lambda` that a sampler should visit.
    fn lambda_range(&self) -> (f32, f32);
}

/// The schedules, as one closed list.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// [`VpLinear`].
    VpLinear(VpLinear),
    /// [`Cosine`].
    Cosine(Cosine),
    /// [`Edm`].
    Edm(Edm),
    /// [`SubVp`].
    SubVp(SubVp),
    /// [`VeGeometric`].
    VeGeometric(VeGeometric),
    /// [`Flow`].
    Flow(Flow),
    /// [`DdpmBetas`].
    DdpmBetas(DdpmBetas),
    /// [`ZeroTerminal`].
    ZeroTerminal(ZeroTerminal),
}

impl Schedule {
    fn inner(&self) -> &dyn NoiseSchedule {
        match self {
            Self::VpLinear(s) => s,
            Self::Cosine(s) => s,
            Self::Edm(s) => s,
            Self::SubVp(s) => s,
            Self::VeGeometric(s) => s,
            Self::Flow(s) => s,
            Self::DdpmBetas(s) => s,
            Self::ZeroTerminal(s) => s,
        }
    }
}

impl NoiseSchedule for Schedule {
    fn level(&self, t: f32) -> NoiseLevel {
        self.inner().level(t)
    }
    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        self.inner().level_at_lambda(lambda)
    }
    fn time(&self, lambda: f32) -> f32 {
        self.inner().time(lambda)
    }
    fn conditioning(&self, lambda: f32) -> f32 {
        self.inner().conditioning(lambda)
    }
    fn lambda_range(&self) -> (f32, f32) {
        self.inner().lambda_range()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Schedule; 8] = [
        Schedule::VpLinear(VpLinear::DEFAULT),
        Schedule::Cosine(Cosine::DEFAULT),
        Schedule::DdpmBetas(DdpmBetas::DEFAULT),
        Schedule::ZeroTerminal(ZeroTerminal::DEFAULT),
        Schedule::Edm(Edm::DEFAULT),
        Schedule::SubVp(SubVp::DEFAULT),
        Schedule::VeGeometric(VeGeometric::DEFAULT),
        Schedule::Flow(Flow),
    ];

    #[test]
    fn lambda_falls_as_time_grows() {
        for schedule in ALL {
            let mut last = f32::INFINITY;
            for i in 1..=1000 {
                let lambda = schedule.level(i as f32 / 1000.0).lambda();
                assert!(lambda < last, "{schedule:?} at {i}: {lambda} after {last}");
                last = lambda;
            }
        }
    }

    #[test]
    fn time_inverts_lambda() {
        for schedule in ALL {
            for i in 1..1000 {
                let t = i as f32 / 1000.0;
                let back = schedule.time(schedule.level(t).lambda());
                assert!((back - t).abs() < 2e-5, "{schedule:?}: {t} came back as {back}");
            }
        }
    }

    #[test]
    fn a_level_at_lambda_has_that_lambda_and_lies_on_the_schedule() {
        for schedule in ALL {
            for i in -40..=40 {
                let lambda = i as f32 / 10.0;
                if lambda < schedule.lambda_range().0 {
                    continue;
                }
                let level = schedule.level_at_lambda(lambda);
                assert!((level.lambda() - lambda).abs() < 2e-6 * (1.0 + lambda.abs()));
                let on_curve = schedule.level(schedule.time(lambda));
                assert!((on_curve.alpha - level.alpha).abs() < 1e-5, "{schedule:?} {lambda}");
                assert!(
                    (on_curve.sigma / level.sigma - 1.0).abs() < 2e-3,
                    "{schedule:?} {lambda}: {on_curve:?} {level:?}"
                );
            }
        }
    }

    #[test]
    fn variance_preserving_schedules_keep_unit_variance() {
        for schedule in &ALL[..4] {
            for i in 0..=1000 {
                let deviation = schedule.level(i as f32 / 1000.0).state_deviation(1.0);
                assert!((deviation - 1.0).abs() < 3e-7, "{schedule:?} at {i}: {deviation}");
            }
        }
    }
}
