//! Rounding weights so that the errors of a row cancel where its inputs are alike.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::trail::Trail;
use crate::denoiser::FloatDenoiser;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;

/// Share of the mean variance added to every input's, so that the inverse exists and rare inputs stay bounded.
const DAMPING: f64 = 0.01;

/// Where a device clips pre-activations.
const PRE_ACTIVATION_LIMIT: f32 = 32.0;

/// Mean and covariance of a layer's inputs.
#[derive(Clone, Debug)]
pub(super) struct InputMoments {
    count: f64,
    /// Sums of the inputs.
    sum: Vec<f64>,
    /// Sums of products, row by row, the lower triangle alone.
    products: Vec<f64>,
}

impl InputMoments {
    fn new(cols: usize) -> Self {
        Self { count: 0.0, sum: vec![0.0; cols], products: vec![0.0; cols * cols] }
    }

    /// Adds one input vector.
    pub fn add(&mut self, input: &[f32]) {
        let cols = self.sum.len();
        self.count += 1.0;
        self.sum.iter_mut().zip(input).for_each(|(sum, x)| *sum += f64::from(*x));
        for (r, (row, x)) in self.products.chunks_exact_mut(cols).zip(input).enumerate() {
            if *x != 0.0 {
                row[..=r].iter_mut().zip(input).for_each(|(sum, y)| *sum += f64::from(*x) * f64::from(*y));
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.iter_mut().zip(&other.sum).for_each(|(a, b)| *a += b);
        self.products.iter_mut().zip(&other.products).for_each(|(a, b)| *a += b);
    }

    /// The mean of each input.
    pub fn mean(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.count.max(1.0)).collect()
    }

    /// The covariance of the inputs.
    fn covariance(&self) -> DMatrix<f64> {
        let (cols, mean) = (self.sum.len(), self.mean());
        DMatrix::from_fn(cols, cols, |r, c| {
            self.products[r.max(c) * cols + r.min(c)] / self.count.max(1.0) - mean[r] * mean[c]
        })
    }

    /// The moments of every layer's input along a trail, as far as a device can hold it.
    pub fn of_layers(network: &FloatNetwork, noising: &Noising, set: &LevelSet, trail: &Trail) -> Vec<Self> {
        let empty = || network.layers().iter().map(|layer| Self::new(layer.cols)).collect::<Vec<_>>();
        // A fixed division into tasks, joined in order, so that the result does not depend on threads.
        let parts: Vec<_> = trail
            .evaluations
            .par_chunks(1024)
            .map(|chunk| {
                let mut moments = empty();
                let mut float = FloatDenoiser::new(network, noising, &set.levels);
                let mut out = vec![0.0; network.shape().dim_out];
                for met in chunk {
                    float.predict_altered(
                        met.level,
                        met.class,
                        &met.x,
                        &mut out,
                        |_| {},
                        |layer, _, output| {
                            if let Some(next) = moments.get_mut(layer + 1) {
                                if !network.layers()[layer].residual {
                                    output
                                        .iter_mut()
                                        .for_each(|x| *x = x.clamp(-PRE_ACTIVATION_LIMIT, PRE_ACTIVATION_LIMIT));
                                }
                                next.add(output);
                            }
                        },
                    );
                    moments[0].add(float.scaled());
                }
                moments
            })
            .collect();
        let mut all = empty();
        for part in parts {
            all.iter_mut().zip(&part).for_each(|(all, part)| all.join(part));
        }
        all
    }
}

/// Error compensation for one layer, after Frantar, Ashkboos, Hoefler and Alistarh, "GPTQ" (ICLR 2023), on the covariance of the inputs; what
/// the mean of the inputs makes of the errors goes into the bias.
///
/// A row's output error has the variance `e^T H e` with `H` the inputs' covariance. Columns are rounded one after another, those with most
/// variance first, and each error is spread over the columns that are left: with `H^-1 = U^T U`, `w_k -= (w_j - code_j s) / U_jj U_jk`.
#[derive(Clone, Debug)]
pub(super) struct Compensation {
    /// The columns in the order in which they are rounded.
    order: Vec<usize>,
    /// `U_jk / U_jj` in that order, row by row.
    spread: Vec<f64>,
    /// Variance of each input and the damping, in the columns' own order.
    variance: Vec<f64>,
}

impl Compensation {
    /// Prepares a layer. Cost: cols^3.
    pub fn new(moments: &InputMoments) -> Self {
        let covariance = moments.covariance();
        let cols = covariance.nrows();
        let mut variance: Vec<f64> = covariance.diagonal().iter().map(|v| v.max(0.0)).collect();
        let mut order: Vec<usize> = (0..cols).collect();
        order.sort_by(|a, b| variance[*b].total_cmp(&variance[*a]));
        let damping = (DAMPING * variance.iter().sum::<f64>() / cols as f64).max(1e-12);
        let damped =
            DMatrix::from_fn(cols, cols, |r, c| covariance[(order[r], order[c])] + if r == c { damping } else { 0.0 });
        let upper = damped.cholesky().map(|h| h.inverse()).and_then(|inverse| inverse.cholesky()).map(|h| h.l());
        let spread = (0..cols * cols)
            .map(|index| {
                let (j, k) = (index / cols, index % cols);
                // U is the transpose of the lower factor. Without a factor nothing is spread: plain rounding.
                upper.as_ref().filter(|_| k > j).map_or(0.0, |l| l[(k, j)] / l[(j, j)])
            })
            .collect();
        variance.iter_mut().for_each(|v| *v += damping);
        Self { order, spread, variance }
    }

