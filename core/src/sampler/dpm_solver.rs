use super::builder::{Step, last_row};
use super::{Named, PlanBuilder, Row, Sampler};
use crate::math;
use crate::schedule::NoiseLevel;
use crate::score::Prediction;

pub(super) const NAMES: &[Named] = &[
    Named {
        name: "dpm++2m",
        about: "DPM-Solver++(2M); dpm++2m@ETA draws a share ETA of the reverse SDE's noise",
        order: Some(2),
        sampler: Sampler::DpmSolver2M(DpmSolver2M { eta: 0.0 }),
    },
    Named {
        name: "dpm++2m-sde",
        about: "DPM-Solver++(2M) as an SDE",
        order: Some(2),
        sampler: Sampler::DpmSolver2M(DpmSolver2M { eta: 1.0 }),
    },
];

/// DPM-Solver++(2M), deterministic (`eta = 0`) or as an SDE (`eta = 1`).
///
/// ```text
/// x_t = (sigma_t / sigma_s) e^(-eta h) x + alpha_t (1 - e^(-(1 + eta) h)) [m_s + (m_s - m_prev) / (2 r)]
///       + sigma_t sqrt(1 - e^(-2 eta h)) z,                                      r = h_prev / h
/// ```
///
/// The first step and the step to the data use `m_s` alone.
/// Order 2 (weak order 2 as an SDE). Source: Lu et al. 2022, DPM-Solver++, algorithm 2 and equation 18.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DpmSolver2M {
    /// Share of the reverse SDE's noise, from 0 to 1.
    pub eta: f32,
}

impl PlanBuilder for DpmSolver2M {
    fn history(&self) -> usize {
        2
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
        let gain = -to.alpha * math::expm1(-(1.0 + self.eta) * h);
        let slope = match i.checked_sub(1).and_then(|before| Step::of(before, levels)) {
            Some(before) => 0.5 * h / before.h,
            None => 0.0,
        };
        Some(Row {
            level: index,
            p: x0.x,
            q: x0.f,
            a: to.sigma / from.sigma * math::exp(-self.eta * h),
            b: [gain * (1.0 + slope), -gain * slope, 0.0, 0.0],
            e: to.sigma * math::sqrt(-math::expm1(-2.0 * self.eta * h)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_ddims() {
        let levels = [NoiseLevel::variance_preserving(-1.0), NoiseLevel::variance_preserving(0.3)];
        let first = DpmSolver2M { eta: 0.0 }.row(0, &levels, Prediction::V).unwrap();
        let ddim = super::super::Ddim { eta: 0.0 }.row(0, &levels, Prediction::V).unwrap();
        assert!((first.a - ddim.a).abs() < 1e-6 && (first.b[0] - ddim.b[0]).abs() < 1e-6);
        assert_eq!((first.p, first.q, first.e), (ddim.p, ddim.q, 0.0));
    }
}
