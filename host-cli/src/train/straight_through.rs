//! Training at rounded weights: forward and back through what the codes stand for, updates on the weights behind them.

use dfdx::prelude::{Cpu, TensorFromVec};

use super::layout::Layout;
use super::optimizer::{Moments, learning_rate};
use super::pools::Pools;
use super::tape::{Block, Matrix, gradient};
use super::{TrainError, TrainingOptions};
use crate::network::{FloatNetwork, Shape};

/// Rows in a block, the work of one thread.
const BLOCK: usize = 128;

/// The values that a layer's weights may take: whole codes from `-largest` to `largest`, each times its row's step.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// For each row, what a code of 1 stands for.
    pub steps: Vec<f64>,
    /// The largest code.
    pub largest: f64,
}

impl Grid {
    /// The code nearest to a weight.
    #[must_use]
    pub fn code(&self, row: usize, weight: f32) -> f64 {
        (f64::from(weight) / self.steps[row]).round().clamp(-self.largest, self.largest)
    }

    /// What the code nearest to a weight stands for.
    #[must_use]
    pub fn snap(&self, row: usize, weight: f32) -> f32 {
        (self.code(row, weight) * self.steps[row]) as f32
    }

    /// How what a weight is rounded to moves with the logarithm of its row's step, weight and code held as they are (Esser et al., "Learned step size
    /// quantization", ICLR 2020, equation 3): `step (code - weight / step)` within the range, `step code` beyond it.
    fn slope(&self, row: usize, weight: f32) -> f64 {
        let (step, code) = (self.steps[row], self.code(row, weight));
        let within = (f64::from(weight) / step).abs() <= self.largest;
        step * if within { code - f64::from(weight) / step } else { code }
    }
}

/// The step nearest to a wished one that a device has: `(layer, row, step)`.
pub type NearestStep<'a> = dyn Fn(usize, usize, f64) -> f64 + Sync + 'a;

/// Rows that a network is to learn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// For each row the scaled state, the time features, the class as one of `classes` ones, and a 1.
    pub input: Vec<f32>,
    /// For each row what the network is to give.
    pub target: Vec<f32>,
    /// Factor of each row's squared error.
    pub weight: Vec<f32>,
}

/// Least squares by the straight-through estimator (Bengio, Léonard and Courville 2013): the gradient at the rounded weights moves the
/// weights behind them, and the rows' steps with them.
///
/// The result depends neither on the number of threads nor on the order in which they work.
pub struct StraightThrough<'a> {
    shape: Shape,
    options: TrainingOptions,
    grids: Vec<Grid>,
    nearest: &'a NearestStep<'a>,
    steps: Steps,
    layout: Layout,
    moments: Moments,
    tensors: Vec<Matrix>,
    pools: Pools,
    gradient: Vec<f32>,
    step: u64,
}

impl std::fmt::Debug for StraightThrough<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StraightThrough").field("shape", &self.shape).field("step", &self.step).finish_non_exhaustive()
    }
}

impl<'a> StraightThrough<'a> {
    /// Starts from a network's weights; biases, level and class terms are not rounded.
    ///
    /// # Errors
    /// [`TrainError`]: an option.
    pub fn new(
        network: &FloatNetwork,
        options: TrainingOptions,
        grids: Vec<Grid>,
        nearest: &'a NearestStep<'a>,
    ) -> Result<Self, TrainError> {
        options.validate()?;
        let shape = network.shape().clone();
        let layout = Layout::new(&shape);
        let moments = Moments::new(layout.flatten(network));
        let tensors = layout
            .layers()
            .iter()
            .map(|place| {
                let values = vec![0.0; place.range.len()];
                let made = Cpu::default().try_tensor_from_vec(values, (place.depth, place.rows));
                made.map_err(|e| TrainError::Device(e.to_string()))
            })
            .collect::<Result<_, _>>()?;
        let pools = Pools::new(rayon::current_num_threads(), options.batch.div_ceil(BLOCK))?;
        let gradient = vec![0.0; layout.len()];
        let steps = Steps::new(&grids);
        let mut made =
            Self { shape, options, grids, nearest, steps, layout, moments, tensors, pools, gradient, step: 0 };
        made.round();
        Ok(made)
    }

    /// Puts the rounded weights where the next step works.
    fn round(&mut self) {
        for (layer, (tensor, place)) in self.tensors.iter_mut().zip(self.layout.layers()).enumerate() {
            let mut values = self.moments.weights[place.range.clone()].to_vec();
            // The matrix is depth x rows and begins with the weights.
            for (index, weight) in values[..place.weight.len()].iter_mut().enumerate() {
                *weight = self.grids[layer].snap(index % place.rows, *weight);
            }
            tensor.copy_from(&values);
        }
    }

