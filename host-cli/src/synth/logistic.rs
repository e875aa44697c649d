use argmin::core::{CostFunction, Error, Executor, Gradient, State as _};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use nalgebra::{DMatrix, DMatrixView};

use super::Rows;

/// Updates that the quasi-Newton method remembers.
const MEMORY: usize = 10;
/// The most steps it takes.
const STEPS: u64 = 500;
/// Largest norm of the gradient at the end, for each unit of weight of the rows.
const TOLERANCE: f64 = 1e-5;

/// Multinomial logistic regression with an intercept: the plain classifier.
///
/// `P(c | x) = exp(w_c x + b_c) / sum_k exp(w_k x + b_k)`, where W and b make `sum_i v_i (-ln P(c_i | x_i)) + |W|^2 / (2 C)` least: rows i of weight v_i, the
/// penalty on W alone, as in scikit-learn's `LogisticRegression(C)`. Minimised by L-BFGS (Liu and Nocedal 1989). Cost: rows x dim x classes a step.
#[derive(Clone, Debug)]
pub struct Logistic {
    /// W and, in the last row, b: (dim + 1) by classes.
    weights: DMatrix<f64>,
}

/// Why nothing could be fitted.
#[derive(Debug, thiserror::Error)]
#[error("the classifier could not be fitted: {0}")]
pub struct LogisticError(String);

impl Logistic {
    /// Fits the classifier to sets of rows, each with the weight of one of its rows. `c` is the inverse strength of the penalty.
    ///
    /// # Errors
    /// [`LogisticError`] when there is no row or a value is not finite.
    ///
    /// # Panics
    /// If sets have rows of different length, or a class is not below `classes`.
    pub fn fit(sets: &[(&Rows, f64)], classes: usize, c: f64) -> Result<Self, LogisticError> {
        let dim = sets.first().map_or(0, |(rows, _)| rows.dim);
        let all = || sets.iter().flat_map(|(rows, weight)| rows.iter().map(|(row, class)| (row, class, *weight)));
        let count = all().count();
        if count == 0 || all().any(|(row, ..)| row.iter().any(|x| !x.is_finite())) {
            return Err(LogisticError("it needs rows of finite values".into()));
        }
        let values = all().flat_map(|(row, ..)| row.iter().map(|x| f64::from(*x)).chain([1.0]));
        let transposed = DMatrix::from_iterator(dim + 1, count, values);
        let problem = Problem {
            rows: transposed.transpose(),
            transposed,
            classes,
            labels: all().map(|(_, class, _)| usize::from(class)).collect(),
            weights: all().map(|(.., weight)| weight).collect(),
            c,
        };
        let tolerance = TOLERANCE * problem.weights.iter().sum::<f64>();
        let found = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(tolerance)
            .and_then(|solver| solver.with_tolerance_cost(0.0))
            .and_then(|solver| {
                let start = vec![0.0; (dim + 1) * classes];
                Executor::new(problem, solver).configure(|state| state.param(start).max_iters(STEPS)).run()
            })
            .map_err(|error| LogisticError(error.to_string()))?;
        let best = found.state().get_best_param().ok_or_else(|| LogisticError("no step was taken".into()))?;
        Ok(Self { weights: DMatrix::from_column_slice(dim + 1, classes, best) })
    }

    /// The logarithm of each class's probability, up to one number for all.
    fn scores(&self, row: &[f32]) -> Vec<f64> {
        let columns = self.weights.column_iter();
        columns
            .map(|column| {
                let sum: f64 = column.iter().zip(row).map(|(w, x)| w * f64::from(*x)).sum();
                sum + column[row.len()]
            })
            .collect()
    }

    /// The class of a row: the likeliest.
    #[must_use]
    pub fn classify(&self, row: &[f32]) -> u16 {
        let scores = self.scores(row);
        (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0) as u16
    }

    /// The probability that a row is of a class.
    ///
    /// # Panics
    /// If there is no such class.
    #[must_use]
    pub fn probability(&self, row: &[f32], class: u16) -> f64 {
        let scores = self.scores(row);
        let own = scores[usize::from(class)];
        1.0 / scores.iter().map(|score| (score - own).exp()).sum::<f64>()
    }

    /// The share of rows whose class it tells.
    #[must_use]
    pub fn accuracy(&self, rows: &Rows) -> f64 {
        let right = rows.iter().filter(|(row, class)| self.classify(row) == *class).count();
        right as f64 / rows.len().max(1) as f64
    }
}

