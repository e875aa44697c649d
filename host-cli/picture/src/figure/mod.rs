//! Figures: what is shown, apart from how it is drawn. One description gives an SVG, and a PNG made of that SVG.

mod clip;
mod colour;
mod draw;
mod heat;
mod layout;
mod legend;
mod mark;
mod ruler;

pub use colour::Colour;
pub use heat::Heat;
pub use mark::{Mark, Point, Shape, Stroke};

use crate::PictureError;
use crate::raster;

/// How an axis is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors; values of zero and below are left out.
    Log,
}

/// An axis of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scale {
    /// The quantity and its unit.
    pub label: String,
    /// How it is divided.
    pub axis: Axis,
    /// Its ends; what lies beyond is cut off. Without them the axis holds all that is shown.
    pub range: Option<(f64, f64)>,
}

impl Scale {
    /// An axis of equal steps that holds all that is shown.
    #[must_use]
    pub fn linear(label: &str) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// An axis of equal factors that holds all that is shown.
    #[must_use]
    pub fn log(label: &str) -> Self {
        Self { axis: Axis::Log, ..Self::linear(label) }
    }

    /// The same axis from `low` to `high`.
    #[must_use]
    pub fn between(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }
}

/// One pair of axes with what is drawn between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Over the panel; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Scale,
    /// The vertical axis.
    pub y: Scale,
    /// What is drawn, the first at the bottom.
    pub marks: Vec<Mark>,
}

/// Where the names of marks stand; never over the marks themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legend {
    /// Once, under the figure's title: a name means the same in all panels.
    #[default]
    Shared,
    /// Over each panel, its own.
    PerPanel,
}

/// Panels in a grid under one title.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Over all panels.
    pub title: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row.
    pub columns: usize,
    /// Where names stand.
    pub legend: Legend,
    /// Width of the whole, in pixels of the screen.
    pub width: u32,
    /// Height of one row of panels, in pixels of the screen.
    pub row_height: u32,
}

impl Figure {
    /// Panels side by side, `columns` in a row, 920 pixels wide in all and rows of 300.
    #[must_use]
    pub fn new(title: &str, columns: usize, panels: Vec<Panel>) -> Self {
        Self { title: title.into(), panels, columns, legend: Legend::Shared, width: 920, row_height: 300 }
    }

    /// The same figure with other names, sizes or both.
    #[must_use]
    pub fn sized(self, width: u32, row_height: u32) -> Self {
        Self { width, row_height, ..self }
    }

    /// The figure as the text of an SVG file; the same figure gives the same bytes.
    #[must_use]
    pub fn svg(&self) -> String {
        draw::svg(self)
    }

    /// The figure as a PNG file: [`svg`](Self::svg) with `scale` pixels to each of its own, in a font that comes along.
    ///
    /// # Errors
    /// [`PictureError::TooLarge`] for more pixels than can be held; [`PictureError::Encode`] and [`PictureError::Svg`] are not expected.
    pub fn png(&self, scale: u32) -> Result<Vec<u8>, PictureError> {
        raster::png(&self.svg(), scale)
    }
}
