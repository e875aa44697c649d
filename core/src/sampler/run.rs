use super::{Plan, Row};
use crate::random::NormalSource;
use crate::score::Denoiser;

/// What a sample is conditioned on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SampleOptions {
    /// The class to sample, or `None` for any.
    pub class: Option<u16>,
    /// Guidance weight w of `F = F_u + w (F_c - F_u)`; `None` takes the class's output as it is, in one evaluation.
    pub guidance: Option<f32>,
}

/// The floats that a [`Run`] works in, lent by the caller. The default has none.
#[derive(Debug, Default)]
pub struct Workspace<'w> {
    state: &'w mut [f32],
    history: &'w mut [f32],
    output: &'w mut [f32],
    unconditional: &'w mut [f32],
}

impl<'w> Workspace<'w> {
    /// How many floats a workspace takes: the state, the predictions kept, and one or (guided) two network outputs.
    #[must_use]
    pub const fn len(dim: usize, history: usize, guided: bool) -> usize {
        dim * (2 + history + guided as usize)
    }

    /// Divides `floats`, or gives `None` when they are fewer than [`len`](Self::len).
    #[must_use]
    pub fn new(dim: usize, history: usize, guided: bool, floats: &'w mut [f32]) -> Option<Self> {
        let (state, rest) = floats.split_at_mut_checked(dim)?;
        let (history, rest) = rest.split_at_mut_checked(dim.checked_mul(history)?)?;
        let (output, rest) = rest.split_at_mut_checked(dim)?;
        let unconditional = if guided { rest.get_mut(..dim)? } else { &mut [] };
        Some(Self { state, history, output, unconditional })
    }
}

/// A sample in the making: one [`step`](Self::step) a row, so that a control loop never waits for more than that.
#[derive(Debug)]
pub struct Run<'p, 'w> {
    plan: Plan<'p>,
    options: SampleOptions,
    workspace: Workspace<'w>,
    next: usize,
    slot: usize,
}

impl<'p, 'w> Run<'p, 'w> {
    /// Draws the starting noise, `start_scale z`, one normal a component in order.
    ///
    /// The workspace must have been made for at least the plan's history; deeper terms of a row are left out.
    pub fn start<N: NormalSource + ?Sized>(
        plan: Plan<'p>,
        options: SampleOptions,
        workspace: Workspace<'w>,
        noise: &mut N,
    ) -> Self {
        let mut run = Self::resume(plan, options, workspace, 0);
        run.begin(noise);
        run
    }

    /// Draws the starting noise, and forgets the predictions of what was there before.
    pub(crate) fn begin<N: NormalSource + ?Sized>(&mut self, noise: &mut N) {
        for x in self.workspace.state.iter_mut() {
            *x = self.plan.start_scale() * noise.normal();
        }
        self.workspace.history.fill(0.0);
    }

    /// Takes a sample up again where a run of the same plan, options and workspace stood after `steps_taken` rows.
    ///
    /// All else that a run holds lies in the workspace, so that a caller who cannot keep a borrow from one step to the next keeps this
    /// one number. A workspace that something else wrote to meanwhile gives a sample of other bits, and no fault.
    #[must_use]
    pub fn resume(plan: Plan<'p>, options: SampleOptions, workspace: Workspace<'w>, steps_taken: usize) -> Self {
        let kept = workspace.history.len().checked_div(workspace.state.len()).unwrap_or(0);
        let slot = steps_taken.checked_rem(kept).unwrap_or(0);
        Self { plan, options, workspace, next: steps_taken, slot }
    }

