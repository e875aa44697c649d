//! Gaps and draws of an imputer, as the specification says them: whole matrices, no bands.

use super::{Blob, Gaps};
use mote_core::random::NormalSource;

/// Means and deviations of a signal with gaps.
pub type Filled = (Vec<f32>, Vec<f32>);

impl Gaps {
    fn order(&self) -> usize {
        self.whitening.len() - 1
    }

    /// The gaps of a signal of so many channels: first sample, and the one behind the last.
    fn gaps(&self, values: &[f32], channels: usize) -> Vec<(usize, usize)> {
        let mut gaps: Vec<(usize, usize)> = Vec::new();
        for (time, sample) in values.chunks(channels).enumerate() {
            if sample.iter().all(|x| !x.is_nan()) {
                continue;
            }
            match gaps.last_mut() {
                Some((_, end)) if time - *end < self.order().max(1) => *end = time + 1,
                _ => gaps.push((time, time + 1)),
            }
        }
        gaps
    }

    /// Fills a signal.
    pub fn fill(&self, values: &[f32], channels: usize) -> Filled {
        let (mut means, mut deviations) = (values.to_vec(), vec![0.0; values.len()]);
        for (start, end) in self.gaps(values, channels) {
            let (first, n) = (start * channels, (end - start) * channels);
            let missing = |at: usize| values[at].is_nan();
            let mut q = vec![vec![0.0f32; n]; n];
            let mut m = vec![0.0f32; n];
            for time in start..(end + self.order()).min(values.len() / channels) {
                let before = time.min(self.order());
                let from = (time - before) * channels;
                for row in &self.whitening[before] {
                    let mut known = 0.0f32;
                    for (at, w) in (from..).zip(row).filter(|(at, _)| !missing(*at)) {
                        known += w * values[at];
                    }
                    for (at, w) in (from..).zip(row).filter(|(at, w)| missing(*at) && **w != 0.0) {
                        m[at - first] -= w * known;
                        for (other, v) in (from..=at).zip(row).filter(|(other, _)| missing(*other)) {
                            q[at - first][other - first] += w * v;
                        }
                    }
                }
            }
            for i in (0..n).filter(|i| !missing(first + i)) {
                q[i][i] = 1.0;
            }
            // L takes the place of Q: what lies outside the band is 0 and stays so.
            for i in 0..n {
                for j in 0..=i {
                    let rest = (0..j).fold(q[i][j], |rest, k| rest - q[i][k] * q[j][k]);
                    q[i][j] = if i == j { rest.max(1e-9).sqrt() } else { rest / q[j][j] };
                }
                let rest = (0..i).fold(m[i], |rest, k| rest - q[i][k] * m[k]);
                m[i] = rest / q[i][i];
            }
            for i in (0..n).rev() {
                let mean = m[i] / q[i][i];
                m[i] = mean;
                m.iter_mut().zip(&q[i][..i]).for_each(|(m, l)| *m -= l * mean);
            }
            let mut z = vec![vec![0.0f32; n]; n];
            for i in (0..n).rev() {
                let reciprocal = 1.0 / q[i][i];
                let last = (i + (self.order() + 1) * channels).min(n);
                for j in (i + 1..last).rev() {
                    let sum = (i + 1..last).fold(0.0f32, |sum, k| sum + q[k][i] * z[k][j]);
                    (z[j][i], z[i][j]) = (-reciprocal * sum, -reciprocal * sum);
                }
                let own = (i + 1..last).fold(reciprocal, |own, k| own - q[k][i] * z[k][i]);
                z[i][i] = reciprocal * own;
            }
            for i in (0..n).filter(|i| missing(first + i)) {
                means[first + i] = m[i];
                deviations[first + i] = z[i][i].max(0.0).sqrt();
            }
        }
        (means, deviations)
    }
}

impl Blob {
    /// A draw of what is missing in a signal.
    ///
    /// # Panics
    /// If the model is no imputer.
    pub fn impute(&self, values: &[f32], mirrored: bool, noise: &mut impl NormalSource) -> Vec<f32> {
        let gaps = self.gaps.as_ref().expect("an imputer");
        let channels = self.dim_out;
        let (means, deviations) = gaps.fill(values, channels);
        let sign = if mirrored { -1.0 } else { 1.0 };
        let missing: Vec<usize> = (0..values.len()).filter(|at| values[*at].is_nan()).collect();
        let mut x = vec![0.0f32; values.len()];
        missing.iter().for_each(|at| x[*at] = sign * gaps.start_scale * noise.normal());
        let seen = |signal: &[f32], time: usize, samples: usize| -> Vec<f32> {
            let around = (time + samples / 2 + 1) as i64 - samples as i64..=(time + samples / 2) as i64;
            let value = |t: i64, c: usize| {
                usize::try_from(t).ok().and_then(|t| signal.get(t * channels + c)).copied().unwrap_or(0.0)
            };
            around.flat_map(|t| (0..channels).map(move |c| value(t, c))).collect()
        };
        for row in &gaps.rows {
            let [p, q, a, b0, _, _, _, e] = row.coefficients;
            let mut next = x.clone();
            for at in missing.iter().copied() {
                let time = at / channels;
                let input = [
                    seen(&means, time, gaps.window),
                    seen(&deviations, time, gaps.window),
                    seen(&x, time, gaps.around),
                ]
                .concat();
                let f = self.forward(row.level.into(), None, &input)[at % channels];
                let m = p * x[at] + q * f;
                next[at] = a * x[at] + b0 * m;
                if e != 0.0 {
                    next[at] += sign * e * noise.normal();
                }
            }
            x = next;
        }
        (0..values.len())
            .map(|at| if values[at].is_nan() { means[at] + deviations[at] * x[at] } else { values[at] })
            .collect()
    }
}
