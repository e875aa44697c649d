//! Drawing a block of noised samples, a pure function of seed, step and block.

use super::levels::{NoiseLevels, TrainingLevel};
use super::loss::Trace;
use super::normals::fill_normals;
use super::{TrainingOptions, TrainingSet, Windows};
use crate::network::{Shape, hash, unit, write_time_features};

/// Keeps the draws of samples apart from those of noise.
const ROWS: u64 = 1;
const NOISE: u64 = 2;
const CLASSES: u64 = 3;
const STRETCHES: u64 = 4;
const PLACES: u64 = 5;

/// The largest f32 below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

/// What every block is drawn from.
pub(super) struct Source<'a> {
    pub shape: &'a Shape,
    pub options: &'a TrainingOptions,
    pub set: &'a TrainingSet<'a>,
    pub levels: &'a dyn NoiseLevels,
    pub frequencies: &'a [f32],
}

/// A block's numbers, row by row.
pub(super) struct Samples {
    pub rows: usize,
    pub input: Vec<f32>,
    pub extra: Vec<f32>,
    pub target: Vec<f32>,
    /// What a sample counts, or each of its outputs.
    pub weight: Vec<f32>,
    /// Directions of the tangent passes, whose inputs follow the samples'.
    pub trace: Option<Trace>,
}

impl Source<'_> {
    /// Draws samples `first..first + rows` of the batch of step `step`.
    pub fn draw(&self, step: u64, first: usize, rows: usize) -> Samples {
        let (shape, options, dim) = (self.shape, self.options, self.set.dim);
        let appended = shape.features + shape.classes + 1;
        let depth = dim + appended;
        let mut noise = vec![0.0; rows * dim];
        fill_normals(hash(&[options.seed, step, NOISE, first as u64]), &mut noise);
        let outputs = (options.batch * shape.dim_out) as f32;
        let told = self.set.told();
        let offset = told + (dim - told - shape.dim_out) / 2;
        let (mut clean, mut counts) = (vec![0.0; dim], vec![1.0; shape.dim_out]);
        let mut samples = Samples {
            rows,
            input: vec![0.0; rows * depth],
            extra: Vec::new(),
            target: vec![0.0; rows * shape.dim_out],
            weight: Vec::with_capacity(rows * shape.dim_out),
            trace: None,
        };
        let (mut scales, mut constant) = (Vec::with_capacity(rows), 0.0);
        let inputs = samples.input.chunks_exact_mut(depth);
        let targets = samples.target.chunks_exact_mut(shape.dim_out);
        for (row, ((input, target), noise)) in inputs.zip(targets).zip(noise.chunks_exact(dim)).enumerate() {
            let index = first + row;
            let word = hash(&[options.seed, step, ROWS, index as u64]);
            let pick = (((word >> 32) * self.set.count() as u64) >> 32) as usize;
            let place = unit(hash(&[options.seed, step, PLACES, index as u64]));
            self.set.row(pick, place, &mut clean, &mut counts);
            let level = self.levels.draw(self.quantile(index, unit(word << 32)));
            let (x, appended) = input.split_at_mut(dim);
            x[..told].copy_from_slice(&clean[..told]);
            noised(&level, &clean[told..], &noise[told..], &mut x[told..]);
            if let Some(windows) = self.set.windows {
                keep_stretch(windows, unit(hash(&[options.seed, step, STRETCHES, index as u64])), x);
            }
            let targeted = offset..offset + shape.dim_out;
            aimed(&level, &clean[targeted.clone()], &noise[targeted], target);
            let (features, one_hot) = appended.split_at_mut(shape.features);
            write_time_features(self.frequencies, level.time, features);
            one_hot[shape.classes] = 1.0;
            if let (Some(labels), 1..) = (self.set.labels, shape.classes) {
                let word = hash(&[options.seed, step, CLASSES, index as u64]);
                if unit(word) >= f64::from(options.class_dropout) {
                    one_hot[usize::from(labels[pick])] = 1.0;
                }
            }
            let weight = level.weight / outputs;
            match self.set.gaps {
                Some(_) => samples.weight.extend(counts.iter().map(|count| weight * count)),
                None => samples.weight.push(weight),
            }
            scales.push(level.input_scale);
            constant += f64::from(weight * level.target_eps * level.target_eps) * shape.dim_out as f64;
        }
        if (1..shape.layer_count()).any(|layer| shape.is_conditioned(layer)) {
            let rows = samples.input.chunks_exact(depth);
            samples.extra = rows.flat_map(|row| &row[dim..]).copied().collect();
        }
        samples.trace = self.trace(step, first, rows, constant);
        if let Some(trace) = &samples.trace {
            // x_t moves by v, so the network's input by c_in v; what it is told does not move.
            samples.input.resize((1 + trace.tangents) * rows * depth, 0.0);
            let inputs = samples.input[rows * depth..].chunks_exact_mut(depth);
            for ((input, direction), scale) in inputs.zip(trace.directions.chunks_exact(dim)).zip(scales.iter().cycle())
            {
                input.iter_mut().zip(direction).for_each(|(i, v)| *i = scale * v);
            }
        }
        samples
    }

    /// The quantile of the noise level of sample `index`, from a uniform `u`.
    fn quantile(&self, index: usize, u: f64) -> f32 {
        let u = match self.options.low_discrepancy {
            true => (index as f64 + u) / self.options.batch as f64,
            false => u,
        };
        (u as f32).min(BELOW_ONE)
    }
}

