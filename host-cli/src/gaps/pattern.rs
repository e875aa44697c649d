//! Which values are taken out of a signal.

use crate::network::{hash, unit};

/// The least and the largest share of values, or of samples, that are taken out.
const SHARE: (f64, f64) = (0.15, 0.35);

/// Takes values out of a signal (NaN), as `seed` says: single ones at random, all channels for a while, or one channel whole, which
/// [`impute`](crate::jobs) is asked for most. At least one value goes.
pub fn take_out(signal: &mut [f32], channels: usize, seed: u64) {
    let samples = signal.len() / channels;
    let draw = |number: u64| unit(hash(&[seed, number]));
    let share = SHARE.0 + (SHARE.1 - SHARE.0) * draw(0);
    let kind = draw(1);
    let below = |count: usize, u: f64| ((u * count as f64) as usize).min(count - 1);
    // Where there is one channel alone, it is never taken whole.
    if kind < 0.4 {
        for (number, x) in (2u64..).zip(signal.iter_mut()) {
            if draw(number) < share {
                *x = f32::NAN;
            }
        }
    } else if kind < 0.7 || channels == 1 {
        let length = ((share * samples as f64).round() as usize).clamp(1, samples);
        let start = below(samples - length + 1, draw(2));
        signal[start * channels..(start + length) * channels].fill(f32::NAN);
    } else {
        let channel = below(channels, draw(2));
        signal.iter_mut().skip(channel).step_by(channels).for_each(|x| *x = f32::NAN);
    }
    if !signal.iter().any(|x| x.is_nan()) {
        signal[below(samples * channels, draw(1))] = f32::NAN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_gap_comes_in_its_share() {
        let (mut single, mut blocks, mut whole) = (0, 0, 0);
        for seed in 0..2000 {
            let mut signal = [1.0; 60];
            take_out(&mut signal, 3, seed);
            let of = |channel: usize| signal.iter().skip(channel).step_by(3).filter(|x| x.is_nan()).count();
            let counts = [of(0), of(1), of(2)];
            let missing: usize = counts.iter().sum();
            assert!(missing > 0);
            let rows = signal.chunks(3).filter(|row| row.iter().all(|x| x.is_nan())).count();
            if counts.contains(&20) {
                whole += 1;
                assert_eq!(missing, 20);
            } else if missing == 3 * rows {
                blocks += 1;
                assert!((3..=7).contains(&rows));
            } else {
                single += 1;
            }
        }
        // 40%, 30% and 30%, each within 4.5 standard errors of at most .011.
        for (count, share) in [(single, 0.4), (blocks, 0.3), (whole, 0.3)] {
            assert!((f64::from(count) / 2000.0 - share).abs() < 0.05, "{count}");
        }
    }

    #[test]
    fn one_channel_is_never_taken_whole() {
        for seed in 0..200 {
            let mut signal = [1.0; 24];
            take_out(&mut signal, 1, seed);
            assert!((1..24).contains(&signal.iter().filter(|x| x.is_nan()).count()));
        }
    }
}
