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
    Line { name: &'static str, colour: Colour, width: f64, opacity: f64, values: &'v [f32] },
    /// What lies between two lines; empty where either is missing.
    Band { name: &'static str, colour: Colour, ends: [&'v [f32]; 2] },
}

impl Layer<'_> {
    fn values(&self) -> &[f32] {
        match self {
            Self::Line { values, .. } | Self::Band { ends: [values, _], .. } => values,
        }
    }
}

/// Draws the beginning of a signal, as .svg or .png by the path's ending.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, title: &str, window: &WindowSummary, layers: &[Layer<'_>]) -> anyhow::Result<()> {
    let longest = layers.iter().map(|layer| layer.values().len() / window.channels.len()).max().unwrap_or(0);
    let (time, step) = match window.period {
        None => ("samples", 1.0),
        Some(period) if period * longest.min(SHOWN) as f64 > 7200.0 => ("hours", period / 3600.0),
        Some(period) => ("seconds", period),
    };
    let panel = |(channel, name): (usize, &String)| {
        let marks = layers.iter().flat_map(|layer| marks(layer, window.channels.len(), channel, step)).collect();
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
fn marks(layer: &Layer<'_>, channels: usize, channel: usize, step: f64) -> Vec<Mark> {
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
        .map(|(k, (low, high))| low.zip(*high).map(|(low, high)| (k as f64 * step, low, high)))
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
                    Mark::line(name, *colour, line).wide(*width).opacity(*opacity)
                }
                Layer::Band { colour, .. } => Mark::band(name, *colour, points.copied().collect()),
            }
        })
        .collect()
}
