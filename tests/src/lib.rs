//! What the whole-system tests share: models with random weights, a second reader of the format, and the generators of
//! the tables that `core` holds.

pub mod random_model;
pub mod reader;
pub mod tables;
