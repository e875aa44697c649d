//! Gaps filled by a model that learnt to: an autoregression's law of what is missing, and draws of what a network makes of it.

use mote_core::job::{Filled, ImputationDraw};
use mote_core::model::{Arena, Imputation, Model};
use mote_core::random::{Stream, StreamSequence, Ziggurat};
use mote_core::sampler::{Plan, Row};
use rayon::prelude::*;
use statrs::distribution::{Continuous as _, ContinuousCDF as _, Normal};

use super::draws::Tally;
use super::{Drawing, ImputationQuality, Pairing, imputation_quality};
use crate::gaps::take_out;
use crate::network::hash;
use crate::pool::bind;

/// Signals that the starting noise is calibrated on, draws of each, and what decides on both.
const CALIBRATION_SIGNALS: usize = 96;
const CALIBRATION_DRAWS: u32 = 20;
const CALIBRATION_SEED: u64 = 0x0067_6170_7363_616c;

/// A signal whose gaps the autoregression has filled, in the scale of training.
#[derive(Clone, Debug, PartialEq)]
pub struct FilledSignal {
    /// What is known, and the mean of what is not.
    pub values: Vec<f32>,
    /// The deviation of what is not known, 0 elsewhere.
    pub deviations: Vec<f32>,
}

impl FilledSignal {
    /// Fills a signal's gaps.
    ///
    /// # Panics
    /// Never: the memory is as long as the longest gap takes.
    #[must_use]
    pub fn of(imputation: &Imputation<'_>, signal: &[f32]) -> Self {
        let autoregression = imputation.autoregression();
        let (mut values, mut deviations) = (signal.to_vec(), vec![0.0; signal.len()]);
        let mut memory = vec![0.0; autoregression.floats(autoregression.longest_gap(signal))];
        autoregression.fill(&mut values, &mut deviations, &mut memory).expect("memory for the longest gap");
        Self { values, deviations }
    }
}

/// Draws what is missing in signals that are filled, along a plan, which is the model's own but for what it starts from: for each, its draws one after another, the second of each pair the mirror of the first. Pair k of signal j has
/// the stream with the number `j * pairs + k`.
///
/// # Panics
/// If the model does not fill gaps.
#[must_use]
pub fn draw_gaps(model: &Model<'_>, plan: Plan<'_>, signals: &[FilledSignal], drawing: Drawing) -> Vec<Vec<Vec<f32>>> {
    let pairs = drawing.draws.div_ceil(2);
    let mut sequence = StreamSequence::new(drawing.seed);
    let work: Vec<_> = (0..signals.len())
        .flat_map(|signal| (0..pairs).map(move |pair| (signal, pair)))
        .map(|(signal, pair)| (signal, pair, sequence.next_stream()))
        .collect();
    let drawn: Vec<Vec<Vec<f32>>> = work
        .into_par_iter()
        .map(|(signal, pair, stream)| {
            let both = if 2 * pair + 1 < drawing.draws { 2 } else { 1 };
            let mirrored = [false, true].into_iter().take(both);
            mirrored
                .map(|mirrored| draw_gap(model, plan, &signals[signal], mirrored, Ziggurat::new(stream.clone())))
                .collect()
        })
        .collect();
    drawn.chunks(pairs as usize).map(|pairs| pairs.iter().flatten().cloned().collect()).collect()
}

/// One draw of one signal.
///
/// # Panics
/// If the model does not fill gaps.
#[must_use]
pub fn draw_gap(
    model: &Model<'_>,
    plan: Plan<'_>,
    signal: &FilledSignal,
    mirrored: bool,
    mut noise: Ziggurat<Stream>,
) -> Vec<f32> {
    if signal.deviations.iter().all(|d| *d <= 0.0) {
        return signal.values.clone();
    }
    let mut arena = Box::new(Arena::new());
    let mut bound = bind(model, &mut arena);
    let mut imputer = bound.imputer().expect("a model that fills gaps");
    let (mut state, mut next) = (vec![0.0; signal.values.len()], vec![0.0; signal.values.len()]);
    let filled = Filled { values: &signal.values, deviations: &signal.deviations };
    let mut draw = ImputationDraw::start(plan, filled, mirrored, &mut noise, &mut state);
    while draw.step(&mut imputer, &mut noise, &mut state, &mut next) {}
    state
}

