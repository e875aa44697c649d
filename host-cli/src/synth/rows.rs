/// Rows with their classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Values in a row.
    pub dim: usize,
    /// The rows, one after another.
    pub values: Vec<f32>,
    /// The class of each row.
    pub labels: Vec<u16>,
}

impl Rows {
    /// The rows that have all their values, and how many were left out.
    #[must_use]
    pub fn whole(dim: usize, values: &[f32], labels: &[u16]) -> (Self, usize) {
        let mut rows = Self { dim, ..Self::default() };
        for (row, label) in values.chunks_exact(dim.max(1)).zip(labels) {
            if row.iter().all(|x| x.is_finite()) {
                rows.push(row, *label);
            }
        }
        let left_out = labels.len() - rows.len();
        (rows, left_out)
    }

    /// Adds a row.
    pub fn push(&mut self, row: &[f32], label: u16) {
        self.values.extend_from_slice(row);
        self.labels.push(label);
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The rows with their classes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[f32], u16)> {
        self.values.chunks_exact(self.dim.max(1)).zip(self.labels.iter().copied())
    }

    /// The numbers of the rows of a class.
    #[must_use]
    pub fn of_class(&self, class: u16) -> Vec<usize> {
        (0..self.len()).filter(|row| self.labels[*row] == class).collect()
    }

    /// Row `index`.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.dim..(index + 1) * self.dim]
    }

    /// The rows of these numbers, in that order.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        let mut gathered = Self { dim: self.dim, ..Self::default() };
        rows.iter().for_each(|row| gathered.push(self.row(*row), self.labels[*row]));
        gathered
    }
}
