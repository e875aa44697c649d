use super::builder::last_row;
use super::{Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "reverse-sde",
    about: "Euler and Maruyama's step of the reverse-time equation",
    order: Some(1),
    sampler: Sampler::ReverseSde(ReverseSde),
}];

/// Euler and Maruyama's step of the reverse-time equation `dx = (f - g^2 score) dt + g dW`, without noise on the last step.
///
/// ```text
/// x <- (1 + L) x + G score + sqrt(G) z,     L = ln(alpha_t / alpha_s),     G = alpha_s alpha_t (s_s^2 - s_t^2) L / sinh(L)
/// ```
///
/// with s = sigma / alpha. L and G are the integrals of f and of g^2 over the step, where sigma^2 is linear in alpha^2 along it: exact where the variance
/// is preserved (G = 2 L) and where alpha is constant (G = sigma_s^2 - sigma_t^2, which makes this [`Ancestral`](super::Ancestral) with the large variance).
/// Weak order 1; long steps at large noise overshoot, since the drift is frozen. Source: Anderson 1982; Song et al. 2021, section 4.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReverseSde;

/// `L / sinh(L)`, which is even and 1 at 0.
fn over_sinh(l: f32) -> f32 {
    let twice_sinh = math::expm1(l) - math::expm1(-l);
    if twice_sinh == 0.0 { 1.0 } else { 2.0 * l / twice_sinh }
}

impl PlanBuilder for ReverseSde {
    fn history(&self) -> usize {
        1
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let (level, from) = (u16::try_from(i).ok()?, *levels.get(i)?);
        let Some(&to) = levels.get(i + 1) else { return Some(last_row(level, from, prediction)) };
        let drift = math::ln(to.alpha / from.alpha);
        let (s, next) = (from.relative_sigma(), to.relative_sigma());
        let power = from.alpha * to.alpha * ((s - next) * (s + next)) * over_sinh(drift);
        let epsilon = prediction.epsilon(from);
        Some(Row {
            level,
            p: epsilon.x,
            q: epsilon.f,
            a: 1.0 + drift,
            b: [-power / from.sigma, 0.0, 0.0, 0.0],
            e: math::sqrt(power),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integrals_are_those_of_the_variance_preserving_and_the_exploding_equation() {
        // VP: int f = ln(alpha_t / alpha_s) and int g^2 = int beta = 2 ln(alpha_t / alpha_s); VE: int g^2 = sigma_s^2 - sigma_t^2.
        let vp = [NoiseLevel::variance_preserving(-1.0), NoiseLevel::variance_preserving(0.5)];
        let row = ReverseSde.row(0, &vp, Prediction::Epsilon).unwrap();
        let drift = (f64::from(vp[1].alpha) / f64::from(vp[0].alpha)).ln();
        assert!((f64::from(row.a) - 1.0 - drift).abs() < 1e-6);
        assert!((f64::from(row.e).powi(2) / (2.0 * drift) - 1.0).abs() < 1e-6);
        assert!((f64::from(row.b[0]) * f64::from(vp[0].sigma) / (-2.0 * drift) - 1.0).abs() < 1e-6);
        let ve = [NoiseLevel { alpha: 1.0, sigma: 3.0 }, NoiseLevel { alpha: 1.0, sigma: 1.0 }];
        let row = ReverseSde.row(0, &ve, Prediction::Score).unwrap();
        assert_eq!((row.a, row.p), (1.0, 0.0));
        assert!((row.b[0] * row.q - 8.0).abs() < 1e-5 && (row.e * row.e - 8.0).abs() < 1e-5, "{row:?}");
    }

    #[test]
    fn the_ratio_to_the_hyperbolic_sine_does_not_cancel() {
        for l in [1e-9f32, 1e-5, 1e-3, 0.1, 1.0, 6.0] {
            let exact = f64::from(l) / f64::from(l).sinh();
            assert!((f64::from(over_sinh(l)) / exact - 1.0).abs() < 3e-7, "{l}");
        }
        assert_eq!(over_sinh(0.0), 1.0);
    }
}
