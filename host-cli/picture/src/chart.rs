//! Line charts as SVG, for reports.

use plotters::coord::combinators::BindKeyPoints;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ticks::{log_ticks, span, tick, widened};

/// How an axis is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors; values of zero and below are left out.
    Log,
}

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

const WIDTH: u32 = 760;
const HEADER: u32 = 40;
const LEGEND_ROW: u32 = 20;
const PLOT: u32 = 360;
/// Okabe and Ito's colours, which colour-blind readers can tell apart, without the yellow that white swallows.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
const TEXT: RGBColor = RGBColor(51, 51, 51);
const FONT: &str = "sans-serif";

/// A line chart with axes, grid and legend, as the text of an SVG file.
///
/// The legend stands between title and plot, so it never covers a curve. Without a value to draw the plot is empty and says so.
pub fn line_chart_svg(chart: &Chart, series: &[Series]) -> String {
    let legend = legend_places(series);
    let rows = legend.iter().map(|&(_, row)| row + 1).max().unwrap_or(0);
    let top = HEADER + rows * LEGEND_ROW;
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, top + PLOT)).into_drawing_area();
        let (header, plot) = root.split_vertically(top);
        root.fill(&WHITE)
            .and_then(|()| draw_header(&header, chart, series, &legend))
            .and_then(|()| draw_plot(&plot, chart, series))
            .and_then(|()| root.present())
    };
    // Writing into a string cannot fail, and every range is checked before it is drawn.
    debug_assert!(drawn.is_ok(), "{drawn:?}");
    svg
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

const LEGEND_LEFT: i32 = 70;
const SWATCH: i32 = 22;

/// Left edge and row of each name; widths are estimated, since the reader's font is not known.
fn legend_places(series: &[Series]) -> Vec<(i32, u32)> {
    let (mut x, mut row) = (LEGEND_LEFT, 0);
    let mut places = Vec::new();
    for one in series {
        let width = SWATCH + 24 + 8 * one.name.chars().count() as i32;
        if x > LEGEND_LEFT && x + width > WIDTH as i32 {
            (x, row) = (LEGEND_LEFT, row + 1);
        }
        places.push((x, row));
        x += width;
    }
    places
}

fn draw_header<'a>(area: &Area<'a>, chart: &Chart, series: &[Series], places: &[(i32, u32)]) -> Drawn<'a> {
    let centred = Pos::new(HPos::Center, VPos::Center);
    let title = (FONT, 18).into_font().color(&TEXT).pos(centred);
    area.draw_text(chart.title, &title, (WIDTH as i32 / 2, HEADER as i32 / 2))?;
    let left = Pos::new(HPos::Left, VPos::Center);
    let name = (FONT, 13).into_font().color(&TEXT).pos(left);
    for (index, (one, &(x, row))) in series.iter().zip(places).enumerate() {
        let y = (HEADER + row * LEGEND_ROW + LEGEND_ROW / 2) as i32;
        let swatch = [(x, y), (x + SWATCH, y)];
        area.draw(&PathElement::new(swatch, stroke(index)))?;
        area.draw_text(&one.name, &name, (x + SWATCH + 6, y))?;
    }
    Ok(())
}

fn stroke(index: usize) -> ShapeStyle {
    COLOURS[index % COLOURS.len()].stroke_width(2)
}

fn draw_plot<'a>(area: &Area<'a>, chart: &Chart, series: &[Series]) -> Drawn<'a> {
    let shown = |&(x, y): &(f64, f64)| {
        // Beyond f32 the differences of an axis could overflow.
        let drawable = |v: f64| v.abs() < f64::from(f32::MAX);
        drawable(x) && drawable(y) && (chart.y_axis == Axis::Linear || y > f64::from(f32::MIN_POSITIVE))
    };
    let points = || series.iter().flat_map(|one| &one.points).copied().filter(shown);
    let (Some(x), Some(y)) = (span(points().map(|p| p.0)), span(points().map(|p| p.1))) else {
        let centred = Pos::new(HPos::Center, VPos::Center);
        let style = (FONT, 14).into_font().color(&TEXT).pos(centred);
        let (width, height) = area.dim_in_pixel();
        return area.draw_text("no values to show", &style, (width as i32 / 2, height as i32 / 2));
    };
    let x = widened(x, 0.0);
    match chart.y_axis {
        Axis::Linear => {
            let (low, high) = widened(y, 0.04);
            draw_curves(area, chart, series, x, low..high, shown)
        }
        Axis::Log => {
            // At least a factor of four, so that there are ticks to read.
            let (low, high) = (y.0 / 1.15, (y.1 * 1.15).max(y.0 * 4.0));
            let axis = (low..high).log_scale().with_key_points(log_ticks(low, high));
            draw_curves(area, chart, series, x, axis, shown)
        }
    }
}

fn draw_curves<'a, Y>(
    area: &Area<'a>,
    chart: &Chart,
    series: &[Series],
    x: (f64, f64),
    y: Y,
    shown: impl Fn(&(f64, f64)) -> bool,
) -> Drawn<'a>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut axes = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(28)
        .margin_bottom(8)
        .margin_left(8)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(x.0..x.1, y)?;
    let label = (FONT, 13).into_font().color(&TEXT);
    axes.configure_mesh()
        .x_desc(chart.x_label)
        .y_desc(chart.y_label)
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| tick(*v))
        .x_max_light_lines(0)
        .y_max_light_lines(0)
        .bold_line_style(RGBColor(226, 226, 226))
        .axis_style(RGBColor(120, 120, 120))
        .label_style(label.clone())
        .axis_desc_style((FONT, 14).into_font().color(&TEXT))
        .draw()?;
    for (index, one) in series.iter().enumerate() {
        for run in one.points.split(|p| !shown(p)) {
            if let [point] = run {
                axes.draw_series([Circle::new(*point, 3, COLOURS[index % COLOURS.len()].filled())])?;
            } else {
                axes.draw_series(LineSeries::new(run.iter().copied(), stroke(index)))?;
            }
        }
    }
    Ok(())
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

    #[test]
    fn a_long_legend_wraps_instead_of_running_out() {
        let many: Vec<Series> = (0..9).map(|i| series(&format!("a rather long name {i}"), &[])).collect();
        let places = legend_places(&many);
        assert!(places.iter().all(|&(x, _)| x + SWATCH + 8 * 20 < WIDTH as i32));
        assert_eq!(places[2], (LEGEND_LEFT + 2 * (SWATCH + 24 + 8 * 20), 0));
        assert_eq!(places[3], (LEGEND_LEFT, 1));
    }
}
