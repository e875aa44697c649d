use super::header::{Role, lane_bytes};
use super::view::Model;
use crate::job::Estimator;
#[cfg(feature = "imputation")]
use crate::job::Imputer;
use crate::network::{Lane, QuantisedDenoiser};
use crate::random::{NormalSource, Stream, Ziggurat};
use crate::sampler::{Digest, Plan, Run, SampleOptions, Workspace};
use crate::score::Denoiser;
use core::fmt;

/// `N` bytes of working memory, owned by the caller; [`arena_bytes`](super::arena_bytes) tells how many a model needs.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Arena<const N: usize>([u8; N]);

impl<const N: usize> Arena<N> {
    /// Memory that holds zeros, so that a `static` arena takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; N])
    }

    /// The memory as floats, for what comes before a model is bound in it, as filling gaps does.
    pub fn floats(&mut self) -> &mut [f32] {
        bytemuck::try_cast_slice_mut(self.words()).unwrap_or_default()
    }

    /// The bytes as whole words.
    pub(super) fn words(&mut self) -> &mut [u32] {
        let whole = N - N % 4;
        // Aligned by its type and cut to a multiple of four, so the cast cannot fail.
        self.0.get_mut(..whole).and_then(|bytes| bytemuck::try_cast_slice_mut(bytes).ok()).unwrap_or_default()
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// The model needs more memory than it was lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArenaTooSmall {
    /// Bytes that the model needs.
    pub needed: usize,
    /// Bytes that the arena has.
    pub available: usize,
}

impl fmt::Display for ArenaTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model needs {} bytes of working memory, and the arena has {}", self.needed, self.available)
    }
}

impl core::error::Error for ArenaTooSmall {}

/// The self-test gave other bits than the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTestError {
    /// The digest in the model.
    pub expected: u64,
    /// The digest found here.
    pub computed: u64,
}

impl fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "self-test: digest {:016x} where the model says {:016x}", self.computed, self.expected)
    }
}

impl core::error::Error for SelfTestError {}

/// A model with the memory it runs in: nothing on it can fail.
#[derive(Debug)]
pub struct Bound<'m, 'a> {
    model: &'m Model<'a>,
    floats: &'m mut [f32],
    lanes: &'m mut [Lane],
}

impl<'m, 'a> Bound<'m, 'a> {
    /// Divides words between floats and activation lanes.
    pub(super) fn new(model: &'m Model<'a>, words: &'m mut [u32]) -> Result<Self, ArenaTooSmall> {
        let too_small = ArenaTooSmall { needed: model.arena_bytes(), available: 4 * words.len() };
        let lane_words = lane_bytes(model.network.width()) / 4;
        let float_words = (model.arena_bytes() / 4).saturating_sub(lane_words);
        let (floats, rest) = words.split_at_mut_checked(float_words).ok_or(too_small)?;
        let lanes = rest.get_mut(..lane_words).ok_or(too_small)?;
        match (bytemuck::try_cast_slice_mut(floats), bytemuck::try_cast_slice_mut(lanes)) {
            (Ok(floats), Ok(lanes)) => Ok(Self { model, floats, lanes }),
            _ => Err(too_small),
        }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &'m Model<'a> {
        self.model
    }

    /// Starts a sample that the caller then steps; with it come the denoiser and the noise to step it with.
    ///
    /// Sample `number` of `seed` uses the seed's stream jumped `number` times, so it does not depend on a batch.
    // Not inlined, as what it needs of the stack would then be held through every evaluation.
    #[inline(never)]
    pub fn start<'p, N: NormalSource>(
        &mut self,
        plan: impl Into<Plan<'p>>,
        options: SampleOptions,
        noise: &mut N,
    ) -> (Run<'p, '_>, QuantisedDenoiser<'_, 'a>) {
        let (mut run, denoiser) = self.resume(plan, options, 0);
        run.begin(noise);
        (run, denoiser)
    }

