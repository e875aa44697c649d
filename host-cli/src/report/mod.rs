//! The page of a run: one HTML file with everything in it, no network needed to read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::evaluation::QualityRow;
use crate::inspection::Inspection;
use crate::metrics::Figure;
use crate::training_run::Metric;

/// What a board measured, and whether its bits are the host's.
#[derive(Clone, Debug, Serialize)]
pub struct BoardReport {
    /// Name of the board.
    pub board: String,
    /// Lines of name and value.
    pub lines: Vec<(String, String)>,
    /// Whether every digest was the host's.
    pub bits_equal: bool,
}

/// Everything that a report shows. Parts that were not made are left out of the page.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Name of the data.
    pub name: &'a str,
    /// Commands that make the run again.
    pub commands: &'a [String],
    /// Lines of the metrics.
    pub metrics: &'a [Metric],
    /// The loss curve, SVG.
    pub loss_svg: &'a str,
    /// Samples beside real data, PNG, and what it shows.
    pub picture: Option<(&'a [u8], &'a str)>,
    /// The quality table.
    pub quality: &'a [QualityRow],
    /// What the blob holds.
    pub inspection: &'a Inspection,
    /// What a board gave.
    pub board: Option<&'a BoardReport>,
    /// The recipe.
    pub recipe: &'a str,
}

/// A quality row as the page shows it.
#[derive(Serialize)]
struct QualityLine<'a> {
    name: &'a str,
    cells: [String; 5],
}

#[derive(Serialize)]
struct Picture<'a> {
    data: String,
    caption: &'a str,
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    version: &'a str,
    commands: &'a [String],
    last: Option<&'a Metric>,
    loss_svg: &'a str,
    picture: Option<Picture<'a>>,
    quality: Vec<QualityLine<'a>>,
    blob: String,
    board: Option<&'a BoardReport>,
    recipe: &'a str,
}

impl Report<'_> {
    /// The page.
    ///
    /// # Errors
    /// Only if the built-in template is at fault.
    pub fn to_html(&self) -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.add_template("report.html", include_str!("report.html"))?;
        let quality: Vec<QualityLine<'_>> = self
            .quality
            .iter()
            .map(|row| {
                let figure = |of: Figure, digits: usize| match row.quality.blocks {
                    1 => format!("{:.digits$}", of.mean),
                    _ => format!("{:.digits$} ± {:.digits$}", of.mean, of.deviation),
                };
                let quality = &row.quality;
                QualityLine {
                    name: &row.name,
                    cells: [
                        figure(quality.sliced_w2, 4),
                        figure(quality.mmd2, 5),
                        figure(quality.nearest_neighbour, 3),
                        figure(quality.frechet, 3),
                        quality.memorisation.map_or_else(|| row.memorisation_text(), |of| figure(of, 3)),
                    ],
                }
            })
            .collect();
        let page = Page {
            name: self.name,
            version: env!("CARGO_PKG_VERSION"),
            commands: self.commands,
            last: self.metrics.last(),
            loss_svg: self.loss_svg,
            picture: self.picture.map(|(png, caption)| Picture { data: STANDARD.encode(png), caption }),
            quality,
            blob: self.inspection.to_text(),
            board: self.board,
            recipe: self.recipe,
        };
        environment.get_template("report.html")?.render(Serde(&page))
    }
}
