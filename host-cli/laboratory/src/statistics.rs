//! Estimates with their standard errors.

use serde::Serialize;

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
}
