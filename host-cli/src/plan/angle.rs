//! Levels and rows of a draw of residuals: Euler steps in the angle of the noise.

use mote_core::sampler::Row;
use mote_core::schedule::{NoiseLevel, NoiseSchedule as _};

use super::PlanError;
use crate::noise::Noising;

/// Levels even in the angle `theta = atan(sigma / alpha)`, from that of the noise `high` down, whose last step leads to the data.
///
/// # Errors
/// [`PlanError::NotVariancePreserving`]: with another schedule the state has no angle.
pub(super) fn levels(noising: &Noising, high: f32, count: usize) -> Result<Vec<NoiseLevel>, PlanError> {
    let level = |angle: f32| noising.schedule.level_at_lambda(-angle.tan().ln());
    let levels: Vec<_> = (0..count).map(|k| level(high.atan() * (count - k) as f32 / count as f32)).collect();
    let preserving = |level: &NoiseLevel| (level.state_deviation(1.0) - 1.0).abs() < 1e-4;
    if levels.iter().all(preserving) { Ok(levels) } else { Err(PlanError::NotVariancePreserving) }
}

/// One row a level: `x <- x - (theta - theta') v` with `v = alpha eps - sigma x0` (the flow of Salimans and Ho 2022 in the angle). Exact where `v` is 0, which is to
/// say for data of which the network knows nothing but that they are standard normals; residuals are nearly that. A step of DDIM, which turns state and
/// noise by the same angle, would take a share of their variance each time.
pub(super) fn rows(noising: &Noising, levels: &[NoiseLevel]) -> Vec<Row> {
    let angle = |level: &NoiseLevel| level.sigma.atan2(level.alpha);
    let row = |(number, level): (usize, &NoiseLevel)| {
        let (x0, eps) = (noising.prediction.x0(*level), noising.prediction.epsilon(*level));
        let turn = angle(level) - levels.get(number + 1).map_or(0.0, angle);
        Row {
            level: number as u16,
            p: level.alpha * eps.x - level.sigma * x0.x,
            q: level.alpha * eps.f - level.sigma * x0.f,
            a: 1.0,
            b: [-turn, 0.0, 0.0, 0.0],
            e: 0.0,
        }
    };
    levels.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::schedule::{Cosine, Edm, Schedule};
    use mote_core::score::Prediction;

    fn noising(prediction: Prediction) -> Noising {
        Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction, sigma_data: 1.0 }
    }

    #[test]
    fn angles_are_even_and_end_at_the_data() {
        let levels = levels(&noising(Prediction::V), 5.0, 8).unwrap();
        for (k, level) in levels.iter().enumerate() {
            let expected = 5f64.atan() * (8 - k) as f64 / 8.0;
            assert!((f64::from(level.sigma).atan2(level.alpha.into()) - expected).abs() < 1e-4, "{k}");
        }
        let edm = Noising { schedule: Schedule::Edm(Edm::DEFAULT), ..noising(Prediction::V) };
        assert_eq!(super::levels(&edm, 5.0, 8), Err(PlanError::NotVariancePreserving));
    }

    #[test]
    fn a_normal_of_any_deviation_is_reached_to_the_order_of_the_step() {
        // Data of deviation s: E[x0 | x] = alpha s^2 x / (alpha^2 s^2 + sigma^2), so the flow takes the state's deviation from
        // sqrt(alpha^2 s^2 + sigma^2) to s. With s = 1 no step errs, whatever the network predicts.
        for prediction in [Prediction::V, Prediction::Epsilon, Prediction::X0] {
            let noising = noising(prediction);
            let end = |s: f64, count: usize| {
                let levels = levels(&noising, 5.0, count).unwrap();
                let first = (f64::from(levels[0].alpha) * s).hypot(f64::from(levels[0].sigma));
                rows(&noising, &levels).iter().zip(&levels).fold(first, |x, (row, level)| {
                    let (alpha, sigma) = (f64::from(level.alpha), f64::from(level.sigma));
                    let x0 = alpha * s * s * x / (alpha * alpha * s * s + sigma * sigma);
                    let eps = (x - alpha * x0) / sigma;
                    let f = match prediction {
                        Prediction::V => alpha * eps - sigma * x0,
                        Prediction::Epsilon => eps,
                        _ => x0,
                    };
                    let m = f64::from(row.p) * x + f64::from(row.q) * f;
                    f64::from(row.a) * x + f64::from(row.b[0]) * m
                })
            };
            assert!((end(1.0, 3) - 1.0).abs() < 1e-5);
            let (coarse, fine) = (end(0.5, 64) - 0.5, end(0.5, 128) - 0.5);
            assert!(coarse.abs() < 0.02 && (coarse / fine - 2.0).abs() < 0.2, "{coarse} {fine}");
        }
    }
}
