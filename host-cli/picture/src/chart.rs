//! Line charts as SVG, for reports.

use crate::figure::{Axis, Colour, Figure, Mark, Panel, Scale};

/// A named curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// (x, y) in the order they are joined; a value that is not finite breaks the line.
    pub points: Vec<(f64, f64)>,
}

/// What a chart says around its curves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chart<'a> {
    /// Over the chart.
    pub title: &'a str,
    /// Under the x axis.
    pub x_label: &'a str,
    /// Beside the y axis.
    pub y_label: &'a str,
    /// How the y axis is divided.
    pub y_axis: Axis,
}

/// A line chart with axes, grid and legend, as the text of an SVG file.
///
/// The legend stands between title and plot, so it never covers a curve. Without a value to draw the plot is empty and says so.
pub fn line_chart_svg(chart: &Chart, series: &[Series]) -> String {
    let marks = series.iter().enumerate();
    let panel = Panel {
        title: String::new(),
        x: Scale::linear(chart.x_label),
        y: Scale { axis: chart.y_axis, ..Scale::linear(chart.y_label) },
        marks: marks.map(|(i, one)| Mark::line(&one.name, Colour::nth(i), one.points.clone())).collect(),
    };
    Figure::new(chart.title, 1, vec![panel]).sized(760, 360).svg()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, points: &[(f64, f64)]) -> Series {
        Series { name: name.into(), points: points.to_vec() }
    }

    fn chart(y_axis: Axis) -> Chart<'static> {
        Chart { title: "Loss <train>", x_label: "step", y_label: "mean square error", y_axis }
    }

    #[test]
    fn a_chart_holds_its_words_and_one_line_a_series() {
        let curves = [
            series("training", &[(0.0, 1.0), (1.0, 0.5), (2.0, 0.3)]),
            series("validation", &[(0.0, 1.1), (2.0, 0.4)]),
        ];
        for axis in [Axis::Linear, Axis::Log] {
            let svg = line_chart_svg(&chart(axis), &curves);
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            for word in ["Loss &lt;train&gt;", "step", "mean square error", "training", "validation"] {
                assert!(svg.contains(word), "{word}");
            }
            // A swatch and a curve in each colour.
            for colour in ["#0072B2", "#D55E00"] {
                let lines = svg.lines().filter(|l| l.contains("<polyline") && l.contains(colour));
                assert_eq!(lines.count(), 2, "{colour}");
            }
        }
    }

    #[test]
    fn values_that_cannot_be_drawn_break_the_line_and_no_more() {
        let gaps = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, -1.0), (5.0, 3.0)];
        let lines = |axis| {
            let svg = line_chart_svg(&chart(axis), &[series("a", &gaps)]);
            assert!(!svg.contains("NaN") && !svg.contains("inf"));
            (svg.matches("stroke=\"#0072B2\"").count(), svg.matches("<circle").count())
        };
        assert_eq!(lines(Axis::Linear), (3, 0)); // the swatch and two runs
        assert_eq!(lines(Axis::Log), (2, 2)); // the swatch, one run, and two single points
    }

    #[test]
    fn any_input_makes_a_chart() {
        let odd: [&[(f64, f64)]; 8] = [
            &[],
            &[(1.0, 1.0)],
            &[(0.0, 0.0), (1.0, 0.0)],
            &[(f64::NAN, f64::INFINITY)],
            &[(0.0, 1e300), (1.0, 1.0)],
            &[(0.0, 1e-30), (1.0, 1e30)],
            &[(5.0, 1e9), (5.0, 1e9 + 1e-3)],
            &[(-1e38, -1e38), (1e38, 1e38)],
        ];
        for points in odd {
            for axis in [Axis::Linear, Axis::Log] {
                let svg = line_chart_svg(&chart(axis), &[series("a", points)]);
                assert!(svg.trim_end().ends_with("</svg>"), "{points:?}");
            }
        }
        assert!(line_chart_svg(&chart(Axis::Linear), &[]).contains("no values to show"));
    }
}
