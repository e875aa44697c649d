//! The network on dfdx's tape: forward, loss, and gradients of one block of samples.
//!
//! Matrix products and the reverse pass are dfdx's. What it has no cheap operation for is recorded
//! on its tape here: the activation together with the columns that carry bias, level and class
//! into the next product, and the squared error.

use dfdx::prelude::*;
use dfdx::tensor::OwnedTape;

use mote_laboratory::ensemble::{InstructionSet, Work};

use super::loss::{SliceNorm, Trace};
use crate::network::{Activation, Shape};

pub(super) type Matrix<T = NoneTape> = Tensor<(usize, usize), f32, Cpu, T>;
type Recorded = Matrix<OwnedTape<f32, Cpu>>;
type Scalar = Tensor<(), f32, Cpu, OwnedTape<f32, Cpu>>;

/// One block's inputs and targets, row by row.
pub(super) struct Block<'a> {
    /// Number of samples.
    pub rows: usize,
    /// c_in x_t, then f(t), the class and a 1: `rows` x the first layer's depth.
    pub input: Vec<f32>,
    /// What follows the activation in a conditioned layer's input: f(t), the class and a 1.
    pub extra: &'a [f32],
    /// `rows` x `dim_out`.
    pub target: &'a [f32],
    /// Weight of each sample, or of each of its outputs, over the number of outputs of the whole batch.
    pub weight: &'a [f32],
}

/// The block's share of the loss, and of each layer's gradient.
pub(super) struct BlockGradient {
    pub loss: f64,
    pub layers: Vec<Vec<f32>>,
}

/// Runs a block forward and back through layers whose matrices are depth x rows: W^T, then T^T, C^T
/// and b as further rows.
pub(super) fn gradient(shape: &Shape, weights: &[Matrix], block: Block<'_>) -> Result<BlockGradient, CpuError> {
    let (target, weight) = (block.target, block.weight);
    let output = forward(shape, weights, block, 0)?;
    backward(weights, squared_error(output, target, weight)?)
}

/// The same for a loss of the score's derivative. The block's input goes on with the tangents' inputs, as many rows each as
/// there are samples: they pass through the same products, without bias, and through the activation's slope.
pub(super) fn trace_gradient(
    shape: &Shape,
    weights: &[Matrix],
    block: Block<'_>,
    trace: &Trace,
) -> Result<BlockGradient, CpuError> {
    let weight = block.weight;
    let output = forward(shape, weights, block, trace.tangents)?;
    backward(weights, trace_loss(output, weight, trace)?)
}

/// The network's output for each sample, then each tangent's.
fn forward(shape: &Shape, weights: &[Matrix], block: Block<'_>, tangents: usize) -> Result<Recorded, CpuError> {
    let device = weights[0].device().clone();
    let last = weights.len() - 1;
    let rows = block.rows * (1 + tangents);
    let depth = block.input.len() / rows;
    let input = device.try_tensor_from_vec(block.input, (rows, depth))?;
    let mut pre = first_product(input, &weights[0])?;
    let mut before: Option<Matrix> = None;
    for layer in 0..last {
        let skip = before.filter(|_| shape.is_residual(layer));
        let extra = match shape.is_conditioned(layer + 1) {
            true => Extra::PerRow(block.extra),
            false => Extra::One,
        };
        let output = activate(pre, block.rows, shape.activation, skip, extra)?;
        let (plain, tape) = output.split_tape();
        before = Some(plain.clone());
        pre = plain.put_tape(tape).try_matmul(weights[layer + 1].clone())?;
    }
    Ok(pre)
}

/// Each layer's gradient of a loss.
fn backward(weights: &[Matrix], (loss, value): (f64, Scalar)) -> Result<BlockGradient, CpuError> {
    let mut gradients = value.try_backward()?;
    let layers = weights
        .iter()
        .map(|w| Ok(std::mem::take(&mut **gradients.get_or_alloc_mut(w)?)))
        .collect::<Result<_, CpuError>>()?;
    Ok(BlockGradient { loss, layers })
}

/// `input` times `weight`, recorded without the gradient of the input, which nobody needs.
fn first_product(input: Matrix, weight: &Matrix) -> Result<Recorded, CpuError> {
    let out = input.clone().try_matmul(weight.clone())?;
    let mut tape = OwnedTape::default();
    let (ghost, weight) = (out.ghost(), weight.clone());
    tape.add_backward_op(move |gradients| {
        let upstream = gradients.get(&ghost);
        let transposed: Matrix = input.try_permute::<_, Axes2<1, 0>>()?;
        let product = transposed.try_matmul(upstream)?;
        product.copy_into(gradients.get_or_alloc_mut(&weight)?);
        Ok(())
    });
    Ok(out.put_tape(tape))
}

