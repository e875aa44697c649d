//! What the whole-system tests share: models with random weights.

pub mod random_model;
