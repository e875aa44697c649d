use mote_core::schedule::{
    Cosine, DdpmBetas, Edm, Flow, NoiseLevel, NoiseSchedule as _, Schedule, SubVp, VeGeometric, VpLinear, ZeroTerminal,
};

use super::*;
use crate::network::Activation;

const COSINE: Schedule = Schedule::Cosine(Cosine::DEFAULT);
const LINEAR: Schedule = Schedule::VpLinear(VpLinear::DEFAULT);
const EDM: Schedule = Schedule::Edm(Edm::DEFAULT);
const ALL: [Schedule; 8] = [
    COSINE,
    LINEAR,
    EDM,
    Schedule::SubVp(SubVp::DEFAULT),
    Schedule::VeGeometric(VeGeometric::DEFAULT),
    Schedule::Flow(Flow),
    Schedule::DdpmBetas(DdpmBetas::DEFAULT),
    Schedule::ZeroTerminal(ZeroTerminal::DEFAULT),
];

fn usual(schedule: Schedule, objective: Objective) -> TrainingNoise {
    TrainingNoise::usual(Noising { schedule, prediction: Prediction::V, sigma_data: 1.0 }, objective)
}

fn level_of(drawn: TrainingLevel) -> NoiseLevel {
    NoiseLevel { alpha: drawn.alpha, sigma: drawn.sigma }
}

