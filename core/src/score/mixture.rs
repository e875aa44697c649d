use super::{Denoiser, Prediction, ScoreModel, tweedie};
use crate::math;
use crate::schedule::{NoiseLevel, NoiseSchedule, Schedule};

/// One component of a [`GaussianMixture`]: an isotropic normal law.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    /// Share of the mixture, positive; the shares need not add up to 1.
    pub weight: f32,
    /// Mean, one value for each dimension.
    pub mean: &'a [f32],
    /// Standard deviation in every direction, not negative.
    pub deviation: f32,
}

/// A mixture of isotropic normal laws, whose noisy score and posterior mean are known exactly.
///
/// Under `x = alpha x0 + sigma eps` component k becomes `N(alpha mu_k, v_k)` with `v_k = alpha^2 s_k^2 + sigma^2`; its
/// posterior mean is `mu_k + alpha s_k^2 (x - alpha mu_k) / v_k`, and the mixture's is their average by posterior share.
#[derive(Clone, Copy, Debug)]
pub struct GaussianMixture<'a> {
    /// At least one component; all means have the same length.
    pub components: &'a [Component<'a>],
}

impl GaussianMixture<'_> {
    /// Number of dimensions.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.components.first().map_or(0, |c| c.mean.len())
    }

    /// Writes the posterior mean `E[x0 | x]` at a noise level to `out`. Cost: two passes over the components.
    pub fn posterior_mean(&self, level: NoiseLevel, x: &[f32], out: &mut [f32]) {
        let mut known = Logarithms::default();
        let mut largest = f32::NEG_INFINITY;
        for component in self.components {
            largest = largest.max(known.log_share(component, level, x));
        }
        out.fill(0.0);
        let mut total = 0.0f32;
        for component in self.components {
            let gap = known.log_share(component, level, x) - largest;
            // Its exponential is 0, and so would be all that it adds.
            if gap < -110.0 {
                continue;
            }
            let share = math::exp(gap);
            let signal = level.alpha * component.deviation;
            let variance = signal * signal + level.sigma * level.sigma;
            let gain = level.alpha * component.deviation * component.deviation / variance;
            for ((out, x), mean) in out.iter_mut().zip(x).zip(component.mean) {
                *out += share * (mean + gain * (x - level.alpha * mean));
            }
            total += share;
        }
        for out in out {
            *out /= total;
        }
    }

    /// Writes the posterior covariance `Cov[x0 | x]` at a noise level to `out`, row by row (dim x dim numbers), given `mean`, what
    /// [`posterior_mean`](Self::posterior_mean) wrote.
    ///
    /// It is the average by posterior share of each component's variance `s_k^2 sigma^2 / v_k` and of the products of its mean's
    /// distances from `mean`. Cost: two passes over the components, dim^2 numbers each.
    pub fn posterior_covariance(&self, level: NoiseLevel, x: &[f32], mean: &[f32], out: &mut [f32]) {
        let mut known = Logarithms::default();
        let mut largest = f32::NEG_INFINITY;
        for component in self.components {
            largest = largest.max(known.log_share(component, level, x));
        }
        out.fill(0.0);
        let mut total = 0.0f32;
        for component in self.components {
            let share = math::exp(known.log_share(component, level, x) - largest);
            let signal = level.alpha * component.deviation;
            let variance = signal * signal + level.sigma * level.sigma;
            let gain = level.alpha * component.deviation * component.deviation / variance;
            let own = component.deviation * component.deviation * level.sigma * level.sigma / variance;
            // How far the component's posterior mean in one dimension lies from the mixture's.
            let gap = |((x, centre), mean): ((&f32, &f32), &f32)| centre + gain * (x - level.alpha * centre) - mean;
            let gaps = || x.iter().zip(component.mean).zip(mean).map(gap);
            for (i, (row, gap)) in out.chunks_exact_mut(x.len().max(1)).zip(gaps()).enumerate() {
                for (j, (out, other)) in row.iter_mut().zip(gaps()).enumerate() {
                    *out += share * (gap * other + if i == j { own } else { 0.0 });
                }
            }
            total += share;
        }
        for out in out {
            *out /= total;
        }
    }
}

/// The logarithms of the last component's weight and variance, which most mixtures have in common: the same bits, taken once.
#[derive(Default)]
struct Logarithms {
    weight: Option<(f32, f32)>,
    variance: Option<(f32, f32)>,
}

/// The logarithm of a value, or the one kept if it is of the same value.
fn kept_ln(kept: &mut Option<(f32, f32)>, value: f32) -> f32 {
    match *kept {
        Some((known, ln)) if known == value => ln,
        _ => {
            let ln = math::ln(value);
            *kept = Some((value, ln));
            ln
        }
    }
}

impl Logarithms {
    /// Log of weight times density of one component at `x`, up to a constant common to all.
    fn log_share(&mut self, component: &Component<'_>, level: NoiseLevel, x: &[f32]) -> f32 {
        let signal = level.alpha * component.deviation;
        let variance = signal * signal + level.sigma * level.sigma;
        let mut square = 0.0f32;
        for (x, mean) in x.iter().zip(component.mean) {
            let gap = x - level.alpha * mean;
            square += gap * gap;
        }
        let (weight, spread) = (kept_ln(&mut self.weight, component.weight), kept_ln(&mut self.variance, variance));
        weight - 0.5 * square / variance - 0.5 * x.len() as f32 * spread
    }
}

