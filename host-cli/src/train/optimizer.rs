//! AdamW, the moving average of the weights, and the learning rate.

use mote_laboratory::ensemble::{InstructionSet, Work};

use super::TrainingOptions;
use super::layout::Layout;

/// Weights, both moments and the average, all in the layout's order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    pub weights: Vec<f32>,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub average: Vec<f32>,
}

/// The numbers of one step.
struct Rates {
    beta1: f32,
    beta2: f32,
    step_size: f32,
    root_correction: f32,
    epsilon: f32,
    ema: f32,
}

/// Learning rate of step `step`, from 0: linear warm-up times a cosine to 1% (Loshchilov and Hutter 2017).
pub(super) fn learning_rate(options: &TrainingOptions, step: u64) -> f64 {
    let progress = (step as f64 / options.steps.max(1) as f64).min(1.0);
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
    let warm = ((step + 1) as f64 / options.warmup.max(1) as f64).min(1.0);
    f64::from(options.learning_rate) * (0.99 * cosine + 0.01) * warm
}

/// The average's decay at step `step`, from 0: small while the weights still move fast.
pub(super) fn ema_decay(options: &TrainingOptions, step: u64) -> f64 {
    let step = step as f64;
    f64::from(options.ema).min((1.0 + step) / (10.0 + step))
}

impl Moments {
    pub fn new(weights: Vec<f32>) -> Self {
        Self { first: vec![0.0; weights.len()], second: vec![0.0; weights.len()], average: weights.clone(), weights }
    }

    /// One step of AdamW (Loshchilov and Hutter 2019, algorithm 2, with the decay times the learning
    /// rate, as in PyTorch) and of the average; `step` counts from 0.
    pub fn update(&mut self, layout: &Layout, options: &TrainingOptions, step: u64, gradient: &[f32]) {
        let rate = learning_rate(options, step);
        let correction = |beta: f32| 1.0 - f64::from(beta).powf((step + 1) as f64);
        let rates = Rates {
            beta1: options.beta1,
            beta2: options.beta2,
            step_size: (rate / correction(options.beta1)) as f32,
            root_correction: (1.0 / correction(options.beta2).sqrt()) as f32,
            epsilon: options.epsilon,
            ema: (1.0 - ema_decay(options, step)) as f32,
        };
        let keep = (1.0 - rate * f64::from(options.weight_decay)) as f32;
        for place in layout.layers() {
            let others = place.weight.end..place.range.end;
            for (range, keep) in [(place.weight.clone(), keep), (others, 1.0)] {
                InstructionSet::widest().run(Update {
                    rates: &rates,
                    keep,
                    gradient: &gradient[range.clone()],
                    weights: &mut self.weights[range.clone()],
                    first: &mut self.first[range.clone()],
                    second: &mut self.second[range.clone()],
                    average: &mut self.average[range],
                });
            }
        }
    }
}

/// The update of entries that share a decay factor `keep`.
struct Update<'a> {
    rates: &'a Rates,
    keep: f32,
    gradient: &'a [f32],
    weights: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    average: &'a mut [f32],
}

impl Work for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (rates, keep) = (self.rates, self.keep);
        let entries = self.gradient.iter().zip(self.weights).zip(self.first).zip(self.second);
        for ((((&g, w), m), v), a) in entries.zip(self.average) {
            *m += (1.0 - rates.beta1) * (g - *m);
            *v = rates.beta2 * *v + (1.0 - rates.beta2) * g * g;
            let root = v.sqrt() * rates.root_correction;
            *w = *w * keep - rates.step_size * *m / (root + rates.epsilon);
            *a += rates.ema * (*w - *a);
        }
    }
}

/// Scales the gradient down to norm `limit` if it is longer (Pascanu, Mikolov and Bengio 2013).
pub(super) fn clip(gradient: &mut [f32], limit: f32) {
    let square: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
    let norm = square.sqrt();
    if norm > f64::from(limit) {
        let scale = (f64::from(limit) / norm) as f32;
        gradient.iter_mut().for_each(|g| *g *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tests::small_shape;

    #[test]
    fn adamw_follows_the_published_algorithm() {
        // PyTorch's documentation of AdamW, evaluated here in double precision with its own loop.
        let layout = Layout::new(&small_shape());
        let options = TrainingOptions {
            steps: 50,
            warmup: 4,
            learning_rate: 0.01,
            weight_decay: 0.1,
            ..TrainingOptions::default()
        };
        let n = layout.len();
        let start: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
        let mut moments = Moments::new(start.clone());
        let mut theta: Vec<f64> = start.iter().map(|w| f64::from(*w)).collect();
        let (mut m, mut v, mut ema) = (vec![0.0; n], vec![0.0; n], theta.clone());
        let decayed: Vec<bool> = (0..n).map(|i| layout.layers().iter().any(|p| p.weight.contains(&i))).collect();
        assert!(decayed.contains(&true) && decayed.contains(&false));
        for t in 1..=20_i32 {
            let gradient: Vec<f32> = (0..n).map(|i| ((i as f32) + t as f32 * 1.7).cos()).collect();
            moments.update(&layout, &options, t as u64 - 1, &gradient);
            let k = f64::from(t - 1);
            let cosine = 0.5 * (1.0 + (std::f64::consts::PI * k / 50.0).cos());
            let lr = f64::from(0.01_f32) * (0.99 * cosine + 0.01) * (f64::from(t) / 4.0).min(1.0);
            let decay = 0.999_f64.min((1.0 + k) / (10.0 + k));
            for i in 0..n {
                let g = f64::from(gradient[i]);
                if decayed[i] {
                    theta[i] -= lr * 0.1 * theta[i];
                }
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let m_hat = m[i] / (1.0 - 0.9_f64.powi(t));
                let v_hat = v[i] / (1.0 - 0.999_f64.powi(t));
                theta[i] -= lr * m_hat / (v_hat.sqrt() + 1e-8);
                ema[i] = decay * ema[i] + (1.0 - decay) * theta[i];
            }
        }
        // Twenty single-precision updates of size 0.01 on values below 1: rounding stays near 20 x 6e-8;
        // leaving out the decay would show as 0.01.
        for i in 0..n {
            assert!((f64::from(moments.weights[i]) - theta[i]).abs() < 4e-6);
            assert!((f64::from(moments.average[i]) - ema[i]).abs() < 4e-6);
        }
    }

    #[test]
    fn the_learning_rate_warms_up_and_ends_near_one_percent() {
        let options = TrainingOptions { steps: 1000, warmup: 10, learning_rate: 1.0, ..TrainingOptions::default() };
        assert!((learning_rate(&options, 0) - 0.1).abs() < 1e-12);
        // Half way the cosine is zero: 0.99 / 2 + 0.01.
        assert!((learning_rate(&options, 500) - 0.505).abs() < 1e-12);
        assert!((learning_rate(&options, 1000) - 0.01).abs() < 1e-12);
        assert!((learning_rate(&options, 5000) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn clipping_keeps_the_direction_and_bounds_the_length() {
        let mut g = [3.0, 4.0];
        clip(&mut g, 10.0);
        assert_eq!(g, [3.0, 4.0]);
        clip(&mut g, 1.0);
        assert!((g[0] - 0.6).abs() < 1e-7 && (g[1] - 0.8).abs() < 1e-7);
    }
}
