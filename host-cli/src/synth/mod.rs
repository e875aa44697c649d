//! Labelled rows made from labelled rows, and whether they are worth having.
//!
//! A [`Maker`] noises a row to a level of the model and brings it down again under its class. What it may start from besides the row itself says [`Layout`]; where
//! results may lie, [`Limits`]. [`Nearness`] tells copies from variations, and [`check`] whether a plain classifier, [`Logistic`], learns more with them.

mod arms;
mod check;
mod layout;
mod limits;
mod logistic;
mod maker;
mod nearness;
mod rows;
mod table;

pub use arms::{Arm, ArmKind, Gain};
pub use check::{Checked, Lesson, Protocol, Splits, check};
pub use layout::{Layout, Shift};
pub use limits::Limits;
pub use logistic::{Logistic, LogisticError};
pub use maker::{Made, Maker, Start, levels_from};
pub use nearness::{NEAR_DUPLICATE, Nearness};
pub use rows::Rows;
pub use table::CheckTable;
