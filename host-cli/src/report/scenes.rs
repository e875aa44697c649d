//! Pictures of samples: grids where they are images, curves where they are single numbers, scatter plots elsewhere.

use mote_picture::{Colour, Figure, GridStyle, Mark, Panel, PictureError, Scale, Tiles, grid_png, side_by_side_png};

use super::Frame;
use crate::run::DataSummary;

/// A picture with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The bytes of a PNG.
    pub png: Vec<u8>,
    /// What it shows, for those who cannot see it.
    pub alt: String,
    /// What stands below it.
    pub caption: String,
    /// Whether it is made of pixels that should stay sharp, and not drawn.
    pub pixels: bool,
}

/// Images on each side of the grids.
const IMAGES: usize = 64;
/// Cells of a histogram.
const CELLS: usize = 48;

/// Samples beside held-out data, both in the data's own units.
///
/// # Errors
/// [`PictureError`] for data without rows.
pub fn samples_beside_data(
    summary: &DataSummary,
    samples: &[f32],
    data: &[f32],
    what: &str,
) -> Result<Picture, PictureError> {
    let dim = summary.columns.len();
    if let Some((height, width)) = summary.image {
        let count = IMAGES.min(samples.len() / dim).min(data.len() / dim) * dim;
        let tiles = |values| Tiles { values, height, width };
        let png = side_by_side_png(&tiles(&samples[..count]), &tiles(&data[..count]), &style(summary, width, 8))?;
        let caption = format!("Left: {what}. Right: real data that training did not see.");
        return Ok(Picture { png, alt: caption.clone(), caption, pixels: true });
    }
    let names = axis_names(summary);
    let panel = |title: &str, values: &[f32], colour| {
        let marks = if dim == 1 {
            let (edges, heights) = histogram(values, summary.range);
            vec![Mark::steps("", colour, edges, heights)]
        } else {
            vec![dots(values, dim, colour)]
        };
        let [x, y] = &names;
        let (x, y) = (Scale { range: window(data, dim, 0), ..Scale::linear(x) }, Scale::linear(y));
        let y = if dim == 1 { y } else { Scale { range: window(data, dim, 1), ..y } };
        Panel { title: title.into(), x, y, marks }
    };
    let panels = vec![panel("samples", samples, Colour::Blue), panel("data", data, Colour::Vermilion)];
    let png = Figure::new(&summary.name, 2, panels).sized(460, 250).png(2)?;
    let more = if dim > 2 { format!(" The first two of {dim} features.") } else { String::new() };
    let caption = format!("Left: {what}. Right: real data that training did not see.{more}");
    Ok(Picture { png, alt: caption.clone(), caption, pixels: false })
}

/// Frames from noise to samples: the states, and the estimates of the clean data.
///
/// # Errors
/// [`PictureError`] when there is nothing to show.
pub fn trajectory_frames(
    summary: &DataSummary,
    frames: &[Frame],
    data: &[f32],
    plan: &str,
) -> Result<Vec<Picture>, PictureError> {
    let dim = summary.columns.len();
    let moments: Vec<String> = frames.iter().map(|frame| frame.evaluation.to_string()).collect();
    let (last, before) = moments.split_last().map_or(("", String::new()), |(last, rest)| (last, rest.join(", ")));
    let told = format!("after {before} and {last} evaluations of {plan}");
    type Row<'a> = (&'a str, fn(&Frame) -> &Vec<f32>);
    let rows: [Row<'_>; 2] = [
        ("The state of the sampler", |frame| &frame.states),
        ("The network's estimate of the clean data", |frame| &frame.estimates),
    ];
    rows.into_iter()
        .map(|(title, of)| {
            let unscaled: Vec<Vec<f32>> = frames.iter().map(|frame| in_data_units(summary, of(frame))).collect();
            let (png, pixels) = match summary.image {
                Some((height, width)) => {
                    // A row for each sample, a column for each frame.
                    let count = unscaled.first().map_or(0, |values| values.len() / dim);
                    let values: Vec<f32> = (0..count)
                        .flat_map(|k| unscaled.iter().flat_map(move |frame| frame[k * dim..(k + 1) * dim].to_vec()))
                        .collect();
                    let tiles = Tiles { values: &values, height, width };
                    (grid_png(&tiles, &style(summary, width, frames.len()))?, true)
                }
                None => (drawn_frames(summary, title, frames, &unscaled, data)?, false),
            };
            let behind = if pixels || dim == 1 { "" } else { " Real data are orange." };
            let caption = format!("{title}, {told}, from left to right.{behind}");
            Ok(Picture { png, alt: caption.clone(), caption, pixels })
        })
        .collect()
}

fn drawn_frames(
    summary: &DataSummary,
    title: &str,
    frames: &[Frame],
    unscaled: &[Vec<f32>],
    data: &[f32],
) -> Result<Vec<u8>, PictureError> {
    let dim = summary.columns.len();
    let wide = |feature| {
        let everything: Vec<f32> = unscaled.iter().flatten().chain(data).copied().collect();
        window(&everything, dim, feature)
    };
    let panels: Vec<Panel> = frames
        .iter()
        .zip(unscaled)
        .map(|(frame, values)| {
            let mut marks = Vec::new();
            let (mut x, mut y) = (Scale { range: wide(0), ..Scale::default() }, Scale::default());
            if dim == 1 {
                let (low, high) = x.range.unwrap_or((0.0, 1.0));
                let (edges, heights) = histogram(values, (low as f32, high as f32));
                marks.push(Mark::steps("", Colour::Blue, edges, heights));
            } else {
                y.range = wide(1);
                marks.push(dots(data, dim, Colour::Orange).opacity(0.35));
                marks.push(dots(values, dim, Colour::Blue));
            }
            (x.label, y.label) = (String::new(), String::new());
            Panel { title: format!("after {}", frame.evaluation), x, y, marks }
        })
        .collect();
    Figure::new(title, 3, panels).sized(460, 165).png(2)
}

