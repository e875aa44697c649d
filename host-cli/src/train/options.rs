//! What training is given, and why it may refuse.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::EXPLICIT_DIM_MAX;
use crate::gaps::GapPool;
use crate::network::{Shape, ShapeError};

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TrainingOptions {
    /// Number of steps; the learning rate reaches its end there.
    pub steps: u64,
    /// Samples in each step.
    pub batch: usize,
    /// Largest learning rate.
    pub learning_rate: f32,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// Decoupled weight decay of the weight matrices; biases, level and class terms have none.
    pub weight_decay: f32,
    /// Decay of the moving average of the weights, once it is warm.
    pub ema: f32,
    /// Seed of first weights, samples and noise.
    pub seed: u64,
    /// Share of samples whose class is hidden, so that guidance has an unconditional network.
    pub class_dropout: f32,
    /// Largest Euclidean norm of the gradient; none for no limit.
    pub clip_norm: Option<f32>,
    /// Whether each batch spreads its noise levels evenly, one in each of `batch` equal shares
    /// (Kingma et al. 2021, appendix I.1).
    pub low_discrepancy: bool,
    /// Decay of the gradient's mean.
    pub beta1: f32,
    /// Decay of the squared gradient's mean.
    pub beta2: f32,
    /// What keeps the update finite where the gradient vanishes.
    pub epsilon: f32,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self {
            steps: 16_000,
            batch: 256,
            learning_rate: 3e-3,
            warmup: 200,
            weight_decay: 0.01,
            ema: 0.999,
            seed: 0,
            class_dropout: 0.1,
            clip_norm: None,
            low_discrepancy: true,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// Rows to learn from, standardised already.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainingSet<'a> {
    /// Length of a row.
    pub dim: usize,
    /// The rows, one after another.
    pub rows: &'a [f32],
    /// A class for each row, or none.
    pub labels: Option<&'a [u16]>,
    /// Windows of a log, if that is what rows are.
    pub windows: Option<Windows>,
    /// Signals with gaps, in place of rows.
    pub gaps: Option<&'a GapPool>,
}

/// What rows are that hold windows of a log: they may have missing values (NaN), which the network sees as 0, noise and all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// Values at each time.
    pub channels: usize,
    /// Samples in the stretches of signal that the network will meet: a window's middle lies anywhere in one, and what is outside is missing. None
    /// where windows are always whole.
    pub stretch: Option<usize>,
}

/// Why training stops or does not begin.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The network's shape is out of its limits.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// An option is out of range.
    #[error("{name} is {got}; it must be {range}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// The value given.
        got: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// The network's input is not as long as a row.
    #[error("the data have {data} columns, the network {network} inputs")]
    Dim {
        /// Length of a row.
        data: usize,
        /// Length of the network's input.
        network: usize,
    },
    /// The network's output is longer than its input.
    #[error("the network has {dim_out} outputs, more than its {dim_in} inputs")]
    OutputTooLong {
        /// Input length.
        dim_in: usize,
        /// Output length.
        dim_out: usize,
    },
    /// There are no rows, or the last one is not whole.
    #[error("{values} values do not make whole rows of {dim}")]
    Rows {
        /// Number of values.
        values: usize,
        /// Length of a row.
        dim: usize,
    },
    /// A value is NaN or infinite.
    #[error("row {row}, column {column} is {value}; training needs finite values")]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value.
        value: f32,
    },
    /// The network has classes but the data do not, or the labels are not one a row.
    #[error("{labels} labels for {rows} rows and {classes} classes")]
    Labels {
        /// Number of labels.
        labels: usize,
        /// Number of rows.
        rows: usize,
        /// Number of classes of the network.
        classes: usize,
    },
    /// A label is not below the number of classes.
    #[error("row {row} has label {label}; the network has {classes} classes, from 0")]
    Label {
        /// Row, from 0.
        row: usize,
        /// Its label.
        label: u16,
        /// Number of classes of the network.
        classes: usize,
    },
    /// The loss takes the network's derivative, and this network's has jumps.
    #[error(
        "objective {objective} learns from the network's slopes, and those of ReLU jump where no gradient sees it: use --activation silu"
    )]
    Kinks {
        /// The objective's name.
        objective: &'static str,
    },
    /// The loss takes a trace, and the network's derivative is not square.
    #[error("objective {objective} needs as many outputs as inputs; the network has {dim_out} and {dim_in}")]
    NoTrace {
        /// The objective's name.
        objective: &'static str,
        /// Input length.
        dim_in: usize,
        /// Output length.
        dim_out: usize,
    },
    /// Explicit score matching would cost an evaluation for each of too many dimensions.
    #[error(
        "objective explicit is for at most {EXPLICIT_DIM_MAX} dimensions, and the data have {dim}: use --objective sliced"
    )]
    ExplicitDim {
        /// The data's dimension.
        dim: usize,
    },
    /// A saved state's networks are not all of its shape.
    #[error("the saved state's weights, moments and average do not have one shape")]
    State,
    /// The loss is no longer a number.
    #[error("the loss is {loss} at step {step}: lower the learning rate, or limit the gradient's norm")]
    Diverged {
        /// The step, from 0.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// dfdx could not run.
    #[error("dfdx: {0}")]
    Device(String),
}

