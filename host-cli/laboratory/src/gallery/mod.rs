//! Pictures of the theory: each one file and one line in [`GALLERY`].

mod bimodal;
mod brownian_laws;
mod brownian_paths;
mod brownian_zoom;
mod convergence_orders;
mod fokker_planck;
mod forward_diffusion;
mod histogram;
mod noise_schedules;
mod ou_density;
mod ou_moments;
mod ou_paths;
mod paths;
mod quadratic_variation;
mod reverse_diffusion;
mod reverse_paths;
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
pub const GALLERY: &[Picture] = &[
    brownian_paths::PICTURE,
    brownian_laws::PICTURE,
    quadratic_variation::PICTURE,
    brownian_zoom::PICTURE,
    forward_diffusion::PICTURE,
    noise_schedules::PICTURE,
    ou_paths::PICTURE,
    ou_density::PICTURE,
    ou_moments::PICTURE,
    reverse_diffusion::PICTURE,
    reverse_paths::PICTURE,
    fokker_planck::PICTURE,
    convergence_orders::PICTURE,
];
