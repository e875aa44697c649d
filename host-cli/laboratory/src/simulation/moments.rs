use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// Sums over pairs (x, y) about a fixed shift, in f64: enough for means, covariance and their standard errors, and blocks of
/// pairs add up.
///
/// With a = x - shift and b = y - shift they hold the sums of a, b, a^2, ab, b^2, a^2 b, a b^2 and a^2 b^2. The shift is near the
/// means, so that little cancels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairSums {
    /// Pairs.
    pub count: u64,
    /// What was taken off x and y.
    pub shift: [f64; 2],
    /// The sums of a, b, a^2, ab, b^2, a^2 b, a b^2, a^2 b^2.
    pub sums: [f64; 8],
}

impl PairSums {
    /// No pair yet.
    #[must_use]
    pub fn about(shift: [f64; 2]) -> Self {
        Self { count: 0, shift, sums: [0.0; 8] }
    }

    /// Adds pairs.
    pub fn add(&mut self, x: &[f32], y: &[f32]) {
        let [shift_x, shift_y] = self.shift;
        for (x, y) in x.iter().zip(y) {
            let (a, b) = (f64::from(*x) - shift_x, f64::from(*y) - shift_y);
            let (aa, ab, bb) = (a * a, a * b, b * b);
            for (sum, term) in self.sums.iter_mut().zip([a, b, aa, ab, bb, a * ab, ab * b, ab * ab]) {
                *sum += term;
            }
            self.count += 1;
        }
    }

    /// Adds the pairs of another, which must be about the same shift.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.shift, other.shift);
        self.count += other.count;
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
    }

    /// The mean of x, with standard error `sqrt(v / n)`.
    #[must_use]
    pub fn mean(&self) -> Estimate {
        let n = self.count as f64;
        let [a, _, aa, ..] = self.sums.map(|sum| sum / n);
        let variance = (aa - a * a).max(0.0) * n / (n - 1.0);
        Estimate { value: self.shift[0] + a, standard_error: (variance / n).sqrt() }
    }

    /// The covariance of x and y (divided by n - 1), with standard error `sqrt((E[(x - Ex)^2 (y - Ey)^2] - c^2) / n)`.
    #[must_use]
    pub fn covariance(&self) -> Estimate {
        let n = self.count as f64;
        let [a, b, aa, ab, bb, aab, abb, aabb] = self.sums.map(|sum| sum / n);
        let c = ab - a * b;
        let square =
            aabb - 2.0 * (b * aab + a * abb) + b * b * aa + a * a * bb + 4.0 * a * b * ab - 3.0 * a * a * b * b;
        Estimate { value: c * n / (n - 1.0), standard_error: ((square - c * c).max(0.0) / n).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics;

    /// Pairs from a linear congruential generator, skewed and correlated.
    fn pairs(n: usize) -> (Vec<f32>, Vec<f32>) {
        let mut state = 1u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0
        };
        (0..n).map(|_| (draw(), draw())).map(|(u, v)| (10.0 + u * u, u - 3.0 * v)).unzip()
    }

    #[test]
    fn estimates_are_those_of_the_two_pass_formulas_wherever_the_blocks_end() {
        let (x, y) = pairs(1000);
        let both = || x.iter().zip(&y).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        let expected = (statistics::mean(both().map(|p| p.0)), statistics::covariance(both()));
        for cut in [0, 1, 256, 999] {
            let (mut first, mut second) = (PairSums::about([10.2, -1.1]), PairSums::about([10.2, -1.1]));
            first.add(&x[..cut], &y[..cut]);
            second.add(&x[cut..], &y[cut..]);
            first.merge(&second);
            for (found, expected) in [(first.mean(), expected.0), (first.covariance(), expected.1)] {
                assert!((found.value - expected.value).abs() < 1e-13, "{found:?} {expected:?}");
                assert!((found.standard_error / expected.standard_error - 1.0).abs() < 1e-11, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_constant_has_no_spread_and_one_pair_no_error() {
        let mut same = PairSums::about([0.1, 0.1]);
        same.add(&[0.3; 100], &[0.3; 100]);
        assert!(same.covariance().value.abs() < 1e-16 && same.mean().standard_error < 1e-9);
        let mut one = PairSums::about([0.0; 2]);
        one.add(&[2.0], &[2.0]);
        assert!(one.mean().value == 2.0 && one.mean().standard_error.is_nan() && one.covariance().value.is_nan());
    }
}
