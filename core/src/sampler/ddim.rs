use super::builder::{Step, last_row};
use super::{Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "ddim",
    about: "DDIM; ddim@ETA draws a share ETA of DDPM's noise",
    order: Some(1),
    sampler: Sampler::Ddim(Ddim { eta: 0.0 }),
}];

/// DDIM with noise share `eta`: 0 is the deterministic sampler, 1 has the variance of DDPM's posterior.
///
/// `x_t = alpha_t x0 + sigma_down eps + s z` with `s = eta sigma_t sqrt(1 - e^(-2h))` and
/// `sigma_down^2 = sigma_t^2 - s^2`, written so that nothing cancels: with `r = e^(-h)`,
/// `sigma_down = sigma_t sqrt(1 - eta^2 (1 - r^2))`. Order 1. Source: Song, Meng and Ermon 2021, equations 12 and 16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ddim {
    /// Share of fresh noise, from 0 to 1.
    pub eta: f32,
}

impl PlanBuilder for Ddim {
    fn history(&self) -> usize {
        1
    }

    fn set_eta(&mut self, eta: f32) -> bool {
        self.eta = eta;
        true
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let index = u16::try_from(i).ok()?;
        let from = *levels.get(i)?;
        let Some(Step { to, h }) = Step::of(i, levels) else {
            return Some(last_row(index, from, prediction));
        };
        let x0 = prediction.x0(from);
        let fresh = -math::expm1(-2.0 * h); // 1 - r^2
        let kept = math::sqrt(1.0 - self.eta * self.eta * fresh); // sigma_down / sigma_t
        let ratio = math::exp(-h);
        // 1 - r kept = (1 - r) + r (1 - kept), each without cancellation.
        let signal = -math::expm1(-h) + ratio * self.eta * self.eta * fresh / (1.0 + kept);
        Some(Row {
            level: index,
            p: x0.x,
            q: x0.f,
            a: to.sigma * kept / from.sigma,
            b: [to.alpha * signal, 0.0, 0.0, 0.0],
            e: self.eta * to.sigma * math::sqrt(fresh),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_kept_does_not_cancel_in_short_steps() {
        // sigma_down / sigma_s = sigma_t / sigma_s sqrt(1 - eta^2 (1 - r^2)) and 1 - r kept, in double precision. From sqrt(s'^2 - s_up^2), as it is
        // often written, f32 keeps no digit of 1 - r kept at h = 1e-4.
        for h in [1e-4f32, 1e-3, 1e-2, 0.3, 3.0] {
            for eta in [1.0f32, 0.7] {
                let levels = [NoiseLevel { alpha: 1.0, sigma: 1.0 }, NoiseLevel { alpha: 1.0, sigma: (-h).exp() }];
                let row = Ddim { eta }.row(0, &levels, Prediction::X0).unwrap();
                let r = f64::from(levels[1].sigma);
                let kept = r * (1.0 - f64::from(eta).powi(2) * (1.0 - r * r)).sqrt();
                assert!((f64::from(row.a) - kept).abs() < 2e-7, "{h} {eta}");
                // h itself is a difference of logarithms of f32 levels, each with half a unit in the last place.
                let tolerance = 3e-7 + 1.2e-7 / f64::from(h);
                assert!((f64::from(row.b[0]) / (1.0 - kept) - 1.0).abs() < tolerance, "{h} {eta}: {}", row.b[0]);
            }
        }
    }

    #[test]
    fn one_step_equals_the_published_formula() {
        // Song et al. 2021, equation 12, in double precision.
        for eta in [0.0f64, 0.4, 1.0] {
            let levels = [NoiseLevel::variance_preserving(-0.7), NoiseLevel::variance_preserving(0.2)];
            let row = Ddim { eta: eta as f32 }.row(0, &levels, Prediction::Epsilon).unwrap();
            let (ab_t, ab_p) = (f64::from(levels[0].alpha).powi(2), f64::from(levels[1].alpha).powi(2));
            let s = eta * ((1.0 - ab_p) / (1.0 - ab_t) * (1.0 - ab_t / ab_p)).sqrt();
            let (x, f) = (0.9f64, -0.4f64);
            let x0 = (x - (1.0 - ab_t).sqrt() * f) / ab_t.sqrt();
            let expected = ab_p.sqrt() * x0 + (1.0 - ab_p - s * s).sqrt() * f;
            let m = f64::from(row.p) * x + f64::from(row.q) * f;
            let got = f64::from(row.a) * x + f64::from(row.b[0]) * m;
            assert!((got - expected).abs() < 2e-6, "eta {eta}: {got} {expected}");
            assert!((f64::from(row.e) - s).abs() < 1e-6);
        }
    }
}