/// Leaves of a window what lies in a stretch of the signal around its middle, which has its place in the stretch by `u`; the rest is 0.
fn keep_stretch(windows: Windows, u: f64, window: &mut [f32]) {
    let Some(stretch) = windows.stretch else { return };
    let times = window.len() / windows.channels;
    let place = ((u * stretch as f64) as usize).min(stretch - 1);
    let first = (times / 2).saturating_sub(place);
    let end = (times / 2 + stretch - place).min(times);
    window[..first * windows.channels].fill(0.0);
    window[end * windows.channels..].fill(0.0);
}

/// `out` = c_in (alpha x0 + sigma eps), and 0 where x0 is missing.
pub(super) fn noised(level: &TrainingLevel, clean: &[f32], noise: &[f32], out: &mut [f32]) {
    let alpha = level.alpha * level.input_scale;
    let sigma = level.sigma * level.input_scale;
    for ((o, x), z) in out.iter_mut().zip(clean).zip(noise) {
        *o = if x.is_nan() { 0.0 } else { alpha * x + sigma * z };
    }
}

/// `out` = what the network is to give for this sample, and 0 where x0 is missing, which counts for nothing.
pub(super) fn aimed(level: &TrainingLevel, clean: &[f32], noise: &[f32], out: &mut [f32]) {
    for ((o, x), z) in out.iter_mut().zip(clean).zip(noise) {
        *o = if x.is_nan() { 0.0 } else { level.target_x0 * x + level.target_eps * z };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_keeps_what_lies_in_its_stretch_and_always_its_middle() {
        let seen = |stretch, u| {
            let mut window = [1.0; 10];
            keep_stretch(Windows { channels: 2, stretch: Some(stretch) }, u, &mut window);
            window.chunks_exact(2).map(|sample| sample[0] as u8).collect::<Vec<_>>()
        };
        assert_eq!(seen(1, 0.5), [0, 0, 1, 0, 0]);
        // The middle is the first, the second and the last of a stretch of three.
        assert_eq!(seen(3, 0.0), [0, 0, 1, 1, 1]);
        assert_eq!(seen(3, 0.4), [0, 1, 1, 1, 0]);
        assert_eq!(seen(3, 0.999_999), [1, 1, 1, 0, 0]);
        assert_eq!(seen(100, 0.5), [1; 5]);
        assert_eq!(seen(100, 0.001), [0, 0, 1, 1, 1]);
        let mut whole = [1.0; 4];
        keep_stretch(Windows { channels: 1, stretch: None }, 0.0, &mut whole);
        assert_eq!(whole, [1.0; 4]);
    }
}
