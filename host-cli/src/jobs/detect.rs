//! Windows that do not look like normal data.

use mote_core::job::{CALIBRATION_NUMBERS, Detector, ERROR_FEATURES, Judgement, Level, feature_log};
use mote_core::model::{Arena, Model};
use rayon::prelude::*;

use crate::pool::bind;

/// How to judge.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'l> {
    /// By what.
    pub judgement: Judgement,
    /// The levels whose errors count.
    pub levels: &'l [Level],
    /// How many times noise is added.
    pub seeds: u32,
    /// Values at each time.
    pub channels: usize,
}

type Features = Vec<[f32; ERROR_FEATURES]>;

impl Judging<'_> {
    fn detector<'c>(&'c self, calibration: &'c [f32]) -> Detector<'c> {
        Detector { judgement: self.judgement, levels: self.levels, seeds: self.seeds, calibration }
    }

    /// The features of each window, level by level and channel by channel.
    fn features(
        &self,
        model: &Model<'_>,
        windows: &[Vec<f32>],
        unit: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Vec<Features> {
        windows
            .par_iter()
            .map(|window| {
                let mut arena = Box::new(Arena::new());
                let mut bound = bind(model, &mut arena);
                let [mut a, mut b] = [(); 2].map(|()| vec![0.0; window.len()]);
                let buffers = [&mut a[..], &mut b[..]];
                let mut found = Vec::new();
                let each = |_: usize, _: usize, features| found.push(features);
                self.detector(&[]).features(&mut bound.estimator(), self.channels, window, buffers, &unit, each);
                found
            })
            .collect()
    }

    /// The numbers that normal windows, in the scale of training, give a [`Detector`].
    #[must_use]
    pub fn calibrate(&self, model: &Model<'_>, normal: &[Vec<f32>]) -> Vec<f32> {
        let places = self.levels.len() * self.channels;
        let count = normal.len().max(1) as f64;
        let mean = |of: &dyn Fn(&Features) -> f64, all: &[Features]| all.iter().map(of).sum::<f64>() / count;
        let plain = self.features(model, normal, |_, _| 1.0);
        let squares: Vec<f32> = (0..places).map(|place| mean(&|f| f64::from(f[place][0]), &plain) as f32).collect();
        let unit = |level: usize, channel: usize| 1.0 / squares[level * self.channels + channel].max(1e-12).sqrt();
        let in_units = self.features(model, normal, unit);
        let mut out = Vec::with_capacity(places * CALIBRATION_NUMBERS);
        for (place, square) in squares.iter().enumerate() {
            out.push(*square);
            for feature in 0..ERROR_FEATURES {
                let log = |f: &Features| f64::from(feature_log(f[place][feature]));
                let center = mean(&log, &in_units);
                let deviation = mean(&|f| (log(f) - center).powi(2), &in_units).sqrt();
                out.extend([center as f32, (1.0 / deviation.max(1e-3)) as f32]);
            }
        }
        out
    }

    /// The score of each window; higher is stranger.
    #[must_use]
    pub fn scores(&self, model: &Model<'_>, calibration: &[f32], windows: &[Vec<f32>]) -> Vec<f32> {
        let score = |window: &Vec<f32>| {
            let mut arena = Box::new(Arena::new());
            let mut bound = bind(model, &mut arena);
            let [mut a, mut b] = [(); 2].map(|()| vec![0.0; window.len()]);
            let buffers = [&mut a[..], &mut b[..]];
            self.detector(calibration).score(&mut bound.estimator(), self.channels, window, buffers)
        };
        windows.par_iter().map(score).collect()
    }
}

/// The area under the receiver operating characteristic: how often a strange window scores above a normal one, ties counting half (Mann and Whitney 1947).
/// None where one of them is missing.
#[must_use]
pub fn auroc(normal: &[f32], strange: &[f32]) -> Option<f64> {
    if normal.is_empty() || strange.is_empty() {
        return None;
    }
    let mut sorted = normal.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let above = |x: &f32| {
        let below = sorted.partition_point(|n| n < x);
        let upto = sorted.partition_point(|n| n <= x);
        (below + upto) as f64 / 2.0
    };
    Some(strange.iter().map(above).sum::<f64>() / (normal.len() * strange.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_in_order_and_ties_by_half() {
        // Pairs (0, 1), (0, 2), (1, 1), (1, 2): three in order, one tie.
        assert_eq!(auroc(&[0.0, 1.0], &[1.0, 2.0]), Some(3.5 / 4.0));
        assert_eq!(auroc(&[1.0], &[]), None);
    }
}
