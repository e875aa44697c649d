//! Tensors of a safetensors file as numbers that were checked.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::ImportError;

/// Names that a message proposes.
const NEAR: usize = 3;

/// The tensors of a file, and which of them were used.
#[derive(Debug)]
pub(super) struct Tensors<'a> {
    path: PathBuf,
    tensors: SafeTensors<'a>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Tensors<'a> {
    pub fn open(path: &Path, bytes: &'a [u8]) -> Result<Self, ImportError> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|source| ImportError::Container { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), tensors, used: RefCell::default() })
    }

    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// Whether all tensors are there; an error when some are and some are not.
    pub fn has_all_or_none(&self, names: &[&str]) -> Result<bool, ImportError> {
        let there = names.iter().find(|name| self.has(name));
        let missing = names.iter().find(|name| !self.has(name));
        match (there, missing) {
            (Some(there), Some(tensor)) => {
                let (there, tensor) = (there.to_string(), tensor.to_string());
                Err(ImportError::Half { path: self.path(), there, tensor })
            }
            (there, _) => Ok(there.is_some()),
        }
    }

    pub fn bad_value(&self, name: &str, index: usize, value: f32) -> ImportError {
        ImportError::Value { path: self.path(), tensor: name.into(), index, value: value.into() }
    }

    pub fn misshapen(&self, name: &str, got: &[usize], want: String) -> ImportError {
        ImportError::Misshapen { path: self.path(), tensor: name.into(), want, got: got.to_vec() }
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, ImportError> {
        self.used.borrow_mut().insert(name.into());
        self.tensors.tensor(name).map_err(|_| {
            let mut names: Vec<_> = self.tensors.names().into_iter().map(|n| n.to_string()).collect();
            names.sort_by_key(|other| (strsim::damerau_levenshtein(name, other), other.clone()));
            names.truncate(NEAR);
            ImportError::Missing { path: self.path(), tensor: name.into(), near: names }
        })
    }

    pub fn shape(&self, name: &str) -> Result<Vec<usize>, ImportError> {
        Ok(self.view(name)?.shape().to_vec())
    }

    /// A tensor of a shape, in single precision.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ImportError> {
        self.floats_of(name, shape, || format!("{shape:?}"))
    }

    /// [`Self::floats`], with words for the shape.
    pub fn floats_of(&self, name: &str, shape: &[usize], want: impl Fn() -> String) -> Result<Vec<f32>, ImportError> {
        let view = self.view(name)?;
        if view.shape() != shape {
            return Err(self.misshapen(name, view.shape(), want()));
        }
        self.numbers(name, &view)
    }

    /// One number, or one for each of `length` places.
    pub fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, ImportError> {
        let view = self.view(name)?;
        match view.shape() {
            [] | [1] => self.numbers(name, &view),
            [found] if *found == length => self.numbers(name, &view),
            got => Err(self.misshapen(name, got, format!("[{length}] or one number"))),
        }
    }

    fn numbers(&self, name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, ImportError> {
        let bytes = view.data();
        let values: Vec<f64> = match view.dtype() {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
            Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).into()).collect(),
            Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).into()).collect(),
            got => {
                let want = "F32, F64, F16 or BF16";
                return Err(ImportError::Kind { path: self.path(), tensor: name.into(), got, want });
            }
        };
        let number = |(index, value): (usize, f64)| {
            let single = value as f32;
            if single.is_finite() {
                return Ok(single);
            }
            Err(ImportError::Value { path: self.path(), tensor: name.into(), index, value })
        };
        values.into_iter().enumerate().map(number).collect()
    }

    /// A tensor of whole numbers, one for each of `length` rows.
    pub fn integers(&self, name: &str, length: usize) -> Result<Vec<i64>, ImportError> {
        let view = self.view(name)?;
        if view.shape() != [length] {
            return Err(self.misshapen(name, view.shape(), format!("[{length}]")));
        }
        match view.dtype() {
            Dtype::I64 => Ok(view.data().as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect()),
            Dtype::I32 => Ok(view.data().as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect()),
            got => Err(ImportError::Kind { path: self.path(), tensor: name.into(), got, want: "I64 or I32" }),
        }
    }

    /// Names that were never asked for, sorted.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let mut names: Vec<_> =
            self.tensors.names().into_iter().map(|n| n.to_string()).filter(|name| !used.contains(name)).collect();
        names.sort();
        names
    }
}
