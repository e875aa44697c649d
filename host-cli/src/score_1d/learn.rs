//! Learning the score: denoising score matching over many noise levels.

use mote_core::ensemble::BlockSequence;
use mote_core::random::{BoxMuller, NormalSource, Stream};
use mote_core::schedule::{Edm, NoiseLevel, NoiseSchedule};
use mote_core::score::Prediction;
use rand_core::Rng as _;

use super::law::LAW;
use crate::network::{Activation, FloatNetwork, Shape, Workspace, hash, unit};
use crate::train::{Fit, TrainError, TrainingOptions};

/// Noise from a fifth of a mode's width to the largest distance between two draws (Song and Ermon 2020, technique 1), where
/// the modes are one.
pub const NOISE: Edm = Edm { sigma_min: 0.1, sigma_max: 9.0 };

/// Keeps the draws of training apart from those of sampling.
const PURPOSE: u64 = 0x7363_6f72_6531_6400;

/// Two inputs, two hidden layers of 64, one output.
fn shape() -> Shape {
    Shape::plain(2, 1, &[64, 64], Activation::Silu)
}

/// What the network is told of a noisy x: `x / sqrt(v0 + sigma^2)`, v0 the variance of the data, and ln sigma from -1 at
/// the cleanest level to 1 at the noisiest.
pub(super) fn inputs(level: NoiseLevel, x: f32) -> [f32; 2] {
    [x / level.state_deviation(LAW.standard_deviation() as f32), 2.0 * NOISE.time(level.lambda()) - 1.0]
}

/// A fresh draw of the data, from the right mode or the left.
pub(super) fn draw(right: bool, normals: &mut BoxMuller) -> f32 {
    let centre = if right { LAW.centre } else { -LAW.centre };
    centre as f32 + LAW.deviation as f32 * normals.normal()
}

/// What training leaves.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The network; its output is the predicted noise, -sigma times the score.
    pub network: FloatNetwork,
    /// Step and mean loss since the point before, about a hundred of them.
    pub losses: Vec<(f64, f64)>,
}

impl Learned {
    /// The learned score at `x` and a noise level, `-F / sigma`.
    #[must_use]
    pub fn score(&self, x: f32, sigma: f32) -> f32 {
        let level = NoiseLevel { alpha: 1.0, sigma };
        let (none, mut out) = (self.network.level_biases(0.0), [0.0]);
        self.network.forward(&inputs(level, x), &none, None, &mut Workspace::default(), &mut out);
        Prediction::Epsilon.score(level).at(x, out[0])
    }
}

/// The least loss that any network could reach: `1 - sigma^2 E[score^2]`, which is what the noisy x leaves unknown of eps,
/// averaged over `ln sigma`.
#[must_use]
pub fn least_loss() -> f64 {
    let points = 200;
    let unknown = |i: u32| {
        let sigma = f64::from(NOISE.level((i as f32 + 0.5) / points as f32).sigma);
        1.0 - sigma * sigma * LAW.noised(sigma).information()
    };
    (0..points).map(unknown).sum::<f64>() / f64::from(points)
}

/// Rows in a batch: enough to keep the modes' balance, which is the last thing to be learned.
const BATCH: usize = 512;
const LEARNING_RATE: f32 = 1e-2;

/// Fits the network to fresh draws of the law by Vincent's (2011) objective at every noise level at once.
///
/// The loss is `E || sigma score(x0 + sigma eps, sigma) + eps ||^2`, with `ln sigma` uniform and `sigma^2` as the weight of
/// a level (Song and Ermon 2019, equation 6). Every batch is stratified: one level from each of equal shares of
/// `ln sigma`, and half of the draws from either mode, taking turns from level to level and from batch to batch.
///
/// # Errors
/// [`TrainError`] when there is no step or training diverges.
pub fn learn(seed: u64, steps: u64) -> Result<Learned, TrainError> {
    let options = TrainingOptions {
        steps,
        batch: BATCH,
        learning_rate: LEARNING_RATE,
        weight_decay: 0.0,
        seed,
        ..TrainingOptions::default()
    };
    let mut fit = Fit::new(shape(), options)?;
    let key = hash(&[seed, PURPOSE]);
    let (mut uniform, mut normals) = (Stream::new(key), BlockSequence::new(key).next_normals());
    let (mut input, mut target) = (Vec::new(), Vec::new());
    let (mut losses, mut sum, mut since) = (Vec::new(), 0.0, 0);
    for step in 1..=steps {
        input.clear();
        target.clear();
        for i in 0..BATCH {
            let share = (i as f64 + unit(u64::from(uniform.next_u32()) << 32)) / BATCH as f64;
            let level = NOISE.level(share as f32);
            let clean = draw((i as u64 + step).is_multiple_of(2), &mut normals);
            let noise = normals.normal();
            let [x, told] = inputs(level, clean + level.sigma * noise);
            input.extend([x, told, 1.0]);
            target.push(noise);
        }
        sum += fit.step(&input, &target)?;
        since += 1;
        if since * 100 >= steps || step == steps {
            losses.push((step as f64, sum / since as f64));
            (sum, since) = (0.0, 0);
        }
    }
    Ok(Learned { network: fit.ema_network(), losses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_loss_is_what_tweedie_leaves_unknown() {
        // E[Var(eps | x)] at one level by drawing: the error of the exact posterior mean of eps, -sigma score. 400,000
        // draws of a square below 2 on average: five standard errors are 5 sqrt(2 / 4e5) = 0.011 (false alarm 6e-7).
        let mut normals = BlockSequence::new(5).next_normals();
        for sigma in [0.2, 1.0, 4.0] {
            let law = LAW.noised(sigma);
            let n = 400_000;
            let mut square = 0.0;
            for i in 0..n {
                let (clean, eps) = (f64::from(draw(i % 2 == 0, &mut normals)), f64::from(normals.normal()));
                square += (eps + sigma * law.score(clean + sigma * eps)).powi(2);
            }
            let expected = 1.0 - sigma * sigma * law.information();
            assert!((square / f64::from(n) - expected).abs() < 0.011, "{sigma}: {square} {expected}");
        }
    }

    #[test]
    fn training_comes_near_the_least_loss_and_depends_on_the_seed_alone() {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let learned = learn(3, 500).unwrap();
        let again = one.install(|| learn(3, 500).unwrap());
        assert_eq!(learned.network, again.network);
        assert_eq!(learned.network.parameter_count(), 2 * 64 + 64 + 64 * 64 + 64 + 64 + 1);
        // The last hundred steps are 51,200 squares, whose mean has a standard error below sqrt(2 / 51200) = 0.006.
        let tail = &learned.losses[80..];
        let loss = tail.iter().map(|point| point.1).sum::<f64>() / tail.len() as f64;
        assert!((-0.03..0.06).contains(&(loss - least_loss())), "{loss} {}", least_loss());
        assert!(learned.losses[0].1 > 2.0 * loss.min(0.4), "{:?}", learned.losses[0]);
        // The score's sign at the flanks of the right mode.
        assert!(learned.score(2.0, 0.5) > 0.5 && learned.score(4.0, 0.5) < -0.5);
    }

    #[test]
    fn no_step_is_refused() {
        assert!(learn(0, 0).is_err());
    }
}