/// The exact [`Denoiser`] of a Gaussian mixture over a table of noise levels; it ignores the class.
#[derive(Clone, Copy, Debug)]
pub struct MixtureDenoiser<'a> {
    /// The law of the data.
    pub mixture: GaussianMixture<'a>,
    /// The level table.
    pub levels: &'a [NoiseLevel],
    /// What the output stands for.
    pub prediction: Prediction,
}

impl Denoiser for MixtureDenoiser<'_> {
    fn predict(&mut self, level: usize, _class: Option<u16>, x: &[f32], out: &mut [f32]) {
        let Some(&level) = self.levels.get(level).or(self.levels.last()) else {
            return out.fill(0.0);
        };
        self.mixture.posterior_mean(level, x, out);
        for (out, x) in out.iter_mut().zip(x) {
            *out = self.prediction.output_for_x0(level, *x, *out);
        }
    }
}

/// The exact score of a Gaussian mixture under a schedule: `(alpha E[x0|x] - x) / sigma^2` (Tweedie's formula).
impl ScoreModel for (GaussianMixture<'_>, Schedule) {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn score(&mut self, x: &[f32], t: f32, out: &mut [f32]) {
        let level = self.1.level(t);
        self.0.posterior_mean(level, x, out);
        for (out, x) in out.iter_mut().zip(x) {
            *out = tweedie::score(level, *x, *out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Cosine;

    #[test]
    fn one_component_gives_the_normal_posterior_and_score() {
        let mean = [2.0f32, -1.0];
        let components = [Component { weight: 3.0, mean: &mean, deviation: 0.5 }];
        let mixture = GaussianMixture { components: &components };
        let level = NoiseLevel { alpha: 0.6, sigma: 0.8 };
        let x = [0.3f32, 0.9];
        let mut out = [0.0f32; 2];
        mixture.posterior_mean(level, &x, &mut out);
        for i in 0..2 {
            // Bayes for two normals: precision-weighted mean of mu and x / alpha.
            let (prior, seen) = (1.0 / 0.25, 0.36 / 0.64);
            let expected = (prior * mean[i] + seen * x[i] / 0.6) / (prior + seen);
            assert!((out[i] - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn the_posterior_covariance_is_the_slope_of_the_posterior_mean() {
        // Tweedie's second formula, by central differences of the mean; a matrix with both entries off its diagonal.
        let means = [[-1.0f32, 0.5], [0.8, -0.3], [0.2, 1.1]];
        let components = [(1.0, 0.4), (2.0, 0.6), (0.5, 0.3)];
        let components: [_; 3] = core::array::from_fn(|k| Component {
            weight: components[k].0,
            mean: &means[k],
            deviation: components[k].1,
        });
        let mixture = GaussianMixture { components: &components };
        let level = NoiseLevel { alpha: 0.8, sigma: 0.6 };
        let x = [0.1f32, 0.3];
        let (mut mean, mut covariance) = ([0.0; 2], [0.0; 4]);
        mixture.posterior_mean(level, &x, &mut mean);
        mixture.posterior_covariance(level, &x, &mean, &mut covariance);
        for j in 0..2 {
            let at = |gap: f32| {
                let (mut moved, mut out) = (x, [0.0; 2]);
                moved[j] += gap;
                mixture.posterior_mean(level, &moved, &mut out);
                out
            };
            for i in 0..2 {
                let slope = (at(0.01)[i] - at(-0.01)[i]) / 0.02;
                let got = covariance[2 * i + j];
                assert!((got - tweedie::covariance(level, slope)).abs() < 1e-4, "({i}, {j}): {got}");
            }
        }
        assert!(covariance[1].abs() > 0.05 && covariance[1] == covariance[2]);
    }

    #[test]
    fn the_score_is_the_slope_of_the_log_density() {
        let (left, right) = ([-3.0f32], [3.0f32]);
        let components = [
            Component { weight: 0.4, mean: &left, deviation: 0.5 },
            Component { weight: 0.6, mean: &right, deviation: 0.7 },
        ];
        let mut model = (GaussianMixture { components: &components }, Schedule::Cosine(Cosine::DEFAULT));
        for t in [0.2f32, 0.5, 0.8] {
            let level = model.1.level(t);
            let log_density = |x: f64| {
                let mut sum = 0.0f64;
                for c in &components {
                    let v = f64::from(level.alpha * c.deviation).powi(2) + f64::from(level.sigma).powi(2);
                    let gap = x - f64::from(level.alpha * c.mean[0]);
                    sum += f64::from(c.weight) * (-0.5 * gap * gap / v).exp() / v.sqrt();
                }
                sum.ln()
            };
            for x in [-2.5f32, -0.4, 0.1, 1.9] {
                let mut out = [0.0f32];
                model.score(&[x], t, &mut out);
                let slope = (log_density(f64::from(x) + 1e-5) - log_density(f64::from(x) - 1e-5)) / 2e-5;
                assert!((f64::from(out[0]) - slope).abs() < 2e-4 * (1.0 + slope.abs()), "t {t} x {x}");
            }
        }
    }
}
