//! Experiments that several pictures share.

use mote_core::ensemble::BLOCK;
use mote_core::random::{BoxMuller, IndependentNoise, Span, Stream, Ziggurat};
use mote_core::sde::Sde;
use mote_core::stepper::{Stepper, integrate_part, integrate_scratch};
use mote_picture::Point;

use crate::ensemble::{Ensemble, blocks_of};

/// Paths from some starts, (t, x) at every step, one a start.
pub(super) fn paths<P: Stepper<S>, S: Sde>(
    stepper: &P,
    mut sde: S,
    (span, steps): (Span, u32),
    seed: u64,
    starts: &[f32],
) -> Vec<Vec<Point>> {
    let mut noise = IndependentNoise::new(Ziggurat::new(Stream::new(seed)));
    let mut x = starts.to_vec();
    let mut scratch = vec![0.0; integrate_scratch::<P, S>(x.len())];
    let mut paths: Vec<Vec<Point>> = starts.iter().map(|&x| vec![(span.t0.into(), x.into())]).collect();
    for step in 0..steps {
        integrate_part(stepper, &mut sde, (span, steps), step..step + 1, &mut noise, &mut x, &mut scratch);
        let t = span.step(step, steps).t1;
        for (path, x) in paths.iter_mut().zip(&x) {
            path.push((t.into(), (*x).into()));
        }
    }
    paths
}

/// The states of `count` paths of a scalar process after each of the `stops` (numbers of steps).
pub(super) fn snapshots<P, S>(
    ensemble: &Ensemble<P, S>,
    count: usize,
    start: impl Fn(&mut BoxMuller, &mut [f32]) + Sync,
    stops: &[u32],
) -> Vec<Vec<f32>>
where
    P: Stepper<S> + Sync,
    S: Sde + Clone + Sync,
{
    let keep = |kept: &mut Vec<Vec<f32>>, _: usize, x: &[f32]| kept.push(x[..BLOCK].to_vec());
    let blocks = ensemble.map(blocks_of(count), start, stops, Vec::new, keep);
    let at = |stop: usize| {
        let mut states: Vec<f32> = blocks.iter().flat_map(|block| &block[stop]).copied().collect();
        states.truncate(count);
        states
    };
    (0..stops.len()).map(at).collect()
}

/// The graph of a function between two ends.
pub(super) fn curve(low: f64, high: f64, of: impl Fn(f64) -> f64) -> Vec<Point> {
    const PARTS: u32 = 240;
    let at = |i: u32| low + (high - low) * f64::from(i) / f64::from(PARTS);
    (0..=PARTS).map(|i| (at(i), of(at(i)))).collect()
}

/// The density of N(mean, deviation^2).
pub(super) fn normal_density(x: f64, mean: f64, deviation: f64) -> f64 {
    let z = (x - mean) / deviation;
    (-0.5 * z * z).exp() / (deviation * (2.0 * std::f64::consts::PI).sqrt())
}
