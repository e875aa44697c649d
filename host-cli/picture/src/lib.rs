//! Pictures for people: grids of images as PNG, figures as SVG and PNG. Everything is made in memory; nothing here writes a file.

mod chart;
mod figure;
mod grid;
mod raster;
mod ticks;

pub use chart::{Chart, Series, line_chart_svg};
pub use figure::{Axis, Colour, Figure, Heat, Legend, Mark, Panel, Point, Scale, Shape, Stroke};
pub use grid::{GridStyle, PictureError, Tiles, grid_png, side_by_side_png};
