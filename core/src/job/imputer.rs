use crate::random::NormalSource;
use crate::sampler::Plan;
use crate::score::Denoiser;

/// A network that sees what an [`Autoregression`](super::Autoregression) makes of a signal with gaps, and improves on it: it slides over the signal and, at a
/// noise level, predicts for a sample what is behind the noise of the residuals `r = (x - mean) / deviation` of the missing values.
///
/// Its input is a window of means (of known values, these themselves), then the same window of deviations (0 where a value is known), then the state of the
/// residuals over fewer samples; each time after time, with the sample in the middle, and 0 beyond the ends of the signal.
///
#[cfg_attr(feature = "imputation", doc = "```")]
#[cfg_attr(not(feature = "imputation"), doc = "```ignore")]
/// use mote_core::job::{Filled, ImputationDraw};
/// use mote_core::model::{Arena, Model, arena_bytes};
/// use mote_core::random::{Stream, Ziggurat};
///
/// const BLOB: &[u8] = include_bytes!("../../tests/golden/v1-gaps-random.mote");
///
/// let model = Model::parse(BLOB)?;
/// let imputation = model.imputation().ok_or("no model that fills gaps")?;
/// let mut arena = Arena::<{ arena_bytes(BLOB) }>::new();
///
/// // Four samples of two channels, in the data's own units; two readings are missing.
/// let mut values = [0.4, 1.0, f32::NAN, 1.2, 0.6, f32::NAN, 0.5, 1.1];
/// let mut deviations = [0.0; 8];
/// model.scale(&mut values);
/// imputation.autoregression().fill(&mut values, &mut deviations, arena.floats())?;
///
/// let mut bound = model.bind(&mut arena)?;
/// let mut imputer = bound.imputer().ok_or("no model that fills gaps")?;
/// let mut noise = Ziggurat::new(Stream::new(42));
/// let filled = Filled { values: &values, deviations: &deviations };
/// let (mut state, mut next) = ([0.0; 8], [0.0; 8]);
/// let mut draw = ImputationDraw::start(imputation.plan(), filled, false, &mut noise, &mut state);
/// while draw.step(&mut imputer, &mut noise, &mut state, &mut next) {}
/// model.unscale(&mut state); // one way in which it may have been
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Imputer<'w, D> {
    denoiser: D,
    window: usize,
    input: &'w mut [f32],
    output: &'w mut [f32],
}

impl<'w, D: Denoiser> Imputer<'w, D> {
    /// One over a denoiser that sees `window` values of means, as many of deviations and the rest of `dim_in` of the state; in memory of at least
    /// `dim_in + dim_out` floats.
    pub fn new(denoiser: D, window: usize, (dim_in, dim_out): (usize, usize), floats: &'w mut [f32]) -> Self {
        let (input, rest) = floats.split_at_mut_checked(dim_in).unwrap_or_default();
        let output = rest.get_mut(..dim_out).unwrap_or_default();
        Self { denoiser, window, input, output }
    }

    /// Values at each time.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.output.len()
    }

    /// The network again.
    pub fn into_denoiser(self) -> D {
        self.denoiser
    }

    /// Evaluates the network for the sample that begins at value `at`; its outputs, one a channel.
    fn predict(&mut self, level: usize, signals: [&[f32]; 3], at: usize) -> &[f32] {
        let (means_and_deviations, state) = self.input.split_at_mut_checked(2 * self.window).unwrap_or_default();
        let (means, deviations) = means_and_deviations.split_at_mut_checked(self.window).unwrap_or_default();
        for (seen, signal) in [means, deviations, state].into_iter().zip(signals) {
            // As much before the sample as behind it.
            let before = seen.len().saturating_sub(self.output.len()) / 2;
            let outside = before.saturating_sub(at).min(seen.len());
            let (early, rest) = seen.split_at_mut_checked(outside).unwrap_or_default();
            early.fill(0.0);
            let mut values = signal.iter().skip(at.saturating_sub(before));
            rest.iter_mut().for_each(|x| *x = values.next().copied().unwrap_or(0.0));
        }
        self.denoiser.predict(level, None, self.input, self.output);
        self.output
    }
}

