//! Scales of activation codes: the ones with the least squared error on the calibration values.

use mote_core::network::PRE_ACTIVATION_FRACTION_BITS;

/// Squared error of values rounded to codes of `unit` within `low..=high`.
fn squared_error(values: &[f32], unit: f32, low: f32, high: f32) -> f64 {
    values.iter().map(|x| f64::from(rounded(*x, unit, low, high) - x).powi(2)).sum()
}

/// A value rounded to a code of `unit` within `low..=high`, half up.
pub(super) fn rounded(x: f32, unit: f32, low: f32, high: f32) -> f32 {
    (x / unit + 0.5).floor().clamp(low, high) * unit
}

/// The value of one activation code whose shift is `shift`.
pub(super) fn code_unit(shift: u8) -> f32 {
    f32::from(1u16 << shift) / (1u32 << PRE_ACTIVATION_FRACTION_BITS) as f32
}

/// The shift in `range` that loses least on `values`, which are the outputs of one layer, or of the layers of one residual
/// chain, at one level, each with its largest code.
///
/// With a `headroom`, values may grow by this factor past the largest one before they are clipped, as far as the range allows.
pub(super) fn best_shift(
    values: &[(&[f32], u16)],
    never_negative: bool,
    range: std::ops::RangeInclusive<u8>,
    headroom: Option<f32>,
) -> u8 {
    let roomy = |shift: &u8| {
        let reach = |(values, q_max): &(&[f32], u16)| {
            let largest = values.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            code_unit(*shift) * f32::from(*q_max) >= headroom.unwrap_or(0.0) * largest
        };
        values.iter().all(reach)
    };
    let least = range.clone().find(roomy).unwrap_or(*range.end());
    let range = least..=*range.end();
    let error = |shift: u8| -> f64 {
        let sum = |(values, q_max): &(&[f32], u16)| {
            let high = f32::from(*q_max);
            squared_error(values, code_unit(shift), if never_negative { 0.0 } else { -high }, high)
        };
        values.iter().map(sum).sum()
    };
    range.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(0)
}

/// Codes per unit of the scaled input that lose least on `values`.
///
/// With a `headroom`, the largest value times this is the largest code.
pub(super) fn best_input_scale(values: &[f32], q_max: u16, headroom: Option<f32>) -> f32 {
    let largest = values.iter().fold(0.0f32, |most, x| most.max(x.abs())).max(1e-6);
    let high = f32::from(q_max);
    if let Some(headroom) = headroom {
        return high / (headroom * largest);
    }
    let candidates = (8..=40).map(|share| high / (largest * share as f32 / 40.0));
    let error = |scale: &f32| squared_error(values, 1.0 / scale, -high, high);
    candidates.min_by(|a, b| error(a).total_cmp(&error(b))).unwrap_or(high / largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_shift_covers_the_values_without_waste() {
        // Uniform values up to 3: codes to 127 in units of 2^-5 reach 3.97, in units of 2^-6 only 1.98.
        let values: Vec<f32> = (0..1000).map(|i| i as f32 * 0.003).collect();
        assert_eq!(best_shift(&[(&values, 127)], true, 0..=14, None), 5);
        // A wider range of codes takes a finer unit: 2^-9 reaches 3.99 with 2047 codes.
        assert_eq!(best_shift(&[(&values, 2047)], true, 0..=14, None), 1);
        // A quarter more than 3 fits 3.99 still, half more does not.
        assert_eq!(best_shift(&[(&values, 2047)], true, 0..=14, Some(1.25)), 1);
        assert_eq!(best_shift(&[(&values, 2047)], true, 0..=14, Some(1.5)), 2);
        assert_eq!(best_shift(&[(&values, 127)], true, 6..=14, None), 6);
    }

    #[test]
    fn the_input_scale_clips_rare_values_rather_than_coarsening_all() {
        let mut values: Vec<f32> = (0..400_000).map(|i| (i % 2000) as f32 * 0.001 - 1.0).collect();
        assert!((best_input_scale(&values, 127, None) - 127.0).abs() < 10.0);
        // A range of 2 would cost 400,000 (2 / 127)^2 / 12 = 8.3, a range of 1 costs 2.1 and (2 - 1)^2 once.
        values.push(2.0);
        assert!((best_input_scale(&values, 127, None) - 127.0).abs() < 10.0);
    }
}
