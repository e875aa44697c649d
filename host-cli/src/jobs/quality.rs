//! How good a job was done, where the truth is known.

use serde::Serialize;

/// Noise before and after, against the clean signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DenoisingQuality {
    /// `all`, or a channel's name.
    pub channel: String,
    /// Values compared.
    pub values: usize,
    /// Root mean square error of what was given, in training standard deviations.
    pub rmse_before: f64,
    /// Root mean square error of what was made of it.
    pub rmse_after: f64,
    /// `20 log10(before / after)`: the gain in signal-to-noise ratio, in dB.
    pub gain_db: f64,
}

/// Compares signals before and after with the clean ones, all in the scale of training: over all values, then channel by channel if there are several.
/// Values that are missing in any of the three do not count.
#[must_use]
pub fn denoising_quality(
    channels: &[String],
    before: &[Vec<f32>],
    after: &[Vec<f32>],
    clean: &[Vec<f32>],
) -> Vec<DenoisingQuality> {
    let of = |name: &str, channel: Option<usize>| {
        let (mut sums, mut values) = ([0.0f64; 2], 0usize);
        for ((before, after), clean) in before.iter().zip(after).zip(clean) {
            for (index, ((b, a), c)) in before.iter().zip(after).zip(clean).enumerate() {
                let counts = channel.is_none_or(|channel| index % channels.len() == channel);
                if counts && !(b.is_nan() || a.is_nan() || c.is_nan()) {
                    values += 1;
                    for (sum, x) in sums.iter_mut().zip([b, a]) {
                        *sum += (f64::from(*x) - f64::from(*c)).powi(2);
                    }
                }
            }
        }
        let [rmse_before, rmse_after] = sums.map(|sum| (sum / values.max(1) as f64).sqrt());
        let gain_db = 20.0 * (rmse_before / rmse_after).log10();
        DenoisingQuality { channel: name.into(), values, rmse_before, rmse_after, gain_db }
    };
    let several = channels.iter().enumerate().filter(|_| channels.len() > 1);
    std::iter::once(of("all", None)).chain(several.map(|(number, name)| of(name, Some(number)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_error_is_twenty_decibels() {
        let names = ["a".to_string(), "b".to_string()];
        let quality = denoising_quality(
            &names,
            &[vec![1.0, 2.0, f32::NAN, 4.0]],
            &[vec![0.1, 0.2, 0.0, 0.4]],
            &[vec![0.0, 0.0, 0.0, 0.0]],
        );
        assert_eq!(quality.iter().map(|q| q.values).collect::<Vec<_>>(), [3, 1, 2]);
        assert!(quality.iter().all(|q| (q.gain_db - 20.0).abs() < 1e-5), "{quality:?}");
        assert!((quality[0].rmse_before - 7f64.sqrt()).abs() < 1e-9);
    }
}
