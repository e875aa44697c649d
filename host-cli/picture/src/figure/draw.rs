//! A figure drawn by plotters.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::clip::clipped;
use super::heat::{Heat, SHADES};
use super::layout::{GRAIN, HEADER, LABEL, LEGEND_ROW, PANEL_HEADER, PANEL_TITLE, TICK, TITLE, font, units};
use super::legend::LegendRows;
use super::ruler::Ruler;
use super::{Axis, Figure, Legend, Mark, Panel, Point, Scale, Shape, Stroke};
use crate::ticks::{span, widened};

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;
type Plot<'a, 'b> = ChartContext<'b, SVGBackend<'a>, Cartesian2d<Ruler, Ruler>>;

const GRID: RGBColor = RGBColor(228, 228, 228);
const FRAME: RGBColor = RGBColor(120, 120, 120);
/// Room beside the outermost panels.
const MARGIN: f64 = 10.0;
/// Room at a panel's right for half of its last tick's label.
const RIGHT: f64 = 22.0;
/// The colour bar with its ticks and label.
const COLOUR_BAR: f64 = 96.0;
/// Between a colour bar's label and the next panel.
const BAR_RIGHT: f64 = 14.0;

/// The text of an SVG file.
pub(super) fn svg(figure: &Figure) -> String {
    let columns = figure.columns.clamp(1, figure.panels.len().max(1));
    let rows = figure.panels.len().div_ceil(columns);
    let (width, row_height) = (f64::from(figure.width), f64::from(figure.row_height));
    let shared = figure.panels.iter().flat_map(|p| &p.marks).filter(|_| figure.legend == Legend::Shared);
    let legend = LegendRows::new(shared, 70.0, width - MARGIN);
    let top = HEADER + LEGEND_ROW * legend.rows() as f64;
    let height = top + row_height * rows as f64 + MARGIN / 2.0;
    let size = (units(width) as u32, units(height) as u32);
    let mut svg = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let draw = || {
            root.fill(&WHITE)?;
            let title = font(TITLE, (HPos::Center, VPos::Center));
            root.draw_text(&figure.title, &title, (units(width / 2.0), units(HEADER / 2.0)))?;
            legend.draw(&root, HEADER)?;
            let cell = (width - 2.0 * MARGIN) / columns as f64;
            for (i, panel) in figure.panels.iter().enumerate() {
                let corner = (MARGIN + cell * (i % columns) as f64, top + row_height * (i / columns) as f64);
                let area = root
                    .clone()
                    .shrink((units(corner.0), units(corner.1)), (units(cell) as u32, units(row_height) as u32));
                draw_panel(&area, panel, cell, figure.legend)?;
            }
            root.present()
        };
        draw()
    };
    // Writing into a string cannot fail, and every range is checked before it is drawn.
    debug_assert!(drawn.is_ok(), "{drawn:?}");
    // Drawn large and shown small, so that places fall between the pixels of the screen.
    let large = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    let small = format!("width=\"{}\" height=\"{}\"", size.0 / GRAIN, size.1 / GRAIN);
    svg.replacen(&large, &small, 1)
}

fn draw_panel<'a>(area: &Area<'a>, panel: &Panel, width: f64, legend: Legend) -> Drawn<'a> {
    let mut top = 4.0;
    let centre = width / 2.0 + 20.0; // over the plot, not over its labels
    if !panel.title.is_empty() {
        let title = font(PANEL_TITLE, (HPos::Center, VPos::Center));
        area.draw_text(&panel.title, &title, (units(centre), units(top + PANEL_HEADER / 2.0)))?;
        top += PANEL_HEADER;
    }
    if legend == Legend::PerPanel {
        let names = LegendRows::new(panel.marks.iter(), 56.0, width - 4.0);
        names.draw(area, top)?;
        top += LEGEND_ROW * names.rows() as f64;
    }
    let height = f64::from(area.dim_in_pixel().1) / f64::from(GRAIN);
    let (_, plot) = area.split_vertically(units(top));
    let heat = panel.marks.iter().find_map(|mark| match &mark.shape {
        Shape::Heat(heat) => Some(heat),
        _ => None,
    });
    let Some((x, y)) = ends(panel) else {
        let style = font(LABEL, (HPos::Center, VPos::Center));
        return plot.draw_text("no values to show", &style, (units(centre), units((height - top) / 2.0)));
    };
    let y = Ruler::new(&panel.y, y, ((height - top - 60.0) / 34.0) as usize);
    let bar = if heat.is_some() { COLOUR_BAR } else { 0.0 };
    let x = Ruler::with_room(&panel.x, x, width - bar - RIGHT - 36.0 - y.widest());
    let (plot, bar) = match heat {
        Some(_) => plot.split_horizontally(units(width - COLOUR_BAR)),
        None => plot.split_horizontally(units(width)),
    };
    let mut plot = ChartBuilder::on(&plot)
        .margin_top(units(6.0))
        .margin_right(units(RIGHT))
        .x_label_area_size(units(44.0))
        .y_label_area_size(units(36.0 + y.widest()))
        .build_cartesian_2d(x.clone(), y.clone())?;
    draw_axes(&mut plot, panel)?;
    for mark in &panel.marks {
        draw_mark(&plot, mark, &x, &y)?;
    }
    heat.map_or(Ok(()), |heat| draw_colour_bar(&bar, heat))
}