struct Problem {
    /// Rows with a 1 behind each.
    rows: DMatrix<f64>,
    transposed: DMatrix<f64>,
    classes: usize,
    labels: Vec<usize>,
    weights: Vec<f64>,
    c: f64,
}

impl Problem {
    fn parameters<'p>(&self, flat: &'p [f64]) -> DMatrixView<'p, f64> {
        DMatrixView::from_slice(flat, self.rows.ncols(), self.classes)
    }

    /// Log-probabilities of all classes, row by row.
    fn logs(&self, flat: &[f64]) -> DMatrix<f64> {
        let mut scores = &self.rows * self.parameters(flat);
        for mut row in scores.row_iter_mut() {
            let most = row.max();
            let sum = most + row.iter().map(|s| (s - most).exp()).sum::<f64>().ln();
            row.add_scalar_mut(-sum);
        }
        scores
    }

    /// What the penalty falls on: all but the intercepts.
    fn penalised(&self, flat: &[f64]) -> DMatrix<f64> {
        let mut w = self.parameters(flat).into_owned();
        w.row_mut(self.rows.ncols() - 1).fill(0.0);
        w
    }
}

impl CostFunction for Problem {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, flat: &Self::Param) -> Result<f64, Error> {
        let logs = self.logs(flat);
        let each = self.labels.iter().zip(&self.weights).enumerate();
        let fit: f64 = each.map(|(i, (label, weight))| -weight * logs[(i, *label)]).sum();
        Ok(fit + self.penalised(flat).norm_squared() / (2.0 * self.c))
    }
}

impl Gradient for Problem {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, flat: &Self::Param) -> Result<Vec<f64>, Error> {
        let mut errors = self.logs(flat).map(f64::exp);
        for (i, (label, weight)) in self.labels.iter().zip(&self.weights).enumerate() {
            errors[(i, *label)] -= 1.0;
            errors.row_mut(i).scale_mut(*weight);
        }
        let gradient = &self.transposed * errors + self.penalised(flat) / self.c;
        Ok(gradient.as_slice().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{LoadOptions, load};

    #[test]
    fn digits_are_told_as_scikit_learn_tells_them() {
        // scikit-learn 1.9.1: X = (digits - 8) / 6; LogisticRegression(C=.3, tol=1e-12, max_iter=10000).fit(X[:300], y[:300], sample_weight=w), w = 1, .5, 1, ..:
        // coef_[3, 20], coef_[8, 36], intercept_[0], and 1283 of the 1497 other rows right. A right answer may hang on the last digits of a weight.
        let table = load("digits", &LoadOptions::default()).unwrap();
        let values: Vec<f32> = table.values.iter().map(|v| (v - 8.0) / 6.0).collect();
        let (all, _) = Rows::whole(64, &values, &table.labels.unwrap().codes);
        let part = |rows: Vec<usize>| all.gather(&rows);
        let (even, odd) = (part((0..300).step_by(2).collect()), part((1..300).step_by(2).collect()));
        let fitted = Logistic::fit(&[(&even, 1.0), (&odd, 0.5)], 10, 0.3).unwrap();
        for (row, class, expected) in [(20, 3, 0.183_315_5), (36, 8, -0.058_672_97), (64, 0, 0.736_925_9)] {
            let found = fitted.weights[(row, class)];
            assert!((found - expected).abs() < 2e-3, "{found} {expected}");
        }
        let right = fitted.accuracy(&part((300..1797).collect())) * 1497.0;
        assert!((right - 1283.0).abs() <= 1.5, "{right}");
    }

    #[test]
    fn probabilities_of_two_classes_are_the_logistic_function() {
        // One feature, -1 and 1, by symmetry b = 0 and W = (-w, w); the gradient is 0 where 2 (1 - P) = w / C with P = 1 / (1 + exp(-2 w)).
        let (rows, _) = Rows::whole(1, &[-1.0, 1.0], &[0, 1]);
        let fitted = Logistic::fit(&[(&rows, 1.0)], 2, 1.0).unwrap();
        let p = fitted.probability(&[1.0], 1);
        let w = fitted.weights[(0, 1)];
        assert!((p - 1.0 / (1.0 + (-2.0 * w).exp())).abs() < 1e-6);
        assert!((2.0 * (1.0 - p) - w).abs() < 1e-3, "{w} {p}");
        assert_eq!((fitted.classify(&[0.3]), fitted.classify(&[-0.3])), (1, 0));
        assert!((fitted.probability(&[0.0], 0) - 0.5).abs() < 1e-6);
        assert!(Logistic::fit(&[], 2, 1.0).is_err());
    }
}
