//! The density of the probability flow.

use mote_core::random::Stream;
use mote_core::schedule::NoiseLevel;
use rand_core::Rng as _;

use super::Differentiable;

/// How the trace of the slopes is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probes {
    /// One direction for each dimension: exact.
    Exact,
    /// The mean over this many directions of random signs (Hutchinson 1990).
    Signs(usize),
}

/// A log-density and the noise in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Density {
    /// ln p(x), in nats.
    pub log_density: f64,
    /// Variance of that by the random directions; 0 if it is exact.
    pub probe_variance: f64,
}

/// ln p(x) by the probability flow, where p is the flow's density at the first level, x / alpha taken for the state.
///
/// With y = x/alpha, s = sigma/alpha, D the posterior mean and r^2 = s^2 + `deviation`^2, the flow is dz/d ln s = (y - D)/r - z s^2/r^2 for
/// z = y/r, which is normal at the last level; ln p(y) = ln N(z_end; 0, 1) - dim ln r + integral of the divergence
/// dim - alpha tr(dD/dx) - dim s^2/r^2 over ln s. Runge and Kutta's fourth-order steps, each over `2 stride` levels of a ladder that is even in ln s.
/// The random directions are kept along a path. Cost: 4 (1 + directions) evaluations a step. Sources: Chen et al., "Neural ordinary
/// differential equations", NeurIPS 2018; Song et al., "Score-based generative modeling through stochastic differential equations", ICLR 2021.
///
/// # Panics
/// If the ladder is not 1 + a multiple of `2 stride` levels.
pub fn log_density<M: Differentiable + ?Sized>(
    model: &mut M,
    levels: &[NoiseLevel],
    deviation: f32,
    clean: &[f32],
    probes: Probes,
    stride: usize,
    random: &mut Stream,
) -> Density {
    let dim = clean.len();
    assert_eq!((levels.len() - 1) % (2 * stride), 0, "levels");
    let (count, along) = directions(dim, probes, random);
    let mut field = Field {
        model,
        levels,
        deviation: f64::from(deviation),
        along: &along,
        exact: probes == Probes::Exact,
        mean: vec![0.0; dim],
        slopes: vec![0.0; along.len()],
    };
    let start = field.radius(0);
    let mut z: Vec<f64> = clean.iter().map(|x| f64::from(*x) / start).collect();
    let mut gathered = vec![0.0; count];
    let log_s = |level: NoiseLevel| f64::from(level.sigma / level.alpha).ln();
    for first in (0..levels.len() - 1).step_by(2 * stride) {
        let [middle, last] = [first + stride, first + 2 * stride];
        let h = log_s(levels[last]) - log_s(levels[first]);
        let (k1, t1) = field.at(first, &z);
        let (k2, t2) = field.at(middle, &moved(&z, &k1, h / 2.0));
        let (k3, t3) = field.at(middle, &moved(&z, &k2, h / 2.0));
        let (k4, t4) = field.at(last, &moved(&z, &k3, h));
        for (i, z) in z.iter_mut().enumerate() {
            *z += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
        for (i, sum) in gathered.iter_mut().enumerate() {
            *sum += h / 6.0 * (t1[i] + 2.0 * t2[i] + 2.0 * t3[i] + t4[i]);
        }
    }
    let square: f64 = z.iter().map(|z| z * z).sum();
    let d = dim as f64;
    let normal = -0.5 * square - 0.5 * d * std::f64::consts::TAU.ln() - d * start.ln();
    let k = count as f64;
    let mean = gathered.iter().sum::<f64>() / k;
    let spread = gathered.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    Density { log_density: normal + mean, probe_variance: if count > 1 { spread / (k - 1.0) / k } else { 0.0 } }
}

/// How many estimates of the trace there are, and the directions, one after another.
fn directions(dim: usize, probes: Probes, random: &mut Stream) -> (usize, Vec<f32>) {
    match probes {
        Probes::Exact => (1, (0..dim * dim).map(|i| f32::from(u8::from(i % (dim + 1) == 0))).collect()),
        Probes::Signs(count) => {
            let sign = |_| if random.next_u32() >> 31 == 1 { 1.0 } else { -1.0 };
            (count, (0..count * dim).map(sign).collect())
        }
    }
}

fn moved(z: &[f64], slope: &[f64], h: f64) -> Vec<f64> {
    z.iter().zip(slope).map(|(z, k)| z + h * k).collect()
}

struct Field<'a, M: ?Sized> {
    model: &'a mut M,
    levels: &'a [NoiseLevel],
    deviation: f64,
    along: &'a [f32],
    /// Whether the directions are parts of one trace, or each an estimate of it.
    exact: bool,
    mean: Vec<f32>,
    slopes: Vec<f32>,
}

