//! The forward processes of diffusion models, from data at time 0 to noise at time 1.

use super::{AdditiveNoise, DiagonalNoise, Ito, Sde};
use crate::math;
use crate::schedule::{Edm, NoiseLevel, NoiseSchedule, VpLinear};

/// A process whose law given the data is normal: `X(t) = alpha x0 + sigma eps`.
pub trait ForwardKernel: AdditiveNoise {
    /// `alpha` and `sigma` at time t in [0, 1].
    fn kernel(&self, t: f32) -> NoiseLevel;
}

/// The rate `beta(t)` of the linear schedule.
fn beta(schedule: &VpLinear, t: f32) -> f32 {
    schedule.beta_min + t * (schedule.beta_max - schedule.beta_min)
}

#[inline(always)]
fn decay(schedule: &VpLinear, t: f32, x: &[f32], out: &mut [f32]) {
    let rate = -0.5 * beta(schedule, t);
    for (out, x) in out.iter_mut().zip(x) {
        *out = rate * x;
    }
}

/// The variance-preserving process, `dX = -beta X / 2 dt + sqrt(beta) dW` (Song et al. 2021, equation 11).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vp {
    /// The rate beta(t).
    pub schedule: VpLinear,
}

impl Sde for Vp {
    #[inline(always)]
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        decay(&self.schedule, t, x, out);
    }

    #[inline(always)]
    fn diffusion(&mut self, t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(math::sqrt(beta(&self.schedule, t)));
    }
}

impl ForwardKernel for Vp {
    fn kernel(&self, t: f32) -> NoiseLevel {
        self.schedule.level(t)
    }
}

/// The sub-VP process, `dX = -beta X / 2 dt + sqrt(beta (1 - alpha^4)) dW`, with `sigma = 1 - alpha^2` (Song et al. 2021,
/// equation 12 and appendix B).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubVp {
    /// The rate beta(t).
    pub schedule: VpLinear,
}

impl Sde for SubVp {
    #[inline(always)]
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        decay(&self.schedule, t, x, out);
    }

    #[inline(always)]
    fn diffusion(&mut self, t: f32, _x: &[f32], out: &mut [f32]) {
        let NoiseLevel { alpha, sigma } = self.schedule.level(t);
        // 1 - alpha^4 = sigma^2 (1 + alpha^2), which does not cancel near t = 0.
        out.fill(sigma * math::sqrt(beta(&self.schedule, t) * (1.0 + alpha * alpha)));
    }
}

impl ForwardKernel for SubVp {
    fn kernel(&self, t: f32) -> NoiseLevel {
        let NoiseLevel { alpha, sigma } = self.schedule.level(t);
        NoiseLevel { alpha, sigma: sigma * sigma }
    }
}

/// The variance-exploding process, `dX = s(t) sqrt(2 ln(sigma_max / sigma_min)) dW` with the geometric
/// `s(t) = sigma_min (sigma_max / sigma_min)^t` (Song et al. 2021, equation 9 and appendix C).
///
/// Started at time 0 its kernel has variance `s(t)^2 - sigma_min^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ve {
    /// The scale s(t).
    pub schedule: Edm,
}

impl Ve {
    fn log_ratio(&self) -> f32 {
        math::ln(self.schedule.sigma_max / self.schedule.sigma_min)
    }
}

impl Sde for Ve {
    #[inline(always)]
    fn drift(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }

    #[inline(always)]
    fn diffusion(&mut self, t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.schedule.level(t).sigma * math::sqrt(2.0 * self.log_ratio()));
    }
}

impl ForwardKernel for Ve {
    fn kernel(&self, t: f32) -> NoiseLevel {
        let growth = math::expm1(2.0 * t * self.log_ratio());
        NoiseLevel { alpha: 1.0, sigma: self.schedule.sigma_min * math::sqrt(growth) }
    }
}

impl Ito for Vp {}
impl DiagonalNoise for Vp {}
impl AdditiveNoise for Vp {}
impl Ito for SubVp {}
impl DiagonalNoise for SubVp {}
impl AdditiveNoise for SubVp {}
impl Ito for Ve {}
impl DiagonalNoise for Ve {}
impl AdditiveNoise for Ve {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Integrates the moment equations m' = a m, v' = 2 a v + g^2 of a linear drift a x by the midpoint rule in f64.
    fn moments(sde: &mut impl Sde, end: f64) -> (f64, f64) {
        let mut coefficients = |t: f64| {
            let (mut a, mut g) = ([0.0], [0.0]);
            sde.drift(t as f32, &[1.0], &mut a);
            sde.diffusion(t as f32, &[1.0], &mut g);
            (f64::from(a[0]), f64::from(g[0]).powi(2))
        };
        let n = 4000;
        let h = end / f64::from(n);
        let (mut mean, mut variance) = (1.0, 0.0);
        for i in 0..n {
            let (a, q) = coefficients((f64::from(i) + 0.5) * h);
            mean += h * a * (mean + 0.5 * h * a * mean);
            let slope = 2.0 * a * variance + q;
            variance += h * (2.0 * a * (variance + 0.5 * h * slope) + q);
        }
        (mean, variance)
    }

    #[test]
    fn kernels_solve_the_moment_equations() {
        fn check(mut sde: impl ForwardKernel) {
            for t in [0.05f32, 0.3, 0.7, 1.0] {
                let NoiseLevel { alpha, sigma } = sde.kernel(t);
                let (mean, variance) = moments(&mut sde, f64::from(t));
                assert!((f64::from(alpha) - mean).abs() < 2e-5, "{t}: {alpha} {mean}");
                assert!((f64::from(sigma * sigma) / variance - 1.0).abs() < 1e-4, "{t}: {sigma} {variance}");
            }
        }
        check(Vp { schedule: VpLinear::DEFAULT });
        check(SubVp { schedule: VpLinear::DEFAULT });
        check(Ve { schedule: Edm { sigma_min: 0.01, sigma_max: 10.0 } });
    }

    #[test]
    fn vp_keeps_unit_variance_and_sub_vp_stays_below_it() {
        for i in 0..=100 {
            let t = i as f32 / 100.0;
            let vp = Vp { schedule: VpLinear::DEFAULT }.kernel(t);
            let sub = SubVp { schedule: VpLinear::DEFAULT }.kernel(t);
            assert!((vp.state_deviation(1.0) - 1.0).abs() < 3e-7);
            assert!(sub.sigma <= vp.sigma && sub.alpha == vp.alpha);
        }
    }
}
