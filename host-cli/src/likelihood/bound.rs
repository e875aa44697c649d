//! The variational bound.

use mote_core::random::NormalSource;
use mote_core::schedule::NoiseLevel;

use super::Differentiable;

/// The law of a row given its state at the cleanest level.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoder {
    /// Continuous rows: N(y, s^2) in each feature.
    Gaussian,
    /// Rows of whole grey levels: the level's probability is proportional to N(y; level, s^2) (Kingma et al. 2021, section 3.2).
    Grey {
        /// What level 0 is in the scale of training, for each feature.
        zero: Vec<f32>,
        /// The distance of neighbouring levels, for each feature.
        step: Vec<f32>,
        /// Number of levels.
        levels: u16,
    },
}

/// A lower bound on ln p(x), in nats: a sample of it, one draw of noise for each level.
///
/// ln p(x) >= -L_T - sum L_i - L_0. With y = x/alpha, s = sigma/alpha and D the posterior mean: L_T = KL(q(x_T | x) || N(0,
/// alpha^2 deviation^2 + sigma^2)), L_i = 1/2 (s_(i-1)^-2 - s_i^-2) |x - D(x_i)|^2, and L_0 = -E ln p(x | y_0) by the decoder, in closed form where it is
/// Gaussian. `levels` run from the cleanest to the noisiest; with more of them the bound is tighter. Cost: one evaluation a level. Sources:
/// Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020, equation 5; Kingma, Salimans, Poole and Ho, "Variational
/// diffusion models", NeurIPS 2021, equations 11 to 14.
pub fn bound<M: Differentiable + ?Sized>(
    model: &mut M,
    levels: &[NoiseLevel],
    deviation: f32,
    clean: &[f32],
    decoder: &Decoder,
    noise: &mut dyn NormalSource,
) -> f64 {
    let dim = clean.len();
    let (Some(first), Some(last)) = (levels.first(), levels.last()) else { return f64::NEG_INFINITY };
    let mut loss = start_loss(last, deviation, clean) + decoder.loss(first.relative_sigma(), clean, noise);
    let (mut x, mut mean) = (vec![0.0; dim], vec![0.0; dim]);
    for (i, pair) in levels.windows(2).enumerate() {
        let precision = pair.iter().map(|level| f64::from(level.relative_sigma()).powi(-2)).collect::<Vec<_>>();
        for (x, clean) in x.iter_mut().zip(clean) {
            *x = pair[1].alpha * clean + pair[1].sigma * noise.normal();
        }
        model.denoise(i + 1, &x, &[], &mut mean, &mut []);
        let square: f64 = mean.iter().zip(clean).map(|(mean, clean)| f64::from(clean - mean).powi(2)).sum();
        loss += 0.5 * (precision[0] - precision[1]) * square;
    }
    -loss
}

/// KL(N(alpha x, sigma^2) || N(0, alpha^2 deviation^2 + sigma^2)).
fn start_loss(level: &NoiseLevel, deviation: f32, clean: &[f32]) -> f64 {
    let prior = f64::from(level.state_deviation(deviation)).powi(2);
    let ratio = f64::from(level.sigma).powi(2) / prior;
    let signal = |x: &f32| (f64::from(level.alpha) * f64::from(*x)).powi(2) / prior;
    clean.iter().map(|x| 0.5 * (ratio - 1.0 - ratio.ln() + signal(x))).sum()
}

