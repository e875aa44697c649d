//! Sets of points, checked once.

/// Why a set of points cannot be measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The values are not whole rows.
    #[error("{values} values are not whole rows of {dim} features")]
    NotRows {
        /// Number of values.
        values: usize,
        /// Features a row.
        dim: usize,
    },
    /// Fewer than two rows.
    #[error("{rows} rows cannot be measured; at least two are needed")]
    TooFew {
        /// Rows there are.
        rows: usize,
    },
    /// A value that is not a finite number.
    #[error(
        "row {row}, feature {feature} is {value}; only finite values can be measured, so the sampler or the training diverged"
    )]
    NotFinite {
        /// Row from 1.
        row: usize,
        /// Feature from 1.
        feature: usize,
        /// The value.
        value: f32,
    },
    /// Two sets with rows of different length.
    #[error("rows of {left} features cannot be compared with rows of {right}")]
    DimMismatch {
        /// Features in one set.
        left: usize,
        /// Features in the other.
        right: usize,
    },
}

/// At least two rows of finite values, held in f64 for the arithmetic.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    rows: usize,
    dim: usize,
    /// Row length in `padded`, `dim` rounded up to whole vectors.
    stride: usize,
    /// The rows, each filled up with zeros, which change no distance.
    padded: Vec<f64>,
}

/// Doubles in one step of the inner loops.
pub(super) const LANES: usize = 8;

impl Points {
    /// Points from row-major `values`, `dim` to a row.
    ///
    /// # Errors
    ///
    /// [`MetricError`] if they are not whole rows, fewer than two, or not all finite.
    pub fn new(values: &[f32], dim: usize) -> Result<Self, MetricError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(MetricError::NotRows { values: values.len(), dim });
        }
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(MetricError::NotFinite {
                row: index / dim + 1,
                feature: index % dim + 1,
                value: values[index],
            });
        }
        let rows = values.len() / dim;
        if rows < 2 {
            return Err(MetricError::TooFew { rows });
        }
        let stride = dim.next_multiple_of(LANES);
        let mut padded = vec![0.0; rows * stride];
        for (to, from) in padded.chunks_exact_mut(stride).zip(values.chunks_exact(dim)) {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = f64::from(from);
            }
        }
        Ok(Self { rows, dim, stride, padded })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Features in a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Fails unless both sets have rows of one length.
    pub(super) fn comparable(&self, other: &Self) -> Result<(), MetricError> {
        if self.dim == other.dim { Ok(()) } else { Err(MetricError::DimMismatch { left: self.dim, right: other.dim }) }
    }

    /// The rows `from..to`, which are in range.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        Self { rows: to - from, padded: self.padded[from * self.stride..to * self.stride].to_vec(), ..*self }
    }

    /// The rows named, which are in range.
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        let row = |&row: &usize| &self.padded[row * self.stride..(row + 1) * self.stride];
        Self { rows: rows.len(), padded: rows.iter().flat_map(row).copied().collect(), ..*self }
    }

    /// The rows with their padding, each a whole number of [`LANES`].
    pub(super) fn padded_rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.padded.chunks_exact(self.stride)
    }

    /// The rows without padding.
    pub(super) fn plain_rows(&self) -> impl Iterator<Item = &[f64]> {
        self.padded_rows().map(|row| &row[..self.dim])
    }
}

/// Digit pixels (0 to 16) in the units the published figures use: rounded to the 17 grey levels, half to even, clipped, p/8 - 1.
pub fn digit_units(pixels: &[f32]) -> Vec<f32> {
    let level = |p: &f32| p.round_ties_even().clamp(0.0, 16.0) / 8.0 - 1.0;
    pixels.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_prove_what_they_promise() {
        let error = |values: &[f32], dim| Points::new(values, dim).unwrap_err();
        assert_eq!(error(&[1.0; 3], 2), MetricError::NotRows { values: 3, dim: 2 });
        assert_eq!(error(&[], 0), MetricError::NotRows { values: 0, dim: 0 });
        assert_eq!(error(&[1.0; 2], 2), MetricError::TooFew { rows: 1 });
        let text = error(&[1.0, 2.0, 3.0, f32::INFINITY], 2).to_string();
        assert!(text.starts_with("row 2, feature 2 is inf;"), "{text}");
        let points = Points::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3).unwrap();
        assert_eq!((points.rows(), points.dim()), (2, 3));
        assert_eq!(points.plain_rows().last().unwrap(), [4.0, 5.0, 6.0]);
    }

    #[test]
    fn digit_units_round_half_to_even_and_clip() {
        // numpy: np.clip(np.round([-3, .5, 1.5, 7.4, 15.6, 99]), 0, 16) / 8 - 1
        let got = digit_units(&[-3.0, 0.5, 1.5, 7.4, 15.6, 99.0]);
        assert_eq!(got, [-1.0, -1.0, -0.75, -0.125, 1.0, 1.0]);
    }
}