/// The columns appended to an activation.
enum Extra<'a> {
    /// A single 1, for the bias.
    One,
    /// The same number for each row.
    PerRow(&'a [f32]),
}

/// act(pre), plus `skip`'s first columns, then the extra columns, for the first `samples` rows. The others are tangents, of
/// one sample after another: act'(pre) times them, plus `skip`'s, then zeros.
fn activate(
    pre: Recorded,
    samples: usize,
    activation: Activation,
    skip: Option<Matrix>,
    extra: Extra<'_>,
) -> Result<Recorded, CpuError> {
    let (pre, mut tape) = pre.split_tape();
    let device = pre.device().clone();
    let &(rows, width) = pre.shape();
    let (extra, extra_width) = match extra {
        Extra::One => (None, 1),
        Extra::PerRow(values) => (Some(values), values.len() / samples),
    };
    let wide = width + extra_width;
    let mut values = vec![1.0; samples * wide];
    values.resize(rows * wide, 0.0);
    // The samples' slopes take the place of their pre-activations; the tangents stay.
    let mut slope = vec![0.0; rows * width];
    pre.copy_into(&mut slope);
    let mut tangents = slope.split_off(samples * width);
    let curvature = if tangents.is_empty() { Vec::new() } else { curvature(activation, &slope) };
    let (of_samples, of_tangents) = values.split_at_mut(samples * wide);
    InstructionSet::widest().run(Activate { activation, slope: &mut slope, width, values: of_samples, wide });
    if let Some(extra) = extra {
        for (out, extra) in of_samples.chunks_exact_mut(wide).zip(extra.chunks_exact(extra_width)) {
            out[width..].copy_from_slice(extra);
        }
    }
    let moved = of_tangents.chunks_exact_mut(wide).zip(tangents.chunks_exact_mut(width));
    for ((out, tangent), (slope, curvature)) in moved.zip(sample_rows(&slope, &curvature, width).cycle()) {
        for (((o, t), s), c) in out.iter_mut().zip(tangent).zip(slope).zip(curvature) {
            *o = s * *t;
            // What a tangent's gradient adds to its sample's.
            *t *= c;
        }
    }
    if let Some(skip) = &skip {
        let skip_wide = skip.shape().1;
        let mut buffer = vec![0.0; rows * skip_wide];
        skip.copy_into(&mut buffer);
        add_rows(&mut values, wide, &buffer, skip_wide, width);
    }
    let out = device.try_tensor_from_vec(values, (rows, wide))?;
    let (out_ghost, pre_ghost) = (out.ghost(), pre.ghost());
    let skip = skip.map(|s| (s.ghost(), s.shape().1));
    tape.add_backward_op(move |gradients| {
        let upstream = std::mem::take(&mut **gradients.get_or_alloc_mut(&out_ghost)?);
        if let Some((ghost, skip_wide)) = skip {
            let gradient = gradients.get_or_alloc_mut(&ghost)?;
            add_rows(gradient, skip_wide, &upstream, wide, width);
        }
        let gradient = gradients.get_or_alloc_mut(&pre_ghost)?;
        let pairs = gradient.chunks_exact_mut(width).zip(upstream.chunks_exact(wide));
        for ((g, u), s) in pairs.zip(slope.chunks_exact(width).cycle()) {
            for ((g, u), s) in g.iter_mut().zip(u).zip(s) {
                *g += u * s;
            }
        }
        let upstream = upstream[samples * wide..].chunks_exact(wide);
        for (index, (u, bend)) in upstream.zip(tangents.chunks_exact(width)).enumerate() {
            let g = &mut gradient[index % samples * width..][..width];
            for ((g, u), b) in g.iter_mut().zip(u).zip(bend) {
                *g += u * b;
            }
        }
        Ok(())
    });
    Ok(out.put_tape(tape))
}

/// Each sample's rows of two matrices.
fn sample_rows<'a>(
    slope: &'a [f32],
    curvature: &'a [f32],
    width: usize,
) -> impl Iterator<Item = (&'a [f32], &'a [f32])> + Clone {
    slope.chunks_exact(width).zip(curvature.chunks_exact(width))
}

