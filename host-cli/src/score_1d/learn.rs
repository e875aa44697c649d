//! Learning the score: denoising score matching over many noise levels.

use mote_core::ensemble::BlockSequence;
use mote_core::random::{BoxMuller, NormalSource, Stream};
use mote_core::schedule::{Edm, NoiseLevel, NoiseSchedule};
use rand_core::Rng as _;

use super::law::LAW;
use crate::network::{Activation, Conditioning, FloatNetwork, Shape, hash};
use crate::train::{Fit, TrainError, TrainingOptions};

/// Noise from a tenth of a mode's width to twice the distance of the modes, where the two are one.
pub const NOISE: Edm = Edm { sigma_min: 0.1, sigma_max: 9.0 };

/// Keeps the draws of training apart from those of sampling.
const PURPOSE: u64 = 0x7363_6f72_6531_6400;

/// Two inputs, two hidden layers of 64, one output.
fn shape() -> Shape {
    Shape {
        dim_in: 2,
        dim_out: 1,
        hidden: vec![64, 64],
        activation: Activation::Silu,
        residual: false,
        features: 0,
        max_frequency: 1.0,
        classes: 0,
        conditioning: Conditioning::FirstLayer,
    }
}

/// What the network is told of a noisy x: `x / sqrt(v0 + sigma^2)`, v0 the variance of the data, and ln sigma from -1 at
/// the cleanest level to 1 at the noisiest.
pub(super) fn inputs(level: NoiseLevel, x: f32) -> [f32; 2] {
    [x / level.state_deviation(LAW.standard_deviation() as f32), 2.0 * NOISE.time(level.lambda()) - 1.0]
}

/// A fresh draw of the data.
pub(super) fn draw(right: bool, normals: &mut BoxMuller) -> f32 {
    let centre = if right { LAW.centre } else { -LAW.centre };
    centre as f32 + LAW.deviation as f32 * normals.normal()
}

/// The sources of a seed's coins and normals for one purpose.
pub(super) fn sources(seed: u64, purpose: u64) -> (Stream, BoxMuller) {
    let key = hash(&[seed, PURPOSE, purpose]);
    (Stream::new(key), BlockSequence::new(key).next_normals())
}

/// What training leaves.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The network; its output is the predicted noise, -sigma times the score.
    pub network: FloatNetwork,
    /// Step and mean loss since the point before, about a hundred of them.
    pub losses: Vec<(f64, f64)>,
}

/// Fits the network to fresh draws of the law by Vincent's (2011) objective at every noise level at once.
///
/// The loss is `E || sigma score(x0 + sigma eps, sigma) + eps ||^2`, with `ln sigma` uniform and `sigma^2` as the weight of
/// a level (Song and Ermon 2019, equation 6).
///
/// # Errors
/// [`TrainError`] when training diverges.
pub fn learn(seed: u64, steps: u64) -> Result<Learned, TrainError> {
    let env = |n: &str, d: f64| std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let options = TrainingOptions {
        steps,
        batch: env("BATCH", 512.0) as usize,
        learning_rate: env("LR", 5e-3) as f32,
        ema: env("EMA", 0.999) as f32,
        weight_decay: 0.0,
        seed,
        ..TrainingOptions::default()
    };
    let batch = options.batch;
    let mut fit = Fit::new(shape(), options)?;
    let (mut coin, mut normals) = sources(seed, 0);
    let (mut input, mut target) = (Vec::new(), Vec::new());
    let (mut losses, mut sum, mut since) = (Vec::new(), 0.0, 0);
    for step in 0..steps {
        input.clear();
        target.clear();
        for i in 0..batch {
            // One level from each of `batch` equal shares of ln sigma, so that every batch sees all levels alike.
            let jitter = (coin.next_u32() >> 8) as f32 / (1 << 24) as f32;
            let level = NOISE.level((i as f32 + jitter) / batch as f32);
            let (clean, noise) = (draw((i as u64 + step) % 2 == 0, &mut normals), normals.normal());
            let [x, told] = inputs(level, clean + level.sigma * noise);
            input.extend([x, told, 1.0]);
            target.push(noise);
        }
        sum += fit.step(&input, &target)?;
        since += 1;
        if since * 100 >= steps || step + 1 == steps {
            losses.push(((step + 1) as f64, sum / since as f64));
            (sum, since) = (0.0, 0);
        }
    }
    Ok(Learned { network: fit.ema_network(), losses })
}
