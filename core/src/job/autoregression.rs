use crate::math;
use crate::network::F32Le;

/// The longest memory of an autoregression, in samples.
pub const ORDER_MAX: usize = 8;

/// The least pivot: what rounding leaves of one that is not above 0.
const LEAST_PIVOT: f32 = 1e-9;

/// A Gaussian vector autoregression: each sample is a linear function of those before it and normal noise (Whittle 1963; Hamilton 1994, chapter 11).
///
/// It is kept as the rows that whiten it. A sample that has `k` before it, up to the order `p`, has `C` rows of `(k + 1) C` numbers over these and itself,
/// the oldest first, and what they give of a signal are independent normals. In each row the numbers of the sample's own channels behind the row's are 0 and that
/// of the row's own is above 0.
#[derive(Clone, Copy, Debug)]
pub struct Autoregression<'a> {
    channels: usize,
    order: usize,
    rows: F32Le<'a>,
}

/// The memory is too short for a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapTooLong {
    /// Floats that it takes.
    pub needed: usize,
}

impl core::fmt::Display for GapTooLong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "a gap takes {} floats of memory, and there are fewer", self.needed)
    }
}

impl core::error::Error for GapTooLong {}

/// The equations of one gap: a matrix with a band, of which row i keeps columns `i + 1 - width ..= i`, and one number a row.
struct Equations<'e> {
    band: &'e mut [f32],
    side: &'e mut [f32],
    width: usize,
    size: usize,
}

impl Equations<'_> {
    /// Row i from column `from` to before column `to`.
    fn row(&self, i: usize, from: usize, to: usize) -> &[f32] {
        let at = |column: usize| (column + self.width - 1).checked_sub(i).map(|place| i * self.width + place);
        at(from).zip(at(to)).and_then(|(from, to)| self.band.get(from..to)).unwrap_or_default()
    }

    fn at(&self, i: usize, column: usize) -> f32 {
        self.row(i, column, column + 1).first().copied().unwrap_or(0.0)
    }

    fn set(&mut self, i: usize, column: usize, value: f32) {
        let place = (column + self.width - 1).checked_sub(i).map(|place| i * self.width + place);
        if let Some(to) = place.and_then(|place| self.band.get_mut(place)) {
            *to = value;
        }
    }

    fn first(&self, i: usize) -> usize {
        (i + 1).saturating_sub(self.width)
    }

    fn side(&self, i: usize) -> f32 {
        self.side.get(i).copied().unwrap_or(0.0)
    }

    fn set_side(&mut self, i: usize, value: f32) {
        if let Some(to) = self.side.get_mut(i) {
            *to = value;
        }
    }

    /// Puts the triangular root L, `Q = L L'`, in the place of Q, and the solution of `Q m = side` in that of the side (Cholesky).
    fn solve(&mut self) {
        for i in 0..self.size {
            let low = self.first(i);
            for j in low..=i {
                let products = self.row(i, low, j).iter().zip(self.row(j, low, j)).map(|(a, b)| a * b);
                let rest = products.fold(self.at(i, j), |rest, product| rest - product);
                let value = if i == j { math::sqrt(rest.max(LEAST_PIVOT)) } else { rest / self.at(j, j) };
                self.set(i, j, value);
            }
            let products = self.row(i, low, i).iter().zip(self.side.iter().skip(low)).map(|(a, b)| a * b);
            let rest = products.fold(self.side(i), |rest, product| rest - product);
            self.set_side(i, rest / self.at(i, i));
        }
        for i in (0..self.size).rev() {
            let value = self.side(i) / self.at(i, i);
            self.set_side(i, value);
            for k in self.first(i)..i {
                let rest = self.side(k) - self.at(i, k) * value;
                self.set_side(k, rest);
            }
        }
    }

    /// Puts the inverse of Q, as far as the band has room for it, in the place of L (Takahashi, Fagan and Chen 1973). `column` is as long as the band is wide.
    fn invert(&mut self, column: &mut [f32]) {
        for i in (0..self.size).rev() {
            let reciprocal = 1.0 / self.at(i, i);
            let end = (i + self.width).min(self.size);
            for (kept, k) in column.iter_mut().zip(i + 1..end) {
                *kept = self.at(k, i);
            }
            let mut own = reciprocal;
            for j in (i + 1..end).rev() {
                let mut sum = 0.0;
                for (l, k) in column.iter().zip(i + 1..end) {
                    sum += l * self.at(k.max(j), k.min(j));
                }
                self.set(j, i, -reciprocal * sum);
            }
            for (l, k) in column.iter().zip(i + 1..end) {
                own -= l * self.at(k, i);
            }
            self.set(i, i, reciprocal * own);
        }
    }
}

