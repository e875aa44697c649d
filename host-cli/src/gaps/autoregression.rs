//! Fitting an autoregression.

use mote_core::job::Autoregression;
use nalgebra::{Cholesky, DMatrix};
use thiserror::Error;

/// Added to the variances of what a sample is predicted from, and of what is left of it, in the scale of training: numbers that always move together have a
/// solution then, and a channel that never changes some noise.
const RIDGE: f64 = 1e-6;

/// An autoregression's numbers, as a blob holds them.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedAutoregression {
    channels: usize,
    order: usize,
    numbers: Vec<f32>,
    bytes: Vec<u8>,
}

/// Why there is no autoregression.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few samples in a row.
    #[error(
        "an autoregression of order {order} over {channels} channels takes {needed} stretches of {} samples without a gap, and the training part has {found}; bring longer recordings, or give a lower --order",
        order + 1
    )]
    TooShort {
        /// The order.
        order: usize,
        /// Values at each time.
        channels: usize,
        /// Stretches that it takes.
        needed: usize,
        /// Stretches there are.
        found: usize,
    },
    /// What is left of the samples has no root.
    #[error(
        "the training part gives no autoregression of order {order}: a channel is not a finite number, or too large"
    )]
    NoRoot {
        /// The order.
        order: usize,
    },
}

impl FittedAutoregression {
    /// Fits one to signals in the scale of training, each without a break and with NaN where a value is missing.
    ///
    /// For each number k of samples before, up to the order, `x_t = B_k ... + e` by least squares over all stretches of k + 1 samples without a gap, and the
    /// whitening rows `L^-1 (x_t - B_k ...)` with the covariance `L L'` of what is left (Lütkepohl 2005, chapter 3). Means are 0, as scaling left them.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn fit(signals: &[Vec<f32>], channels: usize, order: usize) -> Result<Self, FitError> {
        let mut numbers = Vec::with_capacity(Autoregression::numbers(channels, order));
        for before in 0..=order {
            let width = before * channels;
            let (mut past, mut cross) = (DMatrix::<f64>::zeros(width, width), DMatrix::<f64>::zeros(width, channels));
            let mut own = DMatrix::<f64>::zeros(channels, channels);
            let mut found = 0;
            for stretch in signals.iter().flat_map(|signal| signal.windows(width + channels).step_by(channels)) {
                if stretch.iter().any(|x| x.is_nan()) {
                    continue;
                }
                found += 1;
                let x: Vec<f64> = stretch.iter().map(|x| f64::from(*x)).collect();
                let (z, y) = x.split_at(width);
                for (i, a) in z.iter().enumerate() {
                    z.iter().take(i + 1).enumerate().for_each(|(j, b)| past[(i, j)] += a * b);
                    y.iter().enumerate().for_each(|(j, b)| cross[(i, j)] += a * b);
                }
                for (i, a) in y.iter().enumerate() {
                    y.iter().enumerate().for_each(|(j, b)| own[(i, j)] += a * b);
                }
            }
            let needed = 2 * (width + channels);
            if found < needed {
                return Err(FitError::TooShort { order: before, channels, needed, found });
            }
            let n = found as f64;
            past.fill_upper_triangle_with_lower_triangle();
            for i in 0..width {
                past[(i, i)] += RIDGE * n;
            }
            let no_root = FitError::NoRoot { order: before };
            let root = Cholesky::new(past.clone()).ok_or_else(|| no_root.clone());
            let weights = if width > 0 { root?.solve(&cross) } else { cross.clone() };
            // E (y - B'z)(y - B'z)', without a second pass over the data.
            let explained = cross.transpose() * &weights;
            let mut left = (&own - &explained - explained.transpose() + weights.transpose() * &past * &weights) / n;
            for i in 0..channels {
                left[(i, i)] += RIDGE;
            }
            let lower = Cholesky::new(left).ok_or_else(|| no_root.clone())?.l();
            let mut rows = DMatrix::<f64>::zeros(channels, width + channels);
            rows.view_mut((0, 0), (channels, width)).copy_from(&-weights.transpose());
            rows.view_mut((0, width), (channels, channels)).fill_with_identity();
            if !lower.solve_lower_triangular_mut(&mut rows) {
                return Err(no_root);
            }
            for row in rows.row_iter() {
                numbers.extend(row.iter().map(|x| *x as f32));
            }
        }
        let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let fitted = Self { channels, order, numbers, bytes };
        match Autoregression::new(channels, order, &fitted.bytes) {
            Some(_) => Ok(fitted),
            None => Err(FitError::NoRoot { order }),
        }
    }

    /// As core runs it.
    ///
    /// # Panics
    /// Never: it was made once when it was fitted.
    #[must_use]
    pub fn core(&self) -> Autoregression<'_> {
        Autoregression::new(self.channels, self.order, &self.bytes).expect("made when it was fitted")
    }

    /// Its numbers, row after row.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};

    #[test]
    fn a_known_process_is_found() {
        // x_t = A x_(t-1) + e with e of covariance S, by its own definition; 40,000 samples in two signals.
        let (a, root) = ([[0.7, 0.2], [-0.1, 0.5]], [[0.5, 0.0], [0.3, 0.4]]);
        let mut noise = Ziggurat::new(Stream::new(11));
        let mut signal = || {
            let mut x = [0.0f64; 2];
            let mut out = Vec::new();
            for _ in 0..20_000 {
                let z = [noise.normal(), noise.normal()].map(f64::from);
                let step = |i: usize| a[i][0] * x[0] + a[i][1] * x[1] + root[i][0] * z[0] + root[i][1] * z[1];
                x = [step(0), step(1)];
                out.extend(x.map(|x| x as f32));
            }
            out
        };
        let mut signals = vec![signal(), signal()];
        // A gap takes out the stretches over it, and nothing else.
        signals[0][777] = f32::NAN;
        let fitted = FittedAutoregression::fit(&signals, 2, 1).unwrap();
        let numbers = fitted.numbers();
        // Row r of the whitening: L^-1 [-A | I]. L^-1 of the root is [[2, 0], [-1.5, 2.5]].
        let inverse = [[2.0, 0.0], [-1.5, 2.5]];
        for r in 0..2 {
            for c in 0..2 {
                let past = -(inverse[r][0] * a[0][c] + inverse[r][1] * a[1][c]);
                // Standard errors of a coefficient are about sqrt(S / (n C)) = .005, and L^-1 is up to 2.9: 4.5 of them.
                assert!((f64::from(numbers[4 + 4 * r + c]) - past).abs() < 0.07, "{r} {c}");
                assert!((f64::from(numbers[4 + 4 * r + 2 + c]) - inverse[r][c]).abs() < 0.07, "{r} {c}");
            }
        }
    }

    #[test]
    fn too_little_to_go_by_is_said() {
        let message = FittedAutoregression::fit(&[vec![0.5; 20]], 2, 3).unwrap_err().to_string();
        // Ten samples in a row have eight stretches of three, and four coefficients and two variances a row want twelve.
        assert!(message.contains("12 stretches of 3 samples") && message.contains("has 8"), "{message}");
        assert!(message.contains("--order"), "{message}");
        let message = FittedAutoregression::fit(&[vec![f32::MAX; 200]], 2, 1).unwrap_err().to_string();
        assert!(message.contains("not a finite number"), "{message}");
    }

    #[test]
    fn a_channel_that_never_changes_has_an_autoregression() {
        let signal: Vec<f32> = (0..400).flat_map(|i| [(i as f32 * 0.7).sin(), 0.0]).collect();
        assert!(FittedAutoregression::fit(&[signal], 2, 4).is_ok());
    }
}