impl Decoder {
    /// -ln p(x | y), y = x + s noise.
    fn loss(&self, s: f32, clean: &[f32], noise: &mut dyn NormalSource) -> f64 {
        let width = f64::from(s);
        match self {
            Self::Gaussian => 0.5 * clean.len() as f64 * ((std::f64::consts::TAU * width * width).ln() + 1.0),
            Self::Grey { zero, step, levels } => {
                let feature = |((x, zero), step): ((&f32, &f32), &f32)| {
                    let y = f64::from(*x) + width * f64::from(noise.normal());
                    let exponent =
                        |grey: f64| -0.5 * ((y - f64::from(*zero) - grey * f64::from(*step)) / width).powi(2);
                    let own = ((x - zero) / step).round();
                    let all: Vec<f64> = (0..*levels).map(|grey| exponent(f64::from(grey))).collect();
                    let largest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    largest + all.iter().map(|e| (e - largest).exp()).sum::<f64>().ln() - exponent(f64::from(own))
                };
                clean.iter().zip(zero).zip(step).map(feature).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::likelihood::exact::Quotients;
    use crate::likelihood::ladder;
    use crate::noise::Noising;
    use mote_core::random::{Stream, Ziggurat};
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::{Component, GaussianMixture, MixtureDenoiser, Prediction};

    /// Mean bound and its standard error over rows of N(0, .8^2) in two dimensions, beside their exact mean log-density.
    fn measured(intervals: usize) -> (f64, f64) {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::X0, sigma_data: 1.0 };
        let levels = ladder(&noising, intervals);
        let components = [Component { weight: 1.0, mean: &[0.0, 0.0], deviation: 0.8 }];
        let mixture = GaussianMixture { components: &components };
        let mut model =
            Quotients { denoiser: MixtureDenoiser { mixture, levels: &levels, prediction: Prediction::X0 } };
        let mut noise = Ziggurat::new(Stream::new(3));
        let gaps: Vec<f64> = (0..2000)
            .map(|_| {
                let x = [0.8 * noise.normal(), 0.8 * noise.normal()];
                let square: f64 = x.iter().map(|x| f64::from(x * x)).sum();
                let exact = -0.5 * square / 0.64 - (std::f64::consts::TAU * 0.64).ln();
                bound(&mut model, &levels, 1.0, &x, &Decoder::Gaussian, &mut noise) - exact
            })
            .collect();
        let n = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        (mean, (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n / (n - 1.0)).sqrt())
    }

    /// What the bound lies below the mean log-density of N(0, v), v = .64, by E|x - D|^2 = 2 v s^2 / (v + s^2) at every level.
    fn closed_form(intervals: usize) -> f64 {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::X0, sigma_data: 1.0 };
        let s: Vec<f64> = ladder(&noising, intervals).iter().map(|level| f64::from(level.relative_sigma())).collect();
        let v = 0.64;
        let steps: f64 =
            s.windows(2).map(|s| (s[0].powi(-2) - s[1].powi(-2)) * v * s[1] * s[1] / (v + s[1] * s[1])).sum();
        let prior = s[intervals].powi(2) + 1.0;
        let ratio = (prior - 1.0) / prior;
        let start = ratio - 1.0 - ratio.ln() + v / prior;
        let decoder = (std::f64::consts::TAU * s[0] * s[0]).ln() + 1.0;
        -(start + steps + decoder) + 1.0 + (std::f64::consts::TAU * v).ln()
    }

    #[test]
    fn it_stays_below_a_normal_laws_likelihood_by_what_the_closed_form_says() {
        // 4.5 standard errors, and 1e-4 for f32: false alarm 2e-5 in all.
        for intervals in [4, 20, 200] {
            let (expected, (gap, error)) = (closed_form(intervals), measured(intervals));
            assert!((gap - expected).abs() < 4.5 * error + 1e-4, "{intervals}: {gap} {expected} {error}");
            assert!(expected < 0.0 && gap < 0.0, "{intervals}: {gap} {expected}");
        }
    }

    #[test]
    fn the_gap_closes_as_the_levels_grow_in_number() {
        // The sum is a Riemann sum of an integral that makes the gap zero, but for the cleanest level's width (s^2 / v = 2e-4) and the
        // prior: twice as many intervals, half the gap.
        let gaps = [500, 1000, 20_000].map(closed_form);
        assert!((gaps[0] / gaps[1] - 2.0).abs() < 0.1 && gaps[2] > -0.01 && gaps[2] < 0.0, "{gaps:?}");
    }

    #[test]
    fn grey_levels_are_coded_by_their_shares() {
        // s = 1e-3 beside levels 1/4 apart: certain, 0 nats. s = 1e4: all 17 alike, ln 17 nats a feature.
        let decoder = Decoder::Grey { zero: vec![-1.0, 0.0], step: vec![0.25; 2], levels: 17 };
        let mut noise = Ziggurat::new(Stream::new(4));
        let row = [-1.0 + 3.0 * 0.25, 16.0 * 0.25];
        assert!(decoder.loss(1e-3, &row, &mut noise).abs() < 1e-9);
        assert!((decoder.loss(1e4, &row, &mut noise) - 2.0 * 17f64.ln()).abs() < 1e-3);
    }
}