fn style(summary: &DataSummary, width: usize, columns: usize) -> GridStyle {
    GridStyle { columns, range: summary.range, scale: (48 / width.max(1)).clamp(1, 6) }
}

/// Values in the scale of training, brought back to the data's units.
fn in_data_units(summary: &DataSummary, scaled: &[f32]) -> Vec<f32> {
    let mut values = scaled.to_vec();
    summary.scaling.invert(&mut values);
    values
}

/// What the axes of a scatter plot or a histogram say.
fn axis_names(summary: &DataSummary) -> [String; 2] {
    match &summary.columns[..] {
        [x, y, ..] => [x.clone(), y.clone()],
        rest => [rest.concat(), "density".into()],
    }
}

/// The first two features as points; at most 500, so that they can be told apart.
fn dots(values: &[f32], dim: usize, colour: Colour) -> Mark {
    let points = values.chunks_exact(dim).take(500).map(|row| (f64::from(row[0]), f64::from(row[1]))).collect();
    Mark::dots("", colour, points).wide(1.4).opacity(0.7)
}

/// The range that holds a feature's values but for a thousandth at each end, with a margin.
fn window(values: &[f32], dim: usize, feature: usize) -> Option<(f64, f64)> {
    let mut own: Vec<f32> = values.iter().skip(feature).step_by(dim).copied().filter(|x| x.is_finite()).collect();
    own.sort_by(f32::total_cmp);
    let cut = own.len() / 1000;
    let (low, high) = (f64::from(*own.get(cut)?), f64::from(*own.get(own.len() - 1 - cut)?));
    let margin = 0.08 * (high - low).max(1e-6);
    Some((low - margin, high + margin))
}

/// Edges of equal cells over a range, and the density of values in each.
fn histogram(values: &[f32], (low, high): (f32, f32)) -> (Vec<f64>, Vec<f64>) {
    let (low, width) = (f64::from(low), (f64::from(high) - f64::from(low)).max(1e-6) / CELLS as f64);
    let edges = (0..=CELLS).map(|i| low + i as f64 * width).collect();
    let mut heights = vec![0.0; CELLS];
    for value in values {
        let cell = ((f64::from(*value) - low) / width).floor();
        if (0.0..CELLS as f64).contains(&cell) {
            heights[cell as usize] += 1.0 / (values.len() as f64 * width);
        }
    }
    (edges, heights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaling;

    fn summary(dim: usize, image: Option<(usize, usize)>) -> DataSummary {
        DataSummary {
            mote: String::new(),
            name: "n".into(),
            rows: 4,
            columns: (0..dim).map(|i| format!("x{i}")).collect(),
            window: None,
            image,
            classes: Vec::new(),
            scaling: Scaling { mean: vec![1.0; dim], std: vec![2.0; dim] },
            range: (-1.0, 3.0),
        }
    }

    #[test]
    fn every_kind_of_data_has_its_picture() {
        for (dim, image) in [(1, None), (2, None), (5, None), (6, Some((2, 3)))] {
            let summary = summary(dim, image);
            let values: Vec<f32> = (0..8 * dim).map(|i| (i % 7) as f32 / 2.0 - 1.0).collect();
            let beside = samples_beside_data(&summary, &values, &values, "samples").unwrap();
            assert_eq!((beside.pixels, beside.png.starts_with(b"\x89PNG")), (image.is_some(), true), "{dim}");
            assert_eq!(beside.caption.contains("first two of 5"), dim == 5);
            let frame = |evaluation| Frame {
                evaluation,
                relative_sigma: 1.0,
                states: values.clone(),
                estimates: values.clone(),
            };
            let frames = trajectory_frames(&summary, &[frame(0), frame(3), frame(9)], &values, "ddim:9").unwrap();
            assert_eq!(frames.len(), 2);
            assert!(frames[0].caption.contains("after 0, 3 and 9 evaluations of ddim:9"), "{}", frames[0].caption);
            assert!(!frames[1].alt.is_empty());
        }
    }

    #[test]
    fn a_histogram_integrates_to_the_share_of_values_in_range() {
        let (edges, heights) = histogram(&[0.1, 0.2, 0.9, 5.0], (0.0, 1.0));
        let total: f64 = heights.iter().zip(edges.windows(2)).map(|(h, ends)| h * (ends[1] - ends[0])).sum();
        assert!((total - 0.75).abs() < 1e-12);
        assert!(heights[4] > 0.0 && heights[43] > 0.0);
    }

    #[test]
    fn a_window_leaves_a_thousandth_out_at_each_end() {
        let mut values: Vec<f32> = (0..2000).map(|i| i as f32 / 2000.0).collect();
        values[0] = -1e6;
        values[1999] = 1e6;
        let (low, high) = window(&values, 1, 0).unwrap();
        assert!(low > -0.1 && high < 1.1, "{low} {high}");
        assert_eq!(window(&[], 2, 0), None);
    }
}
