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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_says_what_it_shows_and_is_the_same_again() {
        for picture in GALLERY {
            let figure = (picture.draw)(&Laboratory { seed: 1 });
            assert!(!figure.title.is_empty() && !figure.panels.is_empty(), "{}", picture.name);
            let svg = figure.svg();
            let said = |words: &str| svg.contains(&words.replace('\'', "&apos;"));
            assert!(said(&figure.title), "{}", picture.name);
            for panel in &figure.panels {
                for words in [&panel.x.label, &panel.y.label] {
                    assert!(words.len() > 3 && said(words), "{}: axis \"{words}\"", picture.name);
                }
                assert!(panel.title.is_empty() || said(&panel.title), "{}: {}", picture.name, panel.title);
                assert!(panel.marks.iter().all(|mark| said(&mark.name)), "{}", picture.name);
            }
            assert!(!svg.contains("no values to show") && !svg.contains("NaN"), "{}", picture.name);
            // The reader of SVG is strict about what is well formed.
            assert!(figure.png(1).is_ok_and(|png| png.starts_with(b"\x89PNG")), "{}", picture.name);
            assert!(svg == (picture.draw)(&Laboratory { seed: 1 }).svg(), "{} changes", picture.name);
        }
    }

    #[test]
    fn the_documentation_shows_every_picture_with_its_caption() {
        let document = include_str!("../../../../docs/gallery.md");
        let plain = document.split_whitespace().collect::<Vec<_>>().join(" ");
        for picture in GALLERY {
            assert!(plain.contains(&format!("## {}", picture.title)), "{}", picture.title);
            assert!(plain.contains(&format!("![{}](gallery/{}.png)", picture.title, picture.name)), "{}", picture.name);
            assert!(plain.contains(picture.caption), "docs/gallery.md has another caption of {}", picture.name);
        }
    }

    #[test]
    fn names_are_kebab_case_and_differ() {
        let mut names: Vec<_> = GALLERY.iter().map(|picture| picture.name).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), GALLERY.len());
    }
}