impl<M: Differentiable + ?Sized> Field<'_, M> {
    /// The deviation r of y at a level.
    fn radius(&self, level: usize) -> f64 {
        f64::from(self.levels[level].relative_sigma()).hypot(self.deviation)
    }

    /// dz / d ln s, and its divergence by each estimate: all directions together where they are exact, else each by itself.
    fn at(&mut self, level: usize, z: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (dim, r) = (z.len(), self.radius(level));
        let NoiseLevel { alpha, .. } = self.levels[level];
        let alpha = f64::from(alpha);
        let share = (f64::from(self.levels[level].relative_sigma()) / r).powi(2);
        let x: Vec<f32> = z.iter().map(|z| (alpha * r * z) as f32).collect();
        self.model.denoise(level, &x, self.along, &mut self.mean, &mut self.slopes);
        let slope = z.iter().zip(&self.mean).map(|(z, mean)| z - f64::from(*mean) / r - z * share).collect();
        let product = |(v, jv): (&[f32], &[f32])| v.iter().zip(jv).map(|(v, jv)| f64::from(v * jv)).sum::<f64>();
        let traces = self.along.chunks_exact(dim).zip(self.slopes.chunks_exact(dim)).map(product);
        let traces: Vec<f64> = if self.exact { vec![traces.sum()] } else { traces.collect() };
        let divergence = |trace: f64| dim as f64 * (1.0 - share) - alpha * trace;
        (slope, traces.into_iter().map(divergence).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::likelihood::exact::Quotients;
    use crate::likelihood::ladder;
    use crate::noise::Noising;
    use mote_core::schedule::{Cosine, Edm, Schedule};
    use mote_core::score::{Component, GaussianMixture, MixtureDenoiser, Prediction};

    fn density(
        schedule: Schedule,
        centres: &[[f32; 3]],
        deviation: f32,
        x: &[f32; 3],
        steps: usize,
        probes: Probes,
    ) -> Density {
        let noising = Noising { schedule, prediction: Prediction::X0, sigma_data: 1.0 };
        let levels = ladder(&noising, 2 * steps);
        let components: Vec<_> = centres.iter().map(|mean| Component { weight: 1.0, mean, deviation }).collect();
        let mixture = GaussianMixture { components: &components };
        let mut model =
            Quotients { denoiser: MixtureDenoiser { mixture, levels: &levels, prediction: Prediction::X0 } };
        log_density(&mut model, &levels, 1.0, x, probes, 1, &mut Stream::new(1))
    }

    #[test]
    fn a_normal_law_has_its_closed_form() {
        // Data N(m, .6^2) in three dimensions; the flow's density at the cleanest level is N(m, .6^2 + s^2). Float rounding in D and in its
        // quotients, about 1e-6 of a unit each, leaves 1e-4 of a nat; the prior's mismatch adds s_max^-2 |x|^2.
        let (mean, x) = ([0.3f32, -0.2, 0.1], [0.5f32, -0.9, 0.4]);
        for schedule in [Schedule::Cosine(Cosine::DEFAULT), Schedule::Edm(Edm::DEFAULT)] {
            let clean =
                ladder(&Noising { schedule, prediction: Prediction::X0, sigma_data: 1.0 }, 2)[0].relative_sigma();
            let variance = 0.36 + f64::from(clean).powi(2);
            let square: f64 = x.iter().zip(mean).map(|(x, m)| f64::from(x - m).powi(2)).sum();
            let expected = -0.5 * square / variance - 1.5 * (std::f64::consts::TAU * variance).ln();
            let got = density(schedule, &[mean], 0.6, &x, 64, Probes::Exact);
            let prior = {
                // The exact last state against N(0, 1): what swapping them may change.
                let noisiest =
                    ladder(&Noising { schedule, prediction: Prediction::X0, sigma_data: 1.0 }, 2)[2].relative_sigma();
                4.0 / f64::from(noisiest)
            };
            assert!((got.log_density - expected).abs() < 2e-3 + prior, "{schedule:?}: {got:?} {expected}");
            assert_eq!(got.probe_variance, 0.0);
            // An isotropic law has slopes that are a multiple of the identity, whose trace any one sign vector finds.
            let guessed = density(schedule, &[mean], 0.6, &x, 64, Probes::Signs(3));
            assert!((guessed.log_density - got.log_density).abs() < 1e-3 && guessed.probe_variance < 1e-6);
        }
    }

    #[test]
    fn a_mixture_has_its_closed_form_and_signs_agree_on_average() {
        let centres = [[-1.0f32, 0.0, 0.5], [1.0, 0.4, -0.5]];
        let (x, schedule) = ([0.8f32, 0.1, -0.2], Schedule::Edm(Edm::DEFAULT));
        let variance: f64 = 0.25 + 4e-6;
        let normal = |mean: &[f32; 3]| {
            let square: f64 = x.iter().zip(mean).map(|(x, m)| f64::from(x - m).powi(2)).sum();
            (-0.5 * square / variance).exp() / (std::f64::consts::TAU * variance).powf(1.5)
        };
        let expected = ((normal(&centres[0]) + normal(&centres[1])) / 2.0).ln();
        let exact = density(schedule, &centres, 0.5, &x, 100, Probes::Exact);
        // Quotients over a step of 1/8 are off by step^2/6 of D's third derivative, where D bends: .02 nats in all.
        assert!((exact.log_density - expected).abs() < 0.02, "{exact:?} {expected}");
        let guessed = density(schedule, &centres, 0.5, &x, 100, Probes::Signs(64));
        let error = guessed.probe_variance.sqrt();
        assert!(error > 0.0 && (guessed.log_density - exact.log_density).abs() < 4.5 * error, "{guessed:?} {exact:?}");
    }
}
