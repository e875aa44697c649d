use mote_picture::{Colour, Mark};

/// Counts of draws in cells of equal width, scaled to a density.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    edges: Vec<f64>,
    heights: Vec<f64>,
}

impl Histogram {
    /// The density of all draws over `cells` cells; draws outside are counted in the total alone.
    pub(super) fn of(draws: &[f32], low: f64, high: f64, cells: usize) -> Self {
        let width = (high - low) / cells as f64;
        let mut heights = vec![0.0; cells];
        let one = 1.0 / (draws.len().max(1) as f64 * width);
        for &x in draws {
            let cell = (f64::from(x) - low) / width;
            // A negative number would become cell 0.
            if cell >= 0.0
                && let Some(height) = heights.get_mut(cell as usize)
            {
                *height += one;
            }
        }
        Self { edges: (0..=cells).map(|i| low + i as f64 * width).collect(), heights }
    }

    /// Height of each cell.
    pub(super) fn heights(&self) -> &[f64] {
        &self.heights
    }

    /// Its steps.
    pub(super) fn mark(self, name: &str, colour: Colour) -> Mark {
        Mark::steps(name, colour, self.edges, self.heights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_a_density() {
        // Five draws, two of them outside: .2 for each draw over cells of width 2.
        let histogram = Histogram::of(&[-0.1, 0.0, 1.9, 2.0, 7.0], 0.0, 4.0, 2);
        assert_eq!(histogram.edges, [0.0, 2.0, 4.0]);
        assert_eq!(histogram.heights, [0.2, 0.1]);
    }
}
