use super::{NAMES, Sampler};

/// A sampler with its settings, by the name that people ask for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Named {
    /// Lower case, at most 11 characters, so that the name of a plan fits a blob.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Order of convergence in the step of lambda on Gaussian data, in the weak sense where it draws noise; `None` where finer grids alone
    /// do not lead to the data's law.
    pub order: Option<u8>,
    /// The sampler.
    pub sampler: Sampler,
}

impl Named {
    /// Every named sampler, in the order of the list.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        NAMES.iter().copied().flatten()
    }

    /// The sampler of a name, or `None` if there is none.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|named| named.name == name)
    }
}