    /// Takes one step and returns its loss, the sum of weight x squared error over rows and outputs, over the number of outputs of all rows.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is not finite; the weights are then those of the step before.
    pub fn step(&mut self, batch: &Examples) -> Result<f64, TrainError> {
        let (rows, outputs) = (batch.weight.len(), self.shape.dim_out);
        let depth = batch.input.len() / rows.max(1);
        let conditioned = (1..self.shape.layer_count()).any(|layer| self.shape.is_conditioned(layer));
        let blocks = rows.div_ceil(BLOCK);
        let (shape, tensors) = (&self.shape, &self.tensors);
        let results = self.pools.map(blocks, |block| {
            let range = block * BLOCK..rows.min((block + 1) * BLOCK);
            let input = batch.input[range.start * depth..range.end * depth].to_vec();
            let tail = |row: &[f32]| row[shape.dim_in..].to_vec();
            let extra: Vec<f32> =
                if conditioned { input.chunks_exact(depth).flat_map(tail).collect() } else { Vec::new() };
            let weight: Vec<f32> = batch.weight[range.clone()].iter().map(|w| w / (rows * outputs) as f32).collect();
            let target = &batch.target[range.start * outputs..range.end * outputs];
            gradient(shape, tensors, Block { rows: range.len(), input, extra: &extra, target, weight: &weight })
        });
        let mut loss = 0.0;
        self.gradient.fill(0.0);
        for result in results {
            let block = result.map_err(|e| TrainError::Device(e.to_string()))?;
            loss += block.loss;
            self.gradient.iter_mut().zip(block.layers.iter().flatten()).for_each(|(sum, g)| *sum += g);
        }
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.step, loss });
        }
        // The steps' gradients belong to the weights before these move.
        let slopes = self.slopes();
        self.moments.update(&self.layout, &self.options, self.step, &self.gradient);
        self.steps.update(&mut self.grids, &self.options, self.step, &slopes, self.nearest);
        self.round();
        self.step += 1;
        Ok(loss)
    }

    /// The loss's derivative by the logarithm of each row's step, layer after layer.
    fn slopes(&self) -> Vec<f64> {
        let mut slopes = Vec::with_capacity(self.steps.logarithms.len());
        for (grid, place) in self.grids.iter().zip(self.layout.layers()) {
            let start = slopes.len();
            slopes.resize(start + place.rows, 0.0);
            let entries = self.moments.weights[place.weight.clone()].iter().zip(&self.gradient[place.weight.clone()]);
            for (index, (weight, gradient)) in entries.enumerate() {
                let row = index % place.rows;
                slopes[start + row] += f64::from(*gradient) * grid.slope(row, *weight);
            }
        }
        slopes
    }

    /// The grids that the next step works on.
    #[must_use]
    pub fn grids(&self) -> &[Grid] {
        &self.grids
    }

    /// The weights behind the rounded ones.
    #[must_use]
    pub fn network(&self) -> FloatNetwork {
        self.layout.unflatten(&self.shape, &self.moments.weights)
    }

    /// The rounded weights that the next step works at.
    #[must_use]
    pub fn rounded(&self) -> FloatNetwork {
        let flat: Vec<f32> = self
            .tensors
            .iter()
            .zip(self.layout.layers())
            .flat_map(|(tensor, place)| {
                let mut values = vec![0.0; place.range.len()];
                tensor.copy_into(&mut values);
                values
            })
            .collect();
        self.layout.unflatten(&self.shape, &flat)
    }
}

