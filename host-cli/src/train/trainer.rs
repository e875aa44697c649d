//! The training loop.

use dfdx::prelude::{Cpu, TensorFromVec};

use super::batch::Source;
use super::layout::Layout;
use super::levels::NoiseLevels;
use super::optimizer::{Moments, clip};
use super::pools::Pools;
use super::tape::{Block, BlockGradient, Matrix, gradient, trace_gradient};
use super::{TrainError, TrainingOptions, TrainingSet};
use crate::network::{Dense, FloatNetwork, Shape};

/// Samples in a block: enough for two threads at the usual batch of 256; 64 cost a few percent more.
const BLOCK: usize = 128;

/// Everything that a run needs to go on as if it had never stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingState {
    /// Number of steps done.
    pub step: u64,
    /// How the run trains, its seed included.
    pub options: TrainingOptions,
    /// The weights.
    pub weights: FloatNetwork,
    /// Adam's mean of the gradient.
    pub first_moment: FloatNetwork,
    /// Adam's mean of the squared gradient.
    pub second_moment: FloatNetwork,
    /// The moving average of the weights.
    pub average: FloatNetwork,
}

impl TrainingState {
    /// A state with given weights, which training has not moved here: no moments yet, and the weights are their own average.
    #[must_use]
    pub fn of_network(network: &FloatNetwork, step: u64, options: TrainingOptions) -> Self {
        let shape = network.shape();
        let zeros = (0..shape.layer_count()).map(|layer| Dense::zeros(shape, layer)).collect();
        let nothing = FloatNetwork::assemble(shape.clone(), zeros);
        Self {
            step,
            options,
            weights: network.clone(),
            first_moment: nothing.clone(),
            second_moment: nothing,
            average: network.clone(),
        }
    }
}

/// A training run.
pub struct Trainer<'a> {
    shape: Shape,
    options: TrainingOptions,
    set: TrainingSet<'a>,
    levels: &'a dyn NoiseLevels,
    frequencies: Vec<f32>,
    layout: Layout,
    moments: Moments,
    tensors: Vec<Matrix>,
    gradient: Vec<f32>,
    pools: Pools,
    step: u64,
    loss: f64,
}

impl std::fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer")
            .field("shape", &self.shape)
            .field("options", &self.options)
            .field("step", &self.step)
            .field("loss", &self.loss)
            .finish_non_exhaustive()
    }
}

impl<'a> Trainer<'a> {
    /// A run from first weights, which depend on the seed alone.
    ///
    /// # Errors
    /// [`TrainError`]: the shape, an option or the data.
    pub fn new(
        shape: Shape,
        options: TrainingOptions,
        set: TrainingSet<'a>,
        levels: &'a dyn NoiseLevels,
    ) -> Result<Self, TrainError> {
        let network = FloatNetwork::initial(shape, options.seed)?;
        let layout = Layout::new(network.shape());
        let moments = Moments::new(layout.flatten(&network));
        Self::build(network.shape().clone(), options, set, levels, moments, 0)
    }

    /// A run that goes on from a saved state, on the same data and levels.
    ///
    /// # Errors
    /// [`TrainError`]: the state, its options or the data.
    pub fn resume(state: TrainingState, set: TrainingSet<'a>, levels: &'a dyn NoiseLevels) -> Result<Self, TrainError> {
        let shape = state.weights.shape().clone();
        let layout = Layout::new(&shape);
        let networks = [&state.first_moment, &state.second_moment, &state.average];
        if networks.iter().any(|n| *n.shape() != shape) {
            return Err(TrainError::State);
        }
        let [first, second, average] = networks.map(|n| layout.flatten(n));
        let moments = Moments { weights: layout.flatten(&state.weights), first, second, average };
        Self::build(shape, state.options, set, levels, moments, state.step)
    }

    fn build(
        shape: Shape,
        options: TrainingOptions,
        set: TrainingSet<'a>,
        levels: &'a dyn NoiseLevels,
        moments: Moments,
        step: u64,
    ) -> Result<Self, TrainError> {
        options.validate()?;
        set.validate(&shape)?;
        levels.loss().check(&shape)?;
        let layout = Layout::new(&shape);
        let device = Cpu::default();
        let tensors = layout
            .layers()
            .iter()
            .map(|place| {
                let values = moments.weights[place.range.clone()].to_vec();
                device.try_tensor_from_vec(values, (place.depth, place.rows))
            })
            .collect::<Result<_, _>>()
            .map_err(|e| TrainError::Device(e.to_string()))?;
        let pools = Pools::new(rayon::current_num_threads(), options.batch.div_ceil(BLOCK))?;
        Ok(Self {
            frequencies: shape.frequencies(),
            gradient: vec![0.0; layout.len()],
            shape,
            options,
            set,
            levels,
            layout,
            moments,
            tensors,
            pools,
            step,
            loss: f64::NAN,
        })
    }

