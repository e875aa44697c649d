use super::builder::{Step, last_row};
use super::{Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[Named {
    name: "unipc2",
    about: "UniPC with two predictions and its corrector, at one evaluation a step",
    order: Some(3),
    sampler: Sampler::UniPc2(UniPc2),
}];

/// UniPC of order 2 in its form B2 (`B = e^(-h) - 1`) on predicted data, with the corrector.
///
/// ```text
/// base = (sigma_t / sigma_s) x - alpha_t B m_s,           D1 = (m_prev - m_s) / r1,     r1 = (lambda_prev - lambda_s) / h
/// x^p = base - alpha_t B D1 / 2,      m_t = x0(x^p),      x_t = base - alpha_t B [q1 D1 + q2 (m_t - m_s)]
/// ```
///
/// with `phi = -B / h - 1`, `b1 = phi / B`, `b2 = 2 (-phi / h - 1/2) / B`, `q1 = (b1 - b2) / (1 - r1)`, `q2 = b1 - q1`. The state carries the predicted point, so that the corrector of
/// one step and the predictor of the next are one row, and `m_t` is used twice. The first step has `q2 = 1/2` and no D1; the last has no corrector, since its data are the
/// prediction itself. Order 3, one evaluation a step. Source: Zhao et al. 2023, algorithms 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UniPc2;

/// Where the terms of the series below the last one kept fall under half a unit of f32's last place.
const SERIES_BELOW: f32 = 1.0;

/// `phi = -B / h - 1` and `-phi / h - 1/2` for `B = e^(-h) - 1`, each divided by -h.
///
/// For z = -h they are `(e^z - 1 - z) / z^2` and `(e^z - 1 - z - z^2 / 2) / z^3`, 1/2 and 1/6 at 0. The closed form cancels: in f32 it is 2.6% off at h = .003. So below h = 1 this is
/// their series, and each relative error stays below 1e-6.
fn phis(h: f32) -> (f32, f32) {
    let z = -h;
    if h < SERIES_BELOW {
        // 1/3! + z/4! + z^2/5! + ..., innermost first.
        let mut third = 0.0f32;
        for n in (3..=13u8).rev() {
            third = (1.0 + z * third) / f32::from(n);
        }
        let third = 0.5 * third;
        return (0.5 + z * third, third);
    }
    let second = (math::expm1(z) / z - 1.0) / z;
    (second, (second - 0.5) / z)
}

/// `b1` and `b2` of the corrector.
fn corrector(h: f32) -> (f32, f32) {
    let (second, third) = phis(h);
    let over_b = -h / math::expm1(-h);
    (second * over_b, 2.0 * third * over_b)
}

/// The predictor from level `i` and, through its D1, the weights of `m_i` and `m_(i-1)`: `x <- a x + b0 m_i + b1 m_(i-1)`.
fn predictor(i: usize, levels: &[NoiseLevel]) -> Option<(f32, f32, f32)> {
    let from = *levels.get(i)?;
    let Step { to, h } = Step::of(i, levels)?;
    let gain = -to.alpha * math::expm1(-h);
    // -alpha B D1 / 2 with D1 = (m_(i-1) - m_i) / r1 and r1 = -h_prev / h.
    let slope = i.checked_sub(1).and_then(|before| Step::of(before, levels)).map_or(0.0, |before| 0.5 * h / before.h);
    Some((to.sigma / from.sigma, gain * (1.0 + slope), -gain * slope))
}

/// What the corrector adds to the predicted point at level `i`, as weights of `m_i`, `m_(i-1)` and `m_(i-2)`.
fn correction(i: usize, levels: &[NoiseLevel]) -> [f32; 3] {
    let step = |i: usize| Step::of(i, levels);
    let Some(Step { to, h }) = i.checked_sub(1).and_then(step) else { return [0.0; 3] };
    let gain = -to.alpha * math::expm1(-h);
    let Some(before) = i.checked_sub(2).and_then(step) else { return [0.5 * gain, -0.5 * gain, 0.0] };
    let (b1, b2) = corrector(h);
    let r1 = -before.h / h;
    let q1 = (b1 - b2) / (1.0 - r1);
    let (q2, of_slope) = (b1 - q1, (q1 - 0.5) / r1);
    [gain * q2, -gain * (q2 + of_slope), gain * of_slope]
}

impl PlanBuilder for UniPc2 {
    fn history(&self) -> usize {
        3
    }

    fn row(&self, i: usize, levels: &[NoiseLevel], prediction: Prediction) -> Option<Row> {
        let (level, from) = (u16::try_from(i).ok()?, *levels.get(i)?);
        let Some((a, b0, b1)) = predictor(i, levels) else { return Some(last_row(level, from, prediction)) };
        let x0 = prediction.x0(from);
        let [c0, c1, c2] = correction(i, levels);
        Some(Row { level, p: x0.x, q: x0.f, a, b: [b0 + a * c0, b1 + a * c1, a * c2, 0.0], e: 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published coefficients, in double precision from closed forms that do not cancel there: for small h from their series.
    fn published(h: f64) -> (f64, f64) {
        let (z, b) = (-h, (-h).exp_m1());
        let term = |from: u32| {
            let (mut sum, mut term) = (0.0, 1.0);
            for n in 1..40u32 {
                term *= z / f64::from(n);
                sum += if n >= from { term } else { 0.0 };
            }
            sum
        };
        // phi = (e^z - 1 - z) / z; -phi / h - 1/2 = (e^z - 1 - z - z^2 / 2) / z^2.
        (term(2) / z / b, 2.0 * term(3) / (z * z) / b)
    }

    #[test]
    fn the_coefficients_hold_down_to_small_steps() {
        for k in 0..=64 {
            let h = 1e-4f32 * 10f32.powf(k as f32 / 13.0);
            let (b1, b2) = corrector(h);
            let (e1, e2) = published(f64::from(h));
            assert!((f64::from(b1) / e1 - 1.0).abs() < 1e-6, "b1 at {h}: {b1} {e1}");
            assert!((f64::from(b2) / e2 - 1.0).abs() < 2e-6, "b2 at {h}: {b2} {e2}");
        }
        // The closed form of the paper in f32, as a naive port has it, is far off: what the series is for.
        let h = 0.003f32;
        let b = (-h).exp_m1();
        let phi = -b / h - 1.0;
        let naive = 2.0 * (-phi / h - 0.5) / b;
        assert!((f64::from(naive) / published(f64::from(h)).1 - 1.0).abs() > 0.005);
        let ((b1, b2), (low, high)) = (corrector(1e-4), (0.5 - 1e-4, 1.0 / 3.0 + 1e-4));
        assert!((b1 - 0.5).abs() < 0.5 - low && b2 < high && b2 > 1.0 / 3.0);
    }

    #[test]
    fn rows_are_the_published_predictor_and_corrector() {
        // Zhao et al. 2023 step by step in double precision on the denoiser x0 = tanh(x) / (1 + sigma), with the state apart from the predicted point.
        let levels = [-2.0f32, -1.1, -0.6, 0.3, 1.2].map(NoiseLevel::variance_preserving);
        let denoise = |x: f64, level: usize| x.tanh() / (1.0 + f64::from(levels[level].sigma));
        let lambda = |i: usize| (f64::from(levels[i].alpha) / f64::from(levels[i].sigma)).ln();
        let (alpha, sigma) = (|i: usize| f64::from(levels[i].alpha), |i: usize| f64::from(levels[i].sigma));
        let (mut x, mut m) = (0.9f64, [denoise(0.9, 0), 0.0, 0.0, 0.0, 0.0]);
        let mut expected = [0.0f64; 4];
        for i in 1..5 {
            let h = lambda(i) - lambda(i - 1);
            let b = (-h).exp_m1();
            let base = sigma(i) / sigma(i - 1) * x - alpha(i) * b * m[i - 1];
            let (r1, d1) = if i < 2 {
                (0.0, 0.0)
            } else {
                let r1 = (lambda(i - 2) - lambda(i - 1)) / h;
                (r1, (m[i - 2] - m[i - 1]) / r1)
            };
            expected[i - 1] = base - alpha(i) * b * d1 / 2.0;
            m[i] = denoise(expected[i - 1], i);
            let (b1, b2) = published(h);
            let (q1, q2) = if i < 2 { (0.0, 0.5) } else { ((b1 - b2) / (1.0 - r1), b1 - (b1 - b2) / (1.0 - r1)) };
            x = base - alpha(i) * b * (q1 * d1 + q2 * (m[i] - m[i - 1]));
        }
        let (mut carried, mut history) = (0.9f64, [0.0f64; 3]);
        for (i, expected) in expected.into_iter().enumerate() {
            let row = UniPc2.row(i, &levels, Prediction::X0).unwrap();
            history = [denoise(carried, i), history[0], history[1]];
            carried *= f64::from(row.a);
            carried += (0..3).map(|j| f64::from(row.b[j]) * history[j]).sum::<f64>();
            assert!((carried - expected).abs() < 1e-6, "{i}: {carried} {expected}");
        }
    }
}