    /// Runs one row; gives `false`, and does nothing, when none is left.
    pub fn step<D: Denoiser + ?Sized, N: NormalSource + ?Sized>(&mut self, denoiser: &mut D, noise: &mut N) -> bool {
        let Some(row) = self.plan.row(self.next) else { return false };
        self.predict(denoiser, &row);
        let Workspace { state, history, output, .. } = &mut self.workspace;
        let dim = state.len();
        if let Some(m) = history.get_mut(self.slot * dim..(self.slot + 1) * dim) {
            for ((m, x), f) in m.iter_mut().zip(state.iter_mut()).zip(output.iter()) {
                let (before, prediction) = (*x, row.p * *x + row.q * f);
                *m = prediction;
                *x = row.a * before + row.b[0] * prediction;
            }
        }
        let mut slot = self.slot;
        let [_, older @ ..] = row.b;
        for b in older {
            // One prediction back in the ring.
            slot = if slot == 0 { (history.len() / dim.max(1)).saturating_sub(1) } else { slot - 1 };
            if b == 0.0 {
                continue;
            }
            if let Some(m) = history.get(slot * dim..(slot + 1) * dim) {
                for (x, m) in state.iter_mut().zip(m) {
                    *x += b * m;
                }
            }
        }
        if row.e != 0.0 {
            for x in state.iter_mut() {
                *x += row.e * noise.normal();
            }
        }
        self.next += 1;
        self.slot = if (self.slot + 1) * dim >= history.len() { 0 } else { self.slot + 1 };
        true
    }

    fn predict<D: Denoiser + ?Sized>(&mut self, denoiser: &mut D, row: &Row) {
        let Workspace { state, output, unconditional, .. } = &mut self.workspace;
        let level = usize::from(row.level);
        denoiser.predict(level, self.options.class, state, output);
        if let (Some(w), Some(_)) = (self.options.guidance, self.options.class)
            && !unconditional.is_empty()
        {
            denoiser.predict(level, None, state, unconditional);
            for (f, free) in output.iter_mut().zip(unconditional.iter()) {
                *f = free + w * (*f - free);
            }
        }
    }

    /// The state: the sample, in the scale of the training data, once no row is left.
    #[must_use]
    pub fn state(&self) -> &[f32] {
        self.workspace.state
    }

    /// The number of rows that have run.
    #[must_use]
    pub fn steps_taken(&self) -> usize {
        self.next
    }

    /// Runs every row that is left and gives the sample.
    pub fn finish<D: Denoiser + ?Sized, N: NormalSource + ?Sized>(
        mut self,
        denoiser: &mut D,
        noise: &mut N,
    ) -> &'w [f32] {
        while self.step(denoiser, noise) {}
        self.workspace.state
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::random::{Stream, Ziggurat};
    use crate::sampler::{DpmSolver2M, PlanBuilder, start_scale};
    use crate::schedule::NoiseLevel;
    use crate::score::{Component, GaussianMixture, MixtureDenoiser, Prediction};
    use std::vec::Vec;

    #[test]
    fn the_loop_brings_noise_back_to_a_bimodal_law() {
        // Exact denoiser of (N(-1, .1^2) + N(1, .1^2)) / 2; 4,000 samples. Mean 0 and variance 1.01, each within
        // 4.5 standard errors (false alarm 7e-6 a side), and no more than 1 in 500 between the modes.
        let (left, right) = ([-1.0f32], [1.0f32]);
        let components = [
            Component { weight: 1.0, mean: &left, deviation: 0.1 },
            Component { weight: 1.0, mean: &right, deviation: 0.1 },
        ];
        let levels: Vec<_> = (0..20).map(|i| NoiseLevel::variance_preserving(-4.6 + 8.7 * i as f32 / 19.0)).collect();
        let mut model = MixtureDenoiser {
            mixture: GaussianMixture { components: &components },
            levels: &levels,
            prediction: Prediction::V,
        };
        let sampler = DpmSolver2M { eta: 0.0 };
        let rows: Vec<_> = (0..20).map(|i| sampler.row(i, &levels, Prediction::V).unwrap()).collect();
        let plan = Plan::new(&rows, start_scale(&levels, 1.0));
        let n = 4000;
        let samples: Vec<f64> = (0..n)
            .map(|k| {
                let mut noise = Ziggurat::new(Stream::new(k));
                let mut floats = [0.0; Workspace::len(1, 2, false)];
                let workspace = Workspace::new(1, 2, false, &mut floats).unwrap();
                let run = Run::start(plan, SampleOptions::default(), workspace, &mut noise);
                f64::from(run.finish(&mut model, &mut noise)[0])
            })
            .collect();
        let mean = samples.iter().sum::<f64>() / n as f64;
        let variance = samples.iter().map(|x| x * x).sum::<f64>() / n as f64;
        assert!(mean.abs() < 4.5 / (n as f64).sqrt(), "{mean}");
        // Var(x^2) of the mixture is 4 * .01 + 2e-4, so its standard error is .2 / sqrt(n).
        assert!((variance - 1.01).abs() < 4.5 * 0.2 / (n as f64).sqrt() + 0.01, "{variance}");
        assert!(samples.iter().filter(|x| x.abs() < 0.5).count() <= n as usize / 500);
    }