/// The activation's second derivative at each x: for SiLU `s (1 - s) (2 + x (1 - 2 s))` with the sigmoid s.
fn curvature(activation: Activation, pre: &[f32]) -> Vec<f32> {
    let silu = |x: &f32| {
        let sigmoid = 1.0 / (1.0 + exp(-x));
        sigmoid * (1.0 - sigmoid) * (2.0 + x * (1.0 - 2.0 * sigmoid))
    };
    match activation {
        Activation::Relu => vec![0.0; pre.len()],
        Activation::Silu => pre.iter().map(silu).collect(),
    }
}

/// Adds the first `width` columns of `from` to those of `to`.
fn add_rows(to: &mut [f32], to_wide: usize, from: &[f32], from_wide: usize, width: usize) {
    let pairs = to.chunks_exact_mut(to_wide).zip(from.chunks_exact(from_wide));
    for (to, from) in pairs {
        let pairs = to[..width].iter_mut().zip(&from[..width]);
        pairs.for_each(|(t, f)| *t += f);
    }
}

/// Activation values into the first `width` of each `wide` values, and the slopes in the place of the pre-activations.
struct Activate<'a> {
    activation: Activation,
    slope: &'a mut [f32],
    width: usize,
    values: &'a mut [f32],
    wide: usize,
}

impl Work for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, slope) in self.values.chunks_exact_mut(self.wide).zip(self.slope.chunks_exact_mut(self.width)) {
            match self.activation {
                Activation::Relu => relu(slope, out),
                Activation::Silu => silu(slope, out),
            }
        }
    }
}

/// Writes max(x, 0) for each x of `slope`, and puts the derivative in its place.
#[inline(always)]
fn relu(slope: &mut [f32], out: &mut [f32]) {
    for (s, o) in slope.iter_mut().zip(out) {
        let x = *s;
        // Written so that a NaN stays one.
        *o = if x < 0.0 { 0.0 } else { x };
        *s = if x > 0.0 { 1.0 } else { 0.0 };
    }
}

/// Writes x sigmoid(x) for each x of `slope`, and puts the derivative in its place.
#[inline(always)]
fn silu(slope: &mut [f32], out: &mut [f32]) {
    for (s, o) in slope.iter_mut().zip(out) {
        let x = *s;
        let sigmoid = 1.0 / (1.0 + exp(-x));
        let value = x * sigmoid;
        *o = value;
        *s = sigmoid + value * (1.0 - sigmoid);
    }
}

/// Puts x sigmoid(x) in the place of each x.
#[inline(always)]
pub(crate) fn silu_in_place(values: &mut [f32]) {
    for x in values {
        *x /= 1.0 + exp(-*x);
    }
}

/// e^x to about 1e-7 of it (Cephes, Moshier), clamped to ±87, without branches so that it vectorises.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding and taking off 1.5 * 2^23 rounds to the nearest integer, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 = 355/512 - 2.12e-4: the first product is exact.
    let r = (x - n * (355.0 / 512.0)) + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.0e-1] {
        p = p * r + c;
    }
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (p * r * r + r + 1.0) * scale
}

/// Sum of weight x squared error, as a plain number and as the end of the tape.
fn squared_error(prediction: Recorded, target: &[f32], weight: &[f32]) -> Result<(f64, Scalar), CpuError> {
    let (prediction, tape) = prediction.split_tape();
    let width = prediction.shape().1;
    let mut slope = vec![0.0; target.len()];
    prediction.copy_into(&mut slope);
    let mut loss = 0.0;
    if weight.len() == target.len() && width > 1 {
        for ((s, t), weight) in slope.iter_mut().zip(target).zip(weight) {
            let error = *s - t;
            loss += f64::from(error * error * weight);
            *s = 2.0 * weight * error;
        }
        return Ok((loss, end(&prediction, tape, loss, slope)));
    }
    let rows = slope.chunks_exact_mut(width).zip(target.chunks_exact(width));
    for ((slope, target), weight) in rows.zip(weight) {
        let mut sum = 0.0;
        for (s, t) in slope.iter_mut().zip(target) {
            let error = *s - t;
            sum += error * error;
            *s = 2.0 * weight * error;
        }
        loss += f64::from(sum * weight);
    }
    Ok((loss, end(&prediction, tape, loss, slope)))
}

/// The loss as the end of the tape, given its slope by each output.
fn end(output: &Matrix, mut tape: OwnedTape<f32, Cpu>, loss: f64, slope: Vec<f32>) -> Scalar {
    let value = output.device().tensor(loss as f32);
    let (value_ghost, ghost) = (value.ghost(), output.ghost());
    tape.add_backward_op(move |gradients| {
        let upstream = gradients.get_or_alloc_mut(&value_ghost)?[0];
        let gradient = gradients.get_or_alloc_mut(&ghost)?;
        for (g, s) in gradient.iter_mut().zip(&slope) {
            *g += upstream * s;
        }
        Ok(())
    });
    value.put_tape(tape)
}