impl<'a> Autoregression<'a> {
    /// Numbers that one of so many channels and of this order has.
    #[must_use]
    pub const fn numbers(channels: usize, order: usize) -> usize {
        channels * channels * (order + 1) * (order + 2) / 2
    }

    /// One over its numbers as they lie in a blob, or `None` where there are not as many as there should be, the order is above [`ORDER_MAX`] or one does not
    /// fit its place.
    #[must_use]
    pub fn new(channels: usize, order: usize, bytes: &'a [u8]) -> Option<Self> {
        let rows = F32Le::new(bytes);
        let whole = channels > 0 && order <= ORDER_MAX && bytes.len() == 4 * Self::numbers(channels, order);
        let made = Self { channels, order, rows };
        (whole && rows.iter().all(f32::is_finite) && made.is_triangular()).then_some(made)
    }

    fn is_triangular(self) -> bool {
        (0..=self.order).all(|before| {
            (0..self.channels).all(|channel| {
                let mut own = self.row(before, channel).skip(before * self.channels);
                let diagonal = own.by_ref().nth(channel);
                diagonal.is_some_and(|x| x > 0.0) && own.all(|x| x == 0.0)
            })
        })
    }

    /// Values at each time.
    #[must_use]
    pub fn channels(self) -> usize {
        self.channels
    }

    /// How many samples back it looks.
    #[must_use]
    pub fn order(self) -> usize {
        self.order
    }