    /// Variance of each input, and a little more, so that no weight is worth nothing.
    pub fn variance(&self) -> &[f64] {
        &self.variance
    }

    /// The codes of one row of weights, and each weight as it was when it was rounded.
    pub fn round(&self, row: &[f32], scale: f64, largest: f64) -> (Vec<i8>, Vec<f64>) {
        let cols = row.len();
        let mut left: Vec<f64> = self.order.iter().map(|c| f64::from(row[*c])).collect();
        let (mut codes, mut met) = (vec![0; cols], vec![0.0; cols]);
        for (j, column) in self.order.iter().enumerate() {
            let code = (left[j] / scale).round().clamp(-largest, largest);
            let error = left[j] - code * scale;
            (codes[*column], met[*column]) = (code as i8, left[j]);
            let spread = &self.spread[j * cols + j + 1..(j + 1) * cols];
            left[j + 1..].iter_mut().zip(spread).for_each(|(w, share)| *w -= error * share);
        }
        (codes, met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs that share a common part, so that errors of opposite sign cancel.
    fn inputs() -> Vec<[f32; 4]> {
        (0..500)
            .map(|i| {
                let wave = |step: f32| (i as f32 * step).sin();
                let common = 2.0 * wave(0.7);
                [common + 0.2 * wave(1.3), common + 0.2 * wave(2.1), common + 0.2 * wave(0.31) + 5.0, 0.5 * wave(1.9)]
            })
            .collect()
    }

    fn moments(inputs: &[[f32; 4]]) -> InputMoments {
        let mut moments = InputMoments::new(4);
        inputs.iter().for_each(|input| moments.add(input));
        moments
    }

    #[test]
    fn moments_are_those_of_the_inputs() {
        let inputs = inputs();
        let moments = moments(&inputs);
        let mean = |of: &dyn Fn(&[f32; 4]) -> f64| inputs.iter().map(of).sum::<f64>() / 500.0;
        let (a, b) = (mean(&|x| f64::from(x[1])), mean(&|x| f64::from(x[2])));
        assert!((moments.mean()[2] - b).abs() < 1e-9);
        let covariance = mean(&|x| (f64::from(x[1]) - a) * (f64::from(x[2]) - b));
        assert!((moments.covariance()[(1, 2)] - covariance).abs() < 1e-9);
        assert!((moments.covariance()[(2, 1)] - covariance).abs() < 1e-9);
    }

    #[test]
    fn compensated_codes_are_near_the_best_of_all_codes() {
        // Every one of the 5^4 neighbours within two codes is tried: the exact least error. Compensation is greedy, so it may miss it by a
        // little; plain rounding knows nothing of the correlations and misses it by half as much again.
        let inputs = inputs();
        let covariance = moments(&inputs).covariance();
        let compensation = Compensation::new(&moments(&inputs));
        let error = |row: &[f32], codes: &[i8], scale: f64| {
            let e: Vec<f64> = row.iter().zip(codes).map(|(w, c)| f64::from(*w) - f64::from(*c) * scale).collect();
            (0..4).map(|r| (0..4).map(|c| e[r] * covariance[(r, c)] * e[c]).sum::<f64>()).sum::<f64>()
        };
        let (mut plain_sum, mut made_sum, mut best_sum) = (0.0, 0.0, 0.0);
        for i in 0..40 {
            let row: Vec<f32> = (0..4).map(|j| ((i * 4 + j) as f32 * 1.37).sin()).collect();
            let scale = 0.25;
            let plain: Vec<i8> = row.iter().map(|w| (f64::from(*w) / scale).round() as i8).collect();
            let (made, _) = compensation.round(&row, scale, 7.0);
            assert!(made.iter().all(|code| (-7..=7).contains(code)));
            let best = (0..625)
                .map(|n| {
                    let codes: Vec<i8> = (0..4).map(|j| plain[j] + (n / 5i32.pow(j as u32) % 5 - 2) as i8).collect();
                    error(&row, &codes, scale)
                })
                .fold(f64::INFINITY, f64::min);
            plain_sum += error(&row, &plain, scale);
            made_sum += error(&row, &made, scale);
            best_sum += best;
        }
        assert!(made_sum < 1.3 * best_sum && plain_sum > 1.5 * best_sum, "{plain_sum} {made_sum} {best_sum}");
    }

    #[test]
    fn inputs_that_never_move_leave_plain_rounding() {
        let mut moments = InputMoments::new(3);
        (0..9).for_each(|_| moments.add(&[1.0, 0.0, 2.0]));
        let (codes, met) = Compensation::new(&moments).round(&[0.26, -0.9, 0.1], 0.5, 7.0);
        assert_eq!(codes, [1, -2, 0]);
        assert!((met[1] + 0.9).abs() < 1e-6);
    }
}
