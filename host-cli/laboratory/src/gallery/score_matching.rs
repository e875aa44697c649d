use mote_picture::{Colour, Figure, Legend, Mark, Panel, Point, Scale};

use super::histogram::Histogram;

/// What one-dimensional score matching leaves to be shown.
#[derive(Clone, Debug, Default)]
pub struct ScoreMatching {
    /// Draws from the data's law.
    pub data: Vec<f32>,
    /// The data's exact density, (x, density) in ascending x; its ends are the ends of the x axes.
    pub density: Vec<Point>,
    /// The score at some noise levels.
    pub scores: Vec<ScoreCurve>,
    /// The loss while training, (step, loss).
    pub loss: Vec<Point>,
    /// The least loss that any model could reach, if it is known.
    pub least_loss: Option<f64>,
    /// Draws from the trained model.
    pub samples: Vec<f32>,
}

/// Learned beside exact score at one noise level.
#[derive(Clone, Debug, Default)]
pub struct ScoreCurve {
    /// Standard deviation of the noise.
    pub sigma: f64,
    /// (x, learned score).
    pub learned: Vec<Point>,
    /// (x, exact score).
    pub exact: Vec<Point>,
}

/// Four panels: the data, the score at some noise levels, the loss, the samples.
#[must_use]
pub fn score_matching_figure(shown: &ScoreMatching) -> Figure {
    let ends = shown.density.first().zip(shown.density.last()).map(|(first, last)| (first.0, last.0));
    let x = || Scale { range: ends, ..Scale::linear("x (no unit)") };
    // One height for data and samples, so that the two can be compared by eye.
    let top = shown.density.iter().map(|p| p.1).fold(0.0, f64::max);
    let law = |title: &str, name: &str, colour: Colour, draws: &[f32]| {
        let (low, high) = ends.unwrap_or((-1.0, 1.0));
        let histogram = Histogram::of(draws, low, high, 80);
        Panel {
            title: format!("{title} ({} draws)", draws.len()),
            x: x(),
            y: Scale::linear("density (per unit of x)").between(0.0, (1.15 * top).max(1e-3)),
            marks: vec![
                histogram.mark(name, colour),
                Mark::line("exact density", Colour::Black, shown.density.clone()),
            ],
        }
    };
    let mut scores = Vec::new();
    for (i, curve) in shown.scores.iter().enumerate() {
        let name = format!("sigma = {}", curve.sigma);
        scores.push(Mark::line(&name, Colour::nth(i), curve.learned.clone()));
    }
    for curve in &shown.scores {
        scores.push(Mark::line("exact", Colour::Black, curve.exact.clone()).dashed().wide(1.25));
    }
    let mut losses = vec![Mark::line("training loss", Colour::Blue, shown.loss.clone()).wide(1.25)];
    if let (Some(least), Some(first), Some(last)) = (shown.least_loss, shown.loss.first(), shown.loss.last()) {
        let line = vec![(first.0, least), (last.0, least)];
        losses.push(Mark::line("least possible", Colour::Black, line).dashed());
    }
    let panels = vec![
        law("Data", "data", Colour::Sky, &shown.data),
        Panel {
            title: "Score of the noisy data, learned and exact".into(),
            x: x(),
            y: Scale::linear("score (per unit of x)"),
            marks: scores,
        },
        Panel {
            title: "Denoising score matching".into(),
            x: Scale::linear("step"),
            y: Scale::log("loss (no unit)"),
            marks: losses,
        },
        law("Samples of the model", "samples", Colour::Orange, &shown.samples),
    ];
    let figure = Figure::new("Score matching in one dimension", 2, panels).sized(960, 340);
    Figure { legend: Legend::PerPanel, ..figure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_panels_show_what_they_are_given() {
        let line: Vec<Point> = (0..=20).map(|i| (f64::from(i) - 10.0, 0.1)).collect();
        let shown = ScoreMatching {
            data: vec![-1.0, 0.0, 1.0],
            density: line.clone(),
            scores: vec![ScoreCurve { sigma: 0.5, learned: line.clone(), exact: line.clone() }],
            loss: vec![(1.0, 2.0), (100.0, 1.0)],
            least_loss: Some(0.9),
            samples: vec![0.5; 40],
        };
        let svg = score_matching_figure(&shown).svg();
        for words in
            ["Data (3 draws)", "sigma = 0.5", "learned and exact", "least possible", "Samples of the model (40 draws)"]
        {
            assert!(svg.contains(words), "{words}");
        }
        // Nothing to show is no panic.
        assert!(score_matching_figure(&ScoreMatching::default()).svg().contains("no values to show"));
    }
}