/// The scale of a draw's starting noise at which an interval of draws holds as much as it says: values are taken out of whole signals of a model's channels, in
/// the scale of training, and drawn again. Draws that start from more noise lie further apart, as a step in the angle keeps what the network does not take
/// away. Gives the scale, from 0.5 to 2, and the share that the interval then holds.
///
/// Cost: seven times the draws.
///
/// # Panics
/// If the model does not fill gaps, or there is no signal.
#[must_use]
pub fn calibrated_start(model: &Model<'_>, whole: &[Vec<f32>], interval: f64) -> (f32, f64) {
    let imputation = model.imputation().expect("a model that fills gaps");
    let channels = model.dim_out();
    let count = CALIBRATION_SIGNALS.min(whole.len());
    let truth: Vec<Vec<f32>> = (0..count).map(|k| whole[k * whole.len() / count].clone()).collect();
    let given: Vec<Vec<f32>> = truth
        .iter()
        .zip(0u64..)
        .map(|(signal, number)| {
            let mut signal = signal.clone();
            take_out(&mut signal, channels, hash(&[CALIBRATION_SEED, number]));
            signal
        })
        .collect();
    let filled: Vec<_> = given.iter().map(|signal| FilledSignal::of(&imputation, signal)).collect();
    let names = vec![String::new(); channels];
    let rows: Vec<Row> = imputation.plan().rows().collect();
    let held = |scale: f32| {
        let drawing = Drawing { draws: CALIBRATION_DRAWS, repeats: 1, seed: CALIBRATION_SEED };
        let draws = draw_gaps(model, Plan::new(&rows, scale), &filled, drawing);
        imputation_quality(&names, &given, &draws, &truth, interval, Pairing::Mirrored)[0].coverage
    };
    // By halves of the ratio: the share grows with the scale.
    let (mut low, mut high) = (0.5f32, 2.0f32);
    for _ in 0..6 {
        let middle = (low * high).sqrt();
        *(if held(middle) < interval { &mut low } else { &mut high }) = middle;
    }
    let scale = (low * high).sqrt();
    (scale, held(scale))
}

/// How well the autoregression alone knows missing values, each normal about its mean: over all, then channel by channel. The score is the closed form of a
/// normal's (Gneiting and Raftery 2007, equation 21).
///
/// # Panics
/// If `interval` is not between 0 and 1.
#[must_use]
pub fn autoregression_quality(
    channels: &[String],
    signals: &[FilledSignal],
    truth: &[Vec<f32>],
    interval: f64,
) -> Vec<ImputationQuality> {
    let standard = Normal::standard();
    let reach = standard.inverse_cdf(0.5 + interval / 2.0);
    let mut tally = Tally::new(channels);
    for (signal, truth) in signals.iter().zip(truth) {
        let of = signal.values.iter().zip(&signal.deviations).zip(truth);
        for (index, ((mean, deviation), truth)) in of.enumerate().filter(|(_, ((_, d), x))| **d > 0.0 && !x.is_nan()) {
            let (error, deviation) = (f64::from(*truth) - f64::from(*mean), f64::from(*deviation));
            let z = error / deviation;
            let score = z * (2.0 * standard.cdf(z) - 1.0) + 2.0 * standard.pdf(z) - 1.0 / std::f64::consts::PI.sqrt();
            tally.add(
                index,
                [error * error, deviation * score, f64::from(u8::from(z.abs() <= reach)), 2.0 * reach * deviation],
            );
        }
    }
    tally.rows()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quality_of_a_normal_is_the_closed_form() {
        let names = ["a".to_string()];
        let signal = FilledSignal { values: vec![0.0, 5.0, 1.0], deviations: vec![1.0, 0.0, 2.0] };
        let rows = autoregression_quality(&names, &[signal], &[vec![1.0, 5.0, 1.0]], 0.9);
        // CRPS of N(0, 1) at 1 is .602441 and at 0 .233695, times the deviation; the interval is 2 x 1.644854 deviations wide.
        assert_eq!((rows[0].values, rows[0].coverage), (2, 1.0));
        assert!((rows[0].rmse - 0.5f64.sqrt()).abs() < 1e-9);
        assert!((rows[0].crps - (0.602_441 + 2.0 * 0.233_695) / 2.0).abs() < 1e-5, "{}", rows[0].crps);
        assert!((rows[0].width - 1.5 * 2.0 * 1.644_854).abs() < 1e-5);
    }
}