    /// The row of a channel of a sample that has so many before it.
    fn row(self, before: usize, channel: usize) -> impl Iterator<Item = f32> + Clone + use<'a> {
        let (c, rows) = (self.channels, self.rows);
        let start = c * c * before * (before + 1) / 2 + channel * c * (before + 1);
        (start..start + c * (before + 1)).map(move |number| rows.get(number).unwrap_or(0.0))
    }

    /// Floats of memory that a gap of so many samples takes; two gaps with fewer than `order` whole samples between them are one.
    #[must_use]
    pub const fn floats(self, samples: usize) -> usize {
        (samples * self.channels + 1) * (self.order + 1) * self.channels
    }

    /// Samples of the longest gap of a signal, as [`floats`](Self::floats) counts them.
    #[must_use]
    pub fn longest_gap(self, values: &[f32]) -> usize {
        let (mut longest, mut from) = (0, 0);
        while let Some((start, end)) = self.gap(values, from) {
            (longest, from) = (longest.max(end - start), end);
        }
        longest
    }

    /// The first gap at or behind sample `from`.
    fn gap(self, values: &[f32], from: usize) -> Option<(usize, usize)> {
        let missing = |sample: &[f32]| sample.iter().any(|x| x.is_nan());
        let mut samples = values.chunks_exact(self.channels.max(1)).enumerate().skip(from);
        let (start, _) = samples.find(|(_, sample)| missing(sample))?;
        let mut end = start + 1;
        for (time, sample) in samples {
            if time - end >= self.order.max(1) {
                break;
            }
            if missing(sample) {
                end = time + 1;
            }
        }
        Some((start, end))
    }

    /// Puts the mean of every value that is missing (NaN), given all that are there, in its place, and writes its deviation, 0 for a value that is there. `values` are
    /// in the scale of training, `deviations` as long.
    ///
    /// Cost: `n ((p + 1) C)^2` multiplications, thrice, for a gap of n values.
    ///
    /// # Errors
    /// [`GapTooLong`] at the first gap that takes more than the memory; those before it are filled.
    pub fn fill(self, values: &mut [f32], deviations: &mut [f32], memory: &mut [f32]) -> Result<(), GapTooLong> {
        deviations.fill(0.0);
        let mut from = 0;
        while let Some((start, end)) = self.gap(values, from) {
            self.fill_gap(values, deviations, (start, end), memory)?;
            from = end;
        }
        Ok(())
    }

    fn fill_gap(
        self,
        values: &mut [f32],
        deviations: &mut [f32],
        (start, end): (usize, usize),
        memory: &mut [f32],
    ) -> Result<(), GapTooLong> {
        let channels = self.channels;
        let (size, width) = ((end - start) * channels, (self.order + 1) * channels);
        let needed = self.floats(end - start);
        let short = GapTooLong { needed };
        let (band, rest) = memory.split_at_mut_checked(size * width).ok_or(short)?;
        let column = rest.get_mut(..width).ok_or(short)?;
        let side = deviations.get_mut(start * channels..end * channels).unwrap_or_default();
        band.fill(0.0);
        let mut equations = Equations { band, side, width, size };
        let first = start * channels;
        // Every row that sees a missing value: unknown values get what the row's known part asks of them.
        for time in start..(end + self.order).min(values.len() / channels.max(1)) {
            let before = time.min(self.order);
            let place = (time - before) * channels;
            for channel in 0..channels {
                let seen = || self.row(before, channel).zip(values.iter().skip(place)).zip(place..);
                let known = seen().filter(|((_, x), _)| !x.is_nan()).fold(0.0, |sum, ((w, x), _)| sum + w * x);
                for ((w, x), at) in seen() {
                    if !x.is_nan() || w == 0.0 {
                        continue;
                    }
                    let i = at - first;
                    equations.set_side(i, equations.side(i) - w * known);
                    for ((other, x), at) in seen().take(at - place + 1) {
                        if x.is_nan() {
                            let j = at - first;
                            equations.set(i, j, equations.at(i, j) + w * other);
                        }
                    }
                }
            }
        }
        for (i, x) in values.iter().skip(first).take(size).enumerate() {
            if !x.is_nan() {
                equations.set(i, i, 1.0);
            }
        }
        equations.solve();
        equations.invert(column);
        for (i, x) in values.iter_mut().skip(first).take(size).enumerate() {
            let mean = equations.side(i);
            let known = !x.is_nan();
            equations.set_side(i, if known { 0.0 } else { math::sqrt(equations.at(i, i).max(0.0)) });
            if !known {
                *x = mean;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Whitening rows of two channels and order 2, by hand: lower triangles with ones near the diagonal.
    fn numbers() -> Vec<f32> {
        let mut seed = 7u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let mut out = Vec::new();
        for before in 0..=2 {
            for channel in 0..2 {
                out.extend((0..before * 2).map(|_| next()));
                out.extend((0..2).map(|c| match c {
                    c if c < channel => next(),
                    c if c == channel => 1.3 + next(),
                    _ => 0.0,
                }));
            }
        }
        out
    }

    fn bytes(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    /// Mean and deviation of the missing values by the whole precision matrix in f64, eliminated without a thought of bands.
    fn dense(numbers: &[f32], values: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let (n, c, order) = (values.len(), 2, 2);
        let mut whitening = vec![vec![0.0f64; n]; n];
        for (i, row) in whitening.iter_mut().enumerate() {
            let (time, channel) = (i / c, i % c);
            let before = time.min(order);
            let start = c * c * before * (before + 1) / 2 + channel * c * (before + 1);
            for (k, to) in row[(time - before) * c..(time + 1) * c].iter_mut().enumerate() {
                *to = f64::from(numbers[start + k]);
            }
        }
        let missing: Vec<usize> = (0..n).filter(|i| values[*i].is_nan()).collect();
        let m = missing.len();
        // [Q_aa | rhs | I], by Gauss and Jordan.
        let mut table = vec![vec![0.0f64; 2 * m + 1]; m];
        for (a, i) in missing.iter().enumerate() {
            for row in &whitening {
                for (b, j) in missing.iter().enumerate() {
                    table[a][b] += row[*i] * row[*j];
                }
                let known: f64 = (0..n).filter(|j| !values[*j].is_nan()).map(|j| row[j] * f64::from(values[j])).sum();
                table[a][m] -= row[*i] * known;
            }
            table[a][m + 1 + a] = 1.0;
        }
        for pivot in 0..m {
            let scale = table[pivot][pivot];
            table[pivot].iter_mut().for_each(|x| *x /= scale);
            let own = table[pivot].clone();
            for (_, row) in table.iter_mut().enumerate().filter(|(k, _)| *k != pivot) {
                let factor = row[pivot];
                row.iter_mut().zip(&own).for_each(|(x, y)| *x -= factor * y);
            }
        }
        (table.iter().map(|row| row[m]).collect(), (0..m).map(|a| table[a][m + 1 + a].sqrt()).collect())
    }

    #[test]
    fn missing_values_have_the_mean_and_deviation_of_the_whole_gaussian() {
        let numbers = numbers();
        let bytes = bytes(&numbers);
        let model = Autoregression::new(2, 2, &bytes).unwrap();
        // At the start, at the end, two gaps a sample apart, a gap far from others, a whole channel, everything.
        let patterns: [&dyn Fn(usize, usize) -> bool; 7] = [
            &|t, _| t < 2,
            &|t, c| t == 11 && c == 0,
            &|t, c| t == 3 || t == 5 && c == 1,
            &|t, _| t == 2 || t == 8,
            &|_, c| c == 1,
            &|_, _| true,
            &|t, c| (t * 5 + c * 3) % 4 == 0,
        ];
        for (number, pattern) in patterns.iter().enumerate() {
            let mut values: Vec<f32> = (0..24).map(|i| ((i * 7 % 11) as f32 - 5.0) / 3.0).collect();
            for (i, x) in values.iter_mut().enumerate() {
                if pattern(i / 2, i % 2) {
                    *x = f32::NAN;
                }
            }
            let given = values.clone();
            let (means, expected) = dense(&numbers, &given);
            let mut deviations = vec![9.0; 24];
            let mut memory = vec![f32::NAN; model.floats(model.longest_gap(&given))];
            model.fill(&mut values, &mut deviations, &mut memory).unwrap();
            let missing = (0..24).filter(|i| given[*i].is_nan());
            for ((i, mean), deviation) in missing.zip(means).zip(expected) {
                assert!((f64::from(values[i]) - mean).abs() < 1e-5, "pattern {number}: {} {mean}", values[i]);
                assert!((f64::from(deviations[i]) - deviation).abs() < 1e-5, "pattern {number}");
            }
            for i in (0..24).filter(|i| !given[*i].is_nan()) {
                assert_eq!((values[i], deviations[i]), (given[i], 0.0));
            }
        }
    }

    #[test]
    fn gaps_with_enough_between_them_are_two_and_memory_is_as_stated() {
        let bytes = bytes(&numbers());
        let model = Autoregression::new(2, 2, &bytes).unwrap();
        let with_gaps = |times: &[usize]| {
            let mut values = vec![0.5; 24];
            times.iter().for_each(|t| values[2 * t + 1] = f32::NAN);
            values
        };
        assert_eq!(model.longest_gap(&with_gaps(&[])), 0);
        assert_eq!(model.longest_gap(&with_gaps(&[3, 5])), 3);
        assert_eq!(model.longest_gap(&with_gaps(&[3, 6])), 1);
        assert_eq!(model.longest_gap(&with_gaps(&[3, 4, 6, 11])), 4);
        let mut values = with_gaps(&[3, 5]);
        let (mut deviations, needed) = (vec![0.0; 24], model.floats(3));
        let mut memory = vec![0.0; needed - 1];
        assert_eq!(model.fill(&mut values, &mut deviations, &mut memory), Err(GapTooLong { needed }));
        assert!(values[7].is_nan());
        memory.push(0.0);
        assert_eq!(model.fill(&mut values, &mut deviations, &mut memory), Ok(()));
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let good = numbers();
        assert_eq!(good.len(), Autoregression::numbers(2, 2));
        let refused = |change: &dyn Fn(&mut Vec<f32>)| {
            let mut numbers = good.clone();
            change(&mut numbers);
            Autoregression::new(2, 2, &bytes(&numbers)).is_none()
        };
        assert!(!refused(&|_| ()));
        assert!(refused(&|n| n.truncate(23)));
        assert!(refused(&|n| n[5] = f32::NAN));
        // The first sample's own rows: above the diagonal, and on it.
        assert!(refused(&|n| n[1] = 0.1));
        assert!(refused(&|n| n[3] = 0.0));
        assert!(refused(&|n| n[0] = -1.0));
        assert!(Autoregression::new(2, 9, &bytes(&vec![1.0; Autoregression::numbers(2, 9)])).is_none());
    }
}