fn draw_axes<'a>(plot: &mut Plot<'a, '_>, panel: &Panel) -> Drawn<'a> {
    let label = font(TICK, (HPos::Center, VPos::Center));
    let described = font(LABEL, (HPos::Center, VPos::Center));
    plot.configure_mesh()
        .x_desc(&panel.x.label)
        .y_desc(&panel.y.label)
        .x_max_light_lines(0)
        .y_max_light_lines(0)
        .bold_line_style(GRID.stroke_width(GRAIN))
        .axis_style(FRAME.stroke_width(GRAIN))
        .set_all_tick_mark_size(units(4.0))
        .label_style(label)
        .axis_desc_style(described)
        .draw()
}

/// Where the axes end, in the values of the panel; `None` when there is nothing to show.
fn ends(panel: &Panel) -> Option<((f64, f64), (f64, f64))> {
    // Heights of steps begin at 0, which a logarithmic axis leaves out.
    let places: Vec<Point> = panel.marks.iter().flat_map(Mark::places).collect();
    let shown = || places.iter().filter(|p| Ruler::shows(panel.x.axis, p.0) && Ruler::shows(panel.y.axis, p.1));
    let (x, y) = (span(shown().map(|p| p.0))?, span(shown().map(|p| p.1))?);
    let room = |scale: &Scale, found: (f64, f64), share: f64| match (scale.range, scale.axis) {
        (Some(ends), _) => ends,
        (None, Axis::Linear) => widened(found, share),
        // At least a factor of four, so that there are ticks to read.
        (None, Axis::Log) => (found.0 / 1.15, (found.1 * 1.15).max(found.0 * 4.0)),
    };
    Some((room(&panel.x, x, 0.0), room(&panel.y, y, 0.04)))
}

pub(super) fn stroke(stroke: &Stroke) -> ShapeStyle {
    stroke.colour.rgb().mix(stroke.opacity).stroke_width(units(stroke.width).max(1) as u32)
}

/// Lengths of dashes and the gaps between them.
pub(super) fn dash() -> (i32, i32) {
    (units(6.0), units(4.0))
}

