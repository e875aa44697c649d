//! What the whole-system tests share: models with random weights, and the generators of the tables that `core` holds.

pub mod random_model;
pub mod tables;