/// A signal whose gaps an [`Autoregression`](super::Autoregression) has filled.
#[derive(Clone, Copy, Debug)]
pub struct Filled<'s> {
    /// What is known, and the mean of what is not.
    pub values: &'s [f32],
    /// The deviation of what is not known, and 0 elsewhere.
    pub deviations: &'s [f32],
}

/// A draw of what the missing values may have been: their residuals, from noise along a plan, one [`step`](Self::step) a row of the plan.
#[derive(Debug)]
pub struct ImputationDraw<'p, 's> {
    plan: Plan<'p>,
    filled: Filled<'s>,
    mirrored: bool,
    row: usize,
}

impl<'p, 's> ImputationDraw<'p, 's> {
    /// Writes the first state, noise where values are missing and 0 elsewhere, to `state`, which is as long as the signal. A mirrored draw takes all normals
    /// of its source with the other sign: of the mean of a draw and its mirror, what is odd in the noise is gone (antithetic variates, Hammersley and
    /// Morton 1956).
    pub fn start<N: NormalSource + ?Sized>(
        plan: impl Into<Plan<'p>>,
        filled: Filled<'s>,
        mirrored: bool,
        noise: &mut N,
        state: &mut [f32],
    ) -> Self {
        let draw = Self { plan: plan.into(), filled, mirrored, row: 0 };
        let scale = draw.signed(draw.plan.start_scale());
        for (x, deviation) in state.iter_mut().zip(filled.deviations) {
            *x = if *deviation > 0.0 { scale * noise.normal() } else { 0.0 };
        }
        draw
    }

    fn signed(&self, x: f32) -> f32 {
        if self.mirrored { -x } else { x }
    }

    /// Steps that are still to come.
    #[must_use]
    pub fn steps_left(&self) -> usize {
        self.plan.len().saturating_sub(self.row)
    }