/// Logarithms of the rows' steps with the moments of Adam (Kingma and Ba 2015).
#[derive(Debug)]
struct Steps {
    logarithms: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Steps {
    fn new(grids: &[Grid]) -> Self {
        let logarithms: Vec<f64> = grids.iter().flat_map(|grid| &grid.steps).map(|step| step.ln()).collect();
        Self { first: vec![0.0; logarithms.len()], second: vec![0.0; logarithms.len()], logarithms }
    }

    /// One step of Adam at the rate of the weights, then the steps that the device has.
    fn update(
        &mut self,
        grids: &mut [Grid],
        options: &TrainingOptions,
        step: u64,
        slopes: &[f64],
        nearest: &NearestStep<'_>,
    ) {
        let (beta1, beta2) = (f64::from(options.beta1), f64::from(options.beta2));
        let correction = |beta: f64| 1.0 - beta.powf((step + 1) as f64);
        let rate = learning_rate(options, step) / correction(beta1);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((logarithm, slope), (first, second)) in self.logarithms.iter_mut().zip(slopes).zip(moments) {
            *first += (1.0 - beta1) * (slope - *first);
            *second += (1.0 - beta2) * (slope * slope - *second);
            *logarithm -= rate * *first / ((*second / correction(beta2)).sqrt() + f64::from(options.epsilon));
        }
        let mut wished = self.logarithms.iter();
        for (layer, grid) in grids.iter_mut().enumerate() {
            for (row, (step, wished)) in grid.steps.iter_mut().zip(&mut wished).enumerate() {
                *step = nearest(layer, row, wished.exp());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;

    fn shape() -> Shape {
        Shape::plain(2, 2, &[8], Activation::Relu)
    }

    fn grids(step: f64) -> Vec<Grid> {
        vec![Grid { steps: vec![step; 8], largest: 5.0 }, Grid { steps: vec![step; 2], largest: 5.0 }]
    }

    /// A network whose weights are whole quarters, and 256 rows of what it answers.
    fn teacher() -> (FloatNetwork, Examples) {
        let mut layers: Vec<_> = FloatNetwork::initial(shape(), 4).unwrap().layers().to_vec();
        for (index, layer) in layers.iter_mut().enumerate() {
            let weights = layer.weight.iter_mut().enumerate();
            weights.for_each(|(i, w)| *w = grids(0.25)[0].snap(0, ((i * 5 + index) as f32 * 0.9).sin() * 1.2));
            layer.bias.fill(0.5);
        }
        let teacher = FloatNetwork::new(shape(), layers).unwrap();
        let mut batch = Examples::default();
        for row in 0..256 {
            let x = [(row as f32 * 0.7).sin() * 2.0, (row as f32 * 1.9).cos() * 2.0];
            let mut out = [0.0; 2];
            teacher.forward(&x, &teacher.level_biases(0.0), None, &mut Default::default(), &mut out);
            batch.input.extend([x[0], x[1], 1.0]);
            batch.target.extend(out);
            batch.weight.push(1.0);
        }
        (teacher, batch)
    }

    /// Loss of the first step, the least of 600, and where they lead.
    fn fitted<'a>(
        student: &FloatNetwork,
        step: f64,
        batch: &Examples,
        nearest: &'a NearestStep<'a>,
    ) -> (f64, f64, StraightThrough<'a>) {
        let mut options = TrainingOptions::default();
        (options.steps, options.batch, options.learning_rate, options.warmup) = (600, 256, 0.01, 1);
        options.weight_decay = 0.0;
        let mut fit = StraightThrough::new(student, options, grids(step), nearest).unwrap();
        let first = fit.step(batch).unwrap();
        let least = (1..600).map(|_| fit.step(batch).unwrap()).fold(f64::INFINITY, f64::min);
        (first, least, fit)
    }

    #[test]
    fn rounded_weights_find_the_codes_of_the_teacher() {
        // From weights nearly a step off, the rounded weights are to end on the teacher's, since there alone the loss is 0.
        let (teacher, batch) = teacher();
        let mut layers = teacher.layers().to_vec();
        for layer in &mut layers {
            layer.weight.iter_mut().enumerate().for_each(|(i, w)| *w += if i % 2 == 0 { 0.2 } else { -0.2 });
        }
        let student = FloatNetwork::new(shape(), layers).unwrap();
        let (first, least, fit) = fitted(&student, 0.25, &batch, &|_, _, _| 0.25);
        assert!(least < 0.02 * first, "{first} {least}");
        // The weights behind are free, the ones worked at are on the grid.
        let off = |w: &f32| (w - grids(0.25)[0].snap(0, *w)).abs();
        assert!(fit.rounded().layers().iter().all(|layer| layer.weight.iter().all(|w| off(w) == 0.0)));
        assert!(fit.network().layers().iter().any(|layer| layer.weight.iter().any(|w| off(w) > 1e-3)));
    }

    #[test]
    fn steps_that_are_too_large_shrink_and_free_ones_beat_fixed_ones() {
        let (teacher, batch) = teacher();
        let (_, fixed, _) = fitted(&teacher, 0.35, &batch, &|_, _, _| 0.35);
        let (first, free, fit) = fitted(&teacher, 0.35, &batch, &|_, _, wished| wished);
        assert!(free < 0.5 * fixed && free < 0.1 * first, "{first} {fixed} {free}");
        assert!(fit.grids().iter().flat_map(|grid| &grid.steps).any(|step| (step / 0.35 - 1.0).abs() > 0.05));
    }

    #[test]
    fn the_slope_of_a_step_is_that_of_learned_step_sizes() {
        // Esser et al. 2020, equation 3, times the step: 0.5 (1 - 1.2) for 0.6, which rounds to 1; 0.5 x 5 and 0.5 x -5 beyond the range.
        let grid = Grid { steps: vec![0.5], largest: 5.0 };
        for (weight, slope) in [(0.6, -0.1), (-0.6, 0.1), (1.0, 0.0), (9.0, 2.5), (-9.0, -2.5)] {
            assert!((grid.slope(0, weight) - slope).abs() < 1e-6, "{weight}");
        }
        assert_eq!((grid.code(0, 0.6), grid.snap(0, 0.6), grid.snap(0, 9.0)), (1.0, 0.5, 2.5));
    }
}