fn draw_mark<'a>(plot: &Plot<'a, '_>, mark: &Mark, x: &Ruler, y: &Ruler) -> Drawn<'a> {
    let area = plot.plotting_area();
    let style = stroke(&mark.stroke);
    let solid = mark.stroke.colour.rgb();
    let (x_ends, y_ends) = ((x.low, x.high), (y.low, y.high));
    let placed = |points: &[Point]| points.iter().map(|p| (x.place(p.0), y.place(p.1))).collect::<Vec<_>>();
    let line = |points: &[Point]| {
        for run in clipped(&placed(points), x_ends, y_ends) {
            if let [point] = run[..] {
                area.draw(&Circle::new(point, units(2.5), solid.filled()))?;
            } else if mark.stroke.dashed {
                let (on, off) = dash();
                area.draw(&DashedPathElement::new(run, on, off, style))?;
            } else {
                area.draw(&PathElement::new(run, style))?;
            }
        }
        Ok(())
    };
    match &mark.shape {
        Shape::Line(points) => line(points),
        Shape::Bundle(paths) => paths.iter().try_for_each(|path| line(path)),
        Shape::Band(points) => {
            let there = points.iter().filter(|p| p.0.is_finite() && p.1.is_finite() && p.2.is_finite());
            let (mut outline, mut back) = (Vec::new(), Vec::new());
            for &(at, low, high) in there {
                outline.push((x.nearest(at), y.nearest(low)));
                back.push((x.nearest(at), y.nearest(high)));
            }
            outline.extend(back.into_iter().rev());
            area.draw(&Polygon::new(outline, solid.mix(mark.stroke.opacity).filled()))
        }
        Shape::Steps { edges, heights } => {
            let foot = |at: f64| (x.nearest(at), y.nearest(0.0));
            let tops = heights.iter().zip(edges.windows(2)).filter(|(height, _)| height.is_finite());
            let tops = tops.flat_map(|(&height, ends)| {
                [(x.nearest(ends[0]), y.nearest(height)), (x.nearest(ends[1]), y.nearest(height))]
            });
            let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(()) };
            let outline: Vec<Point> = [foot(*first)].into_iter().chain(tops).chain([foot(*last)]).collect();
            area.draw(&Polygon::new(outline.clone(), solid.mix(mark.stroke.opacity).filled()))?;
            let edge = Stroke { opacity: 0.8, ..mark.stroke };
            area.draw(&PathElement::new(outline, stroke(&edge)))
        }
        Shape::Dots(points) => placed(points).into_iter().try_for_each(|point| {
            for run in clipped(&[point], x_ends, y_ends) {
                area.draw(&Circle::new(run[0], units(mark.stroke.width), solid.mix(mark.stroke.opacity).filled()))?;
            }
            Ok(())
        }),
        Shape::Bars(points) => points.iter().try_for_each(|&(at, middle, error)| {
            for run in clipped(&placed(&[(at, middle)]), x_ends, y_ends) {
                let bar = [(run[0].0, y.nearest(middle - error)), (run[0].0, y.nearest(middle + error))];
                area.draw(&PathElement::new(bar, stroke(&Stroke { width: 1.5, ..mark.stroke })))?;
                area.draw(&Circle::new(run[0], units(mark.stroke.width), solid.filled()))?;
            }
            Ok(())
        }),
        Shape::Text(at, words) => {
            let style = font(TICK, (HPos::Right, VPos::Center)).color(&solid);
            clipped(&placed(&[*at]), x_ends, y_ends).into_iter().try_for_each(|run| {
                let words = Text::new(words.clone(), (units(-5.0), 0), style.clone());
                area.draw(&(EmptyElement::at(run[0]) + words))
            })
        }
        Shape::Heat(heat) => heat.blocks().into_iter().try_for_each(|((left, bottom), (right, top), shade)| {
            let corners = [(x.nearest(left), y.nearest(bottom)), (x.nearest(right), y.nearest(top))];
            area.draw(&Rectangle::new(corners, shade_colour(shade).filled()))
        }),
    }
}

/// Viridis, which reads the same in grey and to colour-blind readers.
fn shade_colour(shade: usize) -> RGBColor {
    ViridisRGB.get_color(shade as f64 / (SHADES - 1) as f64)
}

fn draw_colour_bar<'a>(area: &Area<'a>, heat: &Heat) -> Drawn<'a> {
    let shades = Ruler::new(&Scale::default(), (0.0, 1.0), 2);
    let values = Ruler::new(&Scale::default(), heat.range, 6);
    let mut bar = ChartBuilder::on(area)
        .margin_top(units(6.0))
        .margin_bottom(units(44.0))
        .margin_right(units(BAR_RIGHT))
        .right_y_label_area_size(units(COLOUR_BAR - BAR_RIGHT - 16.0))
        .build_cartesian_2d(shades, values)?;
    let step = (heat.range.1 - heat.range.0) / SHADES as f64;
    for shade in 0..SHADES {
        let corners = [(0.0, heat.range.0 + step * shade as f64), (1.0, heat.range.1)];
        bar.plotting_area().draw(&Rectangle::new(corners, shade_colour(shade).filled()))?;
    }
    bar.configure_mesh()
        .disable_mesh()
        .disable_x_axis()
        .set_all_tick_mark_size(units(4.0))
        .axis_style(FRAME.stroke_width(GRAIN))
        .y_desc(&heat.label)
        .label_style(font(TICK, (HPos::Center, VPos::Center)))
        .axis_desc_style(font(LABEL, (HPos::Center, VPos::Center)))
        .draw()
}
