//! What a reader computes, as the specification says it.

use super::{Blob, Layer, Level, crc64};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use std::sync::LazyLock;

/// The digest of floats: CRC-64/XZ over their bits, least significant byte first, every NaN as `7fc00000`.
pub fn digest(values: &[f32]) -> u64 {
    let bits = |x: &f32| if x.is_nan() { 0x7fc0_0000u32 } else { x.to_bits() };
    let bytes: Vec<u8> = values.iter().flat_map(|x| bits(x).to_le_bytes()).collect();
    crc64(&bytes)
}

/// `G`, from its formula.
fn silu_gap(step: usize) -> i64 {
    static GAPS: LazyLock<Vec<i64>> = LazyLock::new(|| {
        (0..704)
            .map(|i| {
                let u = (f64::from(i) + 0.5) / 64.0;
                libm::round(1024.0 * u / (1.0 + libm::exp(u))) as i64
            })
            .collect()
    });
    GAPS.get(step).copied().unwrap_or(0)
}

fn sat16(x: i64) -> i64 {
    x.clamp(-32768, 32767)
}

/// `floor(x * scale + 0.5)` clamped; both operations rounded to f32.
fn input_code(x: f32, scale: f32, q_max: u16) -> i64 {
    let y = (x * scale + 0.5).floor();
    let limit = f32::from(q_max);
    if y.is_nan() { 0 } else { y.clamp(-limit, limit) as i64 }
}

fn sums<'a>(layer: &'a Layer, codes: &'a [i64]) -> impl Iterator<Item = i64> + 'a {
    layer
        .weights
        .chunks(layer.columns)
        .map(move |row| row.iter().zip(codes).map(|(w, code)| i64::from(*w) * code).sum())
}

impl Blob {
    /// `F(x, level)`.
    pub fn forward(&self, level: usize, class: Option<usize>, x: &[f32]) -> Vec<f32> {
        let values: &Level = &self.levels[level];
        let mut codes: Vec<i64> = x.iter().map(|x| input_code(*x, values.input_scale, self.layers[0].q_max)).collect();
        let last = self.layers.len() - 1;
        for (number, layer) in self.layers[..last].iter().enumerate() {
            let (sum_shift, code_shift) = values.shifts[number];
            let limit = i64::from(self.layers[number + 1].q_max);
            let bias = values.biases[number].as_ref().unwrap_or(&layer.biases);
            let class_bias = class.and_then(|class| self.class_biases[class][number].as_ref());
            codes = sums(layer, &codes)
                .enumerate()
                .map(|(row, acc)| {
                    assert!(acc.abs() < 1 << 23, "the bound on sums was checked");
                    let product = (acc * i64::from(layer.multipliers[row])) >> 8;
                    let bias = i64::from(bias[row]) + class_bias.map_or(0, |bias| i64::from(bias[row]));
                    let pre = sat16(((product + (1 << (sum_shift - 1))) >> sum_shift) + bias);
                    let h = match layer.activation {
                        1 => pre.max(0),
                        _ => pre.max(0) - silu_gap((pre.unsigned_abs() >> 4) as usize),
                    };
                    let half = if code_shift == 0 { 0 } else { 1 << (code_shift - 1) };
                    let skip = if layer.residual { codes[row] } else { 0 };
                    (((h + half) >> code_shift) + skip).clamp(-limit, limit)
                })
                .collect();
        }
        let layer = &self.layers[last];
        let level_bias = values.biases[last].as_ref();
        let class_bias = class.and_then(|class| self.class_biases[class][last].as_ref());
        sums(layer, &codes)
            .enumerate()
            .map(|(row, acc)| {
                let f = acc as f32 * layer.float_scales[row] * values.output_gain + layer.float_biases[row];
                if level_bias.is_none() && class_bias.is_none() {
                    return f;
                }
                let of = |bias: Option<&Vec<i16>>| bias.map_or(0, |bias| i32::from(bias[row]));
                f + (of(level_bias) + of(class_bias)) as f32 * (1.0 / 1024.0)
            })
            .collect()
    }

    /// A sample before data scaling, with guidance if a weight and a class are given.
    pub fn sample(
        &self,
        plan: usize,
        class: Option<usize>,
        guidance: Option<f32>,
        noise: &mut impl NormalSource,
    ) -> Vec<f32> {
        let plan = &self.plans[plan];
        let mut x: Vec<f32> = (0..self.dim_in).map(|_| plan.start_scale * noise.normal()).collect();
        let mut history: Vec<Vec<f32>> = vec![vec![0.0; self.dim_in]; 4];
        for row in &plan.rows {
            let [p, q, a, b0, b1, b2, b3, e] = row.coefficients;
            let level = usize::from(row.level);
            let mut f = self.forward(level, class, &x);
            if let (Some(w), Some(_)) = (guidance, class) {
                let free = self.forward(level, None, &x);
                f = f.iter().zip(free).map(|(f, free)| free + w * (f - free)).collect();
            }
            let m: Vec<f32> = x.iter().zip(f).map(|(x, f)| p * x + q * f).collect();
            for (i, x) in x.iter_mut().enumerate() {
                *x = a * *x + b0 * m[i];
                for (b, before) in [b1, b2, b3].iter().zip(&history) {
                    if *b != 0.0 {
                        *x += b * before[i];
                    }
                }
            }
            if e != 0.0 {
                for x in &mut x {
                    *x += e * noise.normal();
                }
            }
            history.insert(0, m);
            history.pop();
        }
        x
    }

    /// The digest that the self-test should give.
    pub fn self_test_digest(&self) -> u64 {
        let (plan, class, number) = self.self_test;
        let class = usize::from(class).checked_sub(1);
        let mut noise = Ziggurat::new(Stream::nth(self.seed, number));
        if self.role == 0 {
            return digest(&self.sample(plan.into(), class, None, &mut noise));
        }
        let z: Vec<f32> = (0..self.dim_in).map(|_| noise.normal()).collect();
        digest(&self.forward(0, class, &z))
    }
}