    /// Takes up a sample that [`start`](Self::start) began and that stood after `steps_taken` rows when its run was put down; the
    /// caller kept plan, options and noise.
    ///
    /// A sample or a self-test in between starts in the same memory, and what is taken up then is no sample of the plan.
    pub fn resume<'p>(
        &mut self,
        plan: impl Into<Plan<'p>>,
        options: SampleOptions,
        steps_taken: usize,
    ) -> (Run<'p, '_>, QuantisedDenoiser<'_, 'a>) {
        let dim = self.model.dim_in();
        let history = self.model.header.history();
        let guided = self.model.classes() > 0;
        // Both were measured when the model was bound; an empty workspace would make an empty sample.
        let workspace = Workspace::new(dim, history, guided, self.floats).unwrap_or_default();
        let denoiser = QuantisedDenoiser::bound(&self.model.network, self.lanes);
        (Run::resume(plan.into(), options, workspace, steps_taken), denoiser)
    }

    /// The state of the sample that was started last: the sample itself, in the scale of the training data, once its run is done.
    #[must_use]
    pub fn state(&self) -> &[f32] {
        self.floats.get(..self.model.dim_in()).unwrap_or_default()
    }

    /// Draws a sample with any source of noise and writes it to `out`, in the scale of the training data.
    pub fn sample_with<'s, N: NormalSource>(
        &mut self,
        plan: impl Into<Plan<'s>>,
        options: SampleOptions,
        noise: &mut N,
        out: &mut [f32],
    ) {
        let (run, mut denoiser) = self.start(plan, options, noise);
        let state = run.finish(&mut denoiser, noise);
        for (out, x) in out.iter_mut().zip(state) {
            *out = *x;
        }
    }

    /// Draws sample `number` of `seed` and writes it to `out`, in the scale of the training data; see
    /// [`Model::unscale`] for the data's own units.
    pub fn sample<'s>(
        &mut self,
        plan: impl Into<Plan<'s>>,
        options: SampleOptions,
        seed: u64,
        number: u32,
        out: &mut [f32],
    ) {
        self.sample_with(plan, options, &mut Ziggurat::new(Stream::nth(seed, number)), out);
    }

    /// One evaluation of the network at a level, for denoising: writes `F(x, level)` to `out`.
    pub fn evaluate(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        QuantisedDenoiser::bound(&self.model.network, self.lanes).predict(level, class, x, out);
    }

    /// The network as an estimate of the data behind noise.
    pub fn estimator(&mut self) -> Estimator<'_, QuantisedDenoiser<'_, 'a>> {
        let dims = (self.model.dim_in(), self.model.dim_out());
        let denoiser = QuantisedDenoiser::bound(&self.model.network, self.lanes);
        Estimator::new(denoiser, self.model.prediction(), dims, self.floats)
    }

    /// The network as what improves on a model's autoregression, if that is the model's role.
    #[cfg(feature = "imputation")]
    pub fn imputer(&mut self) -> Option<Imputer<'_, QuantisedDenoiser<'_, 'a>>> {
        let imputation = self.model.imputation()?;
        let dims = (self.model.dim_in(), self.model.dim_out());
        let denoiser = QuantisedDenoiser::bound(&self.model.network, self.lanes);
        Some(Imputer::new(denoiser, imputation.window() * dims.1, dims, self.floats))
    }

    /// The digest that the model's self-test gives here.
    #[must_use]
    pub fn self_test_digest(&mut self) -> u64 {
        let test = self.model.self_test();
        let mut noise = Ziggurat::new(Stream::nth(test.seed, test.sample));
        let mut digest = Digest::new();
        if self.model.role() == Role::Sampler {
            let Some(plan) = self.model.unnamed_plan(test.plan.into()) else { return digest.finish() };
            let options = SampleOptions { class: test.class, ..SampleOptions::default() };
            let (run, mut denoiser) = self.start(plan, options, &mut noise);
            digest.update(run.finish(&mut denoiser, &mut noise));
        } else {
            let (dim_in, dim_out) = (self.model.dim_in(), self.model.dim_out());
            let dim = dim_in.max(dim_out);
            let (input, rest) = self.floats.split_at_mut_checked(dim).unwrap_or_default();
            let input = input.get_mut(..dim_in).unwrap_or_default();
            let output = rest.get_mut(..dim_out).unwrap_or_default();
            noise.fill(input);
            QuantisedDenoiser::bound(&self.model.network, self.lanes).predict(0, test.class, input, output);
            digest.update(output);
        }
        digest.finish()
    }

    /// Runs the model's self-test.
    ///
    /// # Errors
    /// [`SelfTestError`] when the digest is another than the model's.
    pub fn self_test(&mut self) -> Result<(), SelfTestError> {
        let (expected, computed) = (self.model.self_test().digest, self.self_test_digest());
        if expected == computed { Ok(()) } else { Err(SelfTestError { expected, computed }) }
    }
}
