//! The picture: data, score, loss and samples in four panels.

use mote_core::ensemble::BlockSequence;
use mote_core::random::Stream;
use mote_laboratory::gallery::{ScoreCurve, ScoreMatching};
use rand_core::Rng as _;

use super::law::LAW;
use super::learn::{Learned, draw, least_loss};

/// Noise levels at which learned and exact score are shown.
const SHOWN: [f32; 3] = [0.5, 1.0, 3.0];
/// Ends of the x axis.
const END: f64 = 6.0;
/// Points of a curve.
const POINTS: u32 = 400;

/// Everything that the picture shows of a run.
#[must_use]
pub fn shown(learned: &Learned, samples: &[f32]) -> ScoreMatching {
    let x = || (0..=POINTS).map(|i| END * (2.0 * f64::from(i) / f64::from(POINTS) - 1.0));
    let scores = SHOWN.map(|sigma| {
        let law = LAW.noised(sigma.into());
        ScoreCurve {
            sigma: sigma.into(),
            learned: x().map(|x| (x, learned.score(x as f32, sigma).into())).collect(),
            exact: x().map(|x| (x, law.score(x))).collect(),
        }
    });
    ScoreMatching {
        data: exact_draws(0, samples.len()),
        density: x().map(|x| (x, LAW.density(x))).collect(),
        scores: scores.into(),
        loss: learned.losses.clone(),
        least_loss: Some(least_loss()),
        samples: samples.to_vec(),
    }
}

/// Independent draws of the exact law, each from a mode of its own choice.
#[must_use]
pub fn exact_draws(seed: u64, count: usize) -> Vec<f32> {
    let (mut coin, mut normals) = (Stream::new(seed), BlockSequence::new(seed).next_normals());
    (0..count).map(|_| draw(coin.next_u32() >> 31 == 1, &mut normals)).collect()
}
