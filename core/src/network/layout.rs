/// Rows and columns of a tile of [`WeightLayout::RowPairs`] are whole multiples of this.
pub(crate) const TILE: usize = 4;

/// The order in which a layer's weights lie in a blob.
///
/// Both hold the same numbers, and every target reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightLayout {
    /// Row after row, for cores that load a whole vector of one row.
    Rows,
    /// Rows by four and columns by two, for cores that load one word at a time.
    ///
    /// For every four rows A, B, C, D and every two columns 0, 1 lie the bytes A0 B0 A1 B1 C0 D0 C1 D1. A and C are stored with 128
    /// added, unsigned; B and D in two's complement. Read as signed half-words these are `256 B + A'`, so that one product with two lanes adds
    /// up both rows of a pair. Rows and columns are filled up with zero weights to multiples of four.
    #[default]
    RowPairs,
}

impl WeightLayout {
    /// Every layout, with its name.
    pub const ALL: [(&'static str, Self); 2] = [("rows", Self::Rows), ("row-pairs", Self::RowPairs)];

    /// The layout of a code in a layer's descriptor, which was found to be one of [`ALL`](Self::ALL).
    pub(crate) fn of_code(code: u8) -> Self {
        if code == 0 { Self::Rows } else { Self::RowPairs }
    }

    /// The code in a layer's descriptor.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Rows => 0,
            Self::RowPairs => 1,
        }
    }

    /// How many weights so many rows and columns are filled up to: bytes, where a weight takes one, before the padding of their section.
    #[must_use]
    pub const fn bytes(self, rows: usize, cols: usize) -> usize {
        match self {
            Self::Rows => rows * cols,
            Self::RowPairs => rows.next_multiple_of(TILE) * cols.next_multiple_of(TILE),
        }
    }
}

/// How many bits a stored weight has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightFormat {
    /// -128 to 127, a byte each.
    #[default]
    Bits8,
    /// -8 to 7, two to a byte; read with the feature `packed`, which is on by default.
    ///
    /// Stored with 8 added. Row after row, a byte holds two columns of a row, the first in its low half, and a row is filled up to an even number of
    /// columns. In row pairs, four rows A, B, C, D take two bytes for each column, A and C in their low halves and B and D in their high ones, so that
    /// one mask with a shift takes two columns of a row from a word as half-words.
    Bits4,
}

impl WeightFormat {
    /// The format of a code in a layer's descriptor, which was found to be one that this build reads.
    pub(crate) fn of_code(code: u8) -> Self {
        if code == 0 { Self::Bits8 } else { Self::Bits4 }
    }

    /// The code in a layer's descriptor.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Bits8 => 0,
            Self::Bits4 => 1,
        }
    }

    /// The largest code that this build reads.
    pub(crate) const LAST_CODE: u8 = cfg!(feature = "packed") as u8;

    /// Whether weights can hold this one.
    pub(crate) fn holds(self, weight: i8) -> bool {
        self == Self::Bits8 || (-8..=7).contains(&weight)
    }
}

/// How a layer's weights lie in a blob: in what order, and how many bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    pub layout: WeightLayout,
    pub format: WeightFormat,
}

impl Storage {
    /// Whether two weights share a byte; a constant in a build that reads none such.
    #[inline]
    pub const fn is_packed(self) -> bool {
        cfg!(feature = "packed") && matches!(self.format, WeightFormat::Bits4)
    }

    /// How many rows and columns there are with the weights that fill them up.
    pub const fn filled(self, rows: usize, cols: usize) -> (usize, usize) {
        match self.layout {
            WeightLayout::Rows if self.is_packed() => (rows, cols.next_multiple_of(2)),
            WeightLayout::Rows => (rows, cols),
            WeightLayout::RowPairs => (rows.next_multiple_of(TILE), cols.next_multiple_of(TILE)),
        }
    }

    /// Bytes that the weights of so many rows and columns take, before the padding of their section.
    pub const fn bytes(self, rows: usize, cols: usize) -> usize {
        let (rows, cols) = self.filled(rows, cols);
        if self.is_packed() { rows * cols / 2 } else { rows * cols }
    }

    /// Where the weight of this row and column lies, counted in weights; the low half of a byte is the first of two.
    const fn position(self, row: usize, col: usize, cols: usize) -> usize {
        let (_, cols) = self.filled(0, cols);
        match self.layout {
            WeightLayout::Rows => row * cols + col,
            WeightLayout::RowPairs if self.is_packed() => (row / TILE * cols + col) * TILE + row % TILE,
            WeightLayout::RowPairs => {
                row / TILE * TILE * cols + (col / 2) * 8 + (row % TILE / 2) * 4 + (col % 2) * 2 + row % 2
            }
        }
    }

    /// The row and the column of the weight that lies at this place, in the padding too.
    const fn place(self, position: usize, cols: usize) -> (usize, usize) {
        let (_, cols) = self.filled(0, cols);
        let (block, within) = (position / (TILE * cols), position % (TILE * cols));
        match self.layout {
            WeightLayout::Rows => (position / cols, position % cols),
            WeightLayout::RowPairs if self.is_packed() => (block * TILE + within % TILE, within / TILE),
            WeightLayout::RowPairs => {
                (block * TILE + (within % 8 / 4) * 2 + within % 2, within / 8 * 2 + within % 4 / 2)
            }
        }
    }

    /// How far it is from a weight of a row to the next one, by turns.
    const fn steps(self) -> (usize, usize) {
        match self.layout {
            WeightLayout::Rows => (1, 1),
            WeightLayout::RowPairs if self.is_packed() => (TILE, TILE),
            WeightLayout::RowPairs => (2, 6),
        }
    }

