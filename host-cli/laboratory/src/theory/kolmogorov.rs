//! Kolmogorov and Smirnov's tests as rows: the largest gap between two distribution functions.
//!
//! Both go by the limit law of the gap, which overstates the probability of a large one by less than a hundredth from ten thousand draws on.

use statrs::distribution::Uniform;
use statrs::stats_tests::NaNPolicy;
use statrs::stats_tests::ks_test::{KSTwoSampleAlternativeMethod, ks_twosample};

use super::Row;
use crate::statistics::kolmogorov_smirnov;

/// Draws against the law with the distribution function `cdf`.
pub(super) fn against_law(
    name: &'static str,
    statement: impl Into<String>,
    draws: &[f32],
    cdf: impl Fn(f64) -> f64,
) -> Row {
    // A value's own probability is uniform, whatever the law.
    let fit = kolmogorov_smirnov(draws.iter().map(|x| cdf(f64::from(*x))), &Uniform::standard());
    Row::p_value(name, statement, fit.expected, fit.statistic, fit.p)
}

/// Draws against other draws.
pub(super) fn against_draws(name: &'static str, statement: impl Into<String>, a: &[f32], b: &[f32]) -> Row {
    let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect();
    let method = KSTwoSampleAlternativeMethod::TwoSidedAsymptotic;
    let (gap, p) = ks_twosample(wide(a), wide(b), method, NaNPolicy::Error).unwrap_or((f64::NAN, f64::NAN));
    // The mean of the limit law, sqrt(pi / 2) ln 2, times the root of the sum of the sizes' inverses.
    let sizes = 1.0 / a.len() as f64 + 1.0 / b.len() as f64;
    let expected = std::f64::consts::FRAC_PI_2.sqrt() * std::f64::consts::LN_2 * sizes.sqrt();
    Row::p_value(name, statement, expected, gap, p)
}

#[cfg(test)]
mod tests {
    use super::super::{Test, Verdict};
    use super::*;

    #[test]
    fn gaps_are_those_counted_by_hand_and_what_is_no_number_fails() {
        // Steps of 1/4 at .1 .2 .3 .9 against F(x) = x: .75 - .3 = .45 just after the third.
        let row = against_law("a", "a", &[0.3, 0.1, 0.9, 0.2], |x| x);
        assert!((row.measured - 0.45).abs() < 1e-7);
        // All of the first before all of the second but one of four.
        let row = against_draws("a", "a", &[1.0, 2.0, 3.0, 6.0], &[4.0, 5.0, 7.0, 8.0]);
        assert!((row.measured - 0.75).abs() < 1e-12);
        assert_eq!(against_law("a", "a", &[0.3, f32::NAN], |x| x).verdict(), Verdict::Fails);
    }

    #[test]
    fn the_probability_is_smirnovs() {
        // Smirnov 1948, table of the limit law: 1.3581 / sqrt(n) is exceeded with a probability of .05.
        let n = 100_000;
        let gap = 1.3581 / f64::from(n).sqrt();
        let draws: Vec<f32> = (0..n).map(|i| ((f64::from(i) + 0.5) / f64::from(n)) as f32).collect();
        let Test::PValue { p } = against_law("a", "a", &draws, |x| (x + gap).min(1.0)).test else { unreachable!() };
        assert!((p - 0.05).abs() < 1e-3, "{p}");
    }
}
