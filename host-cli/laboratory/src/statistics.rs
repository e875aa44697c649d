//! Estimates with their standard errors.

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::stats_tests::NaNPolicy;
use statrs::stats_tests::ks_test::{KSOneSampleAlternativeMethod, ks_onesample};

/// A measured quantity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// The standard deviation of the value over repetitions of the experiment.
    pub standard_error: f64,
}

/// The mean of independent draws, with standard error `sqrt(v / n)`.
pub fn mean(draws: impl Iterator<Item = f64> + Clone) -> Estimate {
    let (n, mean) = average(draws.clone());
    let (_, square) = average(draws.map(|x| (x - mean).powi(2)));
    Estimate { value: mean, standard_error: (square / (n - 1.0)).sqrt() }
}

/// The variance of independent draws (divided by n - 1), with standard error `sqrt((m4 - v^2) / n)`, m4 the fourth central moment.
pub fn variance(draws: impl Iterator<Item = f64> + Clone) -> Estimate {
    covariance(draws.map(|x| (x, x)))
}

/// The covariance of independent pairs (divided by n - 1), with standard error `sqrt((E[(x - Ex)^2 (y - Ey)^2] - c^2) / n)`.
pub fn covariance(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Estimate {
    let (n, mean_x) = average(pairs.clone().map(|p| p.0));
    let (_, mean_y) = average(pairs.clone().map(|p| p.1));
    let products = pairs.map(|(x, y)| (x - mean_x) * (y - mean_y));
    let (_, c) = average(products.clone());
    let (_, square) = average(products.map(|p| (p - c).powi(2)));
    Estimate { value: c * n / (n - 1.0), standard_error: (square / n).sqrt() }
}

/// The mean of the squares of independent draws, with its standard error.
pub fn mean_square(draws: impl Iterator<Item = f64> + Clone) -> Estimate {
    mean(draws.map(|x| x * x))
}

/// How well draws follow a law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// A measure of the gap between the two; not a number if there is nothing to compare.
    pub statistic: f64,
    /// What it is on average for draws that follow the law.
    pub expected: f64,
    /// The probability that such draws are at least as far off.
    pub p: f64,
}

impl Fit {
    const NONE: Self = Self { statistic: f64::NAN, expected: f64::NAN, p: 0.0 };
}

/// Kolmogorov and Smirnov's largest gap between the distribution functions of draws and of a law, `sup |F_n - F|`.
///
/// The probability is that of the limit law, `2 sum (-1)^(k-1) e^(-2 k^2 n D^2)`, right to a few per cent from a thousand
/// draws on; its mean is `sqrt(pi / 2) ln 2 / sqrt(n)`. Source: Kolmogorov 1933.
pub fn kolmogorov_smirnov(draws: impl Iterator<Item = f64>, law: &impl ContinuousCDF<f64, f64>) -> Fit {
    let draws: Vec<_> = draws.collect();
    let expected = std::f64::consts::FRAC_PI_2.sqrt() * std::f64::consts::LN_2 / (draws.len() as f64).sqrt();
    match ks_onesample(draws, law, KSOneSampleAlternativeMethod::TwoSidedAsymptotic, NaNPolicy::Error) {
        Ok((statistic, p)) => Fit { statistic, expected, p },
        Err(_) => Fit::NONE,
    }
}

/// Pearson's `sum (count - n p)^2 / (n p)` over classes with given probabilities (scaled to add up to 1), two-sided.
///
/// Its law is that of chi-square with one degree of freedom fewer than classes, good where each expects some hundreds of
/// counts. Draws that fit too well are as far off as draws that fit too badly. Source: Pearson 1900.
#[must_use]
pub fn chi_square(counts: &[usize], probabilities: &[f64]) -> Fit {
    let n = counts.iter().sum::<usize>() as f64 / probabilities.iter().sum::<f64>();
    let freedom = counts.len() as f64 - 1.0;
    let Ok(law) = ChiSquared::new(freedom) else { return Fit::NONE };
    if counts.len() != probabilities.len() {
        return Fit::NONE;
    }
    let statistic = counts.iter().zip(probabilities).map(|(&c, p)| (c as f64 - n * p).powi(2) / (n * p)).sum();
    Fit { statistic, expected: freedom, p: (2.0 * law.cdf(statistic).min(law.sf(statistic))).min(1.0) }
}

/// Number and mean, by a compensated sum.
fn average(draws: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut n, mut sum, mut lost) = (0.0, 0.0, 0.0);
    for x in draws {
        let next = x - lost;
        let total = sum + next;
        lost = (total - sum) - next;
        sum = total;
        n += 1.0;
    }
    (n, sum / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_of_four_numbers() {
        // By hand: mean 2.5, squared gaps 2.25 .25 .25 2.25.
        let x = [1.0, 2.0, 3.0, 4.0];
        let m = mean(x.into_iter());
        assert!((m.value - 2.5).abs() < 1e-15 && (m.standard_error - (1.25f64 / 3.0).sqrt()).abs() < 1e-15);
        let v = variance(x.into_iter());
        assert!((v.value - 5.0 / 3.0).abs() < 1e-15 && (v.standard_error - 0.5).abs() < 1e-15, "{v:?}");
        let c = covariance([(1.0, 4.0), (2.0, 3.0), (3.0, 2.0), (4.0, 1.0)].into_iter());
        assert!((c.value + 5.0 / 3.0).abs() < 1e-15 && (c.standard_error - 0.5).abs() < 1e-15);
    }

    #[test]
    fn the_gap_of_four_draws_from_the_uniform_law() {
        // By hand: the steps 1/4 .. 1 against F = .1 .2 .3 .9 leave .45 above the third draw.
        let uniform = statrs::distribution::Uniform::new(0.0, 1.0).unwrap();
        let fit = kolmogorov_smirnov([0.3, 0.1, 0.9, 0.2].into_iter(), &uniform);
        assert!((fit.statistic - 0.45).abs() < 1e-15, "{fit:?}");
        // Smirnov's table of the limit law: 1.3581 / sqrt(n) is exceeded with a probability of 5%, here by 101 equal steps.
        let n = 100_000;
        let shifted = (0..n).map(|i| ((f64::from(i) + 0.5) / f64::from(n) + 1.3581 / f64::from(n).sqrt()).min(1.0));
        assert!((kolmogorov_smirnov(shifted, &uniform).p - 0.05).abs() < 5e-4);
        assert_eq!(kolmogorov_smirnov([0.5, f64::NAN].into_iter(), &uniform).p, 0.0);
    }

    #[test]
    fn chi_square_of_a_die_and_of_a_fit_too_good() {
        // By hand: gaps of 5 3 -2 2 -9 1 from 20: (25 + 9 + 4 + 4 + 81 + 1) / 20 = 6.2. P(chi2_5 > 6.2) = .2872 (Abramowitz and
        // Stegun, formula 26.4.4).
        let fit = chi_square(&[25, 23, 18, 22, 11, 21], &[1.0; 6]);
        assert!((fit.statistic - 6.2).abs() < 1e-12 && fit.expected == 5.0);
        assert!((fit.p - 2.0 * 0.2872).abs() < 2e-4, "{fit:?}");
        assert_eq!(chi_square(&[1000; 6], &[1.0; 6]).p, 0.0);
        assert!(chi_square(&[1, 2], &[1.0; 3]).statistic.is_nan());
    }
}
