//! Pictures for people: grids of images as PNG, curves as SVG. Everything is made in memory; nothing here writes a file.

mod chart;
mod grid;
mod ticks;

pub use chart::{Axis, Chart, Series, line_chart_svg};
pub use grid::{GridStyle, PictureError, Tiles, grid_png, side_by_side_png};
