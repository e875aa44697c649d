use super::builder::{Step, last_row};
use super::{PlanBuilder, Row};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

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
    use super::super::builder::moments;
    use super::*;

    #[test]
    fn ddim_has_order_one_on_gaussian_data() {
        let order = moments::order(&Ddim { eta: 0.0 }, 0.5, 64);
        assert!((order - 1.0).abs() < 0.05, "{order}");
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
