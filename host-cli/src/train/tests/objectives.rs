//! Every objective from data to samples, on a normal law whose components go together.

use mote_core::sampler::Plan;
use mote_core::schedule::{Cosine, Edm, Schedule};
use mote_core::score::Prediction;

use super::run_to;
use crate::denoiser::FloatDenoiser;
use crate::network::{Activation, Conditioning, Shape};
use crate::noise::{Noising, Objective, TrainingNoise};
use crate::plan::LevelSet;
use crate::pool::Batch;
use crate::train::normals::fill_normals;
use crate::train::{Trainer, TrainingOptions, TrainingSet};

/// Samples of each plan.
const COUNT: usize = 4000;
/// Correlation of the two components, each with mean 0 and variance 1.
const CORRELATION: f32 = 0.8;
const STEPS: u64 = 2500;

fn correlated(count: usize) -> Vec<f32> {
    let mut data = vec![0.0; 2 * count];
    fill_normals(7, &mut data);
    for row in data.chunks_exact_mut(2) {
        row[1] = CORRELATION * row[0] + (1.0 - CORRELATION * CORRELATION).sqrt() * row[1];
    }
    data
}

/// How far samples' moments are from the closed form: the largest gap of a mean, and of the covariance.
fn gaps(samples: &[f32]) -> [f64; 2] {
    let n = samples.len() as f64 / 2.0;
    let mean_of = |of: fn(f64, f64) -> f64| {
        samples.chunks_exact(2).map(|x| of(f64::from(x[0]), f64::from(x[1]))).sum::<f64>() / n
    };
    let mean = [mean_of(|x, _| x), mean_of(|_, y| y)];
    let covariance =
        [mean_of(|x, _| x * x) - 1.0, mean_of(|x, y| x * y) - f64::from(CORRELATION), mean_of(|_, y| y * y) - 1.0];
    let largest = |values: &[f64]| values.iter().fold(0_f64, |a, b| a.max(b.abs()));
    [largest(&mean), largest(&covariance)]
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn every_objective_trains_a_network_whose_samples_come_near_to_the_closed_form() {
    let data = correlated(8000);
    let set = TrainingSet { dim: 2, rows: &data, ..TrainingSet::default() };
    let shape = Shape {
        features: 16,
        max_frequency: 30.0,
        conditioning: Conditioning::EveryHiddenLayer,
        ..Shape::plain(2, 2, &[32, 32], Activation::Silu)
    };
    let specs = ["ddim:50", "dpm++2m:20"].map(|plan| plan.parse().unwrap());
    let (cosine, edm) = (Schedule::Cosine(Cosine::DEFAULT), Schedule::Edm(Edm::DEFAULT));
    for (objective, schedule) in [
        (Objective::V, cosine),
        (Objective::Epsilon, cosine),
        (Objective::X0, cosine),
        (Objective::Score, cosine),
        (Objective::Flow, cosine),
        (Objective::EdmF, edm),
        (Objective::Sliced, cosine),
        (Objective::Explicit, cosine),
    ] {
        let noising = Noising { schedule, prediction: Prediction::V, sigma_data: 1.0 };
        let levels = TrainingNoise::usual(noising, objective);
        let options = TrainingOptions {
            steps: STEPS,
            batch: 128,
            warmup: 50,
            learning_rate: 1e-2,
            weight_decay: 0.0,
            ..TrainingOptions::default()
        };
        let mut trainer = Trainer::new(shape.clone(), options, set, &levels).unwrap();
        run_to(&mut trainer, STEPS);
        let network = trainer.ema_network();
        let plans = LevelSet::build(&specs, &levels.noising).unwrap();
        let denoiser = FloatDenoiser::new(&network, &levels.noising, &plans.levels);
        let batch = Batch { seed: 3, first: 0, count: COUNT, options: Default::default() };
        for plan in &plans.plans {
            let samples = batch.draw(&denoiser, 2, Plan::new(&plan.rows, plan.start_scale));
            // 4,000 samples tell a moment to 0.022, and 50 steps of DDIM leave a tenth of the variance; the rest is the
            // network's. x0 = (x - sigma F) / alpha magnifies what epsilon and the score leave wrong at pure noise. Samples
            // that no network has changed would be 0.8 off, as would be independent components.
            let [mean, covariance] = gaps(&samples);
            let magnified = matches!(levels.noising.prediction, Prediction::Epsilon | Prediction::Score);
            let near = mean < 0.15 && covariance < if magnified { 0.4 } else { 0.2 };
            assert!(near, "{objective:?} {}: {mean} {covariance}", plan.name);
        }
    }
}
