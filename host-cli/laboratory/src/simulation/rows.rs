use std::io::{self, Read, Write};

use npyz::WriterBuilder;

use super::Plan;
use super::plan::Saved;

/// The kinds of file that states are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// numpy's format, f32: (paths), (paths, times), (paths, components) or (paths, times, components).
    Npy,
    /// Text: path, t and the components; a line for each path and time.
    Csv,
}

/// A writer of states in the order of paths.
pub struct Rows<'a> {
    to: Target<'a>,
    times: Vec<f32>,
    dim: usize,
}

enum Target<'a> {
    Npy(npyz::NpyWriter<f32, &'a mut dyn Write>),
    Csv(&'a mut dyn Write),
}

impl<'a> Rows<'a> {
    /// Writes the beginning of a file for the paths of a plan.
    ///
    /// # Errors
    /// What writing reports.
    pub fn begin(kind: Kind, plan: &Plan, out: &'a mut dyn Write) -> io::Result<Self> {
        let times = plan.saved_steps().iter().map(|steps| plan.time(*steps)).collect();
        let to = match kind {
            Kind::Npy => Target::Npy(npy(plan, out)?),
            Kind::Csv => {
                writeln!(out, "path,t,{}", plan.components.join(","))?;
                Target::Csv(out)
            }
        };
        Ok(Self { to, times, dim: plan.dim() })
    }

    /// Writes one path: all components at its first time, then at the next.
    ///
    /// # Errors
    /// What writing reports.
    pub fn path(&mut self, number: u64, values: &[f32]) -> io::Result<()> {
        match &mut self.to {
            Target::Npy(npy) => npy.extend(values.iter().copied()),
            Target::Csv(out) => {
                for (t, state) in self.times.iter().zip(values.chunks_exact(self.dim)) {
                    write!(out, "{number},")?;
                    decimal(out, *t)?;
                    for value in state {
                        out.write_all(b",")?;
                        decimal(out, *value)?;
                    }
                    out.write_all(b"\n")?;
                }
                Ok(())
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What writing reports, or that paths are missing.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            Target::Npy(npy) => npy.finish(),
            Target::Csv(_) => Ok(()),
        }
    }
}

/// A writer of the plan's paths in numpy's format, its header written.
fn npy<'a>(plan: &Plan, out: &'a mut dyn Write) -> io::Result<npyz::NpyWriter<f32, &'a mut dyn Write>> {
    npyz::WriteOptions::<f32>::new().default_dtype().shape(&shape(plan)).writer(out).begin_nd()
}

/// Writes the header of a .npy file of the plan's paths, and nothing else.
///
/// # Errors
/// What writing reports.
pub fn npy_header(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    npy(plan, out).map(drop)
}

/// The states in a .npy file of the plan's paths, as the bytes that they are.
///
/// # Errors
/// What reading reports, or that the file is of other paths.
pub fn npy_states<R: Read>(plan: &Plan, mut file: R) -> io::Result<R> {
    let header = npyz::NpyHeader::from_reader(&mut file)?;
    let mut expected = Vec::new();
    npy_header(plan, &mut expected)?;
    let expected = npyz::NpyHeader::from_reader(&expected[..])?;
    let same =
        header.shape() == expected.shape() && header.dtype() == expected.dtype() && header.order() == expected.order();
    if same {
        Ok(file)
    } else {
        Err(io::Error::other(format!(
            "an array of shape {:?}, where the shard has {:?}",
            header.shape(),
            expected.shape()
        )))
    }
}

/// The shape of an array of the plan's paths.
fn shape(plan: &Plan) -> Vec<u64> {
    let mut shape = vec![plan.end_path() - plan.first_path()];
    if let Saved::Every(_) = plan.saved {
        shape.push(plan.saved_steps().len() as u64);
    }
    if plan.dim() > 1 {
        shape.push(plan.dim() as u64);
    }
    shape
}

/// The bytes that a file of the plan's paths takes: exact for .npy, an estimate from typical lengths of numbers for CSV.
#[must_use]
pub fn file_bytes(kind: Kind, plan: &Plan) -> u64 {
    let paths = u128::from(plan.end_path() - plan.first_path());
    let (times, dim) = (plan.saved_steps().len() as u128, plan.dim() as u128);
    let bytes = match kind {
        Kind::Npy => 128 + paths * times * dim * 4,
        Kind::Csv => paths * times * (plan.end_path().to_string().len() as u128 + 5 + dim * 11),
    };
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The shortest decimal that reads back as the same f32.
fn decimal(out: &mut dyn Write, value: f32) -> io::Result<()> {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e9).contains(&size) { write!(out, "{value}") } else { write!(out, "{value:e}") }
}
