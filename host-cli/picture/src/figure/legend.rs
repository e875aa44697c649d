use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::draw::{Area, Drawn, dash, stroke};
use super::layout::{LABEL, LEGEND_ROW, font, text_width, units};
use super::{Mark, Shape};

const SWATCH: f64 = 22.0;
const GAP: f64 = 6.0;
const AFTER: f64 = 18.0;

/// The names of marks, laid out in rows.
pub(super) struct LegendRows<'a> {
    /// A mark of each name, its left edge in pixels and its row.
    entries: Vec<(&'a Mark, f64, usize)>,
}

impl<'a> LegendRows<'a> {
    /// Each name once, between `left` and `right`, in as many rows as needed.
    pub(super) fn new(marks: impl Iterator<Item = &'a Mark>, left: f64, right: f64) -> Self {
        let (mut x, mut row) = (left, 0);
        let mut entries: Vec<(&Mark, f64, usize)> = Vec::new();
        for mark in marks {
            if mark.name.is_empty() || entries.iter().any(|(known, ..)| known.name == mark.name) {
                continue;
            }
            let width = SWATCH + GAP + text_width(&mark.name, LABEL);
            if x > left && x + width > right {
                (x, row) = (left, row + 1);
            }
            entries.push((mark, x, row));
            x += width + AFTER;
        }
        Self { entries }
    }

    /// Rows in use.
    pub(super) fn rows(&self) -> usize {
        self.entries.last().map_or(0, |&(_, _, row)| row + 1)
    }

    /// Draws the names from the height `top` on, all in pixels.
    pub(super) fn draw<'b>(&self, area: &Area<'b>, top: f64) -> Drawn<'b> {
        for &(mark, x, row) in &self.entries {
            let y = top + LEGEND_ROW * (row as f64 + 0.5);
            swatch(area, mark, x, y)?;
            area.draw_text(&mark.name, &font(LABEL, (HPos::Left, VPos::Center)), (units(x + SWATCH + GAP), units(y)))?;
        }
        Ok(())
    }
}

/// A sample of the mark, as solid as its colour must be to be known again.
fn swatch<'b>(area: &Area<'b>, mark: &Mark, x: f64, y: f64) -> Drawn<'b> {
    let (left, right, middle) = (units(x), units(x + SWATCH), units(y));
    let mut shown = mark.stroke;
    match &mark.shape {
        Shape::Line(_) | Shape::Bundle(_) => {
            shown.opacity = shown.opacity.max(0.8);
            shown.width = shown.width.max(1.5);
            let ends = [(left, middle), (right, middle)];
            if shown.dashed {
                let (on, off) = dash();
                area.draw(&DashedPathElement::new(ends.to_vec(), on, off, stroke(&shown)))
            } else {
                area.draw(&PathElement::new(ends, stroke(&shown)))
            }
        }
        Shape::Band(_) | Shape::Steps { .. } => {
            let fill = shown.colour.rgb().mix(shown.opacity.max(0.3)).filled();
            area.draw(&Rectangle::new([(left, units(y - 5.0)), (right, units(y + 5.0))], fill))
        }
        Shape::Dots(_) => {
            area.draw(&Circle::new((units(x + SWATCH / 2.0), middle), units(shown.width), shown.colour.rgb().filled()))
        }
        Shape::Bars(_) => {
            let centre = units(x + SWATCH / 2.0);
            shown.width = 1.5;
            area.draw(&PathElement::new([(centre, units(y - 8.0)), (centre, units(y + 8.0))], stroke(&shown)))?;
            area.draw(&Circle::new((centre, middle), units(mark.stroke.width), shown.colour.rgb().filled()))
        }
        Shape::Heat(_) | Shape::Text(..) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Colour;

    #[test]
    fn a_long_legend_wraps_instead_of_running_out_and_says_a_name_once() {
        let names = (0..9).map(|i| format!("a rather long name {}", i % 7));
        let many: Vec<Mark> = names.map(|name| Mark::line(&name, Colour::Blue, vec![])).collect();
        let rows = LegendRows::new(many.iter(), 70.0, 760.0);
        assert_eq!(rows.entries.len(), 7);
        let width = SWATCH + GAP + text_width("a rather long name 0", LABEL);
        assert!(rows.entries.iter().all(|&(_, x, _)| x >= 70.0 && x + width <= 760.0));
        let firsts = rows.entries.iter().filter(|(_, x, _)| *x == 70.0).count();
        assert!(rows.rows() > 1 && rows.rows() == firsts);
    }
}
