//! What follows the sums of a hidden layer: requantisation, bias, activation, and the next layer's codes.

use super::activation::SILU_MIN;
use super::kernel::Plain;
use super::layer::{I16Le, Layer};
use super::requantise::{half, round_shift, scaled};
use super::{Activation, Lane, kernel, silu, widened};

/// A hidden layer at one noise level.
pub(super) struct Hidden<'a> {
    pub multipliers: I16Le<'a>,
    pub biases: I16Le<'a>,
    pub class_biases: I16Le<'a>,
    pub activation: Activation,
    pub residual: bool,
    /// The largest code of the next layer's input.
    pub limit: i32,
    pub sum_shift: u32,
    pub code_shift: u32,
}

impl Hidden<'_> {
    /// Computes the layer from `codes` into `next`.
    ///
    /// A layer of the common kind (no class, no residual) takes a shorter way to the same codes. Its pre-activation is not clamped to 16
    /// bits: the clamp is monotone, so it can only show in the largest code that comes out, [`highest`](Self::highest), or below
    /// zero, where neither activation looks further than [`SILU_MIN`].
    pub fn run(&self, layer: &Layer<'_>, codes: &[Lane], next: &mut [Lane]) {
        let plain = self.class_biases.is_empty() && !self.residual;
        let (Some(multipliers), Some(biases)) = (self.multipliers.as_slice(), self.biases.as_slice()) else {
            return self.general(layer, 0, codes, next);
        };
        let (sum_shift, code_shift) = (self.sum_shift & 31, self.code_shift & 31);
        let (activation, highest) = (self.activation, self.highest());
        let before = match activation {
            // The half of the second rounding goes before the first shift, as a whole number of units there, if it fits.
            Activation::Relu if plain && sum_shift + code_shift <= 30 => {
                half(sum_shift) + (half(code_shift) << sum_shift)
            }
            Activation::Silu if plain && round_shift(SILU_MIN, code_shift) >= -self.limit => half(sum_shift),
            _ => return self.general(layer, 0, codes, next),
        };
        let plain = Plain { multipliers, biases, activation, before, sum_shift, code_shift, highest };
        if cfg!(mote_tiles) {
            // That does every whole tile of nearly every layer; the rest is not worth code of its own.
            let done = kernel::plain(layer, codes, next, &plain);
            if done < layer.rows() {
                self.general(layer, done, codes, next);
            }
            return;
        }
        let rows = Rows { multipliers, biases };
        if activation == Activation::Relu {
            rows.run(layer, codes, next, move |sum, multiplier, bias| {
                let pre = scaled(sum, multiplier).wrapping_add(before) >> sum_shift;
                // max(pre, 0) and the shift commute, as half a unit is less than one.
                (pre.wrapping_add(bias) >> code_shift).max(0).min(highest)
            });
        } else {
            let after = half(code_shift);
            rows.run(layer, codes, next, move |sum, multiplier, bias| {
                let pre = (scaled(sum, multiplier).wrapping_add(before) >> sum_shift).wrapping_add(bias);
                (silu(pre).wrapping_add(after) >> code_shift).min(highest)
            });
        }
    }

    /// The largest code that the clamps to 16 bits and to the limit let through.
    fn highest(&self) -> i32 {
        round_shift(i32::from(i16::MAX), self.code_shift).min(self.limit)
    }

    /// The rows from `first` on, a multiple of a tile, as the specification says it.
    fn general(&self, layer: &Layer<'_>, first: usize, codes: &[Lane], next: &mut [Lane]) {
        let mut row = first;
        kernel::dense(layer, first, codes, &mut |sums| {
            for sum in sums {
                let (Some(multiplier), Some(bias), Some(next)) =
                    (self.multipliers.get(row), self.biases.get(row), next.get_mut(row))
                else {
                    return;
                };
                let bias = i32::from(bias) + i32::from(self.class_biases.get(row).unwrap_or(0));
                let pre = round_shift(scaled(*sum, multiplier), self.sum_shift).wrapping_add(bias);
                let h = self.activation.apply(pre.clamp(i32::from(i16::MIN), i32::from(i16::MAX)));
                let skip = codes.get(row).filter(|_| self.residual).map_or(0, |code| widened(*code));
                let code = round_shift(h, self.code_shift).wrapping_add(skip);
                *next = code.max(-self.limit).min(self.limit) as Lane;
                row += 1;
            }
        });
    }
}

/// The parameters of every row, where they lie as a core can load them.
struct Rows<'a> {
    multipliers: &'a [i16],
    biases: &'a [i16],
}

impl Rows<'_> {
    /// Calls `code` with sum, multiplier and bias of each row, and stores what it gives.
    #[inline(always)]
    fn run(
        mut self,
        layer: &Layer<'_>,
        codes: &[Lane],
        mut next: &mut [Lane],
        code: impl Fn(i32, i16, i32) -> i32 + Copy,
    ) {
        kernel::dense(layer, 0, codes, &mut |sums| {
            let (Some((multipliers, m)), Some((biases, b)), Some((to, n))) = (
                self.multipliers.split_at_checked(sums.len()),
                self.biases.split_at_checked(sums.len()),
                core::mem::take(&mut next).split_at_mut_checked(sums.len()),
            ) else {
                return;
            };
            (self.multipliers, self.biases, next) = (m, b, n);
            let one = move |((sum, to), (multiplier, bias)): ((&i32, &mut Lane), (&i16, &i16))| {
                *to = code(*sum, *multiplier, i32::from(*bias)) as Lane;
            };
            // Four at a time, so that a turn of the loop costs little beside them.
            let (sum4, sum1) = sums.as_chunks::<4>();
            let (to4, to1) = to.as_chunks_mut::<4>();
            let (multiplier4, multiplier1) = multipliers.as_chunks::<4>();
            let (bias4, bias1) = biases.as_chunks::<4>();
            for ((sum, to), (multiplier, bias)) in sum4.iter().zip(to4).zip(multiplier4.iter().zip(bias4)) {
                let ([s0, s1, s2, s3], [t0, t1, t2, t3]) = (sum, to);
                let ([m0, m1, m2, m3], [b0, b1, b2, b3]) = (multiplier, bias);
                one(((s0, t0), (m0, b0)));
                one(((s1, t1), (m1, b1)));
                one(((s2, t2), (m2, b2)));
                one(((s3, t3), (m3, b3)));
            }
            sum1.iter().zip(to1).zip(multiplier1.iter().zip(bias1)).for_each(one);
        });
    }
}
