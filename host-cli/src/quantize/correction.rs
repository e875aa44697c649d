//! What quantisation does to the network's output on average, taken back out by the tables that a blob holds anyway.

use mote_core::model::Model;
use mote_core::sampler::Row;
use serde::Serialize;

use super::calibration::CalibrationOptions;
use super::trail::Trail;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;

/// Trajectories of a plan that the correction is fitted on, at least: a mean error is small beside its scatter.
const SAMPLES: u16 = 512;
/// Sets its noise apart from that of the scales.
const PURPOSE: u64 = 0x636f_7272_6563_7400;

/// The float network's output and the quantised one's.
type Pair<'a> = (&'a [f32], &'a [f32]);

/// The error of the output at one level: quantised = (1 + slope) float + bias + noise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelCorrection {
    /// How far the error goes with the output.
    pub slope: f64,
    /// The mean error of each output that the slope leaves.
    pub bias: Vec<f64>,
    /// Variance of what is left, a mean over outputs.
    pub variance: f64,
}

impl LevelCorrection {
    /// Fits one level to pairs of float and quantised outputs by least squares, one slope for all outputs and a bias for each.
    ///
    /// A bias that is no larger than chance explains is drawn to 0: all are multiplied by `max(0, 1 - V / (n B))` with `V` the variance left, `n` the
    /// number of pairs and `B` the mean square of the biases, the positive-part estimator of James and Stein (1961).
    #[must_use]
    pub fn fit(pairs: &[Pair<'_>]) -> Self {
        let outputs = pairs.first().map_or(0, |(float, _)| float.len());
        let n = pairs.len() as f64;
        let mean = |of: &dyn Fn(&Pair<'_>) -> f64| pairs.iter().map(of).sum::<f64>() / n.max(1.0);
        let float: Vec<f64> = (0..outputs).map(|j| mean(&|pair| f64::from(pair.0[j]))).collect();
        let error_of = |pair: &Pair<'_>, j: usize| f64::from(pair.1[j]) - f64::from(pair.0[j]);
        let error: Vec<f64> = (0..outputs).map(|j| mean(&|pair| error_of(pair, j))).collect();
        let (mut with, mut power) = (0.0, 0.0);
        for pair in pairs {
            for j in 0..outputs {
                let f = f64::from(pair.0[j]) - float[j];
                with += f * (error_of(pair, j) - error[j]);
                power += f * f;
            }
        }
        let slope = if power > 0.0 { with / power } else { 0.0 };
        let bias: Vec<f64> = error.iter().zip(&float).map(|(error, float)| error - slope * float).collect();
        let left = |pair: &Pair<'_>| -> f64 {
            (0..outputs).map(|j| (error_of(pair, j) - slope * f64::from(pair.0[j]) - bias[j]).powi(2)).sum()
        };
        let variance = mean(&left) / outputs.max(1) as f64;
        let square = bias.iter().map(|b| b * b).sum::<f64>() / outputs.max(1) as f64;
        let sure = if square > 0.0 { (1.0 - variance / (n * square)).max(0.0) } else { 0.0 };
        Self { slope, bias: bias.into_iter().map(|b| b * sure).collect(), variance }
    }

    /// The factor of the output: 1 / (1 + slope).
    #[must_use]
    pub fn gain(&self) -> f32 {
        (1.0 / (1.0 + self.slope)) as f32
    }

    /// What to add to the output, given the biases that the gain does not reach: (b - bias) / (1 + slope) - b.
    #[must_use]
    pub fn bias_change(&self, own: &[f32]) -> Vec<f32> {
        let changed = |(b, mu): (&f32, &f64)| ((f64::from(*b) - mu) / (1.0 + self.slope) - f64::from(*b)) as f32;
        own.iter().zip(&self.bias).map(changed).collect()
    }

    /// Variance of the corrected output's noise.
    #[must_use]
    pub fn corrected_variance(&self) -> f64 {
        self.variance / (1.0 + self.slope).powi(2)
    }
}

/// The correction of every level, after He, Liu, Liu, Wu, Zhou and Zhuang, "PTQD" (NeurIPS 2023).
///
/// Slope and bias go into the level's output gain and into biases of the last layer, 2 bytes for each output and level; the variance is
/// taken from the noise that a row adds, so that the noise of quantisation stands in for its share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correction {
    /// For each level.
    pub levels: Vec<LevelCorrection>,
}

impl Correction {
    /// Fits a blob that has no correction to its float network. Cost: 512 trajectories of each plan, or calibration's number if that is more, float
    /// and quantised.
    #[must_use]
    pub fn fit(
        network: &FloatNetwork,
        noising: &Noising,
        set: &LevelSet,
        model: &Model<'_>,
        calibration: &CalibrationOptions,
    ) -> Self {
        let seed = calibration.seed ^ PURPOSE;
        let trail = Trail::follow(network, noising, set, None, calibration.samples.max(SAMPLES), seed);
        let answers = trail.answers(model);
        let mut pairs = vec![Vec::new(); set.levels.len()];
        for (met, answer) in trail.evaluations.iter().zip(&answers) {
            pairs[met.level].push((met.out.as_slice(), answer.as_slice()));
        }
        let empty = || LevelCorrection { slope: 0.0, bias: vec![0.0; network.shape().dim_out], variance: 0.0 };
        let fit = |pairs: &Vec<_>| if pairs.is_empty() { empty() } else { LevelCorrection::fit(pairs) };
        Self { levels: pairs.iter().map(fit).collect() }
    }

