//! Exact orders without Monte Carlo: on Gaussian data every sampler is linear, so that the moments follow from its rows.

use mote_core::sampler::{Named, PlanBuilder, PredictorCorrector, Sampler};
use mote_core::schedule::{Cosine, NoiseLevel, NoiseSchedule};
use mote_core::score::{Component, GaussianMixture, Prediction};

use super::super::{Laboratory, Row};

/// The rows, `sampler-NAME-order` with a p for each plus of the sampler's name.
pub(super) const NAMES: &[&str] = &[
    "sampler-ddpm-order",
    "sampler-ddpm-large-order",
    "sampler-ddim-order",
    "sampler-dpmpp2m-order",
    "sampler-dpmpp2m-sde-order",
    "sampler-unipc2-order",
    "sampler-ipndm2-order",
    "sampler-ipndm3-order",
    "sampler-ipndm4-order",
    "sampler-heun-order",
    "sampler-heun-churn-order",
    "sampler-reverse-sde-order",
    "sampler-flow-euler-order",
    "sampler-midpoint-order",
    "sampler-rk4-order",
];

/// Deviation of the data.
const DATA: f64 = 0.6;

fn wide(level: NoiseLevel) -> (f64, f64) {
    (f64::from(level.alpha), f64::from(level.sigma))
}

/// The levels of a sampler over a grid uniform in lambda from -1.5 to 2, variance preserved.
fn levels(sampler: &Sampler, steps: usize) -> Vec<NoiseLevel> {
    let lambda = |i: usize| -1.5 + 3.5 * i as f32 / steps as f32;
    let grid: Vec<_> = (0..=steps).map(|i| NoiseLevel::variance_preserving(lambda(i))).collect();
    (0..sampler.levels(&grid)).filter_map(|k| sampler.level(k, &grid, &Cosine::DEFAULT)).collect()
}

/// The error of the variance at the last level, before the row to the data, of a sampler with exact denoiser and exact start.
///
/// The state and each prediction are numbers that multiply independent normals: the start's and each noise's since.
fn variance_error(sampler: &Sampler, steps: usize) -> f64 {
    let levels = levels(sampler, steps);
    let power = |level: NoiseLevel| {
        let (alpha, sigma) = wide(level);
        alpha * alpha * DATA * DATA + sigma * sigma
    };
    let (Some(first), Some(last)) = (levels.first(), levels.last()) else { return f64::NAN };
    let mut x = vec![power(*first).sqrt()];
    let mut history: Vec<Vec<f64>> = Vec::new();
    for i in 0..sampler.rows(&levels) - 1 {
        let Some(row) = sampler.row(i, &levels, Prediction::V) else { return f64::NAN };
        let level = levels[usize::from(row.level)];
        let (alpha, sigma) = wide(level);
        // E[v | x] = (alpha sigma - sigma alpha s^2) x / power.
        let f = alpha * sigma * (1.0 - DATA * DATA) / power(level);
        let m = f64::from(row.p) + f64::from(row.q) * f;
        history.insert(0, x.iter().map(|x| m * x).collect());
        history.truncate(4);
        x.iter_mut().for_each(|x| *x *= f64::from(row.a));
        for (b, m) in row.b.iter().zip(&history) {
            x.iter_mut().zip(m).for_each(|(x, m)| *x += f64::from(*b) * m);
        }
        x.push(f64::from(row.e));
    }
    (x.iter().map(|x| x * x).sum::<f64>() - power(*last)).abs()
}

/// The order between the last two of the grids of 4, 8, ... steps, which end where the error is below 3e-5: rounding the rows to f32 leaves about 1e-6.
fn order(error: impl Fn(usize) -> f64) -> f64 {
    let (mut steps, mut before, mut after) = (8, error(4), error(8));
    while after > 3e-5 && steps < 2000 {
        steps *= 2;
        (before, after) = (after, error(steps));
    }
    (before / after).log2()
}