    /// Uses `threads` threads, at most one for each block of 128 samples; the weights do not depend on it.
    ///
    /// A new run takes rayon's number: all cores, or `RAYON_NUM_THREADS`.
    ///
    /// # Errors
    /// [`TrainError::Device`] if the system gives no threads.
    pub fn set_threads(&mut self, threads: usize) -> Result<(), TrainError> {
        self.pools = Pools::new(threads, self.options.batch.div_ceil(BLOCK))?;
        Ok(())
    }

    /// Takes one step and returns its loss, the batch's mean of weight x squared error per output.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is not finite; the weights are then those of the step before.
    pub fn step(&mut self) -> Result<f64, TrainError> {
        let source = Source {
            shape: &self.shape,
            options: &self.options,
            set: &self.set,
            levels: self.levels,
            frequencies: &self.frequencies,
        };
        let (tensors, step) = (&self.tensors, self.step);
        let batch = self.options.batch;
        let blocks = batch.div_ceil(BLOCK);
        let results = self.pools.map(blocks, |block| {
            let first = block * BLOCK;
            run_block(&source, tensors, step, first, BLOCK.min(batch - first))
        });
        let mut loss = 0.0;
        let mut gradients = Vec::with_capacity(blocks);
        for result in results {
            let block = result.map_err(|e| TrainError::Device(e.to_string()))?;
            loss += block.loss;
            gradients.push(block.layers);
        }
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, loss });
        }
        self.apply(&gradients);
        self.loss = loss;
        self.step += 1;
        Ok(loss)
    }

    /// Adds the blocks' gradients in order and updates the weights.
    fn apply(&mut self, gradients: &[Vec<Vec<f32>>]) {
        for (layer, place) in self.layout.layers().iter().enumerate() {
            let sum = &mut self.gradient[place.range.clone()];
            sum.copy_from_slice(&gradients[0][layer]);
            for block in &gradients[1..] {
                sum.iter_mut().zip(&block[layer]).for_each(|(s, g)| *s += g);
            }
        }
        if let Some(limit) = self.options.clip_norm {
            clip(&mut self.gradient, limit);
        }
        self.moments.update(&self.layout, &self.options, self.step, &self.gradient);
        for (tensor, place) in self.tensors.iter_mut().zip(self.layout.layers()) {
            tensor.copy_from(&self.moments.weights[place.range.clone()]);
        }
    }

    /// Number of steps done.
    #[must_use]
    pub fn step_number(&self) -> u64 {
        self.step
    }

    /// Loss of the last step, or NaN before the first.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// How the run trains.
    #[must_use]
    pub fn options(&self) -> &TrainingOptions {
        &self.options
    }

    /// The network with the weights' moving average, which is the one to use.
    #[must_use]
    pub fn ema_network(&self) -> FloatNetwork {
        self.layout.unflatten(&self.shape, &self.moments.average)
    }

    /// Everything needed to go on later.
    #[must_use]
    pub fn state(&self) -> TrainingState {
        let network = |flat: &[f32]| self.layout.unflatten(&self.shape, flat);
        TrainingState {
            step: self.step,
            options: self.options.clone(),
            weights: network(&self.moments.weights),
            first_moment: network(&self.moments.first),
            second_moment: network(&self.moments.second),
            average: network(&self.moments.average),
        }
    }
}

/// Draws one block and returns its loss and gradients.
fn run_block(
    source: &Source<'_>,
    tensors: &[Matrix],
    step: u64,
    first: usize,
    rows: usize,
) -> Result<BlockGradient, dfdx::tensor::CpuError> {
    let samples = source.draw(step, first, rows);
    let block = Block {
        rows: samples.rows,
        input: samples.input,
        extra: &samples.extra,
        target: &samples.target,
        weight: &samples.weight,
    };
    match &samples.trace {
        None => gradient(source.shape, tensors, block),
        Some(trace) => trace_gradient(source.shape, tensors, block, trace),
    }
}