    /// What is exclusive-ored to a weight of this row, which adds 128 to the first row of each pair.
    const fn offset(self, row: usize) -> u8 {
        match self.layout {
            WeightLayout::RowPairs if row.is_multiple_of(2) => 0x80,
            _ => 0,
        }
    }

    /// The bytes in the order of the layout; `weight` tells the weight of a row and a column, which the format holds.
    pub fn arrange(self, rows: usize, cols: usize, weight: impl Fn(usize, usize) -> i8) -> impl Iterator<Item = u8> {
        let bytes = if cols == 0 { 0 } else { self.bytes(rows, cols) };
        let stored = move |position: usize| {
            let (row, col) = self.place(position, cols);
            let weight = if row < rows && col < cols { weight(row, col) as u8 } else { 0 };
            if self.is_packed() { weight.wrapping_add(8) & 15 } else { weight ^ self.offset(row) }
        };
        (0..bytes).map(move |at| if self.is_packed() { stored(2 * at) | stored(2 * at + 1) << 4 } else { stored(at) })
    }

    /// The weights of a row in order, those that fill it up too, until `weights` ends.
    pub fn row(self, weights: &[u8], row: usize, cols: usize) -> impl Iterator<Item = i8> {
        let mut position = self.position(row, 0, cols);
        let (mut step, mut other) = self.steps();
        let offset = self.offset(row);
        core::iter::from_fn(move || {
            let at = position;
            position += step;
            core::mem::swap(&mut step, &mut other);
            if self.is_packed() {
                let two = weights.get(at / 2)?;
                return Some((two >> (at % 2 * 4) & 15) as i8 - 8);
            }
            weights.get(at).map(|byte| (byte ^ offset) as i8)
        })
    }

    /// The weight of this row and column, in the padding too; 0 where `weights` ends before.
    pub fn weight(self, weights: &[u8], row: usize, col: usize, cols: usize) -> i8 {
        let position = self.position(row, col, cols);
        if self.is_packed() {
            return weights.get(position / 2).map_or(0, |two| (two >> (position % 2 * 4) & 15) as i8 - 8);
        }
        weights.get(position).map_or(0, |byte| (byte ^ self.offset(row)) as i8)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    const WHOLE: Storage = Storage { layout: WeightLayout::RowPairs, format: WeightFormat::Bits8 };

    #[test]
    fn a_small_matrix_lies_as_the_specification_draws_it() {
        // Five rows of three columns: row r, column c is 10 r + c, and one weight at either end of its range.
        let weight = |row: usize, col: usize| match (row, col) {
            (4, 0) => -128,
            (4, 1) => 127,
            _ => (10 * row + col) as i8,
        };
        let bytes: Vec<u8> = WHOLE.arrange(5, 3, weight).collect();
        let expected = [
            [128, 10, 129, 11, 148, 30, 149, 31], // columns 0 and 1 of rows 0 to 3
            [130, 12, 128, 0, 150, 32, 128, 0],   // columns 2 and 3
            [0, 0, 255, 0, 128, 0, 128, 0],       // row 4 and three of padding
            [128 + 42, 0, 128, 0, 128, 0, 128, 0],
        ];
        assert_eq!(bytes, expected.concat());
        let rows: Vec<u8> = Storage { layout: WeightLayout::Rows, ..WHOLE }.arrange(2, 3, weight).collect();
        assert_eq!(rows, [0, 1, 2, 10, 11, 12]);
    }

    #[cfg(feature = "packed")]
    #[test]
    fn a_small_packed_matrix_lies_as_the_specification_draws_it() {
        // Row r, column c is 3 r + c - 8, so that with 8 added it is 3 r + c: rows 0 1 2, 3 4 5, 6 7 8, 9 10 11, 12 13 14.
        let weight = |row: usize, col: usize| (3 * row + col) as i8 - 8;
        let pairs = Storage { format: WeightFormat::Bits4, ..WHOLE };
        let bytes: Vec<u8> = pairs.arrange(5, 3, weight).collect();
        let expected = [
            [0x30, 0x96, 0x41, 0xa7, 0x52, 0xb8, 0x88, 0x88], // B A, D C for each of three columns and one that fills up
            [0x8c, 0x88, 0x8d, 0x88, 0x8e, 0x88, 0x88, 0x88],
        ];
        assert_eq!(bytes, expected.concat());
        let rows: Vec<u8> = Storage { layout: WeightLayout::Rows, ..pairs }.arrange(2, 3, weight).collect();
        assert_eq!(rows, [0x10, 0x82, 0x43, 0x85]);
    }

    #[test]
    fn every_weight_is_found_where_it_was_put() {
        let formats = [(WeightFormat::Bits8, 256), (WeightFormat::Bits4, 16)];
        for (format, range) in formats.into_iter().take(1 + usize::from(WeightFormat::LAST_CODE)) {
            for storage in WeightLayout::ALL.map(|(_, layout)| Storage { layout, format }) {
                for (rows, cols) in [(1, 1), (3, 7), (4, 4), (33, 100), (100, 33), (5, 512)] {
                    let weight = |row: usize, col: usize| ((row * 31 + col * 7) as i32 % range - range / 2) as i8;
                    let bytes: Vec<u8> = storage.arrange(rows, cols, weight).collect();
                    assert_eq!(bytes.len(), storage.bytes(rows, cols));
                    for row in 0..rows {
                        let expected: Vec<i8> = (0..cols).map(|col| weight(row, col)).collect();
                        let one_by_one = (0..cols).map(|col| storage.weight(&bytes, row, col, cols));
                        assert!(one_by_one.eq(expected.iter().copied()), "{storage:?} {row}");
                        let walked = storage.row(&bytes, row, cols).take(cols);
                        assert!(walked.eq(expected.iter().copied()), "{storage:?} {row}");
                    }
                }
            }
        }
    }
}