    /// Takes the next row of the plan; false once the draw is done, when `state` is the whole signal, in the scale of training. `next` is as long as the
    /// state.
    ///
    /// Cost: one evaluation for each sample with a missing value.
    pub fn step<D: Denoiser, N: NormalSource + ?Sized>(
        &mut self,
        imputer: &mut Imputer<'_, D>,
        noise: &mut N,
        state: &mut [f32],
        next: &mut [f32],
    ) -> bool {
        let Some(row) = self.plan.row(self.row) else { return false };
        let Filled { values, deviations } = self.filled;
        let channels = imputer.channels().max(1);
        let [b, ..] = row.b;
        let fresh = self.signed(row.e);
        let samples = next.chunks_exact_mut(channels).zip(deviations.chunks_exact(channels));
        for (time, (to, deviation)) in samples.enumerate() {
            to.fill(0.0);
            if !deviation.iter().any(|d| *d > 0.0) {
                continue;
            }
            let at = time * channels;
            let output = imputer.predict(row.level.into(), [values, deviations, state], at);
            let own = state.iter().skip(at).zip(deviation);
            for (((to, f), (x, deviation)), _) in to.iter_mut().zip(output).zip(own).zip(0..channels) {
                if *deviation > 0.0 {
                    let m = row.p * x + row.q * f;
                    *to = row.a * x + b * m;
                    if row.e != 0.0 {
                        *to += fresh * noise.normal();
                    }
                }
            }
        }
        for (x, to) in state.iter_mut().zip(next) {
            *x = *to;
        }
        self.row += 1;
        if self.row >= self.plan.len() {
            for ((x, value), deviation) in state.iter_mut().zip(values).zip(deviations) {
                *x = if *deviation > 0.0 { value + deviation * *x } else { *value };
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::random::{Stream, Ziggurat};
    use crate::sampler::Row;
    use std::vec;
    use std::vec::Vec;

    /// Keeps what it sees and gives, of each channel, what is in the middle of the state plus the level.
    struct Witness {
        seen: Vec<Vec<f32>>,
        middle: usize,
    }

    impl Denoiser for Witness {
        fn predict(&mut self, level: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
            self.seen.push(x.to_vec());
            out.iter_mut().zip(&x[self.middle..]).for_each(|(out, x)| *out = x + level as f32);
        }
    }

    const VALUES: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    const DEVIATIONS: [f32; 8] = [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 2.0, 0.25];

    fn rows(e: f32) -> [Row; 2] {
        // x <- 2 x - .5 (F at level 3), then x <- x + (x + 2 F at level 1).
        let row = |level, p, q, a, b| Row { level, p, q, a, b: [b, 0.0, 0.0, 0.0], e };
        [row(3, 0.0, 1.0, 2.0, -0.5), row(1, 1.0, 2.0, 1.0, 1.0)]
    }

    /// A draw of two channels, windows of three samples of means and deviations and one of the state.
    fn draw(rows: &[Row], mirrored: bool) -> (Vec<f32>, Vec<Vec<f32>>) {
        let mut floats = [0.0; 16];
        let witness = Witness { seen: Vec::new(), middle: 12 };
        let mut imputer = Imputer::new(witness, 6, (14, 2), &mut floats);
        let mut noise = Ziggurat::new(Stream::new(5));
        let (mut state, mut next) = (vec![9.0; 8], vec![9.0; 8]);
        let filled = Filled { values: &VALUES, deviations: &DEVIATIONS };
        let mut draw = ImputationDraw::start(Plan::new(rows, 1.5), filled, mirrored, &mut noise, &mut state);
        let mut left = 2;
        assert_eq!(draw.steps_left(), left);
        while draw.step(&mut imputer, &mut noise, &mut state, &mut next) {
            left -= 1;
            assert_eq!(draw.steps_left(), left);
        }
        assert_eq!(left, 0);
        (state, imputer.denoiser.seen)
    }

    #[test]
    fn a_draw_takes_the_rows_of_its_plan_where_values_are_missing() {
        let (state, seen) = draw(&rows(0.0), false);
        let mut noise = Ziggurat::new(Stream::new(5));
        let z: Vec<f32> = (0..3).map(|_| noise.normal()).collect();
        let expected = |z: f32| {
            let x = 2.0 * (1.5 * z) - 0.5 * (1.5 * z + 3.0);
            x + (x + 2.0 * (x + 1.0))
        };
        for (place, (index, z)) in [1, 6, 7].into_iter().zip(&z).enumerate() {
            let value = VALUES[index] + DEVIATIONS[index] * expected(*z);
            assert!((state[index] - value).abs() < 1e-5, "{place}: {} {value}", state[index]);
        }
        for index in [0, 2, 3, 4, 5] {
            assert_eq!(state[index], VALUES[index]);
        }
        // Two samples have missing values; each window ends in zeros beyond the signal.
        assert_eq!(seen.len(), 4);
        assert_eq!(seen[0][..12], [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0]);
        assert_eq!(seen[1][..12], [5.0, 6.0, 7.0, 8.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.25, 0.0, 0.0]);
        assert_eq!(seen[0][12..], [0.0, 1.5 * z[0]]);
        assert_eq!(seen[1][12..], [1.5 * z[1], 1.5 * z[2]]);
    }

    #[test]
    fn a_mirrored_draw_has_every_normal_with_the_other_sign() {
        // The witness's level makes the update affine in the noise: a draw and its mirror lie about the same point.
        let (one, _) = draw(&rows(0.3), false);
        let (other, _) = draw(&rows(0.3), true);
        let (quiet, _) = draw(&rows(0.0), false);
        let (mirrored, _) = draw(&rows(0.0), true);
        let z = Ziggurat::new(Stream::new(5)).normal();
        // By hand, as above: 2 (1.5 z) - .5 (1.5 z + 3) = 2.25 z - 1.5, then x + (x + 2 (x + 1)) = 9 z - 4.
        assert!((quiet[1] - (VALUES[1] + DEVIATIONS[1] * (9.0 * z - 4.0))).abs() < 1e-5);
        assert!((mirrored[1] - (VALUES[1] + DEVIATIONS[1] * (-9.0 * z - 4.0))).abs() < 1e-5);
        for index in [1, 6, 7] {
            assert!((one[index] + other[index] - quiet[index] - mirrored[index]).abs() < 1e-4);
            assert!((one[index] - quiet[index]).abs() > 1e-3, "no fresh noise");
        }
    }
}
