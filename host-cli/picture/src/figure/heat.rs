/// Values on a grid, shown as colours from dark (low) to bright (high).
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// Ends of the grid along x.
    pub x: (f64, f64),
    /// Ends of the grid along y.
    pub y: (f64, f64),
    /// Columns of the grid; column by column, upwards in each.
    pub columns: Vec<Vec<f64>>,
    /// The values shown darkest and brightest; what lies beyond is shown as these.
    pub range: (f64, f64),
    /// The quantity and its unit, beside the colour bar.
    pub label: String,
}

/// Colours in a map; more would make the file larger and not the picture clearer.
pub(super) const SHADES: usize = 40;

/// A rectangle of one shade: (left, bottom), (right, top), shade.
pub(super) type Block = ((f64, f64), (f64, f64), usize);

impl Heat {
    fn shade(&self, value: f64) -> usize {
        let share = (value - self.range.0) / (self.range.1 - self.range.0);
        (share * SHADES as f64).clamp(0.0, SHADES as f64 - 1.0) as usize // NaN is 0
    }

    /// The grid as rectangles, neighbours of one shade in a column joined.
    ///
    /// Each reaches a cell further to the right and upwards, under those that follow, so that no seam shows between them.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let width = (self.x.1 - self.x.0) / self.columns.len() as f64;
        let mut blocks = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            let height = (self.y.1 - self.y.0) / column.len() as f64;
            let left = self.x.0 + i as f64 * width;
            let right = (left + 2.0 * width).min(self.x.1);
            let mut first = 0;
            for run in column.chunk_by(|a, b| self.shade(*a) == self.shade(*b)) {
                let end = first + run.len();
                let bottom = self.y.0 + first as f64 * height;
                let top = (self.y.0 + (end + 1) as f64 * height).min(self.y.1);
                blocks.push(((left, bottom), (right, top), self.shade(run[0])));
                first = end;
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_shade_are_one_block() {
        let heat = Heat {
            x: (0.0, 2.0),
            y: (0.0, 4.0),
            columns: vec![vec![0.0, 0.0, 1.0, 2.0], vec![f64::NAN; 4]],
            range: (0.0, 1.0),
            label: String::new(),
        };
        let top = SHADES - 1;
        let expected = [((0.0, 0.0), (2.0, 3.0), 0), ((0.0, 2.0), (2.0, 4.0), top), ((1.0, 0.0), (2.0, 4.0), 0)];
        assert_eq!(heat.blocks(), expected);
    }
}