pub(super) fn orders(_: &Laboratory) -> Vec<Row> {
    let row = |name: &'static str| {
        let named = name.strip_prefix("sampler-")?.strip_suffix("-order")?;
        let named = Named::all().find(|known| known.name.replace('+', "p") == named)?;
        let what = format!("{} with an exact score on N(0, s^2): order of the variance", named.about);
        let measured = order(|steps| variance_error(&named.sampler, steps));
        Some(Row::order(name, what, f64::from(named.order?), measured))
    };
    NAMES.iter().filter_map(|name| row(name)).collect()
}

/// The midpoint rule's own order shows on data that are not Gaussian: the mean error over starts of a bimodal law, against ten times the steps.
pub(super) fn midpoint_on_two_modes(_: &Laboratory) -> Vec<Row> {
    let components = [
        Component { weight: 0.4, mean: &[-1.2], deviation: 0.4 },
        Component { weight: 0.6, mean: &[0.8], deviation: 0.3 },
    ];
    let mixture = GaussianMixture { components: &components };
    // One start after another through the rows of the sampler; the exact posterior mean is the prediction.
    let ends = |steps: usize| -> Vec<f64> {
        let sampler = Named::find("midpoint").map(|named| named.sampler);
        let Some(sampler) = sampler else { return Vec::new() };
        let levels = levels(&sampler, steps);
        let rows: Vec<_> =
            (0..sampler.rows(&levels) - 1).filter_map(|i| sampler.row(i, &levels, Prediction::X0)).collect();
        let walk = |start: f64| {
            let (mut x, mut before) = (start, 0.0f64);
            for row in &rows {
                let mut x0 = [0.0f32];
                mixture.posterior_mean(levels[usize::from(row.level)], &[x as f32], &mut x0);
                let m = f64::from(row.p) * x + f64::from(row.q) * f64::from(x0[0]);
                x = f64::from(row.a) * x + f64::from(row.b[0]) * m + f64::from(row.b[1]) * before;
                before = m;
            }
            x
        };
        (0..64).map(|k| walk(-2.0 + k as f64 / 16.0)).collect()
    };
    let truth = ends(1280);
    let error = |steps: usize| ends(steps).iter().zip(&truth).map(|(x, truth)| (x - truth).abs()).sum::<f64>() / 64.0;
    let what = "the midpoint rule on a bimodal law with an exact score: order of the paths";
    vec![Row::order("sampler-midpoint-bimodal-order", what, 2.0, (error(32) / error(128)).log2() / 2.0)]
}

/// The corrector alone, for ever at one level: `x <- (1 - k) x + sqrt(2 eta) z` with `k = eta / v` is stationary at `v / (1 - k / 2)`.
pub(super) fn stationary_law(_: &Laboratory) -> Vec<Row> {
    let levels = [-0.5, 0.3].map(|lambda| Cosine::DEFAULT.level_at_lambda(lambda));
    let Some(row) = (PredictorCorrector { ratio: 0.16 }).row(0, &levels, Prediction::Epsilon) else {
        return Vec::new();
    };
    let ((alpha, sigma), (next, _)) = (wide(levels[0]), wide(levels[1]));
    let v = alpha * alpha * DATA * DATA + sigma * sigma;
    let eta = 2.0 * (alpha / next).powi(2) * (0.16 * sigma).powi(2);
    // E[eps | x] = sigma x / v.
    let gain = f64::from(row.a) + f64::from(row.b[0]) * (f64::from(row.p) + f64::from(row.q) * sigma / v);
    let mut variance = 0.0;
    for _ in 0..3000 {
        variance = gain * gain * variance + f64::from(row.e).powi(2);
    }
    let what = "Langevin corrector at one level on N(0, s^2): stationary variance v / (1 - eta / (2 v))";
    // The rows' f32 coefficients are within 1e-6 of eta.
    vec![Row::exact("corrector-stationary-variance", what, v / (1.0 - eta / (2.0 * v)), variance, 5e-6)]
}