#[test]
fn training_and_sampling_tell_the_network_the_same_number() {
    for schedule in ALL {
        for levels in [LevelDistribution::Uniform, LevelDistribution::LogNormal, LevelDistribution::LogitNormal] {
            let noise = TrainingNoise { levels, ..usual(schedule, Objective::V) };
            for u in [0.05, 0.3, 0.7, 0.95] {
                let drawn = noise.draw(u);
                let told = noise.noising.conditioning(level_of(drawn));
                assert!((told - drawn.time).abs() < 2e-5, "{schedule:?} {levels:?} at {u}");
                let power = (drawn.alpha * drawn.alpha + drawn.sigma * drawn.sigma).sqrt();
                assert!((drawn.input_scale * power - 1.0).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn levels_have_the_published_quantiles() {
    // ln(sigma / alpha) has the quantiles of N(-1.2, 1.2^2) and N(0, 1) at 0.5 and at Phi(1) = 0.841345; uniform levels are
    // the schedule's own at the time u.
    for schedule in [COSINE, LINEAR, EDM] {
        for (levels, mean, deviation) in
            [(LevelDistribution::LogNormal, -1.2, 1.2), (LevelDistribution::LogitNormal, 0.0, 1.0)]
        {
            let noise = TrainingNoise { levels, ..usual(schedule, Objective::V) };
            let at = |u: f32| level_of(noise.draw(u)).relative_sigma().ln();
            assert!((at(0.5) - mean).abs() < 1e-5, "{schedule:?} {levels:?}");
            assert!((at(0.841_345) - mean - deviation).abs() < 1e-4, "{schedule:?} {levels:?}");
        }
        let noise = TrainingNoise { levels: LevelDistribution::Uniform, ..usual(schedule, Objective::V) };
        assert_eq!(level_of(noise.draw(0.25)), schedule.level(0.25));
    }
    assert_eq!(usual(EDM, Objective::EdmF).levels, LevelDistribution::LogNormal);
    assert_eq!(usual(COSINE, Objective::EdmF).levels, LevelDistribution::Uniform);
}

/// The weight of an objective's own squared error at the quantile `u`, and the level there.
fn weight(schedule: Schedule, objective: Objective, weighting: Weighting, u: f32) -> (f64, f64, f64) {
    let noise = TrainingNoise { weighting, levels: LevelDistribution::Uniform, ..usual(schedule, objective) };
    let drawn = noise.draw(u);
    (f64::from(drawn.weight), f64::from(drawn.alpha), f64::from(drawn.sigma))
}

#[test]
fn weights_are_the_published_ones() {
    let close = |got: f64, want: f64, what: &str| assert!((got / want - 1.0).abs() < 1e-5, "{what}: {got} {want}");
    for u in [0.02, 0.1, 0.3, 0.5, 0.8, 0.97] {
        for schedule in [COSINE, LINEAR, EDM] {
            let (w, _, sigma) = weight(schedule, Objective::Score, Weighting::SigmaSquared, u);
            close(w, sigma * sigma, "Song and Ermon 2019");
            close(weight(schedule, Objective::Epsilon, Weighting::SigmaSquared, u).0, 1.0, "the noise's own error");
            // Hang et al. 2023, section 3.4: min(SNR, g) for x0, min(SNR, g) / SNR for the noise.
            let (w, alpha, sigma) = weight(schedule, Objective::X0, Weighting::MinSnr, u);
            let snr = (alpha / sigma).powi(2);
            close(w, snr.min(5.0), "min-SNR of x0");
            close(weight(schedule, Objective::Epsilon, Weighting::MinSnr, u).0, snr.min(5.0) / snr, "of the noise");
            // Karras et al. 2022, table 1: the weight times c_out^2 is 1.
            close(weight(schedule, Objective::EdmF, Weighting::Edm, u).0, 1.0, "EDM's F");
        }
        // ... and min(SNR, g) / (SNR + 1) for v, where alpha^2 + sigma^2 = 1.
        let (w, alpha, sigma) = weight(COSINE, Objective::V, Weighting::MinSnr, u);
        let snr = (alpha / sigma).powi(2);
        close(w, snr.min(5.0) / (snr + 1.0), "min-SNR of v");
    }
}

#[test]
fn the_likelihoods_weight_is_the_diffusions_square() {
    // Song et al. 2021: g^2 = beta(t) = 0.1 + 19.9 t for the linear variance-preserving process, and
    // 2 ln(sigma_max / sigma_min) sigma^2 for a geometric sigma; a hundredth of it for the difference quotient in f32.
    for t in [0.02_f32, 0.1, 0.4, 0.7, 0.9] {
        let (w, _, _) = weight(LINEAR, Objective::Score, Weighting::Likelihood, t);
        let beta = 0.1 + 19.9 * f64::from(t);
        assert!((w / beta - 1.0).abs() < 0.01, "{t}: {w} {beta}");
        let (w, _, sigma) = weight(EDM, Objective::Score, Weighting::Likelihood, t);
        let square = 2.0 * (80.0_f64 / 0.002).ln() * sigma * sigma;
        assert!((w / square - 1.0).abs() < 0.01, "{t}: {w} {square}");
    }
    // It stays finite at the ends of time, where beta / sigma^2 does not.
    for schedule in [COSINE, LINEAR, EDM] {
        for u in [f32::EPSILON, 1e-4, 0.9999, 1.0 - f32::EPSILON] {
            let (w, _, _) = weight(schedule, Objective::Epsilon, Weighting::Likelihood, u);
            assert!(w.is_finite() && (0.0..1e5).contains(&w), "{schedule:?} at {u}: {w}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused_with_the_way_out() {
    let shape = Shape { features: 2, ..Shape::plain(2, 2, &[8], Activation::Relu) };
    let says = |noise: TrainingNoise, parts: &[&str]| {
        let message = noise.check(&shape).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)) && message.lines().count() == 1, "{message}");
    };
    for (objective, weighting, fitting) in [
        (Objective::Score, Weighting::Simple, "sigma-squared, likelihood, min-snr"),
        (Objective::X0, Weighting::Edm, "simple, min-snr"),
        (Objective::X0, Weighting::SigmaSquared, "simple, min-snr"),
        (Objective::Epsilon, Weighting::Edm, "simple, sigma-squared, likelihood, min-snr"),
    ] {
        says(
            TrainingNoise { weighting, ..usual(COSINE, objective) },
            &[weighting.name(), objective.name(), &format!("those that fit it are {fitting}")],
        );
    }
    says(
        TrainingNoise { weighting: Weighting::Likelihood, ..usual(EDM, Objective::Epsilon) },
        &["log-normal", "--noise-levels uniform"],
    );
    says(usual(COSINE, Objective::Sliced), &["sliced", "ReLU", "--activation silu"]);
    let objectives =
        [Objective::V, Objective::Epsilon, Objective::X0, Objective::Score, Objective::Flow, Objective::EdmF];
    for objective in objectives {
        for schedule in [COSINE, LINEAR, EDM] {
            usual(schedule, objective).check(&shape).unwrap();
        }
    }
}
