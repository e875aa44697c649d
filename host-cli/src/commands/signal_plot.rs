//! Pictures of a signal: lines and bands over time, a panel a channel.

use std::path::Path;

use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use crate::files::write_atomically;
use crate::run::WindowSummary;

/// The most samples of a picture.
const SHOWN: usize = 600;

/// What a picture shows of a signal, in the scale of training.
pub(super) enum Layer<'v> {
    /// A line, broken where a value is missing.
    Line { name: &'static str, colour: usize, width: f64, opacity: f64, values: &'v [f32] },
    /// What lies between two lines; empty where either is missing.
    Band { name: &'static str, colour: usize, ends: [&'v [f32]; 2] },
}

/// Draws the beginning of a signal, as .svg or .png by the path's ending.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, title: &str, window: &WindowSummary, layers: &[Layer<'_>]) -> anyhow::Result<()> {
    let panel = |(channel, name): (usize, &String)| {
        let marks = layers.iter().flat_map(|layer| marks(layer, window, channel)).collect();
        let time = if window.period.is_some() { "seconds" } else { "samples" };
        Panel { title: name.clone(), x: Scale::linear(time), y: Scale::linear("training deviations"), marks }
    };
    let panels = window.channels.iter().enumerate().map(panel).collect();
    let figure = Figure::new(title, 1, panels).sized(920, 240);
    let content = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg")) {
        figure.svg().into_bytes()
    } else {
        figure.png(2)?
    };
    Ok(write_atomically(path, |out| out.write_all(&content))?)
}

/// One channel's marks: a line or band for each stretch without a missing value, the first of which has the name.
fn marks(layer: &Layer<'_>, window: &WindowSummary, channel: usize) -> Vec<Mark> {
    let (channels, seconds) = (window.channels.len(), window.period.unwrap_or(1.0));
    let of = |values: &[f32]| -> Vec<Option<f64>> {
        let shown = values.iter().skip(channel).step_by(channels).take(SHOWN);
        shown.map(|x| (!x.is_nan()).then(|| f64::from(*x))).collect()
    };
    let ends = match layer {
        Layer::Line { values, .. } => [of(values), of(values)],
        Layer::Band { ends: [low, high], .. } => [of(low), of(high)],
    };
    let points: Vec<Option<(f64, f64, f64)>> = ends[0]
        .iter()
        .zip(&ends[1])
        .enumerate()
        .map(|(k, (low, high))| low.zip(*high).map(|(low, high)| (k as f64 * seconds, low, high)))
        .collect();
    let stretches = points.split(Option::is_none).filter(|stretch| !stretch.is_empty());
    let mut name = match layer {
        Layer::Line { name, .. } | Layer::Band { name, .. } => *name,
    };
    stretches
        .map(|stretch| {
            let name = std::mem::take(&mut name);
            let points = stretch.iter().flatten();
            match layer {
                Layer::Line { colour, width, opacity, .. } => {
                    let line = points.map(|(x, y, _)| (*x, *y)).collect();
                    Mark::line(name, Colour::nth(*colour), line).wide(*width).opacity(*opacity)
                }
                Layer::Band { colour, .. } => Mark::band(name, Colour::nth(*colour), points.copied().collect()),
            }
        })
        .collect()
}