    /// A plan's rows with less noise of their own: `e^2` less the variance that `b_0 q F` brings, and never below 0.
    #[must_use]
    pub fn rows(&self, rows: &[Row]) -> Vec<Row> {
        rows.iter()
            .map(|row| {
                let level = self.levels.get(usize::from(row.level));
                let brought =
                    f64::from(row.b[0] * row.q).powi(2) * level.map_or(0.0, LevelCorrection::corrected_variance);
                Row { e: (f64::from(row.e).powi(2) - brought).max(0.0).sqrt() as f32, ..*row }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource, Stream, Ziggurat};

    #[test]
    fn a_planted_slope_and_bias_are_found_and_removed() {
        // Errors 0.05 F + bias_j + N(0, 0.1^2) over 2,000 pairs of 4 outputs of variance 1. Standard errors: slope 0.1 / sqrt(8000) = 0.0011, bias
        // 0.1 / sqrt(2000) = 0.0022, and the variance's relative one sqrt(2 / 8000) = 0.016; five of each (false alarm below 1e-5 in all).
        let mut noise = Ziggurat::new(Stream::new(3));
        let planted = [0.3, -0.2, 0.0, 0.1f32];
        let floats: Vec<Vec<f32>> = (0..2000).map(|_| (0..4).map(|j| noise.normal() + j as f32).collect()).collect();
        let made: Vec<Vec<f32>> = floats
            .iter()
            .map(|f| f.iter().zip(planted).map(|(f, b)| 1.05 * f + b + 0.1 * noise.normal()).collect())
            .collect();
        let pairs: Vec<_> = floats.iter().zip(&made).map(|(f, m)| (f.as_slice(), m.as_slice())).collect();
        let found = LevelCorrection::fit(&pairs);
        assert!((found.slope - 0.05).abs() < 0.0055, "{}", found.slope);
        for (j, (bias, planted)) in found.bias.iter().zip(planted).enumerate() {
            // An output's mean is j, so an error of the slope counts j times.
            assert!((bias - f64::from(planted)).abs() < 0.011 + 0.0055 * j as f64, "{bias} {planted}");
        }
        assert!((found.variance / 0.01 - 1.0).abs() < 0.08, "{}", found.variance);
        // A device multiplies what has no bias and adds biases after it: with its own bias 2, the corrected output is the float one.
        let own = [2.0f32; 4];
        let change = found.bias_change(&own);
        for (j, change) in change.iter().enumerate() {
            let quantised = 1.05f32 * 0.7 + planted[j];
            let corrected = (quantised - own[j]) * found.gain() + own[j] + change;
            assert!((corrected - 0.7).abs() < 0.03, "{corrected}");
        }
    }

    #[test]
    fn biases_that_chance_explains_are_drawn_to_nothing() {
        let mut noise = Ziggurat::new(Stream::new(5));
        let floats: Vec<Vec<f32>> = (0..50).map(|_| (0..64).map(|_| noise.normal()).collect()).collect();
        let made: Vec<Vec<f32>> = floats.iter().map(|f| f.iter().map(|f| f + 0.5 * noise.normal()).collect()).collect();
        let pairs: Vec<_> = floats.iter().zip(&made).map(|(f, m)| (f.as_slice(), m.as_slice())).collect();
        let found = LevelCorrection::fit(&pairs);
        // Unshrunk they have the variance 0.25 / 50 = 0.005. The shrinking factor is 1 less a ratio near 1 with a relative
        // deviation of sqrt(2 / 64) = 0.18, so below 0.45 at 2.5 deviations (false alarm below 1 %).
        let power = found.bias.iter().map(|b| b * b).sum::<f64>() / 64.0;
        assert!(power < 0.005 * 0.45 * 0.45 * 1.6, "{power}");
    }

    #[test]
    fn a_row_gives_up_the_noise_that_quantisation_brings_and_never_more() {
        let level = LevelCorrection { slope: 0.25, bias: vec![0.0], variance: 0.0625 };
        let correction = Correction { levels: vec![level] };
        let row = Row { level: 0, p: 0.5, q: 2.0, a: 1.0, b: [0.5, 0.0, 0.0, 0.0], e: 0.5 };
        // b0 q = 1 and the corrected variance 0.0625 / 1.5625 = 0.04: 0.25 - 0.04 = 0.21.
        let rows = correction.rows(&[row, Row { e: 0.1, ..row }, Row { e: 0.0, ..row }]);
        assert!((rows[0].e - 0.21f32.sqrt()).abs() < 1e-6);
        assert_eq!((rows[1].e, rows[2].e), (0.0, 0.0));
        assert_eq!(Row { e: 0.5, ..rows[0] }, row);
    }
}
