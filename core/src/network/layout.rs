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

    /// Bytes that the weights of so many rows and columns take, before the padding of their section.
    #[must_use]
    pub const fn bytes(self, rows: usize, cols: usize) -> usize {
        match self {
            Self::Rows => rows * cols,
            Self::RowPairs => rows.next_multiple_of(TILE) * cols.next_multiple_of(TILE),
        }
    }

    /// Where the weight of this row and column lies.
    const fn position(self, row: usize, col: usize, cols: usize) -> usize {
        match self {
            Self::Rows => row * cols + col,
            Self::RowPairs => {
                let group = (row / TILE) * TILE * cols.next_multiple_of(TILE) + (col / 2) * 8;
                group + (row % TILE / 2) * 4 + (col % 2) * 2 + row % 2
            }
        }
    }

    /// The row and the column of the weight that lies at this place, in the padding too.
    const fn place(self, position: usize, cols: usize) -> (usize, usize) {
        match self {
            Self::Rows => (position / cols, position % cols),
            Self::RowPairs => {
                let block = TILE * cols.next_multiple_of(TILE);
                let (row, within) = (position / block * TILE, position % block);
                (row + (within % 8 / 4) * 2 + within % 2, within / 8 * 2 + within % 4 / 2)
            }
        }
    }

    /// What is exclusive-ored to a weight of this row, which adds 128 to the first row of each pair.
    const fn offset(self, row: usize) -> u8 {
        match self {
            Self::RowPairs if row.is_multiple_of(2) => 0x80,
            _ => 0,
        }
    }

    /// The bytes in the order of the layout; `weight` tells the weight of a row and a column.
    pub(crate) fn arrange(
        self,
        rows: usize,
        cols: usize,
        weight: impl Fn(usize, usize) -> i8,
    ) -> impl Iterator<Item = u8> {
        let bytes = if cols == 0 { 0 } else { self.bytes(rows, cols) };
        (0..bytes).map(move |position| {
            let (row, col) = self.place(position, cols);
            let inside = row < rows && col < cols;
            let weight = if inside { weight(row, col) } else { 0 };
            weight as u8 ^ self.offset(row)
        })
    }

    /// The weights of a row in order, the padding too, until `weights` ends: quicker than asking for one after another.
    pub(crate) fn row(self, weights: &[u8], row: usize, cols: usize) -> impl Iterator<Item = i8> {
        let mut rest = weights.get(self.position(row, 0, cols)..).unwrap_or(&[]);
        // How far it is from a weight to the next one, by turns.
        let (mut step, mut other) = match self {
            Self::Rows => (1, 1),
            Self::RowPairs => (2, 6),
        };
        let offset = self.offset(row);
        core::iter::from_fn(move || {
            let byte = rest.first()?;
            rest = rest.get(step..).unwrap_or(&[]);
            core::mem::swap(&mut step, &mut other);
            Some((byte ^ offset) as i8)
        })
    }

    /// The weight of this row and column, in the padding too; 0 where `weights` ends before.
    pub(crate) fn weight(self, weights: &[u8], row: usize, col: usize, cols: usize) -> i8 {
        weights.get(self.position(row, col, cols)).map_or(0, |byte| (byte ^ self.offset(row)) as i8)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn a_small_matrix_lies_as_the_specification_draws_it() {
        // Five rows of three columns: row r, column c is 10 r + c, and one weight at either end of its range.
        let weight = |row: usize, col: usize| match (row, col) {
            (4, 0) => -128,
            (4, 1) => 127,
            _ => (10 * row + col) as i8,
        };
        let bytes: Vec<u8> = WeightLayout::RowPairs.arrange(5, 3, weight).collect();
        let expected = [
            [128, 10, 129, 11, 148, 30, 149, 31], // columns 0 and 1 of rows 0 to 3
            [130, 12, 128, 0, 150, 32, 128, 0],   // columns 2 and 3
            [0, 0, 255, 0, 128, 0, 128, 0],       // row 4 and three of padding
            [128 + 42, 0, 128, 0, 128, 0, 128, 0],
        ];
        assert_eq!(bytes, expected.concat());
        let rows: Vec<u8> = WeightLayout::Rows.arrange(2, 3, weight).collect();
        assert_eq!(rows, [0, 1, 2, 10, 11, 12]);
    }

    #[test]
    fn every_weight_is_found_where_it_was_put() {
        for (_, layout) in WeightLayout::ALL {
            for (rows, cols) in [(1, 1), (3, 7), (4, 4), (33, 100), (100, 33), (5, 512)] {
                let weight = |row: usize, col: usize| ((row * 31 + col * 7) % 256) as u8 as i8;
                let bytes: Vec<u8> = layout.arrange(rows, cols, weight).collect();
                assert_eq!(bytes.len(), layout.bytes(rows, cols));
                for (row, col) in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
                    assert_eq!(layout.weight(&bytes, row, col, cols), weight(row, col), "{layout:?} {row} {col}");
                }
            }
        }
    }
}