/// Sum of weight x (2 tr J + |s|^2) and the trace's offset, with the trace by its directions.
fn trace_loss(output: Recorded, weight: &[f32], trace: &Trace) -> Result<(f64, Scalar), CpuError> {
    let (output, tape) = output.split_tape();
    let &(rows, width) = output.shape();
    let mut slope = vec![0.0; rows * width];
    output.copy_into(&mut slope);
    let samples = weight.len();
    let (scores, derivatives) = slope.split_at_mut(samples * width);
    let mut loss = trace.offset;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let directions = || trace.directions.chunks_exact(width);
    let with_weights = derivatives.chunks_exact_mut(width).zip(weight.iter().cycle());
    for ((derivative, weight), direction) in with_weights.zip(directions()) {
        let factor = 2.0 * trace.share * weight;
        loss += f64::from(factor * dot(derivative, direction));
        derivative.iter_mut().zip(direction).for_each(|(d, v)| *d = factor * v);
    }
    for (row, (score, weight)) in scores.chunks_exact_mut(width).zip(weight).enumerate() {
        if trace.norm == SliceNorm::Exact {
            loss += f64::from(weight * dot(score, score));
            score.iter_mut().for_each(|s| *s *= 2.0 * weight);
            continue;
        }
        let value = score.to_vec();
        score.fill(0.0);
        for direction in directions().skip(row).step_by(samples) {
            let along = dot(&value, direction);
            loss += f64::from(trace.share * weight * along * along);
            score.iter_mut().zip(direction).for_each(|(s, v)| *s += 2.0 * trace.share * weight * along * v);
        }
    }
    Ok((loss, end(&output, tape, loss, slope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_activations_agree_with_their_definitions() {
        for k in -20_000..20_000 {
            let x = k as f32 * 0.006;
            let (mut slope, mut out) = ([x], [0.0]);
            silu(&mut slope, &mut out);
            let (x, sigmoid) = (f64::from(x), 1.0 / (1.0 + (-f64::from(x)).exp()));
            let slope_wanted = sigmoid * (1.0 + x * (1.0 - sigmoid));
            assert!((f64::from(out[0]) - x * sigmoid).abs() <= 4e-7 * (1.0 + x.abs()), "{x}");
            assert!((f64::from(slope[0]) - slope_wanted).abs() <= 1e-6, "{x}");
            let (mut slope, mut out) = ([x as f32], [0.0]);
            relu(&mut slope, &mut out);
            assert_eq!(out[0], (x as f32).max(0.0));
            assert_eq!(slope[0], if x > 0.0 { 1.0 } else { 0.0 });
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for activation in [Activation::Relu, Activation::Silu] {
            let results = InstructionSet::available().into_iter().map(|set| {
                let mut slope: Vec<f32> = (0..37 * 50).map(|k| (k as f32 * 0.7).sin() * 20.0).collect();
                let mut values = vec![1.0; 40 * 50];
                set.run(Activate { activation, slope: &mut slope, width: 37, values: &mut values, wide: 40 });
                slope.iter().chain(&values).map(|x| x.to_bits()).collect::<Vec<_>>()
            });
            let results: Vec<_> = results.collect();
            assert!(results.iter().all(|bits| *bits == results[0]), "{activation:?}");
        }
    }

    #[test]
    fn a_sample_or_each_of_its_outputs_may_have_a_weight() {
        // Errors 1, 2, 3 and 4: sum of w e^2, and 2 w e.
        let of = |weight: &[f32]| {
            let prediction: Matrix = Cpu::default().tensor_from_vec(vec![1.0, 2.0, 3.0, 4.0], (2, 2));
            let recorded = prediction.clone().put_tape(OwnedTape::default());
            let (loss, value) = squared_error(recorded, &[0.0; 4], weight).unwrap();
            let mut gradients = value.try_backward().unwrap();
            (loss, (**gradients.get_or_alloc_mut(&prediction).unwrap()).clone())
        };
        assert_eq!(of(&[0.5, 2.0]), (52.5, vec![1.0, 2.0, 12.0, 16.0]));
        assert_eq!(of(&[0.5, 0.0, 1.0, 2.0]), (41.5, vec![1.0, 0.0, 6.0, 16.0]));
    }

    #[test]
    fn a_nan_is_not_hidden() {
        for apply in [relu, silu] {
            let mut out = [0.0];
            apply(&mut [f32::NAN], &mut out);
            assert!(out[0].is_nan());
        }
    }
}
