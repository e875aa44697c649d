//! The charts of the page, narrow enough to be read on a telephone.

use mote_picture::{Colour, Figure, Mark, Panel, Scale};
use serde::Serialize;

use super::{Efficiency, EfficiencyPoint, FrontierPoint};
use crate::evaluation::QualityRow;
use crate::training_run::Metric;

/// Pixels of a chart: two stand side by side on a wide screen.
const SIZE: (u32, u32) = (460, 320);

/// A chart with its words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Drawing {
    pub svg: String,
    /// What it shows, for those who cannot see it.
    pub alt: String,
}

fn drawing(title: &str, alt: String, x: Scale, y: Scale, marks: Vec<Mark>) -> Drawing {
    let panel = Panel { title: String::new(), x, y, marks };
    Drawing { svg: Figure::new(title, 1, vec![panel]).sized(SIZE.0, SIZE.1).svg(), alt }
}

/// Training and validation loss; none without metrics.
pub(super) fn loss(metrics: &[Metric]) -> Vec<Drawing> {
    let (Some(first), Some(last)) = (metrics.first(), metrics.last()) else { return Vec::new() };
    let points = |of: fn(&Metric) -> f64| metrics.iter().map(|line| (line.step as f64, of(line))).collect();
    let marks = vec![
        Mark::line("training", Colour::Blue, points(|line| line.loss)),
        Mark::line("validation, averaged weights", Colour::Vermilion, points(|line| line.validation_loss)),
    ];
    let alt = format!(
        "Loss against training steps: training from {:.4} to {:.4}, validation from {:.4} to {:.4}.",
        first.loss, last.loss, first.validation_loss, last.validation_loss
    );
    vec![drawing("Loss", alt, Scale::linear("step"), Scale::log("mean squared error"), marks)]
}

/// Sliced W2 and Fréchet distance of every sampler against evaluations, with what real data score as a band.
pub(super) fn efficiency(found: &Efficiency, floor: Option<&QualityRow>) -> Vec<Drawing> {
    type Quantity<'a> = (&'a str, fn(&EfficiencyPoint) -> Option<f64>, Option<f64>);
    let charts: [Quantity<'_>; 2] = [
        ("Sliced W2", |point| point.sliced_w2, floor.map(|row| row.quality.sliced_w2.mean)),
        ("Fréchet distance", |point| point.frechet, floor.map(|row| row.quality.frechet.mean)),
    ];
    let evaluations = || found.points.iter().map(|point| point.evaluations as f64);
    let ends = evaluations().fold((f64::INFINITY, 0.0f64), |(low, high), n| (low.min(n), high.max(n)));
    let values = |of: fn(&EfficiencyPoint) -> Option<f64>| found.points.iter().filter_map(of);
    charts
        .into_iter()
        .filter(|(_, of, _)| values(*of).next().is_some())
        .map(|(quantity, of, floor)| {
            let lowest = values(of).chain(floor).fold(f64::INFINITY, f64::min) * 0.85;
            let mut marks: Vec<Mark> = floor
                .map(|floor| {
                    Mark::band(
                        "at most what real data score",
                        Colour::Grey,
                        vec![(ends.0, lowest, floor), (ends.1, lowest, floor)],
                    )
                })
                .into_iter()
                .collect();
            let mut best: Option<(f64, String)> = None;
            for (number, sampler) in found.samplers.iter().enumerate() {
                let own = found.points.iter().filter(|point| point.sampler == *sampler);
                let points: Vec<(f64, f64)> =
                    own.filter_map(|point| Some((point.evaluations as f64, of(point)?))).collect();
                for &(n, value) in &points {
                    if best.as_ref().is_none_or(|(least, _)| value < *least) {
                        best = Some((value, format!("{sampler} at {n} evaluations")));
                    }
                }
                let colour = Colour::nth(number);
                let line = Mark::line(sampler, colour, points.clone()).wide(1.6);
                // Colours come again after seven; dashes tell the second round apart.
                marks.push(if number >= Colour::SERIES.len() { line.dashed() } else { line });
                marks.push(Mark::dots("", colour, points).wide(2.5));
            }
            let best = best.map_or(String::new(), |(value, at)| format!(" The least is {value:.4}, {at}."));
            let alt = format!("{quantity} against network evaluations for {} samplers.{best}", found.samplers.len());
            let y = Scale::log(quantity);
            drawing(&format!("{quantity} against evaluations"), alt, Scale::log("evaluations a sample"), y, marks)
        })
        .collect()
}

/// Quality against memorisation, a curve for each regularisation; none without points.
pub(super) fn frontier(points: &[FrontierPoint]) -> Vec<Drawing> {
    if points.is_empty() {
        return Vec::new();
    }
    let mut labels: Vec<&str> = Vec::new();
    for point in points {
        if !labels.contains(&point.regularisation.as_str()) {
            labels.push(&point.regularisation);
        }
    }
    // What all curves share, as the plan after the comma, is said in the numbers below and would crowd the charts.
    let ending = |label: &str| label.split_once(", ").map(|(_, ending)| ending.to_owned());
    let shared = labels.first().and_then(|label| ending(label));
    let alike = shared.is_some() && labels.iter().all(|label| ending(label) == shared);
    let short = |label: &'_ str| label.split_once(", ").filter(|_| alike).map_or(label, |(start, _)| start).to_owned();
    type Quantity<'a> = (&'a str, fn(&FrontierPoint) -> f64);
    let charts: [Quantity<'_>; 3] = [
        ("Fréchet distance", |point| point.frechet),
        ("Sliced W2", |point| point.sliced_w2),
        ("1-NN accuracy", |point| point.nearest_neighbour),
    ];
    charts
        .into_iter()
        .map(|(quantity, of)| {
            let mut marks = Vec::new();
            for (number, label) in labels.iter().enumerate() {
                let mut own: Vec<&FrontierPoint> =
                    points.iter().filter(|point| point.regularisation == *label).collect();
                own.sort_by_key(|point| point.steps);
                let places: Vec<(f64, f64)> = own.iter().map(|point| (point.memorisation, of(point))).collect();
                let line = Mark::line(&short(label), Colour::nth(number), places.clone()).wide(1.6);
                marks.push(if number >= Colour::SERIES.len() { line.dashed() } else { line });
                marks.push(Mark::dots("", Colour::nth(number), places));
            }
            let alt = format!(
                "{quantity} against memorisation for {} trained networks; nearer to the lower left is better.",
                points.len()
            );
            let x = roomy("memorisation (share)", points.iter().map(|point| point.memorisation));
            let y = roomy(quantity, points.iter().map(of));
            drawing(&format!("{quantity} against memorisation"), alt, x, y, marks)
        })
        .collect()
}

/// A linear axis with room beside the outermost values.
fn roomy(label: &str, values: impl Iterator<Item = f64>) -> Scale {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let room = 0.06 * (high - low).max(1e-3);
    Scale::linear(label).between(low - room, high + room)
}