impl TrainingSet<'_> {
    /// Number of rows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.gaps.map_or(self.rows.len() / self.dim.max(1), GapPool::count)
    }

    /// Values of a row that the network is told as they are, before those that are noised.
    #[must_use]
    pub fn told(&self) -> usize {
        self.gaps.map_or(0, GapPool::told)
    }

    /// Writes row `number` to `row`, NaN where a value is missing, and what each output counts to `weights`; of signals with gaps, `u` from 0 to 1 picks
    /// the sample.
    pub(super) fn row(&self, number: usize, u: f64, row: &mut [f32], weights: &mut [f32]) {
        match self.gaps {
            Some(gaps) => gaps.row(number, u, row, weights),
            None => {
                row.copy_from_slice(&self.rows[number * self.dim..][..self.dim]);
                weights.fill(1.0);
            }
        }
    }

    /// Checks that a network of this shape can learn these rows.
    ///
    /// # Errors
    /// [`TrainError`]: columns, rows, labels, or the first value that is not finite.
    pub fn validate(&self, shape: &Shape) -> Result<(), TrainError> {
        let Shape { dim_in, dim_out, classes, .. } = *shape;
        if dim_out > dim_in {
            return Err(TrainError::OutputTooLong { dim_in, dim_out });
        }
        if self.dim != dim_in {
            return Err(TrainError::Dim { data: self.dim, network: dim_in });
        }
        if self.gaps.is_some() {
            return Ok(());
        }
        let (values, dim) = (self.rows.len(), self.dim);
        if values == 0 || !values.is_multiple_of(dim) {
            return Err(TrainError::Rows { values, dim });
        }
        let usable = |v: &f32| v.is_finite() || self.windows.is_some() && v.is_nan();
        if let Some(index) = self.rows.iter().position(|v| !usable(v)) {
            return Err(TrainError::NotFinite { row: index / dim, column: index % dim, value: self.rows[index] });
        }
        if classes == 0 {
            return Ok(());
        }
        let (labels, rows) = (self.labels.unwrap_or_default(), self.count());
        if labels.len() != rows {
            return Err(TrainError::Labels { labels: labels.len(), rows, classes });
        }
        match labels.iter().position(|l| usize::from(*l) >= classes) {
            Some(row) => Err(TrainError::Label { row, label: labels[row], classes }),
            None => Ok(()),
        }
    }
}

impl TrainingOptions {
    /// Checks every option against its range.
    ///
    /// # Errors
    /// [`TrainError::Option`], the first that is out of range.
    pub fn validate(&self) -> Result<(), TrainError> {
        let unit = |v: f32| (0.0..=1.0).contains(&v);
        let below_one = |v: f32| (0.0..1.0).contains(&v);
        let positive = |v: f32| v > 0.0 && v.is_finite();
        let clip = self.clip_norm.unwrap_or(1.0);
        let checks: [(&'static str, f32, bool, &'static str); 9] = [
            ("steps", self.steps as f32, self.steps > 0, "at least 1"),
            ("batch", self.batch as f32, (1..=65_536).contains(&self.batch), "1..=65536"),
            ("learning_rate", self.learning_rate, positive(self.learning_rate), "finite and above 0"),
            (
                "weight_decay",
                self.weight_decay,
                self.weight_decay == 0.0 || positive(self.weight_decay),
                "finite and at least 0",
            ),
            ("ema", self.ema, below_one(self.ema), "at least 0 and below 1"),
            ("class_dropout", self.class_dropout, unit(self.class_dropout), "0 to 1"),
            ("clip_norm", clip, positive(clip), "finite and above 0"),
            ("beta1", self.beta1, below_one(self.beta1), "at least 0 and below 1"),
            ("beta2", self.beta2, below_one(self.beta2), "at least 0 and below 1"),
        ];
        let epsilon = ("epsilon", self.epsilon, positive(self.epsilon), "finite and above 0");
        match checks.into_iter().chain([epsilon]).find(|c| !c.2) {
            Some((name, got, _, range)) => Err(TrainError::Option { name, got: f64::from(got), range }),
            None => Ok(()),
        }
    }
}
