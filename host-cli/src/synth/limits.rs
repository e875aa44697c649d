use super::{Layout, Rows};

/// What values real rows have, in the data's own units: the least and the largest, and whether they are whole numbers. One answer for an image,
/// one for each channel of a signal, one for each column of anything else.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    of: Vec<(f32, f32, bool)>,
}

impl Limits {
    /// The limits of rows.
    #[must_use]
    pub fn of(rows: &Rows, layout: Layout) -> Self {
        let period = match layout {
            Layout::Image { .. } => 1,
            Layout::Series { channels, .. } => channels,
            Layout::Plain => rows.dim,
        };
        let mut of = vec![(f32::INFINITY, f32::NEG_INFINITY, true); period.max(1)];
        for (row, _) in rows.iter() {
            for (index, x) in row.iter().enumerate() {
                let (low, high, whole) = &mut of[index % period.max(1)];
                (*low, *high, *whole) = (low.min(*x), high.max(*x), *whole && x.fract() == 0.0);
            }
        }
        Self { of }
    }

    /// Brings the values of rows inside, and to whole numbers where all real ones are whole.
    pub fn apply(&self, dim: usize, values: &mut [f32]) {
        for row in values.chunks_exact_mut(dim.max(1)) {
            for (index, x) in row.iter_mut().enumerate() {
                let (low, high, whole) = self.of[index % self.of.len()];
                if low <= high {
                    *x = x.clamp(low, high);
                }
                if whole {
                    *x = x.round();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_within_their_column_and_whole_numbers_whole() {
        let (rows, _) = Rows::whole(2, &[0.0, 0.5, 3.0, 1.0], &[0, 0]);
        let apply = |layout| {
            let mut values = [3.4, 7.0, 1.4, -2.0];
            Limits::of(&rows, layout).apply(2, &mut values);
            values
        };
        assert_eq!(apply(Layout::Plain), [3.0, 1.0, 1.0, 0.5]);
        assert_eq!(apply(Layout::Image { height: 1, width: 2 }), [3.0, 3.0, 1.4, 0.0]);
        assert_eq!(apply(Layout::Series { times: 1, channels: 2 }), [3.0, 1.0, 1.0, 0.5]);
    }
}
