//! The affine map between the data's units and the network's.

use serde::{Deserialize, Serialize};

/// Which features share a standard deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum ScalingKind {
    /// Each feature has its own mean and standard deviation: right for columns in different units.
    #[default]
    PerFeature,
    /// Each feature has its own mean, all have one standard deviation: right for images, whose pixels share a unit.
    Shared,
}

impl ScalingKind {
    /// The kind to use when none is asked for: [`Shared`](Self::Shared) for images, else [`PerFeature`](Self::PerFeature).
    pub fn for_image(image: Option<(usize, usize)>) -> Self {
        if image.is_some() { Self::Shared } else { Self::PerFeature }
    }
}

/// Per-feature mean and standard deviation: scaled = (value - mean) / std.
///
/// Every `std` is finite and above zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Mean of each feature, in the data's units.
    pub mean: Vec<f32>,
    /// Standard deviation of each feature, in the data's units.
    pub std: Vec<f32>,
}

/// A scaling, and the features that never change.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The map.
    pub scaling: Scaling,
    /// Features whose standard deviation was zero and was set to 1, so that they scale to exactly 0.
    pub constant: Vec<usize>,
}

impl Fitted {
    /// One line that lists the constant features by name, or nothing if there are none.
    pub fn warning(&self, columns: &[String]) -> Option<String> {
        const SHOWN: usize = 8;
        if self.constant.is_empty() {
            return None;
        }
        let name = |&feature: &usize| match columns.get(feature) {
            Some(name) => name.clone(),
            None => format!("column {}", feature + 1),
        };
        let mut names: Vec<String> = self.constant.iter().take(SHOWN).map(name).collect();
        if self.constant.len() > SHOWN {
            names.push(format!("{} more", self.constant.len() - SHOWN));
        }
        let (noun, verb) =
            if self.constant.len() == 1 { ("feature", "never changes") } else { ("features", "never change") };
        Some(format!(
            "{} {noun} {verb} in the training rows ({}); scaled with standard deviation 1",
            self.constant.len(),
            names.join(", ")
        ))
    }
}

impl Scaling {
    /// Fits the map to `values`, row-major rows of `dim` features; give it the training rows only.
    ///
    /// Population moments, two passes in f64: mean_j = sum_i x_ij / n, std_j^2 = sum_i (x_ij - mean_j)^2 / n; with
    /// [`ScalingKind::Shared`] std^2 is the average of std_j^2 over the features. A standard deviation that is zero, or too small for a
    /// normal f32, becomes 1. With `Shared` that can only be all features at once: a pixel that never changes scales to 0 either way.
    ///
    /// # Panics
    ///
    /// If `dim` is zero, or `values` is empty or not whole rows.
    pub fn fit(values: &[f32], dim: usize, kind: ScalingKind) -> Fitted {
        assert!(dim > 0 && !values.is_empty() && values.len().is_multiple_of(dim), "values are whole rows");
        let rows = (values.len() / dim) as f64;
        let mut mean = vec![0.0f64; dim];
        for row in values.chunks_exact(dim) {
            for (sum, &x) in mean.iter_mut().zip(row) {
                *sum += f64::from(x);
            }
        }
        // The mean the map will use, so that a constant feature deviates by exactly zero.
        let mean: Vec<f32> = mean.iter().map(|sum| (sum / rows) as f32).collect();
        let mut variance = vec![0.0f64; dim];
        for row in values.chunks_exact(dim) {
            for ((sum, &m), &x) in variance.iter_mut().zip(&mean).zip(row) {
                let deviation = f64::from(x) - f64::from(m);
                *sum += deviation * deviation;
            }
        }
        if kind == ScalingKind::Shared {
            let total: f64 = variance.iter().sum();
            variance.fill(total / dim as f64);
        }
        let mut constant = Vec::new();
        let std = variance.iter().enumerate().map(|(feature, sum)| {
            let std = (sum / rows).sqrt() as f32;
            if std.is_normal() {
                std
            } else {
                constant.push(feature);
                1.0
            }
        });
        let std = std.collect();
        Fitted { scaling: Self { mean, std }, constant }
    }

    /// [`fit`](Self::fit) for windows of some channels: one map for each channel, the same at every time of the window, fitted to the values that
    /// are there.
    ///
    /// # Panics
    /// If a channel has no value at all, or `values` are not whole windows.
    pub fn fit_channels(values: &[f32], dim: usize, channels: usize) -> Fitted {
        let fits: Vec<Fitted> = (0..channels)
            .map(|c| {
                let there: Vec<f32> =
                    values.iter().skip(c).step_by(channels).copied().filter(|v| !v.is_nan()).collect();
                Self::fit(&there, 1, ScalingKind::PerFeature)
            })
            .collect();
        let of = |part: fn(&Self) -> f32| (0..dim).map(|i| part(&fits[i % channels].scaling)).collect();
        Fitted {
            scaling: Self { mean: of(|s| s.mean[0]), std: of(|s| s.std[0]) },
            constant: (0..dim).filter(|i| !fits[i % channels].constant.is_empty()).collect(),
        }
    }

