use mote_core::model::Model;
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_core::sampler::SampleOptions;
use mote_core::schedule::NoiseLevel;
use mote_device::{Calibration, Draw};
use std::path::Path;

/// What a device has to give, computed here from the blob.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a>(pub &'a [u8]);

impl Host<'_> {
    fn with<T>(&self, work: impl FnOnce(&Model<'_>, &mut [u32]) -> T) -> T {
        let model = Model::parse(self.0).expect("a model");
        work(&model, &mut vec![0; model.arena_bytes() / 4])
    }

    /// A sample's bits, in the data's own units.
    pub fn sample(&self, draw: &Draw) -> Vec<u32> {
        self.with(|model, words| {
            let mut options = SampleOptions::default();
            (options.class, options.guidance) = (draw.class, draw.guidance);
            let mut sample = vec![0.0; model.dim_out()];
            let plan = model.plan(draw.plan.into()).expect("a plan");
            let mut bound = model.bind_words(words).expect("room");
            bound.sample(&plan, options, draw.seed, draw.number, &mut sample);
            model.unscale(&mut sample);
            bits(&sample)
        })
    }

    /// A denoised window of any length of a network that slides, as bits, by core's estimate of the whole signal.
    pub fn denoise_signal(&self, window: &[f32], noise: f32) -> Vec<u32> {
        self.with(|model, words| {
            let level = model.nearest_level(noise);
            let mut state = window.to_vec();
            state.chunks_mut(model.dim_out()).for_each(|sample| model.scale(sample));
            state.iter_mut().for_each(|x| *x *= level.noise.alpha);
            let mut clean = vec![0.0; window.len()];
            model.bind_words(words).expect("room").estimator().estimate(level, None, &state, &mut clean);
            clean.chunks_mut(model.dim_out()).for_each(|sample| model.unscale(sample));
            bits(&clean)
        })
    }

    /// The score of a window by a calibration, whole at once.
    pub fn detect(&self, window: &[f32], calibration: &Calibration) -> f32 {
        self.with(|model, words| {
            let levels = calibration.check(Path::new("the test's"), self.0, model).expect("a calibration of this blob");
            let mut scaled = window.to_vec();
            model.scale(&mut scaled);
            let (mut state, mut errors) = (vec![0.0; window.len()], vec![0.0; window.len()]);
            let buffers = [&mut state[..], &mut errors[..]];
            let mut bound = model.bind_words(words).expect("room");
            let channels = calibration.channels.len();
            calibration.detector(&levels).score(&mut bound.estimator(), channels, &scaled, buffers)
        })
    }

    /// A denoised window, by the network's score at the level nearest to the noise and Tweedie's formula, in double precision but for the network.
    pub fn denoise(&self, window: &[f32], noise: f32, class: Option<u16>) -> Vec<f64> {
        self.with(|model, words| {
            let levels = model.network().levels();
            let distance = |at: NoiseLevel| (f64::from(at.sigma) / f64::from(at.alpha) / f64::from(noise)).ln().abs();
            let usable = |at: &NoiseLevel| at.alpha > 0.0 && at.sigma > 0.0;
            let all = (0..levels.len()).filter_map(|i| levels.noise(i).filter(usable).map(|at| (i, at)));
            let (level, at) = all.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).expect("a level");
            let scaling: Vec<_> = model.scaling().collect();
            let state: Vec<f32> =
                window.iter().zip(&scaling).map(|(y, (mean, deviation))| at.alpha * ((y - mean) / deviation)).collect();
            let mut output = vec![0.0; model.dim_out()];
            model.bind_words(words).expect("room").evaluate(level, class, &state, &mut output);
            let score = model.prediction().score(at);
            let (alpha, sigma) = (f64::from(at.alpha), f64::from(at.sigma));
            let inputs = state.iter().zip(&scaling);
            let clean = inputs.zip(&output).map(|((x, (mean, deviation)), f)| {
                let (x, f) = (f64::from(*x), f64::from(*f));
                let score = f64::from(score.x) * x + f64::from(score.f) * f;
                let clean = (x + sigma * sigma * score) / alpha;
                clean * f64::from(*deviation) + f64::from(*mean)
            });
            clean.collect()
        })
    }
}

/// The normals that a seed's first stream gives.
pub fn normals(seed: u64, count: usize) -> Vec<f32> {
    let mut noise = Ziggurat::new(Stream::new(seed));
    (0..count).map(|_| noise.normal()).collect()
}

/// The bits of values; every NaN is the same.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { f32::NAN } else { *x }.to_bits()).collect()
}
