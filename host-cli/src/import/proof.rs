//! The proof: the imported network repeats outputs that PyTorch computed.

use serde::Serialize;

use super::ImportError;
use super::tensors::Tensors;
use crate::network::{FloatNetwork, Workspace};

/// The largest difference that is let pass, relative to the largest output: about a hundred roundings of single precision.
pub const BOUND: f64 = 1e-5;

/// What the test tensors showed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// Rows of the test.
    pub rows: usize,
    /// Largest difference of an output, relative to the largest output.
    pub largest_difference: f64,
    /// What was allowed: [`BOUND`], and, where the time scale is not 1, what one rounding of the time changes.
    pub allowed: f64,
}

/// Runs `test_input` at `test_time` and compares with `test_output`; none where the file has no test.
///
/// Differences count relative to the largest absolute value of `test_output`. A time that is divided by a time scale is rounded,
/// which shifts the fastest sines; what a relative step of 2^-23 in time changes is then allowed on top of the bound.
pub(super) fn run(
    tensors: &Tensors<'_>,
    network: &FloatNetwork,
    time_scale: f32,
) -> Result<Option<Proof>, ImportError> {
    if !tensors.has_all_or_none(&["test_input", "test_output"])? {
        return Ok(None);
    }
    let shape = network.shape();
    let found = tensors.shape("test_input")?;
    let rows = match found[..] {
        [rows, dim] if dim == shape.dim_in && rows > 0 => rows,
        _ => return Err(tensors.misshapen("test_input", &found, format!("[rows, {}]", shape.dim_in))),
    };
    let input = tensors.floats("test_input", &[rows, shape.dim_in])?;
    let want = tensors.floats("test_output", &[rows, shape.dim_out])?;
    let times = match shape.features {
        0 => vec![0.0],
        _ => tensors.vector("test_time", rows)?,
    };
    let classes = if tensors.has("test_class") { tensors.integers("test_class", rows)? } else { vec![-1; rows] };
    let largest_output = want.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(f64::from(x.abs())));
    let mut workspace = Workspace::default();
    let mut evaluate = |row: usize, time: f32, class: Option<u16>| {
        let mut out = vec![0.0; shape.dim_out];
        let x = &input[row * shape.dim_in..][..shape.dim_in];
        network.forward(x, &network.level_biases(time), class, &mut workspace, &mut out);
        out
    };
    let (mut largest, mut slack, mut worst) = (0.0, 0.0f64, (0, 0));
    for (row, want) in want.chunks_exact(shape.dim_out).enumerate() {
        let time = times[row % times.len()] / time_scale;
        let class = match classes[row] {
            -1 => None,
            class if (0..shape.classes as i64).contains(&class) => Some(class as u16),
            class => return Err(tensors.bad_value("test_class", row, class as f32)),
        };
        let got = evaluate(row, time, class);
        for (column, (got, want)) in got.iter().zip(want).enumerate() {
            let difference = (f64::from(*got) - f64::from(*want)).abs() / largest_output;
            // An output that is not a number differs most of all.
            let difference = if difference.is_nan() { f64::INFINITY } else { difference };
            if difference > largest {
                (largest, worst) = (difference, (row, column));
            }
        }
        if time_scale != 1.0 {
            for nudged in [time * (1.0 + f32::EPSILON), time * (1.0 - f32::EPSILON)] {
                for (near, got) in evaluate(row, nudged, class).iter().zip(&got) {
                    slack = slack.max((f64::from(*near) - f64::from(*got)).abs() / largest_output);
                }
            }
        }
    }
    let allowed = BOUND + slack;
    if largest > allowed {
        let (row, column) = worst;
        return Err(ImportError::Differs { path: tensors.path(), largest, allowed, row, column });
    }
    Ok(Some(Proof { rows, largest_difference: largest, allowed }))
}
