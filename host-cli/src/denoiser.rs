//! The float network as core's `Denoiser`, so that float and quantised evaluation are one sampler.

use mote_core::schedule::NoiseLevel;
use mote_core::score::Denoiser;

use crate::network::{FloatNetwork, Workspace};
use crate::noise::Noising;

/// What a float network needs to know of a noise level.
#[derive(Clone, Debug)]
struct Level {
    input_scale: f32,
    biases: Vec<Vec<f32>>,
}

/// A float network over a table of noise levels.
#[derive(Clone, Debug)]
pub struct FloatDenoiser<'n> {
    network: &'n FloatNetwork,
    levels: Vec<Level>,
    scaled: Vec<f32>,
    workspace: Workspace,
}

impl<'n> FloatDenoiser<'n> {
    /// Binds a network to the levels of a table.
    #[must_use]
    pub fn new(network: &'n FloatNetwork, noising: &Noising, levels: &[NoiseLevel]) -> Self {
        let levels = levels
            .iter()
            .map(|level| Level {
                input_scale: noising.input_scale(*level),
                biases: network.level_biases(noising.conditioning(*level)),
            })
            .collect();
        Self { network, levels, scaled: Vec::new(), workspace: Workspace::default() }
    }

    /// The scaled input of the last prediction.
    #[must_use]
    pub fn scaled(&self) -> &[f32] {
        &self.scaled
    }

    /// [`Denoiser::predict`], showing each layer to `observe(layer, pre-activation, activation)`.
    ///
    /// # Panics
    /// If there is no such level.
    pub fn predict_traced(
        &mut self,
        level: usize,
        class: Option<u16>,
        x: &[f32],
        out: &mut [f32],
        mut observe: impl FnMut(usize, &[f32], &[f32]),
    ) {
        self.predict_altered(level, class, x, out, |_| {}, |layer, pre, act| observe(layer, pre, act));
    }

    /// [`Self::predict_traced`] with functions that may alter the scaled input and each layer's output before they go on.
    pub(crate) fn predict_altered(
        &mut self,
        level: usize,
        class: Option<u16>,
        x: &[f32],
        out: &mut [f32],
        input: impl FnOnce(&mut [f32]),
        alter: impl FnMut(usize, &[f32], &mut [f32]),
    ) {
        let Level { input_scale, biases } = &self.levels[level];
        self.scaled.clear();
        self.scaled.extend(x.iter().map(|x| if x.is_nan() { 0.0 } else { x * input_scale }));
        input(&mut self.scaled);
        self.network.forward_altered(&self.scaled, biases, class, &mut self.workspace, out, alter);
    }
}

impl Denoiser for FloatDenoiser<'_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.predict_traced(level, class, x, out, |_, _, _| {});
    }
}
