//! What a step minimises: the squared error of a target, or score matching by the network's own derivative.

use serde::{Deserialize, Serialize};

use super::TrainError;
use super::batch::Source;
use super::normals::fill_normals;
use crate::network::{Activation, Shape, hash};

/// The largest dimension of explicit score matching, which costs an evaluation for each dimension.
pub const EXPLICIT_DIM_MAX: usize = 16;
/// The most slices of one sample.
pub const SLICES_MAX: usize = 16;

/// Keeps the draws of slices apart from the others of a step.
const DIRECTIONS: u64 = 4;

/// What random directions sliced score matching projects on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// Each component 1 or -1 with equal chance (Rademacher): the smallest variance.
    #[default]
    Signs,
    /// Each component N(0, 1).
    Normal,
}

/// How sliced score matching takes the score's square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SliceNorm {
    /// `|s|^2`, the variance-reduced form.
    #[default]
    Exact,
    /// `(v . s)^2`, as sliced as the trace.
    Sliced,
}

/// How sliced score matching slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slices {
    /// Slices of each sample, 1 to 16; each costs as much as the sample itself.
    pub count: usize,
    /// The directions' law.
    pub directions: Directions,
    /// The square's form.
    pub norm: SliceNorm,
}

impl Default for Slices {
    fn default() -> Self {
        Self { count: 1, directions: Directions::default(), norm: SliceNorm::default() }
    }
}

/// What a step minimises; all of them have the minimum of the denoising loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// `w |F - target|^2`, with the target of each level (Vincent 2011).
    #[default]
    SquaredError,
    /// `w (2 v . J v + |s|^2 + E|target|^2)` for a score `s = F`, its derivative J by x_t and random v (Song et al. 2019,
    /// equation 8, doubled and moved by a constant, so that it is the denoising loss in the mean).
    Sliced(Slices),
    /// `w (2 tr J + |s|^2 + E|target|^2)`, the same with the exact trace (Hyvärinen 2005, theorem 1).
    Explicit,
}

impl Loss {
    /// Checks that a network of this shape can learn by this loss.
    ///
    /// # Errors
    /// [`TrainError`]: the activation, the dimension or the number of slices.
    pub fn check(self, shape: &Shape) -> Result<(), TrainError> {
        let objective = match self {
            Self::SquaredError => return Ok(()),
            Self::Sliced(_) => "sliced",
            Self::Explicit => "explicit",
        };
        if shape.activation == Activation::Relu {
            return Err(TrainError::Kinks { objective });
        }
        if shape.dim_in != shape.dim_out {
            return Err(TrainError::NoTrace { objective, dim_in: shape.dim_in, dim_out: shape.dim_out });
        }
        match self {
            Self::Explicit if shape.dim_in > EXPLICIT_DIM_MAX => Err(TrainError::ExplicitDim { dim: shape.dim_in }),
            Self::Sliced(slices) if !(1..=SLICES_MAX).contains(&slices.count) => {
                Err(TrainError::Option { name: "slices.count", got: slices.count as f64, range: "1..=16" })
            }
            _ => Ok(()),
        }
    }

    /// Tangent passes of each sample.
    pub(super) fn tangents(self, dim: usize) -> usize {
        match self {
            Self::SquaredError => 0,
            Self::Sliced(slices) => slices.count,
            Self::Explicit => dim,
        }
    }
}

/// A block's directions, and how their derivatives make a loss.
pub(super) struct Trace {
    /// Tangent passes.
    pub tangents: usize,
    /// The directions: `tangents` x rows x dim.
    pub directions: Vec<f32>,
    /// Each tangent's share of the trace.
    pub share: f32,
    /// The square's form.
    pub norm: SliceNorm,
    /// What the denoising loss has besides: the sum of weight x E|target|^2.
    pub offset: f64,
}

impl Source<'_> {
    /// The directions of a block, a function of seed, step and block.
    pub(super) fn trace(&self, step: u64, first: usize, rows: usize, offset: f64) -> Option<Trace> {
        let (loss, dim) = (self.levels.loss(), self.set.dim);
        let tangents = loss.tangents(dim);
        let (directions, share, norm) = match loss {
            Loss::SquaredError => return None,
            Loss::Sliced(slices) => {
                let mut directions = vec![0.0; tangents * rows * dim];
                fill_normals(hash(&[self.options.seed, step, DIRECTIONS, first as u64]), &mut directions);
                if slices.directions == Directions::Signs {
                    directions.iter_mut().for_each(|v| *v = 1_f32.copysign(*v));
                }
                (directions, 1.0 / tangents as f32, slices.norm)
            }
            Loss::Explicit => {
                let unit = |axis: usize| (0..rows * dim).map(move |i| f32::from(u8::from(i % dim == axis)));
                ((0..dim).flat_map(unit).collect(), 1.0, SliceNorm::Exact)
            }
        };
        Some(Trace { tangents, directions, share, norm, offset })
    }
}
