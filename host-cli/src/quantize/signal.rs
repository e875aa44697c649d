//! Signal against quantisation noise at the network's output, for each level and each part that is quantised.

use std::fmt::Write as _;

use mote_core::model::Model;
use serde::Serialize;

use super::calibration::CalibrationOptions;
use super::codes::{code_unit, rounded};
use super::export::Quantized;
use super::trail::Trail;
use crate::denoiser::FloatDenoiser;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;

/// Sets the noise of these trajectories apart from that of calibration and of the correction.
const PURPOSE: u64 = 0x7369_676e_616c_0000;
/// Trajectories of each plan.
const SAMPLES: u16 = 48;

/// Ratios at one level, in decibels: `10 log10(sum of F^2 / sum of error^2)` over outputs and trajectories.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalRow {
    /// Number of the level, in the order in which plans visit them; none for all levels together.
    pub level: Option<usize>,
    /// Its log signal-to-noise ratio, `ln(alpha / sigma)`; none for all levels together.
    pub lambda: Option<f32>,
    /// With the weights of one layer in codes, for each layer.
    pub weights: Vec<f64>,
    /// With the inputs of one layer in codes, for each layer.
    pub activations: Vec<f64>,
    /// With everything in integers, as a device computes it.
    pub all: f64,
}

/// The ratios of every level and of all together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalTable {
    /// All levels together.
    pub overall: SignalRow,
    /// Level after level.
    pub levels: Vec<SignalRow>,
}

/// 10 log10 of a ratio of powers; 999 where nothing is lost, so that JSON has a number for it.
fn decibels(signal: f64, noise: f64) -> f64 {
    if noise > 0.0 { (10.0 * (signal / noise).log10()).min(999.0) } else { 999.0 }
}

impl SignalTable {
    /// Measures a blob against its float network along the float network's trajectories. Cost: twice as many float evaluations as
    /// there are layers, and one in integers, for each of 48 trajectories of each plan.
    ///
    /// # Errors
    /// The reader's, if it refuses the blob.
    pub fn measure(
        network: &FloatNetwork,
        quantized: &Quantized,
        noising: &Noising,
        set: &LevelSet,
        calibration: &CalibrationOptions,
    ) -> Result<Self, mote_core::model::ParseError> {
        let model = Model::parse(&quantized.blob)?;
        let integers = &quantized.integers;
        let trail = Trail::follow(network, noising, set, None, SAMPLES, calibration.seed ^ PURPOSE);
        let layers = network.layers().len();
        let mut columns: Vec<Vec<Vec<f32>>> = Vec::new();
        for layer in 0..layers {
            let mut parts = network.layers().to_vec();
            parts[layer].weight.clone_from(&integers.network().layers()[layer].weight);
            parts[layer].bias.clone_from(&integers.network().layers()[layer].bias);
            let one = FloatNetwork::assemble(network.shape().clone(), parts);
            columns.push(trail.map(|| {
                let mut denoiser = FloatDenoiser::new(&one, noising, &set.levels);
                move |met, out| denoiser.predict_traced(met.level, met.class, &met.x, out, |_, _, _| {})
            }));
        }
        for layer in 0..layers {
            let place = &integers.layers[layer];
            let (high, low) =
                (f32::from(place.q_max), if place.never_negative { 0.0 } else { -f32::from(place.q_max) });
            let round = move |values: &mut [f32], unit: f32| {
                values.iter_mut().for_each(|x| *x = rounded(*x, unit, low, high));
            };
            columns.push(trail.map(|| {
                let mut denoiser = FloatDenoiser::new(network, noising, &set.levels);
                move |met, out| {
                    let shifts = &integers.shifts[met.level];
                    let input = |x: &mut [f32]| {
                        if layer == 0 {
                            round(x, 1.0 / integers.input_scale);
                        }
                    };
                    denoiser.predict_altered(met.level, met.class, &met.x, out, input, |index, _, output| {
                        if index + 1 == layer {
                            round(output, code_unit(shifts[index]));
                        }
                    });
                }
            }));
        }
        columns.push(trail.answers(&model));
        let row = |level: Option<usize>| {
            let mut signal = 0.0;
            let mut noise = vec![0.0; columns.len()];
            for (number, met) in
                trail.evaluations.iter().enumerate().filter(|(_, met)| level.is_none_or(|l| l == met.level))
            {
                signal += met.out.iter().map(|f| f64::from(*f).powi(2)).sum::<f64>();
                for (noise, column) in noise.iter_mut().zip(&columns) {
                    let error = |(f, q): (&f32, &f32)| (f64::from(*f) - f64::from(*q)).powi(2);
                    *noise += met.out.iter().zip(&column[number]).map(error).sum::<f64>();
                }
            }
            let ratio = |noise: &[f64]| noise.iter().map(|noise| decibels(signal, *noise)).collect();
            SignalRow {
                level,
                lambda: level.and_then(|level| set.levels.get(level)).map(|level| level.lambda()),
                weights: ratio(&noise[..layers]),
                activations: ratio(&noise[layers..2 * layers]),
                all: decibels(signal, noise[2 * layers]),
            }
        };
        Ok(Self { overall: row(None), levels: (0..set.levels.len()).map(|level| row(Some(level))).collect() })
    }

    /// The table as text, a line for each level.
    #[must_use]
    pub fn to_text(&self) -> String {
        let layers = self.overall.weights.len();
        let mut out = String::from(
            "signal to quantisation noise at the output, dB (w: weights of a layer alone, a: its inputs alone)\n",
        );
        let head: String =
            (0..layers).flat_map(|l| [format!("{:>7}", format!("w{l}")), format!("{:>7}", format!("a{l}"))]).collect();
        let _ = writeln!(out, "{:>6} {:>7}{head}{:>7}", "level", "lambda", "all");
        let mut line = |name: String, lambda: String, row: &SignalRow| {
            let _ = write!(out, "{name:>6} {lambda:>7}");
            for (weights, activations) in row.weights.iter().zip(&row.activations) {
                let _ = write!(out, "{weights:>7.1}{activations:>7.1}");
            }
            let _ = writeln!(out, "{:>7.1}", row.all);
        };
        for row in &self.levels {
            let lambda = row.lambda.map_or(String::new(), |lambda| format!("{lambda:.2}"));
            line(row.level.map_or(String::new(), |level| level.to_string()), lambda, row);
        }
        line("all".into(), String::new(), &self.overall);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_quantiser_has_the_ratio_of_the_closed_form() {
        // A sine of amplitude 0.999 through b bits over -1..1: 6.02 b + 4.77 - 20 log10(peak / rms) with peak the quantiser's range, here
        // 1 / (0.999 / sqrt 2). Bennett's noise D^2 / 12 holds within 0.1 dB from 8 bits on; a bit is 6 dB.
        for bits in [8, 10, 12] {
            let high = f32::from(1u16 << (bits - 1));
            let wave: Vec<f32> = (0..20_000).map(|i| 0.999 * (i as f32 * 0.731).sin()).collect();
            let power = |of: &dyn Fn(f32) -> f64| wave.iter().map(|x| of(*x)).sum::<f64>() / wave.len() as f64;
            let signal = power(&|x| f64::from(x).powi(2));
            let noise = power(&|x| f64::from(rounded(x, 1.0 / high, -high, high) - x).powi(2));
            let law = 6.0206 * f64::from(bits) + 4.7712 - 20.0 * (1.0 / signal.sqrt()).log10();
            assert!((decibels(signal, noise) - law).abs() < 0.1, "{bits}: {} {law}", decibels(signal, noise));
        }
        assert_eq!(decibels(1.0, 0.0), 999.0);
    }
}
