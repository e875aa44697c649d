//! Integer weights and the scales of their rows.

use std::ops::RangeInclusive;

use super::compensation::Compensation;

/// A layer's weights in integers: `W = code * scale` with the scale of its row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IntegerWeights {
    pub codes: Vec<i8>,
    /// The scale of each row, as the device applies it.
    pub scales: Vec<f64>,
    /// The multipliers of a hidden layer; empty in the last layer.
    pub multipliers: Vec<i16>,
    /// `scale = multiplier * 2^(exponent)` in a hidden layer.
    pub exponent: i32,
    /// The weights as they were rounded: the given ones, with the errors of their neighbours where these are compensated.
    pub rounded: Vec<f64>,
}

/// How weights become codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounding<'a> {
    /// The largest code: 127 at 8 bits, 7 at 4.
    pub largest: f64,
    /// What spreads the errors of a row, or nothing for the nearest code.
    pub compensation: Option<&'a Compensation>,
}

impl Rounding<'_> {
    /// The scale that each row asks for: the one at which its largest weight has the largest code or, where the inputs' variance is known, the
    /// share of it that loses least, each weight's squared error counted by the variance of its input.
    fn wished_scales(&self, weights: &[f32], cols: usize) -> Vec<f64> {
        let of_row = |row: &[f32]| {
            let whole = f64::from(row.iter().fold(0.0f32, |most, w| most.max(w.abs()))) / self.largest;
            let Some(compensation) = self.compensation else { return whole };
            let error = |scale: &f64| -> f64 {
                let error = |w: &f32| f64::from(*w) - self.nearest(f64::from(*w), *scale) * scale;
                row.iter().zip(compensation.variance()).map(|(w, v)| v * error(w).powi(2)).sum()
            };
            let candidates = (40..=100).rev().map(|percent| whole * f64::from(percent) / 100.0);
            candidates.min_by(|a, b| error(a).total_cmp(&error(b))).unwrap_or(whole)
        };
        weights.chunks_exact(cols).map(of_row).collect()
    }

    /// The nearest code.
    pub fn nearest(&self, weight: f64, scale: f64) -> f64 {
        (weight / scale).round().clamp(-self.largest, self.largest)
    }

    /// The codes of all rows and the weights as they were rounded.
    fn codes(&self, weights: &[f32], cols: usize, scales: &[f64]) -> (Vec<i8>, Vec<f64>) {
        let (mut codes, mut rounded) = (Vec::new(), Vec::new());
        for (row, scale) in weights.chunks_exact(cols).zip(scales) {
            if let Some(compensation) = self.compensation {
                let (row_codes, row_rounded) = compensation.round(row, *scale, self.largest);
                codes.extend(row_codes);
                rounded.extend(row_rounded);
            } else {
                codes.extend(row.iter().map(|w| self.nearest(f64::from(*w), *scale) as i8));
                rounded.extend(row.iter().map(|w| f64::from(*w)));
            }
        }
        (codes, rounded)
    }

    /// Weights of the last layer, with float scales.
    pub fn output_weights(&self, weights: &[f32], cols: usize) -> IntegerWeights {
        // A row of zeros, or of what f32 cannot scale, gets scale 1. The device's scale is f32, so the codes are rounded
        // against that.
        let scales: Vec<f64> = self
            .wished_scales(weights, cols)
            .into_iter()
            .map(|scale| if (scale as f32).is_normal() { f64::from(scale as f32) } else { 1.0 })
            .collect();
        let (codes, rounded) = self.codes(weights, cols, &scales);
        IntegerWeights { codes, scales, multipliers: Vec::new(), exponent: 0, rounded }
    }

    /// Weights of a hidden layer, with multipliers over one power of two: the smallest in `exponents` that fits the largest row.
    ///
    /// A row's multiplier is rounded up, so that its largest weight still fits.
    pub fn hidden_weights(&self, weights: &[f32], cols: usize, exponents: RangeInclusive<i32>) -> IntegerWeights {
        let wished = self.wished_scales(weights, cols);
        let largest = wished.iter().fold(0.0f64, |most, scale| most.max(*scale));
        let fits = |exponent: &i32| (largest / 2f64.powi(*exponent)).ceil() <= f64::from(i16::MAX);
        let exponent = exponents.clone().find(fits).unwrap_or(*exponents.end());
        let unit = 2f64.powi(exponent);
        let multipliers: Vec<i16> =
            wished.iter().map(|scale| (scale / unit).ceil().clamp(1.0, f64::from(i16::MAX)) as i16).collect();
        let scales: Vec<f64> = multipliers.iter().map(|m| f64::from(*m) * unit).collect();
        let (codes, rounded) = self.codes(weights, cols, &scales);
        IntegerWeights { codes, scales, multipliers, exponent, rounded }
    }
}

impl IntegerWeights {
    /// The multiplier and the scale nearest to a wished one, of those that a row of this layer can have; the multiplier of the last layer, whose
    /// scales are floats, is 1.
    pub fn nearest_scale(&self, wished: f64) -> (i16, f64) {
        if self.multipliers.is_empty() {
            return (1, if (wished as f32).is_normal() { f64::from(wished as f32) } else { 1.0 });
        }
        let unit = 2f64.powi(self.exponent);
        let multiplier = (wished / unit).round().clamp(1.0, f64::from(i16::MAX));
        (multiplier as i16, multiplier * unit)
    }

    /// The largest sum that inputs up to 1 in absolute value (or from 0 to 1) can reach, over all rows.
    pub fn reach(&self, cols: usize, never_negative: bool) -> i32 {
        let reach = |row: &[i8]| {
            let (mut up, mut down) = (0i32, 0i32);
            for code in row {
                up += i32::from(*code).max(0);
                down -= i32::from(*code).min(0);
            }
            if never_negative { up.max(down) } else { up + down }
        };
        self.codes.chunks_exact(cols).map(reach).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EIGHT: Rounding<'_> = Rounding { largest: 127.0, compensation: None };

    #[test]
    fn integer_weights_are_within_half_a_code_of_the_floats() {
        let weights: Vec<f32> = (0..300).map(|i| ((i * 7919) % 601) as f32 / 300.0 - 1.0).collect();
        for integer in [EIGHT.hidden_weights(&weights, 100, -60..=0), EIGHT.output_weights(&weights, 100)] {
            for (row, (codes, floats)) in integer.codes.chunks(100).zip(weights.chunks(100)).enumerate() {
                for (code, float) in codes.iter().zip(floats) {
                    let scale = integer.scales[row];
                    assert!((f64::from(*code) * scale - f64::from(*float)).abs() <= scale * 0.500_001);
                }
            }
        }
    }

    #[test]
    fn a_row_that_no_float_can_scale_is_a_row_of_zeros() {
        let integer = EIGHT.output_weights(&[1e-44, -1e-44, 0.0, 0.0, 1.0, -0.5], 2);
        assert_eq!(integer.scales[..2], [1.0, 1.0]);
        assert_eq!(integer.codes, [0, 0, 0, 0, 127, -64]);
    }

    #[test]
    fn multipliers_use_their_fifteen_bits_and_a_zero_row_survives() {
        let integer = EIGHT.hidden_weights(&[0.5, -0.2, 0.0, 0.0, 0.001, 0.0], 2, -60..=0);
        assert!(integer.multipliers[0] > 16_383);
        assert_eq!(integer.multipliers[1], 1);
        assert_eq!(integer.codes[2..4], [0, 0]);
        // 0.2 / (0.5 / 127) = 50.8.
        assert_eq!(integer.reach(2, false), 127 + 51);
        assert_eq!(integer.reach(2, true), 127);
    }
}
