//! How noisy a signal is, from the signal alone.

/// What turns a median absolute deviation of a normal law into its standard deviation.
const MAD_OF_NORMAL: f64 = 0.674_489_750_196_081_7;

/// The deviation of white noise in signals of some channels, each value in units of its channel's deviation: the median over the channels of
/// each channel's estimate. None where there are fewer than three samples in a row.
///
/// A second difference `x[i-1] - 2 x[i] + x[i+1]` takes a smooth signal out and leaves `sqrt(6)` times the noise; the median of its absolute value
/// leaves out the few places where the signal itself turns sharply (Gasser, Sroka and Jennen-Steinmetz 1986; Donoho and Johnstone 1994).
#[must_use]
pub fn estimate_noise(pieces: &[Vec<f32>], channels: usize) -> Option<f64> {
    let of_channel = |channel: usize| {
        let mut differences: Vec<f64> = pieces
            .iter()
            .flat_map(|piece| {
                let values: Vec<f64> = piece.iter().skip(channel).step_by(channels).map(|x| f64::from(*x)).collect();
                values.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).collect::<Vec<_>>()
            })
            .filter(|difference| !difference.is_nan())
            .collect();
        Some(median(&mut differences)? / MAD_OF_NORMAL / 6f64.sqrt())
    };
    median(&mut (0..channels).filter_map(of_channel).collect::<Vec<_>>())
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len().is_multiple_of(2) { (values[values.len() / 2 - 1] + upper) / 2.0 } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};

    #[test]
    fn noise_on_a_slow_wave_is_found() {
        // The median of 2 x 4,000 absolute second differences, which are correlated, has a standard error below 2%: 4.5 of them are 9%.
        let mut noise = Ziggurat::new(Stream::new(5));
        for sigma in [0.05f32, 0.3] {
            let signal = (0..8000).map(|i| (i as f32 / 2.0 * 0.02).sin() + sigma * noise.normal()).collect();
            let found = estimate_noise(&[signal], 2).unwrap();
            assert!((found / f64::from(sigma) - 1.0).abs() < 0.09, "{sigma} {found}");
        }
        assert_eq!(estimate_noise(&[vec![0.0; 2]], 1), None);
    }
}
