//! The template and what it is given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::charts::{self, Drawing};
use super::{BoardReport, Efficiency, FrontierPoint, Picture};
use crate::evaluation::QualityRow;
use crate::inspection::{Inspection, bytes};
use crate::metrics::Figure;
use crate::training_run::Metric;

/// Everything that a report shows. Parts that were not made are left out of the page.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Name of the data.
    pub name: &'a str,
    /// Commands that make the run again.
    pub commands: &'a [String],
    /// Lines of the metrics; none for an imported network.
    pub metrics: &'a [Metric],
    /// Samples beside data.
    pub samples: &'a [Picture],
    /// Some samples on their way from noise.
    pub trajectory: &'a [Picture],
    /// The quality table: floor, then float and int8.
    pub quality: &'a [QualityRow],
    /// Relative difference of int8 samples from float samples of the same noise.
    pub quantisation_difference: Option<f64>,
    /// Quality of every sampler against evaluations.
    pub efficiency: Option<&'a Efficiency>,
    /// Quality against memorisation.
    pub frontier: &'a [FrontierPoint],
    /// What the blob holds.
    pub inspection: &'a Inspection,
    /// What a board gave.
    pub board: Option<&'a BoardReport>,
    /// Names and values of seeds and versions.
    pub facts: &'a [(&'static str, String)],
    /// The recipe.
    pub recipe: &'a str,
}

/// A quality row as the page shows it.
#[derive(Serialize)]
struct QualityLine<'a> {
    name: &'a str,
    cells: [String; 5],
}

/// A plan's float and int8 figures, as the page shows them.
#[derive(Serialize)]
struct QuantisedLine {
    plan: String,
    cells: Vec<String>,
}

#[derive(Serialize)]
struct Image<'a> {
    data: String,
    alt: &'a str,
    caption: &'a str,
    pixels: bool,
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    version: &'a str,
    commands: &'a [String],
    last: Option<&'a Metric>,
    loss: Vec<Drawing>,
    samples: Vec<Image<'a>>,
    trajectory: Vec<Image<'a>>,
    quality: Vec<QualityLine<'a>>,
    quantised: Vec<QuantisedLine>,
    difference: Option<String>,
    efficiency: Vec<Drawing>,
    efficiency_lines: Vec<Vec<String>>,
    left_out: &'a [String],
    blocks: usize,
    frontier: Vec<Drawing>,
    frontier_lines: Vec<[String; 6]>,
    inspection: &'a Inspection,
    sizes: Vec<(&'static str, String)>,
    self_test: &'a str,
    board: Option<&'a BoardReport>,
    facts: &'a [(&'static str, String)],
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
        let flash = &self.inspection.flash;
        let floor = self.quality.first();
        let page = Page {
            name: self.name,
            version: env!("CARGO_PKG_VERSION"),
            commands: self.commands,
            last: self.metrics.last(),
            loss: charts::loss(self.metrics),
            samples: images(self.samples),
            trajectory: images(self.trajectory),
            quality: self.quality.iter().map(quality_line).collect(),
            quantised: quantised(self.quality),
            difference: self.quantisation_difference.map(|share| format!("{:.1}%", 100.0 * share)),
            efficiency: self.efficiency.map(|found| charts::efficiency(found, floor)).unwrap_or_default(),
            efficiency_lines: self.efficiency.map(|found| efficiency_lines(&found.points)).unwrap_or_default(),
            left_out: self.efficiency.map(|found| &found.left_out[..]).unwrap_or_default(),
            blocks: self.efficiency.map_or(0, |found| found.blocks),
            frontier: charts::frontier(self.frontier),
            frontier_lines: self.frontier.iter().map(frontier_line).collect(),
            inspection: self.inspection,
            sizes: vec![
                ("blob, in flash", bytes(flash.total)),
                ("of it weights", bytes(flash.weights)),
                ("of it noise levels", bytes(flash.level_table)),
                ("of it plans", bytes(flash.plans)),
                ("of it the rest: header, scales, text, padding", bytes(flash.rest)),
                ("working memory (arena), in RAM", bytes(self.inspection.arena_bytes)),
                ("multiply-accumulates of one evaluation", self.inspection.multiply_accumulates.to_string()),
            ],
            self_test: &self.inspection.self_test,
            board: self.board,
            facts: self.facts,
            recipe: self.recipe,
        };
        environment.get_template("report.html")?.render(Serde(&page))
    }
}

fn images(pictures: &[Picture]) -> Vec<Image<'_>> {
    pictures
        .iter()
        .map(|picture| Image {
            data: STANDARD.encode(&picture.png),
            alt: &picture.alt,
            caption: &picture.caption,
            pixels: picture.pixels,
        })
        .collect()
}

fn quality_line(row: &QualityRow) -> QualityLine<'_> {
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
}

/// Float and quantised rows of one plan beside each other.
fn quantised(rows: &[QualityRow]) -> Vec<QuantisedLine> {
    let float_rows = rows.iter().filter_map(|row| Some((row, row.name.strip_suffix(", float")?)));
    float_rows
        .filter_map(|(float, plan)| {
            let partner = |row: &&QualityRow| row.name.strip_prefix(plan).is_some_and(|rest| rest.starts_with(", "));
            let int8 = rows.iter().filter(partner).find(|row| row.name != float.name)?;
            let pair = |of: fn(&QualityRow) -> f64, digits: usize| {
                let (before, after) = (of(float), of(int8));
                let change = 100.0 * (after / before - 1.0);
                [format!("{before:.digits$}"), format!("{after:.digits$}"), format!("{change:+.1}%")]
            };
            let cells = [pair(|row| row.quality.sliced_w2.mean, 4), pair(|row| row.quality.frechet.mean, 3)].concat();
            Some(QuantisedLine { plan: plan.into(), cells })
        })
        .collect()
}

/// The numbers under the efficiency charts: sampler, evaluations, sliced W2, Fréchet distance.
fn efficiency_lines(points: &[super::EfficiencyPoint]) -> Vec<Vec<String>> {
    let cell = |value: Option<f64>, digits: usize| value.map_or("not finite".into(), |v| format!("{v:.digits$}"));
    points
        .iter()
        .map(|point| {
            vec![point.plan.clone(), point.evaluations.to_string(), cell(point.sliced_w2, 4), cell(point.frechet, 3)]
        })
        .collect()
}

/// A network of the frontier in the order of the table's columns.
fn frontier_line(point: &FrontierPoint) -> [String; 6] {
    [
        point.regularisation.clone(),
        point.steps.to_string(),
        format!("{:.3}", point.memorisation),
        format!("{:.3}", point.frechet),
        format!("{:.4}", point.sliced_w2),
        format!("{:.3}", point.nearest_neighbour),
    ]
}

#[cfg(test)]
mod tests;
