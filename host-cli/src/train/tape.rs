//! The network on dfdx's tape: forward, loss, and gradients of one block of samples.
//!
//! Matrix products and the reverse pass are dfdx's. What it has no cheap operation for is recorded
//! on its tape here: the activation together with the columns that carry bias, level and class
//! into the next product, and the squared error.

use dfdx::prelude::*;
use dfdx::tensor::OwnedTape;

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
    /// Weight of each sample over the number of outputs of the whole batch.
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
    let device = weights[0].device().clone();
    let last = weights.len() - 1;
    let depth = block.input.len() / block.rows;
    let input = device.try_tensor_from_vec(block.input, (block.rows, depth))?;
    let mut pre = first_product(input, &weights[0])?;
    let mut before: Option<Matrix> = None;
    for layer in 0..last {
        let skip = before.filter(|_| shape.is_residual(layer));
        let extra = match shape.is_conditioned(layer + 1) {
            true => Extra::PerRow(block.extra),
            false => Extra::One,
        };
        let output = activate(pre, shape.activation, skip, extra)?;
        let (plain, tape) = output.split_tape();
        before = Some(plain.clone());
        pre = plain.put_tape(tape).try_matmul(weights[layer + 1].clone())?;
    }
    let (loss, value) = squared_error(pre, block.target, block.weight)?;
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

/// act(pre), plus `skip`'s first columns, then the extra columns.
fn activate(
    pre: Recorded,
    activation: Activation,
    skip: Option<Matrix>,
    extra: Extra<'_>,
) -> Result<Recorded, CpuError> {
    let (pre, mut tape) = pre.split_tape();
    let device = pre.device().clone();
    let &(rows, width) = pre.shape();
    let (extra, extra_width) = match extra {
        Extra::One => (None, 1),
        Extra::PerRow(values) => (Some(values), values.len() / rows),
    };
    let wide = width + extra_width;
    let mut slope = vec![0.0; rows * width];
    pre.copy_into(&mut slope);
    let mut values = vec![1.0; rows * wide];
    for (row, (out, slope)) in values.chunks_exact_mut(wide).zip(slope.chunks_exact_mut(width)).enumerate() {
        let (out, rest) = out.split_at_mut(width);
        match activation {
            Activation::Relu => relu(slope, out),
            Activation::Silu => silu(slope, out),
        }
        if let Some(extra) = extra {
            rest.copy_from_slice(&extra[row * extra_width..][..extra_width]);
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
        for ((g, u), s) in
            gradient.chunks_exact_mut(width).zip(upstream.chunks_exact(wide)).zip(slope.chunks_exact(width))
        {
            for ((g, u), s) in g.iter_mut().zip(u).zip(s) {
                *g += u * s;
            }
        }
        Ok(())
    });
    Ok(out.put_tape(tape))
}

/// Adds the first `width` columns of `from` to those of `to`.
fn add_rows(to: &mut [f32], to_wide: usize, from: &[f32], from_wide: usize, width: usize) {
    let pairs = to.chunks_exact_mut(to_wide).zip(from.chunks_exact(from_wide));
    for (to, from) in pairs {
        let pairs = to[..width].iter_mut().zip(&from[..width]);
        pairs.for_each(|(t, f)| *t += f);
    }
}

/// Writes max(x, 0) for each x of `slope`, and puts the derivative in its place.
fn relu(slope: &mut [f32], out: &mut [f32]) {
    for (s, o) in slope.iter_mut().zip(out) {
        let x = *s;
        // Written so that a NaN stays one.
        *o = if x < 0.0 { 0.0 } else { x };
        *s = if x > 0.0 { 1.0 } else { 0.0 };
    }
}

/// Writes x sigmoid(x) for each x of `slope`, and puts the derivative in its place.
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
    let (prediction, mut tape) = prediction.split_tape();
    let width = prediction.shape().1;
    let mut slope = vec![0.0; target.len()];
    prediction.copy_into(&mut slope);
    let mut loss = 0.0;
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
    let value = prediction.device().tensor(loss as f32);
    let (value_ghost, ghost) = (value.ghost(), prediction.ghost());
    tape.add_backward_op(move |gradients| {
        let upstream = gradients.get_or_alloc_mut(&value_ghost)?[0];
        let gradient = gradients.get_or_alloc_mut(&ghost)?;
        for (g, s) in gradient.iter_mut().zip(&slope) {
            *g += upstream * s;
        }
        Ok(())
    });
    Ok((loss, value.put_tape(tape)))
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
    fn a_nan_is_not_hidden() {
        for apply in [relu, silu] {
            let mut out = [0.0];
            apply(&mut [f32::NAN], &mut out);
            assert!(out[0].is_nan());
        }
    }
}
