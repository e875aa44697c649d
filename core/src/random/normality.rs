//! Tests that a sequence of numbers is independent standard normal, for any [`NormalSource`].
//!
//! Each asserts, so each has a false-alarm rate: the chance that a perfect source with a random
//! seed fails. Truth comes from `libm::erfc` in double precision. The number of draws is smaller in
//! debug builds, which would take too long otherwise; the rates hold at any number.

use std::vec::Vec;

use super::NormalSource;

/// How many normals a test draws.
pub const COUNT: usize = if cfg!(debug_assertions) { 1 << 20 } else { 1 << 22 };

/// `count` normals.
pub fn draw(source: &mut impl NormalSource, count: usize) -> Vec<f32> {
    let mut sample = std::vec![0.0; count];
    source.fill(&mut sample);
    sample
}

/// P(Z > x).
pub fn upper_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x * core::f64::consts::FRAC_1_SQRT_2)
}

/// P(Z <= x).
pub fn cumulative(x: f64) -> f64 {
    upper_tail(-x)
}

/// Kolmogorov-Smirnov against a distribution function; false-alarm rate 1e-4.
///
/// 2.2253 is where the limit law 2 exp(-2 c^2) is 1e-4.
pub fn assert_distributed(sample: &mut [f32], distribution: impl Fn(f64) -> f64) {
    sample.sort_unstable_by(f32::total_cmp);
    let n = sample.len() as f64;
    let distance = sample
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let p = distribution(f64::from(*x));
            (p - i as f64 / n).max((i as f64 + 1.0) / n - p)
        })
        .fold(0.0, f64::max);
    assert!(distance * n.sqrt() < 2.2253, "D = {distance}, n = {n}");
}

/// Chi-square over 256 bins of equal probability; false-alarm rate 1e-4.
///
/// 176.39 and 352.43 cut off 5e-5 on either side of the law with 255 degrees of freedom.
pub fn assert_even_over_bins(sample: &[f32]) {
    let mut counts = [0_u32; 256];
    for z in sample {
        let bin = cumulative(f64::from(*z)) * 256.0;
        counts[(bin as usize).min(255)] += 1;
    }
    let expected = sample.len() as f64 / 256.0;
    let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    assert!((176.39..352.43).contains(&chi_square), "chi-square = {chi_square}");
}

/// Mean, variance, skewness and kurtosis within four standard errors; false-alarm rate 2.6e-4.
pub fn assert_normal_moments(sample: &[f32]) {
    let n = sample.len() as f64;
    // Times n, the four estimates have the variances 1, 2, 6 and 24 for a normal.
    let mean = sample.iter().map(|z| f64::from(*z)).sum::<f64>() / n;
    let about_mean = |power: i32| {
        let sum: f64 = sample.iter().map(|z| (f64::from(*z) - mean).powi(power)).sum();
        sum / n
    };
    let variance = about_mean(2);
    let skewness = about_mean(3) / variance.powf(1.5);
    let kurtosis = about_mean(4) / variance.powi(2) - 3.0;
    let bound = |variance: f64| 4.0 * (variance / n).sqrt();
    assert!(mean.abs() < bound(1.0), "mean = {mean}");
    assert!((variance - 1.0).abs() < bound(2.0), "variance = {variance}");
    assert!(skewness.abs() < bound(6.0), "skewness = {skewness}");
    assert!(kurtosis.abs() < bound(24.0), "excess kurtosis = {kurtosis}");
}

/// Counts beyond 3, 4 and 5 on either side against their binomial law; false-alarm rate 4e-4.
///
/// Both sides of a bound are exact: sums of Poisson terms, which the binomial is at these rates,
/// out to a chance of 3e-5 on each of 12 sides.
pub fn assert_normal_tail_counts(sample: &[f32]) {
    for threshold in [3.0_f32, 4.0, 5.0] {
        let expected = sample.len() as f64 * upper_tail(f64::from(threshold));
        let (fewest, most) = poisson_range(expected, 3e-5);
        let above = sample.iter().filter(|z| **z > threshold).count();
        let below = sample.iter().filter(|z| **z < -threshold).count();
        for count in [above, below] {
            assert!((fewest..=most).contains(&count), "{count} beyond {threshold}, expected {expected}");
        }
    }
}

/// The counts that a Poisson variable stays within, but for a chance of `miss` on either side.
fn poisson_range(mean: f64, miss: f64) -> (usize, usize) {
    let term = |k: usize| {
        let k = k as f64;
        libm::exp(k * libm::log(mean) - mean - libm::lgamma(k + 1.0))
    };
    let mut below = 0.0;
    let mut fewest = 0;
    while below + term(fewest) < miss {
        below += term(fewest);
        fewest += 1;
    }
    let mut inside = below;
    let mut most = fewest;
    loop {
        inside += term(most);
        if 1.0 - inside < miss {
            return (fewest, most);
        }
        most += 1;
    }
}

/// Correlations of the numbers, and of their squares, with their successors at distances 1 to 4,
/// within four standard errors; false-alarm rate 5.1e-4.
pub fn assert_uncorrelated(sample: &[f32]) {
    for lag in 1..=4 {
        let n = (sample.len() - lag) as f64;
        let (mut plain, mut squared) = (0.0, 0.0);
        for (z, later) in sample.iter().zip(&sample[lag..]) {
            let (z, later) = (f64::from(*z), f64::from(*later));
            plain += z * later;
            squared += (z * z - 1.0) * (later * later - 1.0);
        }
        // Z Z' has variance 1; (Z^2 - 1)(Z'^2 - 1) has variance 4.
        assert!((plain / n).abs() < 4.0 / n.sqrt(), "lag {lag}: {plain}");
        assert!((squared / n).abs() < 8.0 / n.sqrt(), "squares, lag {lag}: {squared}");
    }
}

/// The tests themselves must see small defects.
mod sensitivity {
    use super::super::{Stream, Ziggurat};
    use super::*;

    fn sample_of(seed: u64, defect: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        let mut previous = 0.0;
        let mut sample = draw(&mut Ziggurat::new(Stream::new(seed)), COUNT);
        for z in &mut sample {
            (previous, *z) = (*z, defect(*z, previous));
        }
        sample
    }

    #[test]
    #[should_panic(expected = "D = ")]
    fn kolmogorov_smirnov_sees_a_scale_two_percent_off() {
        assert_distributed(&mut sample_of(1, |z, _| 1.02 * z), cumulative);
    }

    #[test]
    #[should_panic(expected = "chi-square = ")]
    fn chi_square_sees_a_gap_of_a_hundredth() {
        assert_even_over_bins(&sample_of(2, |z, _| if z.abs() < 0.01 { 0.01 } else { z }));
    }

    #[test]
    #[should_panic(expected = "skewness = ")]
    fn moments_see_a_slight_skew() {
        assert_normal_moments(&sample_of(3, |z, _| z + 0.005 * (z * z - 1.0)));
    }

    #[test]
    #[should_panic(expected = "beyond 3")]
    fn tail_counts_see_a_scale_two_percent_off() {
        assert_normal_tail_counts(&sample_of(4, |z, _| 1.02 * z));
    }

    #[test]
    #[should_panic(expected = "lag 1")]
    fn correlations_see_one_percent_of_the_predecessor() {
        assert_uncorrelated(&sample_of(5, |z, previous| z + 0.01 * previous));
    }
}