    #[test]
    fn the_history_ring_gives_each_row_the_predictions_before_it() {
        struct Counter(f32);
        impl Denoiser for Counter {
            fn predict(&mut self, _: usize, _: Option<u16>, _: &[f32], out: &mut [f32]) {
                self.0 += 1.0;
                out.fill(self.0);
            }
        }
        struct Silent;
        impl NormalSource for Silent {
            fn normal(&mut self) -> f32 {
                0.0
            }
        }
        // m_i = i + 1; each row keeps only b . m, so the last state spells the last four in decimal digits.
        let row = Row { level: 0, p: 0.0, q: 1.0, a: 0.0, b: [1000.0, 100.0, 10.0, 1.0], e: 0.0 };
        let rows = [row; 7];
        let mut floats = [0.0; Workspace::len(3, 4, false)];
        let workspace = Workspace::new(3, 4, false, &mut floats).unwrap();
        let run = Run::start(Plan::new(&rows, 1.0), SampleOptions::default(), workspace, &mut Silent);
        assert_eq!(run.finish(&mut Counter(0.0), &mut Silent), [7654.0; 3]);
    }

    #[test]
    fn a_run_that_is_put_down_after_every_row_gives_the_same_bits() {
        // A denoiser that looks at the state, rows that look back 1 to 4 predictions, and noise in every second one.
        struct Half;
        impl Denoiser for Half {
            fn predict(&mut self, level: usize, _: Option<u16>, x: &[f32], out: &mut [f32]) {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = 0.5 * x + level as f32;
                }
            }
        }
        for history in 1..=4usize {
            let mut b = [0.25, -0.5, 0.125, 0.75];
            b[history..].fill(0.0);
            let rows: Vec<_> =
                (0..9).map(|i| Row { level: i, p: 0.5, q: 0.25, a: 0.75, b, e: f32::from(i % 2) }).collect();
            let plan = Plan::new(&rows, 1.5);
            let mut whole = [0.0; Workspace::len(3, 4, false)];
            let mut noise = Ziggurat::new(Stream::new(8));
            let workspace = Workspace::new(3, history, false, &mut whole).unwrap();
            let run = Run::start(plan, SampleOptions::default(), workspace, &mut noise);
            let expected = run.finish(&mut Half, &mut noise).to_vec();

            let mut parts = [0.0; Workspace::len(3, 4, false)];
            let mut noise = Ziggurat::new(Stream::new(8));
            let workspace = Workspace::new(3, history, false, &mut parts).unwrap();
            let mut steps = Run::start(plan, SampleOptions::default(), workspace, &mut noise).steps_taken();
            loop {
                let workspace = Workspace::new(3, history, false, &mut parts).unwrap();
                let mut run = Run::resume(plan, SampleOptions::default(), workspace, steps);
                if !run.step(&mut Half, &mut noise) {
                    break;
                }
                steps = run.steps_taken();
            }
            assert_eq!((steps, &parts[..3]), (9, &expected[..]), "history {history}");
        }
    }

    #[test]
    fn guidance_extrapolates_from_the_unconditional_output() {
        struct Classy;
        impl Denoiser for Classy {
            fn predict(&mut self, _: usize, class: Option<u16>, _: &[f32], out: &mut [f32]) {
                out.fill(class.map_or(1.0, f32::from));
            }
        }
        let rows = [Row { level: 0, p: 0.0, q: 1.0, a: 0.0, b: [1.0, 0.0, 0.0, 0.0], e: 0.0 }];
        let mut floats = [0.0; Workspace::len(1, 1, true)];
        let workspace = Workspace::new(1, 1, true, &mut floats).unwrap();
        let options = SampleOptions { class: Some(5), guidance: Some(2.0) };
        let mut noise = Ziggurat::new(Stream::new(1));
        let run = Run::start(Plan::new(&rows, 1.0), options, workspace, &mut noise);
        assert_eq!(run.finish(&mut Classy, &mut noise), [9.0]);
    }
}
