//! Sizes, in pixels of the screen, and the drawing units that plotters sees.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Drawing units in a pixel of the screen: plotters rounds every place to a whole unit.
pub(super) const GRAIN: u32 = 4;
/// The figure's title.
pub(super) const HEADER: f64 = 40.0;
/// A panel's title.
pub(super) const PANEL_HEADER: f64 = 24.0;
/// A row of names.
pub(super) const LEGEND_ROW: f64 = 20.0;
/// Text sizes.
pub(super) const TITLE: f64 = 17.0;
pub(super) const PANEL_TITLE: f64 = 13.5;
pub(super) const LABEL: f64 = 12.5;
pub(super) const TICK: f64 = 11.5;
const FONT: &str = "sans-serif";
pub(super) const TEXT: RGBColor = RGBColor(38, 38, 38);

/// Pixels as drawing units.
pub(super) fn units(pixels: f64) -> i32 {
    (pixels * f64::from(GRAIN)).round() as i32
}

/// Text `size` pixels high. (The SVG back-end writes sizes divided by 1.24.)
pub(super) fn font(size: f64, anchor: (HPos, VPos)) -> TextStyle<'static> {
    (FONT, size * 1.24 * f64::from(GRAIN)).into_font().color(&TEXT).pos(Pos::new(anchor.0, anchor.1))
}

/// Estimated width of a text in pixels, on the safe side, since the reader's font is not known.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let widths = text.chars().map(|c| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' => 0.92,
        'A'..='Z' => 0.7,
        _ => 0.62,
    });
    size * widths.sum::<f64>()
}
