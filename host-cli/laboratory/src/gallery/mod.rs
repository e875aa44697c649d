//! Pictures of the theory: each one file and one line in [`GALLERY`].

mod histogram;
mod score_matching;

pub use score_matching::{ScoreCurve, ScoreMatching, score_matching_figure};

use mote_picture::Figure;

use crate::theory::Laboratory;

/// A picture with what to say about it.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// A short name in kebab-case: that of its files.
    pub name: &'static str,
    /// What it shows, in a line.
    pub title: &'static str,
    /// What is drawn and what to look for, in a few sentences.
    pub caption: &'static str,
    /// Runs its experiment and describes its figure; the same laboratory gives the same figure.
    pub draw: fn(&Laboratory) -> Figure,
}

/// All pictures, in order.
pub const GALLERY: &[Picture] = &[];
