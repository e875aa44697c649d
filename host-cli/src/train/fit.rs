//! Fitting on batches that the caller draws.

use dfdx::prelude::{Cpu, TensorFromVec};

use super::layout::Layout;
use super::optimizer::Moments;
use super::pools::Pools;
use super::tape::{Block, Matrix, gradient};
use super::{TrainError, TrainingOptions};
use crate::network::{FloatNetwork, Shape};

/// Rows in a block, the work of one thread.
const BLOCK: usize = 256;

/// A network fitted by least squares to whatever rows it is given: dfdx's tape, AdamW and the average of the weights, without
/// [`Trainer`](super::Trainer)'s data and noise levels.
///
/// It works on as many threads as rayon has here; the weights do not depend on their number.
pub struct Fit {
    shape: Shape,
    options: TrainingOptions,
    layout: Layout,
    moments: Moments,
    tensors: Vec<Matrix>,
    pools: Pools,
    step: u64,
    gradient: Vec<f32>,
}

impl std::fmt::Debug for Fit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit").field("shape", &self.shape).field("step", &self.step).finish_non_exhaustive()
    }
}

impl Fit {
    /// First weights, which depend on the options' seed alone.
    ///
    /// # Errors
    /// [`TrainError`]: the shape or an option.
    pub fn new(shape: Shape, options: TrainingOptions) -> Result<Self, TrainError> {
        let network = FloatNetwork::initial(shape, options.seed)?;
        Self::from_network(&network, options)
    }

    /// Goes on from a network's weights.
    ///
    /// # Errors
    /// [`TrainError`]: an option.
    pub fn from_network(network: &FloatNetwork, options: TrainingOptions) -> Result<Self, TrainError> {
        options.validate()?;
        let shape = network.shape().clone();
        let layout = Layout::new(&shape);
        let moments = Moments::new(layout.flatten(network));
        let device = |e: &dyn std::fmt::Display| TrainError::Device(e.to_string());
        let tensors = layout
            .layers()
            .iter()
            .map(|place| {
                let values = moments.weights[place.range.clone()].to_vec();
                Cpu::default().try_tensor_from_vec(values, (place.depth, place.rows)).map_err(|e| device(&e))
            })
            .collect::<Result<_, _>>()?;
        let pools = Pools::new(rayon::current_num_threads(), options.batch.div_ceil(BLOCK))?;
        let gradient = vec![0.0; layout.len()];
        Ok(Self { shape, options, layout, moments, tensors, pools, step: 0, gradient })
    }

    /// Takes one step on rows of `input`, each the scaled data, time features, class as one hot, and a 1, and what the network is to
    /// give for each; returns the loss, the mean squared error of an output.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is not finite; the weights are then those of the step before.
    pub fn step(&mut self, input: &[f32], target: &[f32]) -> Result<f64, TrainError> {
        let (width, dim) = (self.shape.dim_out, self.shape.dim_in);
        let depth = dim + self.shape.features + self.shape.classes + 1;
        let conditioned = (1..self.shape.layer_count()).any(|layer| self.shape.is_conditioned(layer));
        let weight = vec![1.0 / target.len() as f32; BLOCK];
        let blocks: Vec<_> = input.chunks(BLOCK * depth).zip(target.chunks(BLOCK * width)).collect();
        let (shape, tensors) = (&self.shape, &self.tensors);
        let results = self.pools.map(blocks.len(), |block| {
            let (input, target) = blocks[block];
            let extra: Vec<f32> = match conditioned {
                true => input.chunks_exact(depth).flat_map(|row| &row[dim..]).copied().collect(),
                false => Vec::new(),
            };
            let rows = target.len() / width;
            let block = Block { rows, input: input.to_vec(), extra: &extra, target, weight: &weight };
            gradient(shape, tensors, block)
        });
        let mut loss = 0.0;
        self.gradient.fill(0.0);
        for result in results {
            let block = result.map_err(|e| TrainError::Device(e.to_string()))?;
            loss += block.loss;
            let sum = self.gradient.iter_mut().zip(block.layers.iter().flatten());
            sum.for_each(|(sum, g)| *sum += g);
        }
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.step, loss });
        }
        self.moments.update(&self.layout, &self.options, self.step, &self.gradient);
        for (tensor, place) in self.tensors.iter_mut().zip(self.layout.layers()) {
            tensor.copy_from(&self.moments.weights[place.range.clone()]);
        }
        self.step += 1;
        Ok(loss)
    }

    /// Sizes and kinds of the layers.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The network with the weights' moving average, which is the one to use.
    #[must_use]
    pub fn ema_network(&self) -> FloatNetwork {
        self.layout.unflatten(&self.shape, &self.moments.average)
    }
}
