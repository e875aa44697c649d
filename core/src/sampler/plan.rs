/// The largest number of predictions that a row may look back on, its own included.
pub const HISTORY_MAX: usize = 4;

/// Bytes of a row in a model blob.
pub const ROW_BYTES: usize = 36;

/// One step of a sampler: a network evaluation and a linear update.
///
/// `m_i = p x + q F(x, level)`, then `x <- a x + b[0] m_i + b[1] m_(i-1) + b[2] m_(i-2) + b[3] m_(i-3) + e z`. Terms of
/// `b[1..]` and `e` whose coefficient is 0 are left out, and no noise is drawn then; sums run from left to right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Index into the table of noise levels.
    pub level: u16,
    /// Coefficient of the state in `m`.
    pub p: f32,
    /// Coefficient of the network's output in `m`.
    pub q: f32,
    /// Coefficient of the state in the update.
    pub a: f32,
    /// Coefficients of this row's `m` and of those of the rows before.
    pub b: [f32; HISTORY_MAX],
    /// Scale of the fresh noise.
    pub e: f32,
}

impl Row {
    const NOTHING: Self = Self { level: 0, p: 0.0, q: 0.0, a: 0.0, b: [0.0; HISTORY_MAX], e: 0.0 };

    /// Whether every coefficient is a finite number.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        [self.p, self.q, self.a, self.e].iter().chain(&self.b).all(|c| c.is_finite())
    }

    /// How many predictions the row uses, from 1 to [`HISTORY_MAX`].
    #[must_use]
    pub fn history(&self) -> usize {
        self.b.iter().rposition(|b| *b != 0.0).map_or(1, |last| last + 1)
    }

    /// The row as it lies in a blob, little-endian: level, a zero half-word, p, q, a, b, e.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ROW_BYTES] {
        let mut bytes = [0; ROW_BYTES];
        let [b0, b1, b2, b3] = self.b;
        let words = [self.p, self.q, self.a, b0, b1, b2, b3, self.e];
        let (head, tail) = bytes.split_at_mut(4);
        for (to, from) in head.iter_mut().zip(self.level.to_le_bytes()) {
            *to = from;
        }
        for (to, from) in tail.iter_mut().zip(words.iter().flat_map(|w| w.to_le_bytes())) {
            *to = from;
        }
        bytes
    }

    /// The row that [`to_bytes`](Self::to_bytes) wrote. The half-word after the level is not looked at.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ROW_BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        // Always nine words; the array's length is not told to the pattern.
        let [level, p, q, a, b0, b1, b2, b3, e] = *words else { return Self::NOTHING };
        let [p, q, a, b0, b1, b2, b3, e] = [p, q, a, b0, b1, b2, b3, e].map(f32::from_le_bytes);
        Self { level: u32::from_le_bytes(level) as u16, p, q, a, b: [b0, b1, b2, b3], e }
    }
}

#[derive(Clone, Copy, Debug)]
enum Rows<'a> {
    Slice(&'a [Row]),
    Bytes(&'a [[u8; ROW_BYTES]]),
}

/// A sampler for one model: its rows and the scale of the noise that it starts from.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    rows: Rows<'a>,
    start_scale: f32,
}

impl<'a> Plan<'a> {
    /// A plan over rows in memory. It starts from `x = start_scale z`.
    #[must_use]
    pub fn new(rows: &'a [Row], start_scale: f32) -> Self {
        Self { rows: Rows::Slice(rows), start_scale }
    }

    /// A plan over rows as they lie in a blob.
    #[must_use]
    pub fn from_bytes(rows: &'a [[u8; ROW_BYTES]], start_scale: f32) -> Self {
        Self { rows: Rows::Bytes(rows), start_scale }
    }

    /// The number of rows, which is the number of network evaluations of an unguided sample.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.rows {
            Rows::Slice(rows) => rows.len(),
            Rows::Bytes(rows) => rows.len(),
        }
    }

    /// Whether the plan has no row, so that a sample would be scaled noise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row `i`, or `None` past the end.
    #[must_use]
    pub fn row(&self, i: usize) -> Option<Row> {
        match self.rows {
            Rows::Slice(rows) => rows.get(i).copied(),
            Rows::Bytes(rows) => rows.get(i).map(Row::from_bytes),
        }
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row> + use<'a> {
        let plan = *self;
        (0..plan.len()).filter_map(move |i| plan.row(i))
    }

    /// The scale of the noise that a sample starts from.
    #[must_use]
    pub fn start_scale(&self) -> f32 {
        self.start_scale
    }

    /// How many predictions the plan keeps, from 1 to [`HISTORY_MAX`].
    #[must_use]
    pub fn history(&self) -> usize {
        self.rows().map(|row| row.history()).max().unwrap_or(1)
    }

    /// Whether any row draws noise.
    #[must_use]
    pub fn is_stochastic(&self) -> bool {
        self.rows().any(|row| row.e != 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_its_bytes() {
        let row = Row { level: 258, p: 1.5, q: -0.25, a: 3.0, b: [0.1, -0.2, 0.0, 7.0], e: 1e-9 };
        let bytes = row.to_bytes();
        assert_eq!(bytes[..8], [2, 1, 0, 0, 0, 0, 0xc0, 0x3f]);
        assert_eq!(Row::from_bytes(&bytes), row);
        assert_eq!(row.history(), 4);
    }
}