    /// Data units to network units, in place, row by row: x becomes (x - mean) / std, rounded once.
    pub fn apply(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.mean.len()) {
            for ((x, &m), &s) in row.iter_mut().zip(&self.mean).zip(&self.std) {
                *x = ((f64::from(*x) - f64::from(m)) / f64::from(s)) as f32;
            }
        }
    }

    /// Network units to data units, in place, row by row: x becomes x · std + mean, in f32.
    pub fn invert(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.mean.len()) {
            for ((x, &m), &s) in row.iter_mut().zip(&self.mean).zip(&self.std) {
                *x = *x * s + m;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns 1, 3, 5, 7 (mean 4, variance 5) and 10, 10, 30, 30 (mean 20, variance 100).
    const TWO: [f32; 8] = [1.0, 10.0, 3.0, 10.0, 5.0, 30.0, 7.0, 30.0];

    #[test]
    fn moments_are_those_worked_out_by_hand() {
        let fitted = Scaling::fit(&TWO, 2, ScalingKind::PerFeature);
        assert_eq!(fitted.scaling.mean, [4.0, 20.0]);
        assert_eq!(fitted.scaling.std, [5.0f32.sqrt(), 10.0]);
        let shared = Scaling::fit(&TWO, 2, ScalingKind::Shared).scaling;
        assert_eq!(shared.mean, [4.0, 20.0]);
        assert_eq!(shared.std, [52.5f64.sqrt() as f32; 2]); // (5 + 100) / 2
    }

    #[test]
    fn apply_standardises_and_invert_returns() {
        let scaling = Scaling::fit(&TWO, 2, ScalingKind::PerFeature).scaling;
        let mut values = TWO;
        scaling.apply(&mut values);
        let again = Scaling::fit(&values, 2, ScalingKind::PerFeature).scaling;
        for (mean, std) in again.mean.iter().zip(&again.std) {
            assert!(mean.abs() < 1e-6 && (std - 1.0).abs() < 1e-6);
        }
        scaling.invert(&mut values);
        for (back, original) in values.iter().zip(&TWO) {
            assert!((back - original).abs() <= 4e-6 * original.abs());
        }
    }

    #[test]
    fn a_constant_feature_scales_to_zero_and_is_listed() {
        // 0.1 thousands of times: a mean rounded elsewhere than the value would leave a spurious deviation.
        let values: Vec<f32> = (0..3000).flat_map(|i| [i as f32, 0.1]).collect();
        let fitted = Scaling::fit(&values, 2, ScalingKind::PerFeature);
        assert_eq!(fitted.constant, [1]);
        assert_eq!(fitted.scaling.std[1], 1.0);
        let mut scaled = values.clone();
        fitted.scaling.apply(&mut scaled);
        assert!(scaled.iter().skip(1).step_by(2).all(|&x| x == 0.0));
        let columns = ["time".to_string(), "flag".to_string()];
        let warning = fitted.warning(&columns).unwrap();
        assert!(warning.contains("1 feature never changes") && warning.contains("flag"));
        assert_eq!(Scaling::fit(&TWO, 2, ScalingKind::PerFeature).warning(&columns), None);
    }

    #[test]
    fn shared_scaling_minds_only_a_table_that_never_changes() {
        let one = Scaling::fit(&[1.0, 5.0, 2.0, 5.0], 2, ScalingKind::Shared);
        assert!(one.constant.is_empty());
        let all = Scaling::fit(&[1.0, 5.0, 1.0, 5.0], 2, ScalingKind::Shared);
        assert_eq!((all.constant, all.scaling.std), (vec![0, 1], vec![1.0; 2]));
    }

    #[test]
    fn extremes_stay_finite() {
        for values in [[-3e38f32, 3e38], [0.0, 1e-44], [1e-38, 3e38]] {
            let scaling = Scaling::fit(&values, 1, ScalingKind::PerFeature).scaling;
            let mut scaled = values;
            scaling.apply(&mut scaled);
            assert!(scaling.std[0].is_finite() && scaling.std[0] > 0.0);
            assert!(scaled.iter().all(|x| x.is_finite()), "{scaled:?}");
        }
    }

    #[test]
    fn a_long_warning_is_cut() {
        let fitted = Scaling::fit(&[0.0; 40], 20, ScalingKind::PerFeature);
        let warning = fitted.warning(&[]).unwrap();
        assert!(warning.starts_with("20 features never change"));
        assert!(warning.contains("column 8, 12 more)"), "{warning}");
    }
}
